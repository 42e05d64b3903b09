"""What a comparison takes where there is much of it: files, words, turns."""

from __future__ import annotations

import subprocess
import sys
import time
from random import Random

import pytest

from replay_agent.messages import TextPart, ToolCallPart
from tests.report.comparison.sources.test_git import git
from tests.report.comparison.stories import Step, Story, cassette, compared, interactions, returned, story, tools, user


def suite_of(folder, count):
    """Write a suite of so many cassettes, commit it, and change ten."""
    (folder / "cassettes").mkdir()
    data = cassette(interactions("openai_chat", story("openai_chat"), test="tests/t.py::test_0000"))
    for number in range(count):
        (folder / f"cassettes/test_{number}.yaml").write_bytes(data.replace(b"test_0000", b"test_%d" % number))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "suite")
    for number in range(0, count, count // 10):
        path = folder / f"cassettes/test_{number}.yaml"
        path.write_bytes(path.read_bytes().replace(b"patient guide", b"hurried guide"))
    return folder


def test_a_thousand_cassettes_of_which_ten_changed(tmp_path):
    suite_of(tmp_path, 1_000)
    code = (
        "import time; from replay_agent.cli import main; status = main(['diff', 'HEAD']);"
        "import os; spent = os.times(); print(sum(spent[:4])); raise SystemExit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    *page, seconds = done.stdout.splitlines()
    assert "1,000 cassettes compared: 10 tests changed" in page[0]
    assert "cause 1: system prompt changed, of 10 tests; effects in 0 of them" in page
    assert float(seconds) < 3


def cpu(old, new):
    began = time.process_time()
    change = compared(old, new)
    return time.process_time() - began, change


@pytest.mark.parametrize("way", ["a few words", "every word"])
def test_a_huge_prompt(way):
    rng = Random(1)
    words = [f"word{rng.randrange(5_000)}" for _ in range(60_000)]
    told, other = story("openai_chat"), story("openai_chat")
    told.system = " ".join(words)
    other.system = " ".join(words[::-1]) if way == "every word" else told.system.replace("word77 ", "term77 ")
    assert len(told.system) > 500_000
    seconds, change = cpu(cassette(interactions("openai_chat", told)), cassette(interactions("openai_chat", other)))
    assert [cause.kind for cause in change.causes] == ["message_changed"]
    assert seconds < 5


def long_talk(asked, said, turns=100):
    steps = []
    for number in range(turns // 2):
        call = f"call_{number}"
        steps += [
            Step([user(f"{asked} {number}?")], [ToolCallPart("search", {"query": f"{said} {number}"}, call)]),
            Step([returned("search", f"{said} {number}", call)], [TextPart(f"{said} answer {number}")]),
        ]
    return cassette(interactions("openai_chat", Story(steps, examples=[], tools=tools())))


def test_a_long_conversation_of_which_everything_changed():
    seconds, change = cpu(long_talk("Where is", "It"), long_talk("Where was", "That"))
    assert len([cause for cause in change.causes if cause.kind == "message_changed"]) == 50
    assert {effect.kind for effect in change.effects} == {
        "tool_arguments_changed", "tool_result_changed", "answer_changed",
    }  # fmt: skip
    assert seconds < 10
