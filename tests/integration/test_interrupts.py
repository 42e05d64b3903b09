"""Ctrl-C in a command, at any moment: one line, status 130, and no file that is neither as it was nor as it was to be.

The moments are counted in calls, not in time. Commands that start pytest anew: tests/cli/runs/test_session.py.
"""

from __future__ import annotations

import gc
import io
import os
import shutil
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from replay_agent.cli import main
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.page.parts import dumped
from replay_agent.report.page.report import Entry, Report
from replay_agent.traffic import Interaction
from tests.report.page.samples import URL, answer, call, user

pytestmark = [
    pytest.mark.usefixtures("ctrl_c_is_heard"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of what was being made when it was stopped
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KEYING = meaning((), (), (), ())
MOMENTS = int(os.environ.get("REPLAY_AGENT_MOMENTS", "12"))
"""At how many moments each command is stopped."""
COMMANDS = {
    "stats": "stats cassettes",
    "matrix": "matrix --html -o page.html cassettes",
    "diff": "diff cassettes others",
    "show": "show --html -o page.html cassettes/test_gone/test_tour[a].yaml",
    "report": "report part.json -o page.html",
    "scan": "scan --baseline baseline.json --write-baseline cassettes",
    "convert": "convert cassettes out --to vcrpy",
    "convert over": "convert cassettes theirs --to vcrpy --overwrite",
    "journals": "journals drop --yes",
}
WITH_PYTEST = {
    "prune": "prune --delete --yes",
    "mv": "mv test_gone.py test_geo.py",
}


def record(path: Path, test: str, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = Interaction(call(user(f"Where is {said}?")), answer(said), test=test)
    store.save(path, Header(keying=KEYING.scheme), [new_item(asked, KEYING(asked.request))])


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project with something for every command to write or take away."""
    place = tmp_path / "project"
    for module in ("test_gone", "test_geo"):
        for name in ("a", "b"):
            folder = place / ("cassettes" if module == "test_gone" else "others") / module
            record(folder / f"test_tour[{name}].yaml", f"{module}.py::test_tour[{name}]", name)
    shutil.copytree(place / "cassettes/test_gone", place / "theirs/test_gone")
    shutil.copytree(place / "others/test_geo", place / "kept/test_geo")
    journals = place / "cassettes/.replay-agent/journals"
    journals.mkdir(parents=True)
    shutil.copy(place / "kept/test_geo/test_tour[a].yaml", journals / "test_tour.0123456789ab.01234567.journal")
    (place / "part.json").write_text(dumped(Report("geo", entries=[Entry("test_geo.py::test_tour", "passed")])))
    (place / "pytest.ini").write_text("[pytest]\naddopts = -p no:hypothesispytest -p no:xdist -p no:respx\n")
    (place / "test_geo.py").write_text(
        "import httpx, pytest\n\n@pytest.mark.replay\n@pytest.mark.parametrize('name', ['a', 'b'])\n"
        f"def test_tour(name):\n    httpx.post('{URL}')\n"
    )
    snapshots = place / "__snapshots__/test_gone"
    snapshots.mkdir(parents=True)
    (snapshots / "test_tour[a].run.snap").write_text("Where is a?\n")
    return place


class Moment:
    """Presses ctrl-C at one call of so many; without one it counts them.

    They are the command's own calls: what tests before this left over is collected first, and nothing meanwhile. (Clients
    of some SDKs close themselves when they are collected, in an event loop made for it, which a ctrl-C would leave open.)
    """

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.calls = 0

    def __enter__(self) -> Moment:
        gc.collect()
        gc.disable()
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        gc.enable()

    def _called(self, _frame: object, event: str, _argument: object) -> None:
        self.calls += event == "call"
        if event == "call" and self.calls == self.at:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)


def tree(place: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def used(project: Path, words: str, at: int = 0) -> tuple[int, int, str, dict[str, bytes]]:
    """Use a command in a copy of the project, stopped at a moment; return its status, its calls, its words, all files."""
    copy, complaints = project.with_name("copy"), io.StringIO()
    shutil.copytree(project, copy)
    with chdir(copy), redirect_stdout(io.StringIO()), redirect_stderr(complaints), Moment(at) as moment:
        status = main(words.split(" "))
    files = tree(copy)
    shutil.rmtree(copy)
    return status, moment.calls, complaints.getvalue(), files


def _moment(calls: int, number: int, moments: int) -> int:
    return 2 + int((0.97 * calls - 2) * number / (moments - 1))


def stop_at_moments(project: Path, words: str, moments: int) -> None:
    """Stop a command at so many moments, and look at what it leaves.

    How many calls it takes is not quite the same every time, and fewer the more it remembers: then it is aimed anew, and the
    very last moment may not come.
    """
    used(project, words)  # what is imported late is imported now
    _, calls, _, after = used(project, words)
    before = tree(project)
    for number in range(moments):
        at = _moment(calls, number, moments)
        status, made, said, files = used(project, words, at)
        if made < at:
            calls, at = made, _moment(made, number, moments)
            status, made, said, files = used(project, words, at)
        if made < at and number == moments - 1:
            break
        assert (status, said) == (130, "\nreplay-agent: stopped\n"), f"moment {number} of {moments}: {said}"
        odd = [name for name, content in files.items() if content not in (before.get(name), after.get(name))]
        assert not odd, "half-written"
        assert set(before) & set(after) <= set(files), "lost"


@pytest.fixture
def nothing_left_over():
    """What was being made when a command was stopped goes now, and not in another test."""
    yield
    gc.collect()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_stopped_with_nothing_half_written(project, nothing_left_over, name):
    stop_at_moments(project, COMMANDS[name], MOMENTS)


@pytest.mark.parametrize("name", WITH_PYTEST)
def test_a_command_that_collects_tests_is_stopped_too(project, name):
    """pytest makes an exit status of it and goes on: what was not collected must not be taken for gone."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from tests.integration.test_interrupts import stop_at_moments\n"
        f"stop_at_moments(Path(sys.argv[2]), {WITH_PYTEST[name]!r}, 7)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parents[2]), str(project)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=240)
    assert done.returncode == 0, done.stderr
