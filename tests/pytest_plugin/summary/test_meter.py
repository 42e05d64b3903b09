from __future__ import annotations

import os
import sys
from contextlib import suppress

import pytest

from replay_agent.provider.script import Script
from replay_agent.provider.server import serve

pytestmark = pytest.mark.usefixtures("without_anyio")

TESTS = """
import httpx, pytest

def ask(prompt):
    body = {{"model": "gpt-4o", "messages": [{{"role": "user", "content": prompt}}]}}
    httpx.post("{address}/v1/chat/completions", json=body)

@pytest.mark.replay
def test_cheap():
    ask("short")

@pytest.mark.replay
def test_dear():
    ask("long " * 400)

def test_last(): pass
"""


def at_terminal(folder, *options):
    """Run pytest at a terminal of its own and return all that was written there."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(COLUMNS="100", TERM="xterm")
        os.execv(sys.executable, [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options])
    said = b""
    with suppress(OSError):  # how Linux says that nobody writes there any more
        while piece := os.read(terminal, 65536):
            said += piece
    os.waitpid(pid, 0)
    os.close(terminal)
    return said.decode("utf-8", "replace")


@pytest.fixture
def project(pytester):
    with serve(Script(["a", "b", "a", "b"]).answer) as address:
        pytester.makepyfile(test_it=TESTS.format(address=address))
        yield pytester


needs_terminal = pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")


@needs_terminal
def test_a_recording_session_shows_what_it_has_spent(project):
    said = at_terminal(project.path, "--record-mode=all")
    assert "  1 call, " in said
    assert "spent, most by test_cheap" in said
    assert "spent, most by test_dear" in said
    last = said[said.rindex("spent, most by") :]
    assert "\x1b[K" in last[: last.index("recorded")]


@needs_terminal
@pytest.mark.parametrize("options", [["-q", "--record-mode=all"], ["-s", "--record-mode=all"], ["--record-mode=none"]])
def test_others_show_nothing_of_it(project, options):
    assert "most by test_cheap\x1b" not in at_terminal(project.path, *options)


def test_nothing_is_shown_where_nobody_watches(project):
    said = project.runpytest_subprocess("-p", "no:cacheprovider", "--record-mode=all").stdout.str()
    assert "\x1b[" not in said
