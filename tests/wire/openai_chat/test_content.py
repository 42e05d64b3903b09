from __future__ import annotations

import base64
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.messages import (
    NO_TIMESTAMP,
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.wire.openai_chat import content
from replay_agent.wire.openai_chat.content import read_messages, write_messages
from replay_agent.wire.openai_chat.dialects import ANYONE, DIALECTS
from replay_agent.wire.shapes.history import sharing

PIXEL = base64.b64encode(b"pixel").decode()
INVITATION = "\n\nFix the errors and try again."


def user(content):
    return ModelRequest([UserPromptPart(content, timestamp=NO_TIMESTAMP)])


def said(*parts):
    return ModelResponse(list(parts), timestamp=NO_TIMESTAMP)


def returned(content, name="add"):
    return ModelRequest([ToolReturnPart(name, content, "c1", timestamp=NO_TIMESTAMP)])


CALL = said(ToolCallPart("add", "{}", "c1"))
WIRE_CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
}

BOTH_WAYS = [
    ([user("hi")], [{"role": "user", "content": "hi"}]),
    ([user("")], [{"role": "user", "content": ""}]),
    ([user([])], [{"role": "user", "content": []}]),
    ([user(["hi"])], [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
    (
        [user([ImageUrl("https://e.org/a.png"), BinaryContent(b"pixel", "image/png")])],
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "https://e.org/a.png"}},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                ],
            }
        ],
    ),
    (
        [user([BinaryContent(b"pixel", "audio/mpeg"), BinaryContent(b"pixel", "application/pdf")])],
        [
            {
                "role": "user",
                "content": [
                    {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "mp3"}},
                    {
                        "type": "file",
                        "file": {"file_data": f"data:application/pdf;base64,{PIXEL}", "filename": "filename.pdf"},
                    },
                ],
            }
        ],
    ),
    (
        [user([UnknownPart({"type": "file", "file": {"file_id": "file-1"}})])],
        [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}],
    ),
    (
        [ModelRequest([SystemPromptPart("a"), SystemPromptPart("b"), UserPromptPart("c", timestamp=NO_TIMESTAMP)])],
        [
            {"role": "system", "content": "a"},
            {"role": "system", "content": "b"},
            {"role": "user", "content": "c"},
        ],
    ),
    ([said(TextPart("hello"))], [{"role": "assistant", "content": "hello"}]),
    ([said()], [{"role": "assistant"}]),
    ([said(ThinkingPart("hm"))], [{"role": "assistant", "reasoning_content": "hm"}]),
    ([CALL, returned("3")], [WIRE_CALL, {"role": "tool", "tool_call_id": "c1", "content": "3"}]),
    (
        [CALL, ModelRequest([RetryPromptPart("wrong", "add", "c1", timestamp=NO_TIMESTAMP)])],
        [WIRE_CALL, {"role": "tool", "tool_call_id": "c1", "content": f"wrong{INVITATION}"}],
    ),
    (
        [ModelRequest([RetryPromptPart("use a tool", timestamp=NO_TIMESTAMP)])],
        [{"role": "user", "content": f"use a tool{INVITATION}"}],
    ),
    ([ModelRequest([UnknownPart({"role": "narrator", "content": "x"})])], [{"role": "narrator", "content": "x"}]),
    ([ModelRequest([UnknownPart("x")])], ["x"]),
    (
        [said(UnknownPart({"refusal": "No."}))],
        [{"role": "assistant", "refusal": "No."}],
    ),
    (
        [said(TextPart("a"), UnknownPart({"type": "reference", "reference_ids": [1]}))],
        [
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}],
            }
        ],
    ),
    (
        [said(ToolCallPart("add", "{}", "c1"), UnknownPart({"tool_calls": [{"id": "c1", "extra_content": {"a": 1}}]}))],
        [{**WIRE_CALL, "tool_calls": [{**WIRE_CALL["tool_calls"][0], "extra_content": {"a": 1}}]}],
    ),
    (
        [said(UnknownPart({"tool_calls": [{"id": "c1", "type": "odd", "odd": {"name": "a", "input": "b"}}]}))],
        [{"role": "assistant", "tool_calls": [{"id": "c1", "type": "odd", "odd": {"name": "a", "input": "b"}}]}],
    ),
]


