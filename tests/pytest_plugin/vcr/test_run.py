from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType

import pytest
import urllib3
import vcr.errors
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request as VcrRequest

from replay_agent.exceptions import CassetteMiss, CassetteUnwritable
from replay_agent.pytest_plugin.vcr.run import VcrMiss, VcrRun, VcrSettings, file_name, merged
from replay_agent.recording.options import RecordMode
from replay_agent.traffic import Request

ASKED = VcrRequest("GET", "http://example.org/a", None, {})
ANSWER = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": b"A"}}


def test_the_closest_mark_has_the_last_word():
    config = {"match_on": ["uri"], "filter_headers": ["a"]}
    assert merged(config, [{"match_on": ["body"]}, {"match_on": ["path"]}]) == {
        "match_on": ["path"],
        "filter_headers": ["a"],
    }


@pytest.mark.parametrize("more", [{}, {"ignore_hosts": {"a"}}])
def test_a_configuration_is_not_changed_by_a_test(more):
    config = {"filter_headers": ["a"], "decode_compressed_response": True, **more}
    settings = merged(config, [])
    assert settings == config
    settings["filter_headers"].append("b")
    settings.get("ignore_hosts", set()).add("b")
    assert config == {"filter_headers": ["a"], "decode_compressed_response": True, **more}
    assert "b" not in config.get("ignore_hosts", ())


@pytest.mark.parametrize(("length", "kept"), [(250, True), (251, False), (400, False)])
def test_long_names_fit_a_file_system(length, kept):
    name = "x" * length
    assert (file_name(name) == name) is kept
    assert len(file_name(name) + ".yaml") <= 255
    assert file_name(name) != file_name(name + "y")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("none", {"record_mode": "none"}),
        ("rewrite", {"record_mode": "new_episodes"}),
        ("refresh", {"record_mode": "new_episodes", "drop_unused_requests": True}),
    ],
)
def test_our_modes_are_told_in_vcrpys_words(mode, words):
    assert VcrSettings("n", "f", RecordMode(mode)).keywords() == words


def settings(folder, mode="once", **config):
    return VcrSettings("one", str(folder), RecordMode(mode), config)


def run(folder, mode="once", **config):
    return VcrRun(
        settings(folder, mode, **config), test="t", file=__file__, command=lambda: "pytest --record-mode={mode}"
    )


def leave_alone(_):
    return None


def record(folder, mode="once", passed=True):
    with run(folder, mode).opened(leave_alone, lambda: passed) as cassette:
        cassette.append(ASKED, ANSWER)


def test_what_is_played_is_an_interaction(tmp_path):
    record(tmp_path)
    replayed = run(tmp_path, "none")
    with replayed.opened(leave_alone) as cassette:
        assert cassette.can_play_response_for(ASKED)
        cassette.play_response(ASKED)
    assert [(one.request.url, one.outcome.body) for one in replayed.interactions] == [("http://example.org/a", b"A")]
    assert replayed.play_count == 1


def test_what_is_recorded_is_an_interaction(tmp_path):
    recorded = run(tmp_path)
    with recorded.opened(leave_alone) as cassette:
        cassette.append(ASKED, ANSWER)
        assert len(recorded.interactions) == 1
    assert recorded.requests[0].method == "GET"


@pytest.mark.parametrize("body", [b"ab", "ab", [b"a", b"b"], ["a", "b"]])
def test_bodies_of_every_kind_are_read(tmp_path, body):
    recorded = run(tmp_path)
    with recorded.opened(leave_alone) as cassette:
        cassette.append(VcrRequest("POST", "http://example.org/", body, {}), ANSWER)
    assert recorded.requests[0].body == b"ab"


REFUSAL = "CannotOverwriteExistingCassetteException"


def stub_module(name, kind=ModuleType):
    """A module of stubs as vcrpy has for each client."""
    module = kind(f"vcr.stubs.{name}")
    vars(module)[REFUSAL] = vcr.errors.CannotOverwriteExistingCassetteException
    return module


def test_stubs_that_are_imported_within_are_put_back_when_no_run_is_open(tmp_path, monkeypatch):
    later = [stub_module("later") for _ in range(3)]
    with run(tmp_path).opened(leave_alone):
        for module in later:
            monkeypatch.setitem(sys.modules, module.__name__, module)
            with run(tmp_path / "inner").opened(leave_alone):
                assert getattr(module, REFUSAL) is not vcr.errors.CannotOverwriteExistingCassetteException
    for module in later:
        assert getattr(module, REFUSAL) is vcr.errors.CannotOverwriteExistingCassetteException


class Unpatchable(ModuleType):
    """A module that lets nobody replace anything."""

    def __setattr__(self, name, value):
        if name == REFUSAL:
            raise AttributeError(name)
        super().__setattr__(name, value)


