"""`replay-agent verify`: asked live into scratch, compared by structure, nothing of the project written."""

from __future__ import annotations

import json

import pytest

from replay_agent.cli import main
from replay_agent.cli.runs import verify as verify_module
from replay_agent.cli.runs.recorded import Recorded
from replay_agent.cli.runs.session import Collected, collect
from replay_agent.cli.runs.verify import plan
from replay_agent.messages import ToolCallPart
from replay_agent.report.comparison.trials.notes import Note
from tests.integration.test_replay_mark import module

pytestmark = pytest.mark.usefixtures("without_anyio")

SUITE = """
    TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
             for name in ("look_up", "search")]

    @pytest.mark.replay
    def test_words():
        assert ask("Capital of France?") == "Paris"

    @pytest.mark.replay
    def test_tool():
        ask("Look it up.", tools=TOOLS)

    @pytest.mark.vcr
    def test_vcr():
        ask("vcr")

    @pytest.fixture(scope="module")
    def greeting():
        return ask("Good morning!")

    @pytest.mark.replay
    def test_fixture(greeting):
        pass

    def test_unmarked():
        assert False
"""
NEW = """
    @pytest.mark.replay
    def test_new():
        ask("new")

    @pytest.mark.replay
    def test_skipped():
        pytest.skip("not today")
"""
LOOKED_UP = ToolCallPart("look_up", {"city": "Paris"})


@pytest.fixture
def suite(project, provide, monkeypatch):
    base, _, stop = provide("Paris", LOOKED_UP, "vcr", "Hello!")
    module(project, base, SUITE)
    project.runpytest("--record-mode=once", "--deselect=test_geo.py::test_unmarked").assert_outcomes(passed=4)
    stop()
    monkeypatch.chdir(project.path)

    def answering(*answers, more=""):
        base, script, _ = provide(*answers)
        module(project, base, SUITE, more)
        return script

    project.answering = answering
    return project


def files(project):
    return {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}


def test_words_are_shown_and_never_fail(suite, capsys):
    script = suite.answering("It is Paris.", ToolCallPart("look_up", {"city": "Lyon"}), "vcr?", "Hi!", more=NEW)
    before = files(suite)
    assert main(["verify", "test_geo.py", "--yes"]) == 0
    printed = capsys.readouterr()
    assert len(script.calls) == 4
    assert files(suite) == before
    assert "4 calls of models in 4 tests: about $" in printed.err
    assert "test_geo.py::test_words: the model still behaves\n  the test itself fails: AssertionError" in printed.out
    assert "It is Paris." in printed.out
    assert "test_vcr: the model still behaves" in printed.out
    assert "fixture greeting: the model still behaves" in printed.out
    assert "test_new: there is no cassette" in printed.err


def test_another_structure_is_told_and_counted(suite, capsys):
    good = ["Paris", LOOKED_UP, "vcr", "Hello!"]
    other = ["Paris", ToolCallPart("search", {"city": "Paris"}), "vcr", "Hello!"]
    suite.answering(*good, *other)
    assert main(["verify", "test_geo.py", "--yes", "--samples", "2", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    tests = {each["test"].rpartition("::")[2]: each for each in found["tests"]}
    assert {name: (each["verdict"], each["behaved"]) for name, each in tests.items()} == {
        "test_words": ("behaves", 2),
        "test_tool": ("differs", 1),
        "test_vcr": ("behaves", 2),
        "fixture greeting": ("behaves", 2),
    }
    assert tests["test_tool"]["samples"][1]["deviations"] == [
        {"kind": "tools", "conversation": 1, "turn": 1, "text": "calls search, recorded look_up"}
    ]
    assert found["spent"]["calls"] == 8


def test_a_test_that_fails_for_another_reason_is_found(suite, capsys):
    suite.answering("Paris")
    source = (suite.path / "test_geo.py").read_text("utf-8")
    (suite.path / "test_geo.py").write_text(source.replace('== "Paris"', '== "Paris" and not "a bug"'), "utf-8")
    assert main(["verify", "test_geo.py::test_words", "--yes"]) == 1
    assert "the test fails, though the model does what was recorded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        ([], {}, "no terminal"),
        ([], {"CI": "true"}, "In CI"),
        (["--yes"], {"REPLAY": "1"}, "anything to be compared with"),
    ],
)
def test_nothing_is_asked_that_nobody_wants(project, provide, monkeypatch, capsys, words, environment, says):
    base, script, _ = provide("no", "no")
    module(project, base, NEW)
    monkeypatch.chdir(project.path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["verify", "test_geo.py", *words]) == 2
    assert says in capsys.readouterr().err
    assert len(script.calls) == 0


def test_a_missing_key_is_said_before_anything(project, monkeypatch, capsys):
    project.makepyfile(
        test_geo="""
        import httpx, pytest

        @pytest.mark.replay
        def test_it(provider):
            provider.reply("Paris")
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "capital?"}]}
            httpx.post("https://api.openai.com/v1/chat/completions", json=body)
        """
    )
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    monkeypatch.chdir(project.path)
    assert main(["verify", "test_geo.py", "--yes"]) == 2
    printed = capsys.readouterr()
    assert "OPENAI_API_KEY" in printed.err
    assert "calls of models" not in printed.err


@pytest.mark.parametrize("samples", ["0", "-1", "x", "101"])
def test_samples_are_a_number(samples, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", "test_geo.py", f"--samples={samples}"])
    assert ended.value.code == 2
    assert "from 1 to 100" in capsys.readouterr().err


MANY = """
    @pytest.mark.replay
    @pytest.mark.parametrize("number", range({count}))
    def test_many(greeting, number):
        pass
"""
LISTING = """
    import sys
    from pathlib import Path

    listed = []

    def audited(event, args):
        if event in ("os.listdir", "os.scandir") and "cassettes" in str(args[0]):
            listed.append(args[0])

    sys.addaudithook(audited)

    def pytest_sessionfinish():
        Path("listed.txt").write_text(str(len(listed)))
"""


def test_what_is_collected_looks_through_a_folder_as_often_for_many_tests_as_for_few(suite, tmp_path):
    suite.makeconftest(LISTING)
    numbers = []
    for count in (2, 40):
        suite.answering(more=MANY.format(count=count))
        found = collect(["test_geo.py"], tmp_path / str(count))
        assert len(found.tests) == 4 + count
        assert [each.test for each in found.fixtures] == ["test_geo.py::fixture greeting"]
        numbers.append((suite.path / "listed.txt").read_text("utf-8"))
    assert numbers[0] == numbers[1] != "0"


def test_telling_what_is_left_out_compares_no_test_with_another(monkeypatch, tmp_path):
    equal = []
    monkeypatch.setattr(Recorded, "__eq__", lambda one, other: equal.append(one) or one is other)
    notes = [Note(f"test_{number}", "collected", "" if number % 2 else "skipped") for number in range(50)]
    monkeypatch.setattr(verify_module, "collect", lambda tests, folder: Collected(notes, [], [], [], frozenset()))
    planned = plan(["."], tmp_path)
    assert (len(planned.chosen), len(planned.left_out)) == (25, 25)
    assert equal == []
