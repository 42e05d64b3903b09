"""Whole sessions that write a report: what stands in it, whoever ran the tests, however often, and if it cannot be written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import render
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.report.page.parts import read_part
from tests.report.page.samples import URL, run_with_a_tool

pytestmark = pytest.mark.usefixtures("without_anyio")

TESTS = f"""
    import json
    import pytest
    import httpx

    PROMPT = "Be brief."

    def ask(question):
        messages = [{{"role": "system", "content": PROMPT}}, {{"role": "user", "content": question}}]
        with httpx.Client() as client:
            while True:
                said = client.post("{URL}", json={{"model": "gpt-4o", "messages": messages}}).json()["choices"][0]["message"]
                messages.append(said)
                if not said.get("tool_calls"):
                    return said["content"]
                messages += [
                    {{"role": "tool", "tool_call_id": call["id"], "content": '{{"open": "10:00"}}'}}
                    for call in said["tool_calls"]
                ]

    @pytest.mark.replay("shared", allow_unused=True)
    def test_open():
        assert ask("Is it open?") == "At ten."

    @pytest.mark.replay("shared", allow_unused=True)
    def test_wrong():
        assert ask("Is it open?") == "Never.", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL"

    @pytest.mark.replay("shared", allow_unused=True)
    def test_drifted(monkeypatch):
        monkeypatch.setitem(globals(), "PROMPT", "Be kind.")
        ask("Is it open?")

    @pytest.mark.replay
    def test_unrecorded():
        ask("Is it open?")

    def test_of_no_model():
        pass

    @pytest.mark.skip(reason="not today")
    def test_skipped():
        pass

    @pytest.mark.xfail(reason="known")
    def test_expected():
        raise AssertionError
"""


@pytest.fixture
def desk(project):
    """A project with a recording that some tests share."""
    pytester = project
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest\nfilterwarnings = default\n")
    pytester.makepyfile(test_desk=TESTS)
    items = [new_item(interaction, None) for interaction in run_with_a_tool()]
    cassette = pytester.mkdir("cassettes") / "shared.yaml"
    cassette.write_bytes(render(Header(keying="", recorded_at="2026-11-26T12:00:00Z"), items))
    assert len(store.load(cassette)) == 2
    return pytester


def entries(path="part.json"):
    return {entry.test.partition("::")[2]: entry for entry in read_part(Path(path)).entries}


def test_nothing_is_written_unasked(desk):
    before = set(desk.path.iterdir())
    desk.runpytest("-k", "open", "-p", "no:xdist")
    assert {path.name for path in set(desk.path.iterdir()) - before} <= {"__pycache__"}


@pytest.fixture(params=[["-p", "no:xdist"], ["-n", "2"]], ids=["one process", "two workers"])
def told(desk, request):
    """What the report of the session tells of its tests, by their names."""
    if "-n" in request.param:
        pytest.importorskip("xdist")
    result = desk.runpytest_subprocess("--replay-report=part.json", *request.param)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["replay: report in part.json"])
    return entries()


def test_every_test_is_told(told):
    assert {name: entry.outcome for name, entry in told.items()} == {
        "test_open": "passed",
        "test_wrong": "failed",
        "test_drifted": "failed",
        "test_unrecorded": "failed",
        "test_of_no_model": "passed",
        "test_skipped": "skipped",
        "test_expected": "xfailed",
    }
    fine = told["test_open"]
    assert (fine.replayed.calls, fine.live.calls, fine.cassette, fine.models) == (
        2,
        0,
        "cassettes/shared.yaml",
        ["gpt-4o"],
    )
    assert [message.who for message in fine.conversations[0].messages] == ["system", "user", "assistant", "assistant"]
    assert fine.seconds > 0
    assert told["test_of_no_model"].conversations == []
    assert told["test_skipped"].notes == ["Skipped: not today"]
    assert told["test_expected"].notes == ["expected to fail: known"]


def test_what_went_wrong_is_told(told):
    (drift,) = told["test_drifted"].drifts
    assert [shift.title for shift in drift.shifts] == ["turn 1, system prompt"]
    assert drift.command == "pytest test_desk.py::test_drifted --record-mode=refresh"
    assert told["test_unrecorded"].drifts[0].cause == "no cassette"
    assert told["test_wrong"].drifts == []
    assert "assert" in told["test_wrong"].failure.text
    assert "sk-proj-abcdef" not in Path("part.json").read_text("utf-8")


def test_a_page_is_written(desk):
    desk.runpytest("--replay-report=out/page.html", "-p", "no:xdist")
    page = Path("out/page.html").read_text("utf-8")
    assert "3 of 7 tests" not in page
    assert "1 of 7 tests failed, 1 drifted, 1 not recorded" in page
    assert [path.name for path in Path("out").iterdir()] == ["page.html"]


def test_a_part_of_the_tests_is_told_as_such(desk):
    desk.runpytest("--replay-report=part.json", "-k", "open or wrong", "-x", "-p", "no:xdist")
    assert list(entries()) == ["test_open", "test_wrong"]
    notes = read_part(Path("part.json")).notes
    assert notes[0] == "These are not all tests: 5 more were not selected."
    assert notes[1].startswith("The session was stopped before its end: ")


RERUNS = """
    import pytest

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(item, nextitem):
        # As the plugins do that run failed tests again.
        from _pytest.runner import runtestprotocol

        for attempt in range(3):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            failed = next((report for report in reports if report.failed), None)
            for report in reports:
                if failed is report and attempt < 2:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
                if report.outcome == "rerun":
                    break
            if failed is None:
                break
        return True
