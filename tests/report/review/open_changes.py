"""Changes for tests, and a state that holds them, as a run of pytest would have left it."""

from __future__ import annotations

from replay_agent.report.review.change import Change
from replay_agent.report.review.queue import FOLDER, Queue, digest_of

RED, GREEN, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"


def drift(test="tests/test_a.py::test_one", **values):
    said = {
        "kind": "drift",
        "test": test,
        "run": f"/nowhere/{test}",
        "title": "The system prompt changed since it was recorded.",
        "cause": "system prompt\nremoved word\nadded sentence",
        "file": "/nowhere/cassettes/test_a/test_one.yaml",
        "lines": ("turn 1, system prompt:", f"    Answer in one {RED}[-word-]{PLAIN}{GREEN}{{+sentence+}}{PLAIN}."),
        "asked": 'POST https://api.example.org/v1/chat/completions (gpt-4o, turn 1, "Where is it?")',
        "command": f"pytest {test} --record-mode=refresh",
        "mode": "refresh",
        "turn": 1,
        "giving_way": ("aa", "bb", "cc"),
        "key": "dd",
    }
    return Change(**{**said, **values})


def recording(folder, name="one", content=b"new", before=""):
    """A recording that nobody has looked at; its test is there, and its file."""
    module = folder / "tests" / "test_a.py"
    module.parent.mkdir(exist_ok=True)
    module.touch()
    path = folder / "cassettes" / "test_a" / f"test_{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    test = f"tests/test_a.py::test_{name}"
    return Change(
        "recording",
        test,
        f"{folder}/{test}",
        "The recording is new.",
        "recorded",
        file=str(path),
        before=before,
        digest=digest_of(path),
    )


def keep(folder, changes):
    """Write down that these are open, and return where."""
    state = folder / ".pytest_cache" / "d" / FOLDER
    state.mkdir(parents=True, exist_ok=True)
    tests = {}
    for change in changes:
        tests.setdefault(change.test, []).append(change)
    Queue(tests, str(folder), [f"--rootdir={folder}"]).save(state)
    return state
