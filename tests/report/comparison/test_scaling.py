"""What a comparison takes where there is much of it: files, words, turns."""

from __future__ import annotations

import sys
from random import Random

import pytest

from replay_agent.cli import main
from replay_agent.messages import TextPart, ToolCallPart
from replay_agent.recording.cassettes import store
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


def test_only_what_changed_is_read(tmp_path, monkeypatch, calls_of, capsys):
    suite_of(tmp_path, 1_000)
    monkeypatch.chdir(tmp_path)
    read = calls_of(store, "parse")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert main(["diff", "HEAD"]) == 1
    page = capsys.readouterr().out.splitlines()
    assert "1,000 cassettes compared: 10 tests changed" in page[0]
    assert "cause 1: system prompt changed, of 10 tests; effects in 0 of them" in page
    assert len(read) == 20
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def calls_made(work):
    """Count the calls that a piece of work takes, of Python's functions and of C's: the same on every machine."""
    count = 0

    def counting(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        result = work()
    finally:
        sys.setprofile(None)
    return count, result


@pytest.mark.parametrize("way", ["a few words", "every word"])
def test_a_huge_prompt(way):
    counts: list[int] = []
    compared(*[cassette(interactions("openai_chat", story("openai_chat")))] * 2)  # what is read once is read by now
    for size in (30_000, 60_000):
        rng = Random(1)
        words = [f"word{rng.randrange(5_000)}" for _ in range(size)]
        told, other = story("openai_chat"), story("openai_chat")
        told.system = " ".join(words)
        other.system = " ".join(words[::-1]) if way == "every word" else told.system.replace("word77 ", "term77 ")
        old, new = cassette(interactions("openai_chat", told)), cassette(interactions("openai_chat", other))
        count, change = calls_made(lambda old=old, new=new: compared(old, new))
        assert [cause.kind for cause in change.causes] == ["message_changed"]
        counts.append(count)
    assert len(told.system) > 500_000
    assert (
        counts[1] < 2.2 * counts[0]
    )  # 2.5 and 3.7 times as many, if long texts are compared by words as short ones are


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
    counts, sizes = [], []
    for turns in (50, 100):
        old, new = long_talk("Where is", "It", turns), long_talk("Where was", "That", turns)
        count, change = calls_made(lambda old=old, new=new: compared(old, new))
        counts.append(count)
        sizes.append(len(old))
    assert len([cause for cause in change.causes if cause.kind == "message_changed"]) == 50
    assert {effect.kind for effect in change.effects} == {
        "tool_arguments_changed", "tool_result_changed", "answer_changed",
    }  # fmt: skip
    # Every request repeats what was said before: the file has the square of the turns, the work goes with the file.
    assert counts[1] / counts[0] < sizes[1] / sizes[0]
