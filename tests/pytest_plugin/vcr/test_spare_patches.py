from __future__ import annotations

import http.client

import httpx
import pytest
import urllib3
import urllib3.connectionpool
from vcr import patch as replacing
from vcr import stubs
from vcr.cassette import Cassette
from vcr.patch import CassettePatcherBuilder

from replay_agent.pytest_plugin.vcr.patchers import PatcherBuilder, patched_for
from replay_agent.pytest_plugin.vcr.spare_patches import SparePatches
from tests.pytest_plugin.vcr.older import on_known_vcrpy

pytestmark = on_known_vcrpy


def built(cassette):
    return PatcherBuilder(cassette).build()


def entered(patches):
    for patcher in patches.all:
        patcher.__enter__()


def undone(patches):
    for patcher in reversed(patches.all):
        patcher.__exit__(None, None, None)


class Closed:
    """A cassette was open and is closed; what it left is there for the next."""

    def __init__(self, **config):
        self.spare = SparePatches(("httpx", "httpx2", "urllib3"))
        self.first = self.opened("first", **config)
        entered(self.first)

    def opened(self, name, absent=(), **config):
        self.cassette = Cassette(name, **config)
        return self.spare.taken(self.cassette, absent, built)

    def close(self):
        undone(self.first)
        self.spare.left(self.first)

    def is_taken_over(self, **config):
        return self.opened("second", **config) is self.first


def test_the_next_cassette_takes_over_what_nobody_kept():
    closed = Closed()
    closed.close()
    assert closed.is_taken_over()


def described(value, cassette):
    """What can be told of a value without knowing which object it is."""
    if isinstance(value, type):
        return value.__name__, value.__qualname__, value.__module__, value.__bases__, value.cassette is cassette
    if isinstance(value, dict):
        return {name: described(each, cassette) for name, each in value.items()}
    cells = [cell.cell_contents for cell in value.__closure__ or ()]
    return value.__name__, value.__qualname__, value.__code__, [one is cassette for one in cells]


def test_what_is_taken_over_is_what_vcrpy_would_make():
    closed = Closed()
    closed.close()
    assert closed.is_taken_over()
    anew = Cassette("second")
    ours = {(one.owner, one.name): described(one.value, closed.cassette) for one in closed.first.all if one_of(one)}
    theirs = {
        (one.getter(), one.attribute): described(one.new, anew)
        for one in CassettePatcherBuilder(anew).build()
        if hasattr(one, "getter")
    }
    assert ours == theirs


def one_of(patcher):
    return hasattr(patcher, "value")


KEPT = {
    "a function": lambda: httpx.HTTPTransport.handle_request,
    "a class": lambda: http.client.HTTPConnection,
    "a class of a pool": lambda: urllib3.connectionpool.HTTPConnectionPool.ConnectionCls,
    "a connection": lambda: http.client.HTTPConnection("a"),
    "a class of one's own": lambda: type("Mine", (http.client.HTTPSConnection,), {}),
    "a method": lambda: httpx.HTTPTransport().handle_request,
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_who_keeps_a_part_keeps_it_with_its_cassette(kept):
    closed = Closed()
    first = closed.cassette
    mine = kept()
    closed.close()
    assert not closed.is_taken_over()
    cells = getattr(mine, "__closure__", None) or ()
    assert first in [getattr(mine, "cassette", None), *[cell.cell_contents for cell in cells]]


def changed_class():
    http.client.HTTPConnection.debuglevel = 1


def changed_function():
    httpx.HTTPTransport.handle_request.calls = 1


def changed_code():
    httpx.HTTPTransport.handle_request.__defaults__ = (None,)


def other_attribute():
    vars(urllib3.connectionpool.HTTPConnectionPool)["_get_conn"].mine = True


@pytest.mark.parametrize("change", [changed_class, changed_function, changed_code, other_attribute])
def test_what_was_changed_does_not_serve_again(change):
    closed = Closed()
    change()
    closed.close()
    assert not closed.is_taken_over()


OTHERWISE = [
    (httpx, "HTTPTransport", type("Mine", (httpx.HTTPTransport,), {})),
    (replacing, "_HttpxHttpTransport_handle_request", lambda *_: None),
    (replacing, "VCRHTTPConnection", type("Mine", (stubs.VCRHTTPConnection,), {})),
    (urllib3.connectionpool, "is_connection_dropped", lambda _: False),
    (urllib3.connectionpool.HTTPConnectionPool, "_get_conn", lambda *_: None),
]


@pytest.mark.parametrize(("owner", "name", "value"), OTHERWISE)
def test_what_others_replace_meanwhile_is_seen(owner, name, value, monkeypatch):
    closed = Closed()
    closed.close()
    monkeypatch.setattr(owner, name, value)
    assert not closed.is_taken_over()


@pytest.mark.parametrize(
    "config", [{"skip_patchers": ("httpx",)}, {"custom_patches": ((http.client, "IncompleteRead", object),)}]
)
def test_other_patches_are_made_anew(config):
    closed = Closed()
    closed.close()
    assert not closed.is_taken_over(**config)
    own = Closed(**config)
    own.close()
    assert own.is_taken_over(**config) is ("custom_patches" not in config)


def test_patches_for_other_libraries_are_made_anew():
    closed = Closed()
    closed.close()
    assert closed.opened("second", absent=["httpx2"]) is not closed.first


def test_a_cassette_within_another_has_its_own():
    outer = patched_for(Cassette("outer"))
    next(outer)
    around = http.client.HTTPConnection
    inner = patched_for(Cassette("inner"))
    next(inner)
    assert http.client.HTTPConnection is not around
    assert http.client.HTTPConnection.__name__.endswith("inner")
    next(inner, None)
    assert http.client.HTTPConnection is around
    next(outer, None)
    assert around.cassette._path == "outer"


def test_no_cassette_is_kept():
    closed = Closed()
    closed.close()
    assert {
        described(one.value, None)[-1] for one in closed.first.all if isinstance(getattr(one, "value", 0), type)
    } == {True}
