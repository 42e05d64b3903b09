"""What stands at the end of whole sessions: causes, what came too late, what waits, what nobody plays; one line each."""

from __future__ import annotations

import re

import pytest

from replay_agent.recording.cassettes.document import render
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.traffic import Interaction
from tests.report.page.samples import URL, answer, call, system, user

pytestmark = pytest.mark.usefixtures("without_anyio")

DESK = f"""
    import httpx, pytest

    SUPPORT, BILLING, MODEL = "Answer in one word.", "Be brief.", "gpt-4o"

    def ask(system, number, model="gpt-4o"):
        messages = [{{"role": "system", "content": system}}, {{"role": "user", "content": f"Number {{number}}?"}}]
        return httpx.post("{URL}", json={{"model": model, "messages": messages}}).json()

    @pytest.mark.replay("shared", allow_unused=True)
    @pytest.mark.parametrize("number", range(20))
    def test_support(number):
        ask(SUPPORT, number)

    @pytest.mark.replay("shared", allow_unused=True)
    @pytest.mark.parametrize("number", range(20))
    def test_billing(number):
        ask(BILLING, number)

    @pytest.mark.replay("shared", allow_unused=True)
    @pytest.mark.parametrize("number", range(10))
    def test_model(number):
        ask("Be a poet.", number, MODEL)
"""


@pytest.fixture
def desk(project):
    """Fifty tests that replay, as somebody at a terminal of 80 columns runs them."""
    project.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:xdist\nfilterwarnings = default\n")
    project.makepyfile(test_desk=DESK)
    asked = [(prompt, number) for prompt in ("Answer in one word.", "Be brief.", "Be a poet.") for number in range(20)]
    items = [
        new_item(Interaction(call(system(prompt), user(f"Number {number}?")), answer("Yes.")), None)
        for prompt, number in asked
    ]
    folder = project.mkdir("cassettes")
    (folder / "shared.yaml").write_bytes(render(Header(keying="", recorded_at="2026-11-26T12:00:00Z"), items))
    return project


def edit(project, name, *changes):
    path = project.path / name
    text = path.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, "utf-8")


def recording_of(project, test, name):
    """A cassette that a test says it has recorded."""
    item = new_item(Interaction(call(user("Hello?")), answer("Hello."), test=test), None)
    path = project.path / "cassettes" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(render(Header(keying="", recorded_at="2026-11-26T12:00:00Z"), [item]))
    return path


@pytest.mark.parametrize("arguments", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "workers"])
def test_fifty_tests_with_three_causes_are_told_in_under_thirty_lines(desk, arguments):
    if arguments:
        pytest.importorskip("xdist")
    run = desk.runpytest_subprocess if arguments else desk.runpytest
    run(*arguments).assert_outcomes(passed=50)

    edit(
        desk,
        "test_desk.py",
        ("one word", "one sentence"),
        ("Be brief.", "Be precise."),
        ('"gpt-4o"\n\n', '"gpt-4o-mini"\n\n'),
    )
    result = run(*arguments)
    result.assert_outcomes(failed=50)
    lines = result.stdout.lines
    summary = lines[next(number for number, line in enumerate(lines) if line.startswith("=====") and "cause" in line) :]
    assert len([*filter(None, summary)]) < 30
    text = "\n".join(summary)
    assert re.findall(r"=+ (\d+) tests, one cause =+", text) == ["20", "20", "10"]
    for cause in ("one [-word-]{+sentence+}", "Be [-brief-]{+precise+}", '"gpt-4o" -> "gpt-4o-mini"'):
        assert text.count(cause) == 1
    assert "FAILED" not in text
    assert [*filter(None, summary)][-2] == (
        "50 to look at: replay-agent review; to accept all: replay-agent accept --all"
    )


