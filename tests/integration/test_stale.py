"""`replay-agent stale`: what is recorded and no longer sent, of both marks, counted without a change to a file."""

from __future__ import annotations

import json

import pytest

from replay_agent.cli import main
from tests.integration.test_replay_mark import module

pytestmark = pytest.mark.usefixtures("without_anyio")

SUITE = """
    @pytest.mark.replay
    def test_capital():
        ask("Capital of France?")

    @pytest.mark.replay
    def test_turns():
        ask("one")
        ask("two", temperature=0)
        ask("three")

    @pytest.mark.replay
    def test_more():
        ask("more")

    @pytest.mark.replay
    def test_skipped():
        ask("skipped")

    @pytest.mark.vcr
    def test_vcr():
        ask("vcr one")
        ask("vcr two")

    @pytest.mark.replay
    class TestClass:
        @pytest.mark.parametrize("word", ["a", "b"])
        def test_word(self, word):
            ask(f"word {word}")

    def test_unmarked():
        assert False
"""
CONFTEST = """
import pytest

print("a conftest that prints")

@pytest.fixture
def vcr_config():
    return {"match_on": ["method", "path"], "filter_headers": ["authorization"]}
"""
EDITS = {
    '"three"': '"3"',
    "temperature=0": "temperature=1",
    'ask("more")': 'ask("more"); ask("and more")',
    'ask("skipped")': 'pytest.skip("not today")',
    '"vcr two"': '"vcr zwei"',
}


@pytest.fixture
def suite(project, provide, monkeypatch):
    project.makeconftest(CONFTEST)
    base, _, _ = provide(*["ok"] * 20)
    module(project, base, SUITE)
    project.runpytest("--record-mode=once").assert_outcomes(passed=7, failed=1)
    monkeypatch.chdir(project.path)
    project.base = base
    return project


def files(project):
    return {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}


def asked(capsys, *words):
    status = main(["stale", *words, "--json"])
    found = json.loads(capsys.readouterr().out)
    return status, {each["test"].rpartition("::")[2]: each for each in found["tests"]}, found


def test_what_is_stale_is_counted(suite, capsys):
    status, tests, found = asked(capsys, "test_geo.py")
    assert (status, found["stale"], found["recorded"]) == (0, 0, 10)
    source = (suite.path / "test_geo.py").read_text("utf-8")
    for old, new in EDITS.items():
        source = source.replace(old, new)
    (suite.path / "test_geo.py").write_text(source, "utf-8")
    before = files(suite)
    status, tests, found = asked(capsys, "test_geo.py")
    assert status == 1
    assert {name: (each["stale"], each["recorded"], each["unrecorded"]) for name, each in tests.items()} == {
        "test_capital": (0, 1, 0),
        "test_turns": (2, 3, 0),
        "test_more": (0, 1, 1),
        "test_skipped": (0, 0, 0),
        "test_vcr": (1, 2, 0),
        "test_word[a]": (0, 1, 0),
        "test_word[b]": (0, 1, 0),
    }
    assert "temperature" in tests["test_turns"]["first"]["text"]
    assert tests["test_turns"]["first"]["turn"] == 1
    assert "user prompt" in tests["test_vcr"]["first"]["text"]
    assert tests["test_skipped"]["outcome"] == "skipped"
    assert files(suite) == before
    assert main(["stale", "test_geo.py"]) == 1
    said = capsys.readouterr().out
    assert "test_geo.py::test_turns: 2 of 3 recorded requests stale" in said
    assert "3 of 9 recorded requests stale, in 3 of 6 tests; nothing was written" in said
    assert "conftest that prints" not in said


def test_what_is_not_sent_at_all_is_stale(suite, capsys):
    source = (suite.path / "test_geo.py").read_text("utf-8")
    (suite.path / "test_geo.py").write_text(source.replace('ask("two", temperature=0)', "pass"), "utf-8")
    _, tests, _ = asked(capsys, "test_geo.py::test_turns")
    assert (tests["test_turns"]["stale"], tests["test_turns"]["unsent"]) == (1, 1)


def test_a_test_without_a_cassette_has_nothing_stale(project, provide, monkeypatch, capsys):
    base, script, _ = provide("ok")
    module(project, base, '    @pytest.mark.replay\n    def test_new():\n        ask("new")\n')
    monkeypatch.chdir(project.path)
    status, tests, _ = asked(capsys, ".")
    assert (status, tests["test_new"]["recorded"], tests["test_new"]["unrecorded"]) == (1, 0, 1)
    assert len(script.calls) == 0


def test_a_project_in_another_folder_is_found(suite, monkeypatch, capsys):
    place = suite.mkdir("a folder")
    monkeypatch.chdir(place)
    status, tests, _ = asked(capsys, "../test_geo.py::TestClass")
    assert (status, sorted(tests)) == (0, ["test_word[a]", "test_word[b]"])
