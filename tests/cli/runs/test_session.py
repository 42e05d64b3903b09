from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from replay_agent.cli.runs.session import collect, run, scratch
from replay_agent.exceptions import UserError
from replay_agent.report.comparison.trials.order import Order

MARKED = "import pytest\n\n@pytest.mark.replay\ndef test_it(): pass\n"


@pytest.fixture
def project(pytester, monkeypatch):
    pytester.makepyfile(test_it=MARKED)
    monkeypatch.chdir(pytester.path)
    return pytester


def test_nothing_is_left_beside_the_tests(project, tmp_path):
    project.makeini("[pytest]\naddopts = --lf --sw --junitxml=junit.xml -x\n")
    before = sorted(path.name for path in project.path.iterdir())
    notes = run(["."], Order("lenient"), tmp_path / "run")
    assert [(note.test, note.outcome) for note in notes] == [("test_it.py::test_it", "passed")]
    assert sorted(path.name for path in project.path.iterdir()) == before


def test_modules_that_cannot_be_imported_do_not_hide_the_others(project, tmp_path):
    project.makepyfile(test_bad="import nothing_of_that_name")
    found = collect(["."], tmp_path / "run")
    assert [note.test for note in found.tests] == ["test_it.py::test_it"]
    assert [note.test for note in found.broken] == ["test_bad.py"]
    assert "nothing_of_that_name" in found.broken[0].reason


def test_what_pytest_says_against_it_is_passed_on(project, tmp_path):
    project.makeini("[pytest]\naddopts = --no-such-option\n")
    with pytest.raises(UserError, match="no-such-option"):
        collect(["."], tmp_path / "run")


ENDLESS = """
import signal

import pytest

@pytest.mark.replay
def test_it():
    with open("lives", "wb", buffering=0) as lives:
        lives.write(b"!")
        signal.pause()
"""


INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it runs in the background
from replay_agent.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_what_was_started_ends_with_it(project, tmp_path, name):
    project.makepyfile(test_it=ENDLESS)
    os.mkfifo(project.path / "lives")
    command = [sys.executable, "-c", INTERRUPTIBLE, "stale", "."]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as started:
        lives = os.open(project.path / "lives", os.O_RDONLY | os.O_NONBLOCK)
        assert _heard(lives) == b"!"
        started.send_signal(getattr(signal, name))
        _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert b"Traceback" not in said
    assert _heard(lives) == b""  # which its end alone can bring about
    os.close(lives)
    assert [path.name for path in tmp_path.glob("replay-agent-*")] == []


def _heard(pipe):
    """Return what comes next through a pipe, nothing once nobody is left to write."""
    ready, _, _ = select.select([pipe], [], [], 60)
    assert ready, "neither a word nor the end of who was to say it"
    return os.read(pipe, 1)


def test_the_scratch_folder_goes_away():
    with scratch() as folder:
        (folder / "a").write_text("b")
    assert not folder.exists()
