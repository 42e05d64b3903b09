"""`replay-agent audit`: what differs from process to process, and what only seems to."""

from __future__ import annotations

import json

import pytest

from replay_agent.cli import main
from replay_agent.cli.runs.audit import Audit, AuditedTest
from tests.integration.test_replay_mark import module

pytestmark = pytest.mark.usefixtures("without_anyio")

RESTLESS = """
    import concurrent.futures, datetime, random, uuid

    def asked(prompt, **more):
        return ask(f"Say ok. {prompt}", **more)

    @pytest.mark.replay
    def test_set():
        asked("tags: " + ", ".join({"alpha", "beta", "gamma", "delta", "epsilon"}))

    @pytest.mark.replay
    def test_tools():
        names = {"search", "look_up", "mail", "sum_up", "translate"}
        function = lambda name: {"name": name, "parameters": {"type": "object", "properties": {}}}
        asked("", tools=[{"type": "function", "function": function(name)} for name in names])

    @pytest.mark.replay
    def test_schema():
        words = {"red", "green", "blue", "yellow", "black"}
        schema = {"type": "object", "properties": {"colour": {"type": "string", "enum": list(words)}}}
        asked("", tools=[{"type": "function", "function": {"name": "paint", "parameters": schema}}])

    @pytest.mark.replay
    def test_uuid():
        asked(f"id {uuid.uuid4()}")

    @pytest.mark.replay
    def test_day():
        asked(f"today is {datetime.date.today()}")

    @pytest.mark.replay
    def test_weekday():
        asked(f"it is {datetime.date.today():%A}")

    @pytest.mark.replay
    def test_second_turn():
        asked("hello")
        asked(f"and {random.SystemRandom().random()}")

    @pytest.mark.replay(freeze=("clock", "uuid"))
    def test_frozen():
        asked(f"today is {datetime.date.today()}, {uuid.uuid4()}")

    @pytest.mark.replay(ignore_body=["$.metadata.trace"])
    def test_ignored():
        asked("", metadata={"trace": str(uuid.uuid4())})

    @pytest.mark.replay
    def test_side_by_side():
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(asked, sorted({"one", "two", "three"}, key=lambda _: random.random())))

    @pytest.mark.replay
    def test_skipped():
        pytest.skip("not today")

    @pytest.mark.replay
    def test_asks_nothing():
        pass

    @pytest.fixture(scope="module")
    def greeting():
        return asked(" ".join({"good", "morning", "to", "all", "of", "you"}))

    @pytest.mark.replay
    def test_with_fixture(greeting):
        asked("with fixture")

    def test_unmarked():
        assert False
"""
KINDS = {
    "test_set": "order",
    "test_tools": "order",
    "test_schema": "order",
    "test_uuid": "uuid",
    "test_day": "clock",
    "test_weekday": "clock",
    "test_second_turn": "other",
}


@pytest.fixture
def restless(project, provide, monkeypatch):
    base, _, _ = provide(*["ok"] * 40)
    module(project, base, RESTLESS)
    project.runpytest("--record-mode=once", "--deselect=test_geo.py::test_unmarked")
    monkeypatch.chdir(project.path)
    return project


def files(project):
    return {path: path.read_bytes() for path in project.path.rglob("*") if path.is_file()}


def test_every_source_of_unrest_is_named(restless, capsys):
    pytest.importorskip("time_machine")
    before = files(restless)
    assert main(["audit", "test_geo.py", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    tests = {each["test"].removeprefix("test_geo.py::"): each for each in found["tests"]}
    assert {name: tests[name]["cause"] for name in KINDS} == KINDS
    assert tests["fixture greeting"]["cause"] == "order"
    assert {name for name, each in tests.items() if each["verdict"] == "same"} == {
        "test_frozen",
        "test_ignored",
        "test_side_by_side",
        "test_asks_nothing",
        "test_with_fixture",
    }
    assert tests["test_skipped"]["skipped"] == "not today"
    assert tests["test_second_turn"]["request"] == 2
    assert tests["test_set"]["field"] == "$.messages[1].content"
    assert found["unjudged"] == []
    assert files(restless) == before


def test_a_line_says_where_requests_differ_and_what_to_do(restless, capsys):
    assert main(["audit", "test_geo.py::test_set", "test_geo.py::test_frozen", "--runs", "3"]) == 1
    said = capsys.readouterr().out
    assert "test_geo.py::test_set: request 1 of 1 is not the same in process 1 and" in said
    assert "turn 1, user prompt" in said
    assert "sorted(" in said
    assert "test_geo.py::test_frozen: the same in 3 processes" in said


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("test_geo.py::test_unmarked", "marked neither replay nor vcr"),
        ("test_geo.py::test_gone", "test_gone"),
        ("test_nowhere.py", "test_nowhere.py"),
        ("empty", "no test there"),
        ("test_bad.py", "cannot import"),
    ],
)
def test_what_cannot_be_audited_is_misuse(project, monkeypatch, capsys, named, says):
    project.makepyfile(test_geo="def test_unmarked(): pass", test_bad="from replay_agent import nothing_of_that_name")
    project.mkdir("empty")
    monkeypatch.chdir(project.path)
    assert main(["audit", named]) == 2
    assert says in capsys.readouterr().err


def test_a_cassette_that_cannot_be_read_is_not_judged(project, monkeypatch, capsys):
    project.makepyfile("import pytest\n@pytest.mark.replay\ndef test_it(): pass")
    place = project.path / "cassettes" / "test_a_cassette_that_cannot_be_read_is_not_judged" / "test_it.yaml"
    place.parent.mkdir(parents=True)
    place.write_text("interactions: [", "utf-8")
    monkeypatch.chdir(project.path)
    assert main(["audit", "."]) == 2
    assert "not judged" in capsys.readouterr().err


@pytest.mark.parametrize("runs", ["1", "0", "-3", "many", "1000"])
def test_there_are_at_least_two_runs(runs, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["audit", "test_geo.py", f"--runs={runs}"])
    assert ended.value.code == 2
    assert "from 2 to 100" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tests", "verbose", "named"), [(3, False, 3), (20, False, 20), (21, False, 0), (21, True, 21)]
)
def test_many_tests_in_which_nothing_differs_are_summed_up(tests, verbose, named):
    same = [AuditedTest(f"test_{number}", runs=4) for number in range(tests)]
    others = [
        AuditedTest("test_stale", stale=True),
        AuditedTest("test_new", skipped="no network"),
        AuditedTest("test_set", finding="request 1 of 1 is not the same in process 1 and 2"),
    ]
    *lines, last = Audit([*same, *others]).lines(verbose=verbose)
    assert lines[0].startswith("test_set: ")
    assert sum(line.endswith(": the same in 4 processes") for line in lines) == named
    assert {"test_stale: the same in 1 processes", "test_new: skipped: no network"} <= set(lines)
    assert last.startswith(f"the same in every process: {tests + 1} of {tests + 2} tests")
    assert ("-v" in last) == (not named)
