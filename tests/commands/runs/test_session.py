from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from replay_agent.commands.runs.session import collect, run, scratch
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


SLOW = """
import os, pathlib, time
import pytest

@pytest.mark.replay
def test_it():
    pathlib.Path("pid").write_text(str(os.getpid()))
    time.sleep(120)
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
    project.makepyfile(test_it=SLOW)
    command = [sys.executable, "-c", INTERRUPTIBLE, "stale", "."]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as started:
        pid = project.path / "pid"
        _until(pid.is_file)
        started.send_signal(getattr(signal, name))
        _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert b"Traceback" not in said
    number = int(pid.read_text())
    _until(lambda: not _is_alive(number))
    assert [path.name for path in tmp_path.glob("replay-agent-*")] == []


def _until(true):
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it never came about")


def _is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_scratch_folder_goes_away():
    with scratch() as folder:
        (folder / "a").write_text("b")
    assert not folder.exists()