@pytest.mark.parametrize(("messages", "wire"), BOTH_WAYS)
def test_both_ways(messages, wire):
    assert write_messages(messages, ANYONE) == wire
    assert read_messages(wire, ANYONE) == (messages, None)


ONE_WAY = [
    ({"role": "user", "content": None}, [ModelRequest([UnknownPart({"role": "user", "content": None})])]),
    ({"role": "user"}, [ModelRequest([UnknownPart({"role": "user"})])]),
    ({"role": ["user"]}, [ModelRequest([UnknownPart({"role": ["user"]})])]),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": "https://e.org/a.png"}]},
        [user([ImageUrl("https://e.org/a.png")])],
    ),
    (
        {"role": "user", "content": [{"type": "document_url", "document_url": "https://e.org/a.pdf"}]},
        [user([DocumentUrl("https://e.org/a.pdf")])],
    ),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}}]},
        [user([UnknownPart({"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}})])],
    ),
    (
        {"role": "user", "content": [{"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{PIXEL}"}}]},
        [user([BinaryContent(b"pixel", "video/mp4")])],
    ),
    (
        {"role": "user", "content": [{"image_url": None, "text": "hi", "type": "text"}, 7, {"type": "text"}]},
        [user(["hi", UnknownPart(7), UnknownPart({"type": "text"})])],
    ),
    (
        {
            "role": "system",
            "content": [{"type": "text", "text": "a", "cache_control": {}}, {"type": "text", "text": "b"}],
        },
        [ModelRequest([SystemPromptPart("a"), SystemPromptPart("b")])],
    ),
    ({"role": "system", "content": 1}, [ModelRequest([UnknownPart({"role": "system", "content": 1})])]),
    ({"role": "assistant", "content": ""}, [said(TextPart(""))]),
    ({"role": "assistant", "content": "<think>hm</think>Yes"}, [said(ThinkingPart("hm"), TextPart("Yes"))]),
    (
        {"role": "function", "name": "add", "content": "3"},
        [ModelRequest([ToolReturnPart("add", "3", timestamp=NO_TIMESTAMP)])],
    ),
    (
        {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": "{}"}},
        [said(ToolCallPart("add", "{}"))],
    ),
    ({"role": "tool", "content": "3"}, [ModelRequest([UnknownPart({"role": "tool", "content": "3"})])]),
    ({"role": "tool", "tool_call_id": "c1", "content": None}, [returned("", "unknown")]),
    ({"role": "tool", "tool_call_id": "c1", "name": "sub", "content": {"a": 1}}, [returned({"a": 1}, "sub")]),
    (
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
        [returned("a\nb", "unknown")],
    ),
]


@pytest.mark.parametrize(("wire", "messages"), ONE_WAY)
def test_other_spellings_are_read(wire, messages):
    assert read_messages([wire], ANYONE)[0] == messages


def test_neighbours_are_one_request():
    wire = [{"role": "user", "content": "a"}, WIRE_CALL, {"role": "tool", "tool_call_id": "c1", "content": "3"}]
    [first, _, second] = read_messages([*wire, {"role": "user", "content": "b"}], ANYONE)[0]
    assert [part.part_kind for part in first.parts] == ["user-prompt"]
    assert [part.part_kind for part in second.parts] == ["tool-return", "user-prompt"]


def test_a_reused_id_means_the_call_before():
    other = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "sub", "arguments": "{}"}}]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "3"}
    messages, _ = read_messages([WIRE_CALL, result, other, result], ANYONE)
    assert [message.parts[0].tool_name for message in messages] == ["add", "add", "sub", "sub"]


def test_texts_are_joined_by_a_blank_line():
    assert write_messages([said(TextPart("a"), TextPart(""), TextPart("b"))], ANYONE) == [
        {"role": "assistant", "content": "a\n\nb"}
    ]


def test_object_arguments_become_text():
    [message] = write_messages([said(ToolCallPart("add", {"a": 1}, "c1"))], ANYONE)
    assert message["tool_calls"][0]["function"]["arguments"] == '{"a":1}'


@pytest.mark.parametrize(
    "message",
    [
        ModelRequest([ToolReturnPart("add", "3")]),
        ModelRequest([RetryPromptPart("wrong", "add")]),
        said(ToolCallPart("add", "{}")),
    ],
)
def test_a_missing_id_is_an_assertion_error(message):
    with pytest.raises(AssertionError, match="add"):
        write_messages([message], ANYONE)


