"""What a run leaves open, and what accepting and rejecting do to the files: whole projects, a provider on loopback."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import threading

import pytest

from replay_agent.cli import main
from replay_agent.cli.review.waiting import find_state
from replay_agent.report.review.queue import Queue
from tests.integration.everyday_provider import KEY, last_question, providing
from tests.report.review.pseudo_terminal import PseudoTerminal

pytestmark = pytest.mark.usefixtures("without_anyio")

APP = """
    import os
    import httpx

    SYSTEM = "Answer in one word."

    def ask(*prompts):
        messages = [{{"role": "system", "content": SYSTEM}}]
        for prompt in prompts:
            messages.append({{"role": "user", "content": prompt}})
            body = {{"model": "gpt-4o", "messages": messages}}
            with httpx.Client() as client:
                headers = {{"authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", "")}}
                answer = client.post("{base}/chat/completions", json=body, headers=headers)
            messages.append(answer.json()["choices"][0]["message"])
        return messages[-1]["content"]
"""

TESTS = """
    from concurrent.futures import ThreadPoolExecutor
    import pytest
    from app import ask

    @pytest.mark.replay
    def test_snap(replay, run_snapshot):
        ask("Where is it?", "Really?", "Sure?")
        assert replay == run_snapshot

    @pytest.mark.replay
    def test_many():
        questions = [f"Is it {word}?" for word in ("red", "green", "blue", "black", "white")]
        with ThreadPoolExecutor(5) as pool:
            asked = [pool.submit(ask, question) for question in questions]
        assert len([each.result() for each in asked]) == 5

    @pytest.mark.replay
    def test_plain():
        assert ask("How far is it?")
"""
INI = """
    [pytest]
    addopts = -p no:hypothesispytest -p no:benchmark
    pythonpath = .
    filterwarnings = default
