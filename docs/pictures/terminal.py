"""Draws the commonest failures as a terminal of 80 columns shows them: ``python docs/pictures/terminal.py [NAME...]``.

Each is a small project whose tests are recorded from a provider on loopback, then changed, and run again.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from ansi_svg import THEMES, svg

from replay_agent.cli.review.waiting import find_state
from replay_agent.messages import ModelRequest
from replay_agent.provider.script import Script
from replay_agent.provider.server import serve
from replay_agent.report.review.screen import screen
from replay_agent.report.review.session import Session

IMAGES = Path(__file__).parents[1] / "images"
KEY = "sk-picture-0123456789"
TYPED = "\x1b[1m$\x1b[0m"
QUICKLY = ("-p", "no:hypothesispytest", "-p", "no:xdist", "-p", "no:respx")

APP = """
import os, httpx

SYSTEM = "You are a support agent.\\nAnswer in one sentence."
TODAY = os.environ.get("TODAY", "")
TOOLS = [{"type": "function", "function": {"name": "find_order", "parameters": {
    "type": "object", "properties": {"number": {"type": "integer"}}}}}]

def ask(*prompts, **more):
    messages = [{"role": "system", "content": SYSTEM + TODAY}]
    for prompt in prompts:
        messages.append({"role": "user", "content": prompt})
        answer = httpx.post(os.environ["MODEL_BASE"] + "/chat/completions",
            json={"model": "gpt-4o", "messages": messages, "tools": TOOLS, **more},
            headers={"authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", "")})
        messages.append(answer.json()["choices"][0]["message"])
    return messages[-1]["content"]
"""
TESTS = """
import pytest
from app import ask

@pytest.mark.replay
def test_order():
    assert "way" in ask("Where is my order 4711?")
"""
SNAPSHOT = """
import pytest
from app import ask

@pytest.mark.replay
def test_order(replay, run_snapshot):
    ask("Where is my order 4711?")
    assert replay == run_snapshot
"""
FEW = """
import pytest
from app import ask

@pytest.mark.replay
def test_delivery():
    ask("Where is my order 4711?", "And 4712?", "Thanks, and 4713?")

@pytest.mark.replay
def test_refund():
    ask("May I have a refund?")

@pytest.mark.replay
def test_hours():
    ask("When do you open?")
"""
TURNS = TESTS.replace('ask("Where is my order 4711?")', 'ask("Where is my order 4711?", "And 4712?")')
MANY = """
import pytest
from app import ask

@pytest.mark.replay
@pytest.mark.parametrize("number", range(6))
def test_order(number):
    assert "way" in ask(f"Where is my order {number}?")