def test_functions_of_old_need_no_ids():
    messages = [said(ToolCallPart("add", "{}")), ModelRequest([ToolReturnPart("add", "3", timestamp=NO_TIMESTAMP)])]
    wire = write_messages(messages, ANYONE, legacy=True)
    assert wire == [
        {"role": "assistant", "function_call": {"name": "add", "arguments": "{}"}},
        {"role": "function", "name": "add", "content": "3"},
    ]
    assert read_messages(wire, ANYONE)[0] == messages


@pytest.mark.parametrize("item", [AudioUrl("https://e.org/a.mp3"), DocumentUrl("https://e.org/a.pdf")])
def test_sounds_and_documents_must_be_fetched_before(item):
    with pytest.raises(NotImplementedError, match=r"e\.org"):
        write_messages([user([item])], ANYONE)


@pytest.mark.parametrize("name", ["openai", "azure", "groq", "deepseek", "cerebras"])
def test_strict_providers_get_no_fields_they_do_not_know(name):
    [message] = write_messages([said(TextPart("a"), UnknownPart({"annotations": [1]}))], DIALECTS[name])
    assert message == {"role": "assistant", "content": "a"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("openai", {}),
        ("deepseek", {"reasoning_content": "hm"}),
        ("groq", {"reasoning": "hm"}),
        ("openrouter", {"reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}]}),
    ],
)
def test_reasoning_goes_back_as_the_provider_takes_it(name, fields):
    [message] = write_messages([said(ThinkingPart("hm"), TextPart("a"))], DIALECTS[name])
    assert message == {"role": "assistant", "content": "a", **fields}


# --- a conversation that repeats itself -----------------------------------------------------------------------------------

ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "critic", 7, None])
CONTENT = st.one_of(
    st.sampled_from(["Hi.", "Hi" + INVITATION, "", None, 1, 1.0, True]),
    st.lists(st.sampled_from([{"type": "text", "text": "Hi."}, {"type": "text", "text": 1}, "odd"]), max_size=2),
)
CALLS = st.sampled_from([None, [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]])
RAW = st.one_of(
    st.fixed_dictionaries(
        {"role": ROLES, "content": CONTENT},
        optional={"tool_calls": CALLS, "tool_call_id": st.sampled_from(["c1", "c2"])},
    ),
    st.sampled_from(["no message", 1, True, None]),
)


@st.composite
def repeating(draw):
    """Conversations of which most go on from one of those before, or from a part of one; some have a number otherwise."""
    said = [draw(st.lists(RAW, max_size=8))]
    for _ in range(draw(st.integers(1, 6))):
        before = draw(st.sampled_from(said))
        cut = draw(st.one_of(st.just(len(before)), st.integers(0, len(before))))
        said.append([*deepcopy(before[:cut]), *draw(st.lists(RAW, max_size=4))])
    return said


@given(repeating(), st.sampled_from([ANYONE, DIALECTS["mistral"]]))
def test_what_is_repeated_is_read_as_it_was_the_first_time(conversations, dialect):
    alone = [read_messages(each, dialect) for each in conversations]
    with sharing():
        together = [read_messages(each, dialect) for each in conversations]
    assert together == alone
    assert list(map(repr, together)) == list(map(repr, alone))  # which tells 1 from True


def test_each_turn_reads_what_is_new_in_it(calls_of):
    added = calls_of(content._Conversation, "add")
    said, other = [], []
    with sharing():
        for turn in range(40):
            for history, name in ((said, "a"), (other, "b")):  # two agents, who take turns
                history += [{"role": "user", "content": f"{name} {turn}"}, {"role": "assistant", "content": "Yes."}]
                read_messages(list(history), ANYONE)
    assert len(added) < 3 * 2 * 40


def test_beyond_the_block_nothing_is_shared():
    history = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Ho."}] * 4
    with sharing():
        first, _ = read_messages(history, ANYONE)
        within, _ = read_messages(list(history), ANYONE)
    with sharing():
        beyond, _ = read_messages(list(history), ANYONE)
    assert within[0] is first[0]
    assert beyond[0] is not first[0]
    within.append("more")
    assert len(first) == 8