"""


class Desk:
    """A project, its provider, and somebody who decides."""

    def __init__(self, pytester, provider, monkeypatch, capsys):
        self.pytester, self.provider, self.monkeypatch, self.capsys = pytester, provider, monkeypatch, capsys
        self.path = pytester.path

    def write(self, name, source):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip("\n"), "utf-8")

    def edit(self, name, before, after):
        text = (self.path / name).read_text("utf-8")
        assert before in text
        (self.path / name).write_text(text.replace(before, after), "utf-8")

    def run(self, *arguments):
        return self.pytester.runpytest(*arguments)

    def decide(self, *words):
        """Run the command line; return its status, what it said, what it complained of, how often the model was asked."""
        asked = len(self.provider.asked)
        self.capsys.readouterr()
        status = main(words)
        said = self.capsys.readouterr()
        return status, said.out, said.err, len(self.provider.asked) - asked

    def pending(self):
        _, out, _, _ = self.decide("pending", "--json")
        return json.loads(out)

    def files(self):
        found = [*self.path.glob("cassettes/**/*"), *self.path.glob("**/__snapshots__/**/*")]
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in found
            if path.is_file() and ".replay-agent" not in path.parts
        }

    def changed(self, before):
        after = self.files()
        return {name for name in {*before, *after} if before.get(name) != after.get(name)}


@pytest.fixture(scope="module")
def provider():
    with providing() as serving:
        yield serving


@pytest.fixture(scope="module")
def looked_at():
    """The files of the project once everything is recorded and looked at, which is done once."""
    return {}


@pytest.fixture
def desk(project, monkeypatch, capsys, provider, looked_at):
    """A project with a cache, everything recorded and looked at."""
    monkeypatch.syspath_prepend(project.path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    provider.asked.clear()
    provider.brain = last_question
    made = Desk(project, provider, monkeypatch, capsys)
    made.write("pytest.ini", INI)
    (made.path / "tox.ini").unlink(missing_ok=True)
    made.write("app.py", APP.format(base=provider.base))
    made.write("test_it.py", TESTS)
    if not looked_at:
        made.run("--replay-accept").assert_outcomes(passed=3)
        assert made.decide("accept", "--all")[0] == 0
        looked_at |= {path.relative_to(made.path): path.read_bytes() for path in made.path.rglob("*") if path.is_file()}
    for name, data in looked_at.items():
        (made.path / name).parent.mkdir(parents=True, exist_ok=True)
        (made.path / name).write_bytes(data)
    return made


def test_new_recordings_wait_to_be_looked_at(desk):
    (desk.path / "cassettes/test_it/test_plain.yaml").unlink()
    desk.run("--replay-accept", "test_it.py::test_plain").assert_outcomes(passed=1)
    (found,) = desk.pending()
    assert (found["kind"], found["test"]) == ("recording", "test_it.py::test_plain")
    desk.run("test_it.py").assert_outcomes(passed=3)
    assert [each["id"] for each in desk.pending()] == [found["id"]]
    status, out, _, asked = desk.decide("reject", found["id"])
    assert (status, asked) == (0, 0)
    assert f"rejected: {found['id']}" in out
    assert not (desk.path / "cassettes/test_it/test_plain.yaml").exists()
    assert desk.pending() == []


def test_a_recording_made_anew_can_be_taken_back(desk):
    before = desk.files()
    desk.provider.brain = lambda body: "something else"
    desk.run("--record-mode=rewrite", "test_it.py::test_plain").assert_outcomes(passed=1)
    (found,) = desk.pending()
    assert any("something else" in line for line in found["difference"])
    assert desk.decide("reject", found["id"])[0] == 0
    assert desk.files() == before


def test_one_of_five_drifted_turns_asks_for_just_that_one(desk):
    desk.edit("app.py", "one word", "one sentence")
    desk.run().assert_outcomes(failed=3)
    before = desk.files()
    many = [each for each in desk.pending() if each["test"] == "test_it.py::test_many"]
    assert len(many) == 5
    blue = next(each for each in many if "blue" in each["request"])
    assert blue["accepting"]["most_calls"] == 1
    status, out, err, asked = desk.decide("accept", blue["id"])
    assert (status, asked) == (0, 1), (out, err)
    assert "1 live call, about" in err
    assert desk.changed(before) == {"cassettes/test_it/test_many.yaml"}
    text = (desk.path / "cassettes/test_it/test_many.yaml").read_text("utf-8")
    assert text.count("one sentence") == 1
    assert text.count("one word") == 4
    left = {each["id"] for each in desk.pending()}
    assert left == {each["id"] for each in many if each is not blue} | {
        each["id"] for each in desk.pending() if each["test"] != "test_it.py::test_many"
    }
    green = next(each for each in many if "green" in each["request"])
    assert desk.decide("accept", green["id"])[3] == 1
    # What the next run finds open is what was left.
    open_before = sorted(each["id"] for each in desk.pending())
    desk.run()
    assert sorted(each["id"] for each in desk.pending()) == open_before


def test_a_turn_with_later_ones_asks_for_these_as_far_as_they_change(desk):
    desk.edit("test_it.py", '"Really?"', '"Really now?"')
    desk.run().assert_outcomes(failed=1, passed=2)
    before = desk.files()
    (found,) = desk.pending()
    assert found["turn"] == 2
    assert found["consequence"].startswith("turn 3 of that conversation")
    assert (found["accepting"]["least_calls"], found["accepting"]["most_calls"]) == (1, 2)
    status, out, _, asked = desk.decide("accept", found["id"][:5])
    assert (status, asked) == (0, 2)
    assert "{+ now+}" in out
    assert desk.changed(before) == {
        "cassettes/test_it/test_snap.yaml",
        "__snapshots__/test_it/test_snap.run.snap",
    }
    desk.run().assert_outcomes(passed=3)
    assert desk.pending() == []


def test_everything_is_accepted_at_once(desk):
    desk.edit("app.py", "one word", "one sentence")
    result = desk.run()
    result.stdout.fnmatch_lines(["7 to look at: replay-agent review; to accept all: replay-agent accept --all"])
    status, _, err, asked = desk.decide("accept", "--all")
    assert (status, asked) == (0, 9)
    assert "7 to accept, of 3 tests: 7 to 9 live calls" in err
    desk.run().assert_outcomes(passed=3)


def test_leftovers_are_dropped_without_a_call(desk):
    desk.edit("test_it.py", ', "Sure?"', "")
    desk.edit("test_it.py", "assert replay == run_snapshot", "pass")
    desk.run().assert_outcomes(passed=3, errors=1)
    (found,) = desk.pending()
    assert found["kind"] == "leftover"
    before = desk.files()
    assert desk.decide("reject", found["id"])[0] == 0
    assert desk.files() == before
    desk.run()
    status, out, _, asked = desk.decide("accept", found["id"])
    assert (status, asked) == (0, 0), out
    assert desk.changed(before) == {"cassettes/test_it/test_snap.yaml"}


def test_a_leftover_of_a_test_that_has_drifted_since_asks_nobody(desk):
    desk.edit("test_it.py", ', "Sure?"', "")
    desk.edit("test_it.py", "assert replay == run_snapshot", "pass")
    desk.run()
    (found,) = desk.pending()
    desk.edit("app.py", "one word", "one sentence")
    before = desk.files()
    status, _, err, asked = desk.decide("accept", found["id"])
    assert (status, asked) == (1, 0)
    assert "not accepted" in err
    assert desk.files() == before


def test_a_changed_snapshot_is_the_only_one_that_is_updated(desk):
    desk.edit(
        "test_it.py",
        "assert replay == run_snapshot",
        "one, two = run_snapshot(name='one'), run_snapshot(name='two')\n    assert (replay == one) & (replay == two)",
    )
    desk.run().assert_outcomes(failed=1, passed=2)
    found = desk.pending()
    assert [each["kind"] for each in found] == ["snapshot", "snapshot"]
    before = desk.files()
    two = next(each for each in found if each["file"].endswith("test_snap.two.run.snap"))
    status, out, err, asked = desk.decide("accept", two["id"])
    assert (status, asked) == (0, 0), (out, err)
    assert desk.changed(before) == {"__snapshots__/test_it/test_snap.two.run.snap"}
    assert len(desk.pending()) == 1


def test_one_of_two_snapshots_in_one_file(desk):
    desk.write(
        "test_amber.py",
        """
        import pytest
        from app import ask

        @pytest.mark.replay
        def test_amber(snapshot):
            said = ask("How far is it?")
            one, two = snapshot(name="one"), snapshot(name="two")
            assert (said == one) & (said.upper() == two)
        """,
    )
    desk.run("--replay-accept", "test_amber.py").assert_outcomes(passed=1)
    desk.decide("accept", "--all")
    desk.edit("test_amber.py", "said == one", "said[1:] == one")
    desk.edit("test_amber.py", "said.upper()", "said.upper()[1:]")
    desk.run().assert_outcomes(failed=1, passed=3)
    found = desk.pending()
    before = desk.files()
    status, out, err, _ = desk.decide("accept", found[0]["id"])
    assert status == 0, (out, err)
    assert desk.changed(before) == {"__snapshots__/test_amber.ambr"}
    assert [each["id"] for each in desk.pending()] == [found[1]["id"]]


def test_a_test_that_was_never_recorded(desk):
    desk.edit("test_it.py", "def test_plain", "def test_far")
    desk.write(
        "test_new.py", "import pytest\nfrom app import ask\n\n@pytest.mark.replay\ndef test_new():\n    ask('New?')\n"
    )
    desk.run().assert_outcomes(failed=2, passed=2)
    found = {each["test"]: each for each in desk.pending()}
    new = found["test_new.py::test_new"]
    assert (new["kind"], new["accepting"]["most_calls"]) == ("unrecorded", None)
    status, out, _, asked = desk.decide("accept", new["id"])
    assert (status, asked) == (0, 1)
    assert "is new:" in out
    renamed = found["test_it.py::test_far"]
    status, _, err, asked = desk.decide("accept", renamed["id"])
    assert (status, asked) == (2, 0)
    assert "replay-agent mv test_it.py::test_plain test_it.py::test_far" in err


def test_a_test_that_fails_otherwise_is_not_accepted(desk):
    desk.edit("app.py", "one word", "one sentence")
    desk.run("test_it.py::test_plain")
    desk.edit("test_it.py", 'assert ask("How far is it?")', 'assert ask("How far is it?") == "far"')
    before = desk.files()
    (found,) = desk.pending()
    status, _, err, asked = desk.decide("accept", found["id"])
    assert (status, asked) == (1, 1)
    assert "AssertionError" in err
    assert desk.files() == before
    assert [each["id"] for each in desk.pending()] == [found["id"]]


def test_a_test_that_is_gone_is_said(desk):
    desk.edit("app.py", "one word", "one sentence")
    desk.run("test_it.py::test_plain")
    desk.edit("test_it.py", "def test_plain", "def plain")
    (found,) = desk.pending()
    status, _, err, asked = desk.decide("accept", found["id"])
    assert (status, asked) == (1, 0)
    assert "not found" in err
    assert desk.decide("reject", found["id"])[0] == 0
    assert desk.pending() == []


def test_a_partial_run_updates_only_what_it_ran(desk):
    desk.edit("app.py", "one word", "one sentence")
    desk.run()
    everything = {each["id"] for each in desk.pending()}
    desk.edit("app.py", "one sentence", "one word")
    desk.run("test_it.py::test_plain").assert_outcomes(passed=1)
    left = desk.pending()
    assert {each["id"] for each in left} < everything
    assert "test_it.py::test_plain" not in {each["test"] for each in left}


def test_workers_leave_the_same_open(desk):
    pytest.importorskip("xdist")
    desk.edit("app.py", "one word", "one sentence")
    desk.run()
    alone = sorted(each["id"] for each in desk.pending())
    desk.edit("app.py", "one sentence", "one word")
    desk.run("-p", "xdist", "-n", "2").assert_outcomes(passed=3)
    assert desk.pending() == []
    desk.edit("app.py", "one word", "one sentence")
    desk.run("-p", "xdist", "-n", "2").assert_outcomes(failed=3)
    assert sorted(each["id"] for each in desk.pending()) == alone


def test_nothing_is_written_into_the_project(desk):
    before = {path for path in desk.path.rglob("*") if ".pytest_cache" not in path.parts}
    desk.edit("app.py", "one word", "one sentence")
    desk.run()
    after = {path for path in desk.path.rglob("*") if ".pytest_cache" not in path.parts}
    assert {path for path in after - before if "__pycache__" not in path.parts} == set()


def test_the_next_run_forgets_what_could_be_put_back(desk):
    state = find_state(desk.path)
    (state / "kept" / "000001-x").mkdir(parents=True)
    desk.run("test_it.py::test_plain")
    assert not (state / "kept").exists()
    assert Queue.load(state).changes == []


def test_without_a_cache_the_commands_say_so(project, capsys, monkeypatch):
    monkeypatch.chdir(project.path)
    project.makepyfile("import pytest\n\n@pytest.mark.replay\ndef test_it():\n    pass\n")
    project.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)
    capsys.readouterr()
    assert main(["pending"]) == 0
    assert "no:cacheprovider" in capsys.readouterr().err
    assert main(["pending", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["accept", "--all"]) == 0
    assert main(["reject", "abcdef"]) == 1


def test_a_session_without_replayed_tests_leaves_nothing(project):
    project.makepyfile("def test_it():\n    pass\n")
    project.makeini("[pytest]\naddopts = -p no:hypothesispytest\n")
    project.runpytest().assert_outcomes(passed=1)
    assert find_state(project.path) is None


def test_an_id_that_means_nothing_is_a_warning(desk):
    desk.edit("app.py", "one word", "one sentence")
    desk.run("test_it.py::test_plain")
    (found,) = desk.pending()
    status, out, err, asked = desk.decide("accept", "feedbeef", found["id"])
    assert (status, asked) == (1, 1)
    assert "warning: feedbeef is not open" in err
    assert f"accepted: {found['id']}" in out


@pytest.mark.parametrize("words", [["accept"], ["reject"], ["accept", "--all", "abcdef"]])
def test_misuse(desk, words):
    status, _, err, _ = desk.decide(*words)
    assert status == 2
    assert "--all" in err


@pytest.mark.parametrize("command", ["accept", "reject"])
def test_nothing_is_open(desk, command):
    assert desk.decide(command, "--all")[0] == 0
    status, out, _, _ = desk.decide("pending")
    assert (status, out) == (0, "nothing is open\n")


def test_a_refusal_of_the_provider_accepts_nothing(desk):
    desk.edit("app.py", "one word", "one sentence")
    desk.run("test_it.py::test_plain")
    (found,) = desk.pending()
    desk.monkeypatch.setenv("OPENAI_API_KEY", "sk-mistyped-0123456789")
    before = desk.files()
    assert desk.decide("accept", found["id"])[0] == 1
    assert desk.files() == before


# --- at a terminal ----------------------------------------------------------------------------------------------------


@pytest.fixture
def seated(desk):
    """Somebody at a terminal, with a prompt that has changed in all tests, looking at the one of them that is short."""
    pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    desk.edit("app.py", "one word", "one sentence")
    desk.run().assert_outcomes(failed=3)
    with PseudoTerminal([sys.executable, "-m", "replay_agent", "review"], cwd=desk.path) as terminal:
        terminal.shows("1 of 7 open", "q quit")
        terminal.press("/")
        terminal.shows("enter: done")
        terminal.press("plain\r")
        terminal.shows("1 of 1 open", "q quit")
        yield terminal


def test_what_a_person_accepts_can_be_taken_back_byte_for_byte(desk, seated):
    before, asked = desk.files(), len(desk.provider.asked)
    seated.press("a")
    seated.shows("keep it, or put it back?", "1 asked live")
    assert len(desk.provider.asked) - asked == 1
    seated.press("k")
    seated.shows("test_plain accepted; u takes it back.")
    assert desk.changed(before) == {"cassettes/test_it/test_plain.yaml"}
    seated.press("u")
    seated.shows("Taken back", "1 of 1 open")
    assert desk.files() == before
    seated.press("q")
    assert seated.ends() == 1
    assert "nothing decided, 7 left open" in seated.raw


def test_ctrl_c_in_the_middle_of_a_call_accepts_nothing(desk, seated):
    before, asked, gate = desk.files(), threading.Event(), threading.Event()

    def slow(body):
        asked.set()
        gate.wait(60)
        return "late"

    desk.provider.brain = slow
    seated.press("a")
    seated.shows("ctrl-C stop")
    try:
        assert asked.wait(120)
        seated.press("\x03")
        seated.shows("it was stopped")
    finally:
        gate.set()
    assert desk.files() == before
    seated.press("x")
    seated.shows("1 of 1 open")
    seated.press("q")
    assert seated.ends() == 1
