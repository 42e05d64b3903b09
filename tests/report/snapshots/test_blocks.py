from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.report.conversation.text import render_run
from replay_agent.report.snapshots.blocks import sections_of
from replay_agent.usage import Usage

HISTORY = [
    ModelRequest([SystemPromptPart("Be brief.\n\nAnd kind:\n== odd =="), UserPromptPart("Weather?")]),
    ModelResponse(
        [ThinkingPart("Hm."), ToolCallPart("look_up", {"city": "Oslo"}, "call_1")],
        model_name="m",
        finish_reason="length",
    ),
    ModelRequest([ToolReturnPart("look_up", "rain", "call_1"), RetryPromptPart("Again.", tool_name="look_up")]),
    ModelResponse([TextPart("It rains.")], model_name="m"),
]


def test_what_was_written_is_read_again():
    sections = sections_of(render_run(HISTORY, {"city": "Oslo"}, Usage(requests=2, request_tokens=5)))
    assert [(item.turn, item.role, item.text) for item in sections["conversation 1"]] == [
        (1, "system", "Be brief.\n\nAnd kind:\n== odd =="),
        (1, "user", "Weather?"),
        (1, "model", "m, ended by length"),
        (1, "thinking", "Hm."),
        (1, "assistant calls look_up", '{\n  "city": "Oslo"\n}'),
        (2, "look_up returns", "rain"),
        (2, "look_up fails", "Again."),
        (2, "assistant", "It rains."),
    ]
    assert [(item.role, item.text) for item in sections["result"]] == [("dict", '{\n  "city": "Oslo"\n}')]
    assert [(item.role, item.text) for item in sections["usage"]] == [("requests", "2"), ("input tokens", "5")]


def test_several_conversations_and_notes():
    text = (
        "== conversation 1 of 2 ==\n\nuser:\n  a\n\n(the call failed: x)\n\n== conversation 2 of 2 ==\n\nuser:\n  b\n"
    )
    sections = sections_of(text)
    assert list(sections) == ["conversation 1", "conversation 2"]
    assert [(item.role, item.text) for item in sections["conversation 1"]] == [
        ("user", "a"),
        ("", "(the call failed: x)"),
    ]


def test_other_texts_do_no_harm():
    assert sections_of("") == {}
    assert sections_of("<<<<<<< HEAD\nanything\n") == {}
    assert sections_of("== messages ==\n>>>>>>> other\n")["conversation 1"][0].text == ">>>>>>> other"


PRINTABLE = st.text(
    string.printable.replace("\r", "").replace("\x0b", "").replace("\x0c", "").replace("\t", ""), min_size=1
)


@given(st.lists(PRINTABLE, min_size=1, max_size=4))
def test_whatever_a_message_says_it_is_one_block(texts):
    text = render_run([ModelRequest([UserPromptPart(text) for text in texts])], None, None)
    items = sections_of(text)["conversation 1"]
    assert [item.role for item in items] == ["user"] * len(texts)