def test_a_run_that_cannot_be_opened_leaves_nothing_behind(tmp_path, monkeypatch):
    before, broken = stub_module("before"), stub_module("broken", Unpatchable)
    monkeypatch.setitem(sys.modules, before.__name__, before)
    monkeypatch.setitem(sys.modules, broken.__name__, broken)
    with pytest.raises(AttributeError, match=REFUSAL), run(tmp_path).opened(leave_alone):
        pytest.fail("opened all the same")
    assert getattr(before, REFUSAL) is vcr.errors.CannotOverwriteExistingCassetteException
    monkeypatch.delitem(sys.modules, broken.__name__)
    with run(tmp_path).opened(leave_alone):
        pass
    assert getattr(before, REFUSAL) is vcr.errors.CannotOverwriteExistingCassetteException


def test_a_failed_rewrite_leaves_the_old_file(tmp_path):
    record(tmp_path)
    before = (tmp_path / "one.yaml").read_bytes()
    record(tmp_path, "rewrite", passed=False)
    assert (tmp_path / "one.yaml").read_bytes() == before


@pytest.mark.parametrize("spelled", ["one.yaml", "./one.yaml", "further/../one.yaml", "{folder}/one.yaml"])
def test_what_is_rewritten_is_not_played_however_a_mark_names_it(tmp_path, spelled):
    record(tmp_path)
    (tmp_path / "further").mkdir()
    named = VcrSettings("one", str(tmp_path), RecordMode.REWRITE, extra=[spelled.format(folder=tmp_path)])
    with VcrRun(named, test="t", file=__file__, command=str).opened(leave_alone) as cassette:
        assert not cassette.can_play_response_for(ASKED)


def test_a_further_cassette_is_played_while_rewriting(tmp_path):
    record(tmp_path)
    (tmp_path / "one.yaml").rename(tmp_path / "two.yaml")
    named = VcrSettings("one", str(tmp_path), RecordMode.REWRITE, extra=["two.yaml"])
    with VcrRun(named, test="t", file=__file__, command=str).opened(leave_alone) as cassette:
        assert cassette.can_play_response_for(ASKED)


def test_a_persister_of_the_user_is_rewritten_too(tmp_path):
    class Kept:
        saved = 0

        def load_cassette(self, path, serializer):
            raise AssertionError("the old cassette is not to be played")

        def save_cassette(self, path, cassette, serializer):
            Kept.saved += 1

    for passed in (lambda: False), (lambda: True):
        with run(tmp_path, "rewrite").opened(lambda vcr: vcr.register_persister(Kept()), passed) as cassette:
            cassette.append(ASKED, ANSWER)
    assert Kept.saved == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "cassettes").write_text("not a folder")
    with pytest.raises(CassetteUnwritable, match=r"cassettes.*untouched"):
        record(tmp_path / "cassettes")


FAILURES = [OSError(28, "full"), ValueError("odd"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"), KeyError("gone")]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("mode", ["once", "all", "rewrite"])
def test_vcrpy_is_out_of_the_way_though_saving_failed(tmp_path, failure, mode):
    class Broken:
        def load_cassette(self, path, serializer):
            raise CassetteNotFoundError

        def save_cassette(self, path, cassette, serializer):
            raise failure

    before = urllib3.HTTPConnectionPool.ConnectionCls
    opened = run(tmp_path, mode).opened(lambda vcr: vcr.register_persister(Broken()))
    with pytest.raises(type(failure)) as raised, opened as cassette:
        assert urllib3.HTTPConnectionPool.ConnectionCls is not before
        cassette.append(ASKED, ANSWER)
    assert urllib3.HTTPConnectionPool.ConnectionCls is before
    assert raised.value is failure


@pytest.fixture
def miss(tmp_path):
    replaying = run(tmp_path, "none")
    with replaying.opened(leave_alone) as cassette:
        refusal = vcr.errors.CannotOverwriteExistingCassetteException(cassette=cassette, failed_request=ASKED)
        return VcrMiss("text", Request("GET", "http://example.org/a"), Path("c.yaml"), refusal)


def test_a_miss_is_vcrpys_error_for_who_asks(miss):
    assert isinstance(miss, vcr.errors.CannotOverwriteExistingCassetteException)
    assert isinstance(miss, CassetteMiss)
    assert miss.failed_request is ASKED
    with pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException):
        raise miss


def test_a_miss_is_no_exception_that_a_client_catches(miss):
    with pytest.raises(CassetteMiss):
        try:
            raise miss
        except Exception:
            pytest.fail("an SDK would have swallowed it")


def test_a_miss_that_its_test_caught_is_known_by_the_place(miss):
    assert not miss.was_caught_in(__file__)
    with pytest.raises(CassetteMiss):
        raise miss
    assert miss.was_caught_in(__file__)
    assert not miss.was_caught_in("elsewhere.py")


def test_a_miss_travels_to_another_process(miss):
    again = pickle.loads(pickle.dumps(miss))
    assert isinstance(again, vcr.errors.CannotOverwriteExistingCassetteException)
    assert issubclass(type(again), CassetteMiss)
    assert (str(again), again.request, again.path) == ("text", miss.request, Path("c.yaml"))
    assert again.cassette is None
