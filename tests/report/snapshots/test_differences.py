from __future__ import annotations

import re

import pytest

from replay_agent.messages import ModelRequest, ModelResponse, SystemPromptPart, TextPart, ToolCallPart, UserPromptPart
from replay_agent.report.conversation.text import render_run
from replay_agent.report.snapshots.differences import differences
from replay_agent.usage import Usage


def run(
    system="Be kind. Answer in one sentence.", args=None, answer="Paris.", result="Paris", tokens=5, model="m", more=()
):
    messages = [
        ModelRequest([SystemPromptPart(system), UserPromptPart("Capital?")]),
        ModelResponse([ToolCallPart("look_up", args or {"city": "Oslo", "days": 1}, "c")], model_name=model),
        ModelResponse([TextPart(answer), *more], model_name=model),
    ]
    return render_run(messages, result, Usage(requests=1, request_tokens=tokens))


CHANGES = {
    "nothing": ({}, []),
    "a word": (
        {"system": "Be kind. Answer in two sentences."},
        ["turn 1, system:", "    Be kind. Answer in [-one sentence-]{+two sentences+}."],
    ),
    "an argument": (
        {"args": {"city": "Rome", "days": 1}},
        ["turn 1, assistant calls look_up:", '    city: "Oslo" -> "Rome"'],
    ),
    "an argument added": (
        {"args": {"city": "Oslo", "days": 1, "unit": "C"}},
        ["turn 1, assistant calls look_up:", '    unit: added, "C"'],
    ),
    "a result": (
        {"result": {"name": "Lyon"}},
        [
            "result:",
            "    dict, added:",
            "        + {",
            '        +   "name": "Lyon"',
            "        + }",
            "    str, removed:",
            "        - Paris",
        ],
    ),
    "a counter": ({"tokens": 7}, ["usage:", "    input tokens: 5 -> 7"]),
    "the model": ({"model": "n"}, ["turn 1, model:", "    - m", "    + n"]),
    "a message more": ({"more": [TextPart("More.")]}, ["turn 1, assistant, added:", "    + More."]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_told_by_message_and_field(name):
    change, told = CHANGES[name]
    lines = differences(run(), run(**change))
    assert lines[: len(told)] == told
    assert bool(lines) == bool(told)


def test_a_section_that_is_there_on_one_side_only():
    old = run()
    assert differences(old.split("== usage")[0], old)[:2] == ["usage:", "    was not there before"]
    assert "    is not there any more" in differences(old, old.split("== usage")[0])


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_and_colours_are_closed(width):
    long = " ".join(f"word{number}" for number in range(60))
    lines = differences(run(), run(answer=long, args={"city": "x" * 300, "days": 1}), width=width, colour=True)
    for line in lines:
        assert len(re.sub(r"\x1b\[\d+m", "", line)) <= width
        assert len(re.findall(r"\x1b\[3\dm", line)) == line.count("\x1b[0m")


def test_a_long_difference_is_cut_unless_all_is_asked_for():
    more = [TextPart(f"Message {number}.") for number in range(60)]
    cut = differences(run(), run(more=more))
    assert len(cut) == 37
    assert cut[-1].endswith("more lines, which -vv shows")
    assert len(differences(run(), run(more=more), whole=True)) > 100