"""


class Project:
    """A small project, and somebody who runs pytest in it."""

    def __init__(self, path: Path, base: str) -> None:
        self.path, self.base = path, base

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text.lstrip("\n"), "utf-8")

    def edit(self, name: str, before: str, after: str) -> None:
        text = (self.path / name).read_text("utf-8")
        assert before in text, before
        (self.path / name).write_text(text.replace(before, after), "utf-8")

    def run(self, *arguments: str, cache: bool = False, **variables: str) -> str:
        known = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment = {**known, "COLUMNS": "80", "TERM": "xterm-256color", "MODEL_BASE": self.base, **variables}
        environment.pop("CI", None)
        words = [sys.executable, "-m", "pytest", "--color=yes", *QUICKLY, *arguments]
        words += [] if cache else ["-p", "no:cacheprovider"]
        return in_a_terminal(words, self.path, environment)

    def record(self, **variables: str) -> None:
        said = self.run("--replay-accept", OPENAI_API_KEY=KEY, **variables)
        assert "failed" not in said, said


def in_a_terminal(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a command as somebody at a terminal of 80 columns does, and return what is to be seen there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 80, 0, 0))
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=theirs, stderr=theirs)  # noqa: S603
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # which is how Linux says that nobody writes any more
            break
        if not piece:
            break
        seen += piece
    process.wait()
    os.close(ours)
    return seen.decode("utf-8", "replace").replace("\r\n", "\n")


def prompt_changed(project: Project) -> str:
    """A changed prompt"""
    project.record()
    project.edit("app.py", "one sentence", "at most two sentences")
    return project.run()


def shared_prompt(project: Project) -> str:
    """A prompt that many tests share"""
    for name in ("billing", "orders", "refunds"):
        project.write(f"tests/test_{name}.py", MANY)
    (project.path / "tests/test_support.py").unlink()
    project.record()
    project.edit("app.py", "one sentence", "at most two sentences")
    return project.run(cache=True)


def no_cassette(project: Project) -> str:
    """A test that was not recorded yet"""
    return project.run()


def tool_changed(project: Project) -> str:
    """A tool with another schema"""
    project.record()
    project.edit("app.py", '"number": {"type": "integer"}', '"number": {"type": "string"}, "zip": {"type": "string"}')
    return project.run()


def leftovers(project: Project) -> str:
    """A call fewer than was recorded"""
    project.write("tests/test_support.py", TURNS)
    project.record()
    project.edit("tests/test_support.py", ', "And 4712?"', "")
    return project.run()


def later_turn(project: Project) -> str:
    """A changed prompt of a later turn"""
    project.write("tests/test_support.py", TURNS)
    project.record()
    project.edit("tests/test_support.py", "And 4712?", "And what about 4713?")
    return project.run()


def snapshot_differs(project: Project) -> str:
    """A snapshot that differs"""
    project.write("tests/test_support.py", SNAPSHOT)
    project.record()
    snapshot = next(project.path.glob("tests/__snapshots__/*/*.snap")).relative_to(project.path)
    project.edit(str(snapshot), "It is on its way.", "It has left our warehouse and is on its way.")
    project.edit(str(snapshot), "input tokens: ", "input tokens: 1")
    return project.run()


def renamed(project: Project) -> str:
    """A test that was renamed"""
    project.record()
    project.edit("tests/test_support.py", "test_order", "test_where_is_it")
    return project.run()


def todays_date(project: Project) -> str:
    """A prompt that holds the date"""
    project.record(TODAY=" Today is 2026-11-26.")
    return project.run(TODAY=" Today is 2026-11-27.")


def base_url(project: Project) -> str:
    """Another base URL than when it was recorded"""
    project.record()
    return project.run(MODEL_BASE="https://api.openai.com/v1")


def snapshot_file(project: Project) -> str:
    """The snapshot of a run"""
    project.write("tests/test_support.py", SNAPSHOT)
    project.record()
    snapshot = next(project.path.glob("tests/__snapshots__/*/*.snap"))
    name = snapshot.relative_to(project.path)
    return f"{TYPED} cat {name}\n{snapshot.read_text('utf-8')}"


def review(project: Project) -> str:
    """What changed, one thing a screen"""
    return "\n".join(screen(reviewed(project), 80, 24))


def review_effect(project: Project) -> str:
    """What accepting it did"""
    session = reviewed(project)
    with environment_of(project):
        job = session.press("a")
        assert job is not None
        job()
    session.finished()
    return "\n".join(screen(session, 80, 24))


def reviewed(project: Project) -> Session:
    """Begin a review of what a changed prompt left open."""
    project.write("tests/test_support.py", FEW)
    project.record()
    project.edit("app.py", "one sentence", "at most two sentences")
    project.run(cache=True)
    os.chdir(project.path)
    state = find_state(project.path)
    assert state is not None
    return Session(state)


@contextmanager
def environment_of(project: Project) -> Iterator[None]:
    """Give the runs of a review what they need to ask the provider."""
    before = dict(os.environ)
    os.environ.update(MODEL_BASE=project.base, OPENAI_API_KEY=KEY)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def merge_conflict(project: Project) -> str:
    """A cassette with a merge conflict"""
    project.record()
    cassette = next(project.path.glob("cassettes/*/*.yaml")).relative_to(project.path)
    project.edit(
        str(cassette), "interactions:\n", "<<<<<<< HEAD\ninteractions:\n=======\ninteractions:\n>>>>>>> other\n"
    )
    return project.run()


PICTURES: list[Callable[[Project], str]] = [
    prompt_changed,
    shared_prompt,
    no_cassette,
    tool_changed,
    later_turn,
    leftovers,
    snapshot_differs,
    renamed,
    todays_date,
    base_url,
    merge_conflict,
    snapshot_file,
    review,
    review_effect,
]


def speak(call: object) -> str:
    """Answer as a support agent would."""
    messages = [message for message in getattr(call, "messages", ()) if isinstance(message, ModelRequest)]
    if "two sentences" in str(messages[0]):
        return "It is on its way. You will have it on Friday."
    return "It is on its way." if len(messages) == 1 else "So is that one, on its way."


def shown(output: str, base: str, folder: str) -> str:
    """Return what matters of pytest's output: from the command on, without where this machine keeps its files."""
    output = output.replace(f"{folder}/", "")
    output = re.sub(r" in [0-9.]+s\b", "", output)  # of a machine that records, replays and draws at once
    output = re.sub(re.escape(base.removesuffix("/v1")), "http://localhost:4000", output)
    if not output.lstrip("\r\n").startswith("\x1b[1m=") and "test session starts" not in output:
        return output.strip()  # the screen of a program, or a file
    kept = re.sub(r"(?s)^.*?\n(?=[^\n]*={3,} ?(?:\x1b\[[\d;]*m)*(?:FAILURES|ERRORS|\w))", "", output, count=1)
    start = re.search(r"(?m)^[^\n]*=+ (?:FAILURES|ERRORS|no answer|[a-z].*) =+", kept)
    body = kept[start.start() :] if start is not None else kept
    return f"\x1b[1m$ pytest\x1b[0m\n{body.strip()}"


def draw(names: list[str]) -> None:
    """Write the pictures, all of them without a name."""
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        name = picture.__name__.replace("_", "-")
        if names and name not in names:
            continue
        with serve(Script([speak] * 40).answer) as base, tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder), f"{base}/v1")
            project.write("app.py", APP)
            project.write("tests/test_support.py", TESTS)
            project.write("pytest.ini", "[pytest]\npythonpath = .\n")
            text = shown(picture(project), project.base, folder)
        for theme in THEMES:
            (IMAGES / f"terminal-{name}-{theme}.svg").write_text(svg(text, theme, picture.__doc__ or name), "utf-8")
        print(f"{name}: {len(text.splitlines())} lines")  # noqa: T201 - a script


if __name__ == "__main__":
    draw(sys.argv[1:])