LATE = f"""
    import threading

    THREADS = []

    def late(number):
        GO.wait(30)
        try:
            httpx.post("{URL}", json={{"model": "gpt-4o", "messages": []}})
        except BaseException:
            pass

    GO = threading.Event()

    @pytest.mark.replay("shared", allow_unused=True)
    @pytest.mark.parametrize("number", range(3))
    def test_leaves_a_thread(number):
        ask(SUPPORT, number)
        THREADS.append(threading.Thread(target=late, args=(number,)))
        THREADS[-1].start()

    def test_of_no_model():
        GO.set()
        for thread in THREADS:
            thread.join()
"""


@pytest.mark.parametrize("arguments", [[], ["-p", "xdist", "-n", "1"]], ids=["alone", "a worker"])
def test_requests_that_come_too_late_are_one_section(desk, arguments):
    if arguments:
        pytest.importorskip("xdist")
    path = desk.path / "test_desk.py"
    path.write_text(path.read_text("utf-8") + LATE.replace("\n    ", "\n"), "utf-8")
    result = desk.runpytest_subprocess("-k", "thread or no_model", *arguments)
    result.assert_outcomes(passed=4, deselected=0 if arguments else 50)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = result.stdout.str()
    assert text.count("after the end of their tests") == 1
    assert len(re.findall(r"(?m)^A thread that .*test_leaves_a_thread\[\d\] left running asked for .*$", text)) == 3
    assert "join its threads" in text


def test_unfinished_recordings_and_unused_cassettes_are_a_line_each(desk):
    recording_of(desk, "test_desk.py::test_gone", "test_desk/test_gone.yaml")
    recording_of(desk, "test_gone.py::test_it", "test_gone/test_it.yaml")
    recording_of(desk, "test_desk.py::test_support[0]", "elsewhere.yaml")
    recording_of(desk, "fixture", "unknown.yaml")
    (desk.path / "cassettes" / "broken.yaml").write_text("interactions: [", "utf-8")
    journals = desk.path / "cassettes" / ".replay-agent" / "journals"
    journals.mkdir(parents=True)
    (journals / "test_support[3].0123456789ab.01234567.journal").write_bytes(b"version: 1\n")
    result = desk.runpytest()
    result.assert_outcomes(passed=50)
    result.stdout.fnmatch_lines(
        [
            "1 recording is unfinished, and will be taken up when recorded again: replay-agent journals",
            "3 cassettes are played by no test: replay-agent prune",
        ]
    )
    assert result.ret == 0


def test_workers_know_of_unused_cassettes_too(desk):
    pytest.importorskip("xdist")
    recording_of(desk, "test_desk.py::test_gone", "test_desk/test_gone.yaml")
    result = desk.runpytest_subprocess("-p", "xdist", "-n", "2")
    result.stdout.fnmatch_lines(["1 cassette is played by no test: replay-agent prune"])


@pytest.mark.parametrize(
    "arguments", [["-k", "support"], ["test_desk.py"], ["--deselect", "test_desk.py::test_model[0]"], ["-q"]], ids=str
)
def test_a_part_of_the_tests_says_nothing_of_the_others(desk, arguments):
    recording_of(desk, "test_desk.py::test_gone", "test_desk/test_gone.yaml")
    assert "prune" not in desk.runpytest(*arguments).stdout.str()


def test_a_module_that_cannot_be_collected_may_play_anything(desk):
    recording_of(desk, "test_broken.py::test_gone", "test_broken/test_gone.yaml")
    desk.makepyfile(test_broken="raise ValueError")
    assert "prune" not in desk.runpytest("--continue-on-collection-errors").stdout.str()


def test_a_session_that_replays_nothing_says_nothing(desk):
    recording_of(desk, "test_desk.py::test_gone", "test_desk/test_gone.yaml")
    (desk.path / "test_desk.py").write_text("def test_it():\n    pass\n", "utf-8")
    assert "prune" not in desk.runpytest().stdout.str()


def test_a_failure_links_to_what_it_means(desk):
    edit(desk, "test_desk.py", ("Be brief.", "Be precise."))
    result = desk.runpytest("test_desk.py::test_billing[0]")
    result.stdout.fnmatch_lines(["https://*/docs/errors.md", "1 to look at: *"])
    desk.runpytest("--last-failed").assert_outcomes(failed=1)
