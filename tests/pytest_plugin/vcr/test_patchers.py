from __future__ import annotations

import builtins
import http.client
import sys
from contextlib import contextmanager

import httpx
import pytest
from vcr import VCR
from vcr.cassette import Cassette
from vcr.patch import CassettePatcherBuilder

from replay_agent.pytest_plugin.vcr.patchers import AbsentModules, Attribute, PatcherBuilder, patched_for
from tests.pytest_plugin.vcr.older import on_known_vcrpy

ABSENT = "a_library_that_is_not_here"


class Base:
    inherited = 1


class Owner(Base):
    own = 1


@pytest.mark.parametrize("name", ["own", "inherited"])
def test_an_attribute_is_put_back_as_it_was(name):
    before = dict(vars(Owner))
    with Attribute(Owner, name, 2):
        assert getattr(Owner, name) == 2
    assert dict(vars(Owner)) == before


def test_an_attribute_is_put_back_after_an_error():
    with pytest.raises(ZeroDivisionError), Attribute(Owner, "own", 2):
        raise ZeroDivisionError
    assert Owner.own == 1


def places(builder):
    """What is replaced in the end, and by what kind of thing: a class with these bases, or a function."""
    owned = [(one.owner, one.name, one.value) for one in builder.build() if isinstance(one, Attribute)]
    mocked = [(one.getter(), one.attribute, one.new) for one in builder.build() if hasattr(one, "getter")]
    return {(owner, name): getattr(value, "__bases__", type(value)) for owner, name, value in owned or mocked}


@on_known_vcrpy
@pytest.mark.parametrize("skipped", [(), ("urllib3",), ("requests",), ("httpx", "httplib")])
def test_the_same_is_replaced_as_by_vcrpy(skipped):
    ours = places(PatcherBuilder(Cassette("x", skip_patchers=skipped)))
    assert ours == places(CassettePatcherBuilder(Cassette("x", skip_patchers=skipped)))
    assert ((httpx.HTTPTransport, "handle_request") in ours) is ("httpx" not in skipped)


def test_everything_is_as_before_afterwards():
    before = http.client.HTTPConnection, httpx.HTTPTransport.handle_request
    steps = patched_for(Cassette("x"))
    next(steps)
    assert http.client.HTTPConnection is not before[0]
    assert httpx.HTTPTransport.handle_request is not before[1]
    next(steps, None)
    assert (http.client.HTTPConnection, httpx.HTTPTransport.handle_request) == before


@on_known_vcrpy
def test_cassettes_may_be_opened_within(tmp_path):
    before = httpx.HTTPTransport.handle_request
    steps = patched_for(Cassette("x"))
    next(steps)
    outer = httpx.HTTPTransport.handle_request
    with VCR().use_cassette(tmp_path / "y.yaml"):
        assert httpx.HTTPTransport.handle_request is not outer
    assert httpx.HTTPTransport.handle_request is outer
    next(steps, None)
    assert httpx.HTTPTransport.handle_request is before


@contextmanager
def searches_counted():
    found = []

    class Counting:
        @staticmethod
        def find_spec(name, path=None, target=None):
            found.append(name)

    sys.meta_path.insert(0, Counting)
    try:
        yield found
    finally:
        sys.meta_path.remove(Counting)


def imported(name):
    try:
        builtins.__import__(name)
    except ModuleNotFoundError:
        return False
    return True


def test_what_is_absent_is_searched_for_once():
    modules = AbsentModules([ABSENT, f"{ABSENT}.part", "json"])
    with searches_counted() as searched:
        for _ in range(3):
            with modules.known():
                assert not imported(ABSENT)
                assert not imported(f"{ABSENT}.part")
                assert imported("json")
    assert searched.count(ABSENT) <= 3  # for itself, and as the package of its part
    assert ABSENT not in sys.modules


def test_what_comes_with_another_path_is_found(tmp_path, monkeypatch):
    modules = AbsentModules([ABSENT])
    with modules.known():
        assert not imported(ABSENT)
    (tmp_path / f"{ABSENT}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with modules.known():
        assert imported(ABSENT)
    del sys.modules[ABSENT]


def test_what_stands_in_for_a_library_stays(monkeypatch):
    modules = AbsentModules([ABSENT])
    with modules.known():
        pass
    stand_in = object()
    monkeypatch.setitem(sys.modules, ABSENT, stand_in)
    with modules.known():
        assert sys.modules[ABSENT] is stand_in
    assert sys.modules[ABSENT] is stand_in


def test_a_block_that_fails_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError), AbsentModules([ABSENT]).known():
        raise ZeroDivisionError
    assert ABSENT not in sys.modules


def test_what_lacks_a_library_itself_is_run_once(tmp_path, monkeypatch):
    (tmp_path / f"{ABSENT}.py").write_text(f"import {ABSENT}_either")
    monkeypatch.syspath_prepend(tmp_path)
    modules = AbsentModules([ABSENT])
    with searches_counted() as searched:
        for _ in range(3):
            with modules.known():
                assert not imported(ABSENT)
    assert searched.count(f"{ABSENT}_either") == 1
