"""What a session says of the calls that it made, and of those that it did not."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.integration.test_replay_mark import CAPITAL, module

OTHER = """
    @pytest.mark.replay
    def test_other():
        assert ask("And of Norway?") == "Oslo"
"""


@pytest.fixture
def recording(project, provide):
    base, _, stop = provide("Paris", "Oslo")
    module(project, base, CAPITAL, OTHER)
    result = project.runpytest("--record-mode=once")
    stop()
    return result


def test_a_recording_session_says_what_it_spent_and_where(recording):
    recording.stdout.re_match_lines(
        [r"replay: 2 calls recorded, \d+ tokens and about 0\.\d+ USD spent; most by .*test_"]
    )
    recording.stdout.no_fnmatch_line("*calls replayed*")


SAVED = r"replay: 2 calls replayed, \d+ tokens and about 0\.\d+ USD not spent"


@pytest.mark.parametrize("options", [["-v"], ["-vv"]])
def test_a_replaying_session_says_what_it_did_not_spend(recording, project, options):
    project.runpytest(*options).stdout.re_match_lines([SAVED])


def test_where_nobody_looks_calls_alone_are_counted(recording, project, monkeypatch):
    monkeypatch.setattr("replay_agent.report.comparison.tally._sum_of", None)
    assert "replay: 2 calls replayed" in project.runpytest().outlines


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_on_a_terminal_it_is_said_unasked(recording, project):
    import pty

    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
    with subprocess.Popen(command, stdout=terminal, stdin=subprocess.DEVNULL, cwd=project.path) as process:
        os.close(terminal)
        said = b"".join(iter(lambda: read_of(controller), b""))
    os.close(controller)
    assert process.returncode == 0
    assert re.search(SAVED, said.decode())


def read_of(controller):
    try:
        return os.read(controller, 4096)
    except OSError:  # what Linux says at the end
        return b""


def test_what_is_known_of_a_cassette_is_not_read_again(recording, project, monkeypatch):
    project.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:xdist\n")
    first = next(line for line in project.runpytest("-v").outlines if line.startswith("replay:"))
    monkeypatch.setattr("replay_agent.report.comparison.tally._sum_of", None)
    assert first in project.runpytest("-v").outlines


def test_a_cassette_that_has_changed_is_read_again(recording, project):
    project.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:xdist\n")
    project.runpytest("-v")
    for path in project.path.rglob("test_capital.yaml"):
        path.write_text(path.read_text("utf-8").replace("completion_tokens: ", "completion_tokens: 1000"), "utf-8")
    project.runpytest("-v").stdout.re_match_lines([r"replay: 2 calls replayed, 10,0\d+ tokens .*"])


def test_a_quiet_session_says_nothing_of_it(recording, project):
    project.runpytest("-q").stdout.no_fnmatch_line("*calls replayed*")


def test_workers_add_up(recording, project):
    project.runpytest_subprocess("-p", "xdist", "-n2", "-v").stdout.re_match_lines([SAVED])


def test_a_session_without_such_tests_says_nothing(project):
    project.makepyfile("def test_nothing(): pass")
    project.runpytest().stdout.no_fnmatch_line("*replay:*")