"""


@pytest.mark.parametrize("workers", [["-p", "no:xdist"], ["-n", "1"]], ids=["one process", "a worker"])
def test_the_last_attempt_counts_and_earlier_ones_are_noted(desk, workers):
    if "-n" in workers:
        pytest.importorskip("xdist")
    desk.makeconftest(RERUNS)
    desk.makepyfile(
        test_flaky="""
        import pytest
        tries = []

        @pytest.mark.replay("shared", allow_unused=True)
        def test_flaky():
            tries.append(1)
            assert len(tries) == 3
        """
    )
    desk.runpytest_subprocess("--replay-report=part.json", "test_flaky.py", *workers)
    (entry,) = entries().values()
    assert entry.outcome == "passed"
    assert entry.failure is None
    assert [each.partition(" (")[0] for each in entry.earlier] == ["Attempt 1: failed", "Attempt 2: failed"]
    assert "assert 1 == 3" in entry.earlier[0]


def test_what_cannot_be_collected_is_told(desk):
    desk.makepyfile(test_broken="import nothing_of_this_name")
    desk.runpytest("--replay-report=part.json", "test_broken.py", "-p", "no:xdist")
    (entry,) = read_part(Path("part.json")).entries
    assert (entry.test, entry.outcome) == ("test_broken.py", "error")
    assert "nothing_of_this_name" in entry.failure.text


def test_trouble_around_a_test_is_an_error(desk):
    desk.makepyfile(
        test_around="""
        import pytest

        @pytest.fixture
        def before():
            raise RuntimeError("not today")

        @pytest.fixture
        def after():
            yield
            raise RuntimeError("not any more")

        def test_before(before): ...
        def test_after(after): ...
        """
    )
    desk.runpytest("--replay-report=part.json", "test_around.py", "-p", "no:xdist")
    told = entries()
    assert [entry.outcome for entry in told.values()] == ["error", "error"]
    assert "not any more" in told["test_after"].failure.text


def test_a_worker_that_is_lost_is_told(desk):
    pytest.importorskip("xdist")
    desk.makepyfile(test_lost="import os\n\ndef test_lost():\n    os._exit(3)\n")
    desk.runpytest_subprocess("--replay-report=part.json", "test_lost.py", "-n", "1", "--max-worker-restart=0")
    (entry,) = entries().values()
    assert entry.outcome == "failed"
    assert "crashed" in entry.failure.text


@pytest.mark.parametrize("name", ["page", "page.pdf", ".html", "folder.html"])
def test_a_name_must_say_what_is_written(desk, name):
    desk.mkdir("folder.html")
    result = desk.runpytest(f"--replay-report={name}", "-p", "no:xdist")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--replay-report={name}: the name says what is written. Name a page, FILE.html*"])


def test_a_report_that_cannot_be_written_fails_the_session(desk):
    (desk.path / "file").write_text("")
    result = desk.runpytest("--replay-report=file/page.html", "-k", "open", "-p", "no:xdist")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["replay: no report: *page.html cannot be written: *"])


def test_tests_marked_vcr_are_told_too(desk):
    source = TESTS.replace('@pytest.mark.replay("shared", allow_unused=True)', "@pytest.mark.vcr('../shared.yaml')", 1)
    desk.makepyfile(test_desk=source)
    desk.runpytest("--replay-report=part.json", "-k", "of_no_model or unrecorded", "-p", "no:xdist")
    assert list(entries()) == ["test_unrecorded", "test_of_no_model"]


def test_scripted_tests_are_told(desk):
    desk.makepyfile(
        test_script=f"""
        import httpx

        def test_scripted(provider):
            provider.reply("Hello")
            body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hi"}}]}}
            with httpx.Client() as client:
                assert client.post("{URL}", json=body).status_code == 200
        """
    )
    desk.runpytest("--replay-report=part.json", "test_script.py", "-p", "no:xdist")
    (entry,) = entries().values()
    assert entry.outcome == "passed"


def test_the_plugin_imports_none_of_it_unasked(desk):
    desk.makeconftest(
        "import sys\ndef pytest_sessionfinish():\n    print([name for name in sys.modules if 'jinja2' in name or 'replay_agent.report.page' in name])\n"
    )
    result = desk.runpytest_subprocess("-k", "open", "-p", "no:xdist", "-s")
    result.stdout.fnmatch_lines(["*[]"])
    assert sys.modules.get("json") is json
