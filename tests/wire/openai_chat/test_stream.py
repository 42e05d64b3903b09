from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from replay_agent.calls import AnswerError, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    BinaryContent,
    FilePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.usage import Usage
from replay_agent.wire.openai_chat.dialects import ANYONE, DIALECTS
from replay_agent.wire.openai_chat.stream import ChatStream

DONE = b"data: [DONE]\n\n"
PIXEL = base64.b64encode(b"pixel").decode()


def event(value, name=None):
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{f'event: {name}' if name else ':'}\ndata: {text}\n\n".encode()


def delta(value, finish=None, **chunk):
    return event({"choices": [{"index": 0, "delta": value, "finish_reason": finish}], **chunk})


def calls(*pieces):
    return [delta({"tool_calls": [piece]}) for piece in pieces]


def read(*pieces, call=None, dialect=ANYONE):
    stream = ChatStream(call, dialect)
    for piece in pieces:
        stream.feed(piece)
    stream.close()
    return stream


def parts(*pieces, **options):
    return read(*pieces, **options).answer.response.parts


def test_events_come_as_the_text_does():
    stream = ChatStream(None, ANYONE)
    assert stream.feed(delta({"role": "assistant", "content": ""})) == []
    assert stream.feed(delta({"content": "Hel"})) == [PartStartEvent(0, TextPart("Hel"))]
    assert stream.feed(delta({"content": "lo"})) == [PartDeltaEvent(0, TextPartDelta("lo"))]
    assert stream.answer.response.parts == [TextPart("Hello")]
    assert stream.close() == []
    assert stream.close() == []


def test_head_and_counts_are_kept():
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "c1", "created": 1735689600, "model": "gpt-4o-2024"}
    stream = read(delta({"content": "a"}, **head), delta({}, "length"), event({"choices": [], "usage": usage}), DONE)
    response = stream.answer.response
    assert response.provider_response_id == "c1"
    assert response.timestamp == datetime(2025, 1, 1, tzinfo=UTC)
    assert response.model_name == "gpt-4o-2024"
    assert response.finish_reason == "length"
    assert response.usage == Usage(0, 3, 2, 5)


def test_the_requested_model_stands_in():
    assert read(delta({"content": "a"}), call=ModelCall([], "gpt-4o")).answer.response.model_name == "gpt-4o"


@pytest.mark.parametrize(
    ("pieces", "finished"),
    [
        ([delta({"content": "a"}), DONE], True),
        ([delta({"content": "a"}, "stop")], True),
        ([delta({"content": "a"})], False),
        ([], False),
        ([event({"error": {"message": "broken"}})], True),
    ],
)
def test_a_cut_stream_is_told_from_a_finished_one(pieces, finished):
    assert read(*pieces).finished is finished


def test_a_cut_event_is_no_part_of_the_answer():
    assert parts(delta({"content": "a"}), b'data: {"choices": [{"delta": {"cont') == [TextPart("a")]


HEAD = {"index": 0, "id": "c1", "type": "function", "function": {"name": "add", "arguments": ""}}


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([HEAD, {"index": 0, "function": {"arguments": "{}"}}], [("add", "{}", "c1")]),
        ([HEAD], [("add", "", "c1")]),
        ([{"index": 0, "id": "c1", "function": {"name": "add", "arguments": None}}], [("add", "", "c1")]),
        ([{"id": "c1", "function": {"name": "add", "arguments": "{}"}}], [("add", "{}", "c1")]),
        # an index for each call, pieces interleaved
        (
            [
                HEAD,
                {"index": 1, "id": "c2", "function": {"name": "sub", "arguments": ""}},
                {"index": 0, "function": {"arguments": "[1]"}},
                {"index": 1, "function": {"arguments": "[2]"}},
            ],
            [("add", "[1]", "c1"), ("sub", "[2]", "c2")],
        ),
        # the same index, a new id
        (
            [
                {"index": 0, "id": "c1", "function": {"name": "add", "arguments": "{}"}},
                {"index": 0, "id": "c2", "function": {"name": "add", "arguments": "[]"}},
            ],
            [("add", "{}", "c1"), ("add", "[]", "c2")],
        ),
        # the same index, no ids
        (
            [
                {"index": 0, "function": {"name": "add", "arguments": "{}"}},
                {"index": 0, "function": {"name": "add", "arguments": "{}"}},
            ],
            [("add", "{}", None), ("add", "{}", None)],
        ),
        # no index and no id after the head
        (
            [{"id": "c1", "function": {"name": "add", "arguments": "{"}}, {"function": {"arguments": "}"}}],
            [("add", "{}", "c1")],
        ),
        # name and id repeated in every piece
        ([{**HEAD, "function": {"name": "add", "arguments": piece}} for piece in "{}"], [("add", "{}", "c1")]),
        ([{"index": 0, "function": {"name": "add", "arguments": piece}} for piece in "{}"], [("add", "{}", None)]),
        # a fresh id in every piece
        ([HEAD, {"index": 0, "id": "c9", "function": {"name": None, "arguments": "{}"}}], [("add", "{}", "c1")]),
        # an empty id and name after the head
        ([HEAD, {"index": 0, "id": "", "function": {"name": "", "arguments": "{}"}}], [("add", "{}", "c1")]),
        # a name in pieces, and arguments before the name
        ([{"index": 0, "function": {"name": "a"}}, {"index": 0, "function": {"name": "dd"}}], [("add", "", None)]),
        (
            [{"index": 0, "function": {"arguments": "{}"}}, {"index": 0, "id": "c1", "function": {"name": "add"}}],
            [("add", "{}", "c1")],
        ),
        # objects instead of text
        ([{"index": 0, "id": "c1", "function": {"name": "add", "arguments": {"a": 1}}}], [("add", {"a": 1}, "c1")]),
        ([HEAD, {"index": 0, "function": {"arguments": {"a": 1}}}], [("add", {"a": 1}, "c1")]),
    ],
)
def test_tool_calls_are_put_together(pieces, expected):
    assert parts(*calls(*pieces)) == [ToolCallPart(*call) for call in expected]


def test_whole_calls_may_come_in_one_piece():
    both = [{"id": f"c{n}", "function": {"name": "add", "arguments": "{}"}, "index": 0} for n in (1, 2)]
    assert parts(delta({"tool_calls": both}, "tool_calls")) == [
        ToolCallPart("add", "{}", "c1"),
        ToolCallPart("add", "{}", "c2"),
    ]


def test_functions_of_old_are_calls_without_id():
    pieces = [delta({"function_call": {"name": "add", "arguments": ""}}), delta({"function_call": {"arguments": "{}"}})]
    assert parts(*pieces) == [ToolCallPart("add", "{}")]


@pytest.mark.parametrize("texts", [["a", "b"], ['say "', "hi", '"\n', ""], ["", "\\", "\u20ac"], [""]])
def test_the_input_of_a_custom_tool_is_a_text(texts):
    first = {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "grep", "input": texts[0]}}
    more = [{"index": 0, "custom": {"input": text}} for text in texts[1:]]
    (call,) = parts(*calls(first, *more))
    assert (call.tool_name, call.args_as_dict(), call.tool_call_id) == ("grep", {"input": "".join(texts)}, "c1")


def test_functions_and_custom_tools_are_called_at_once():
    function = {"index": 0, "id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    custom = {"index": 1, "id": "c2", "type": "custom", "custom": {"name": "grep", "input": "a"}}
    found = parts(*calls(function, custom, {"index": 1, "custom": {"input": "b"}}))
    assert [(call.tool_name, call.args_as_dict()) for call in found] == [("add", {}), ("grep", {"input": "ab"})]


def test_what_is_no_call_is_kept():
    assert parts(*calls({"index": 0, "id": "c1", "type": "odd", "odd": {"name": "grep"}}, 7)) == [
        UnknownPart({"tool_calls": [{"id": "c1", "odd": {"name": "grep"}}, 7]})
    ]


def test_what_a_call_says_besides_is_kept():
    call = {**HEAD, "extra_content": {"google": {"thought_signature": "sig"}}}
    assert parts(*calls(call)) == [
        ToolCallPart("add", "", "c1"),
        UnknownPart({"tool_calls": [{"id": "c1", "extra_content": {"google": {"thought_signature": "sig"}}}]}),
    ]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_has_many_names(name):
    assert parts(delta({name: "h"}), delta({name: "m", "content": ""}), delta({"content": "a"})) == [
        ThinkingPart("hm"),
        TextPart("a"),
    ]


def test_reasoning_details_join_by_kind_and_index():
    details = [
        {"type": "reasoning.text", "text": "h", "index": 0},
        {"type": "reasoning.text", "text": "m", "index": 0},
        {"type": "reasoning.text", "signature": "sig", "index": 0},
        {"type": "reasoning.encrypted", "data": "secret", "id": "r1", "index": 0},
        {"type": "reasoning.new", "index": 1},
    ]
    assert parts(*(delta({"reasoning": "twice", "reasoning_details": [detail]}) for detail in details)) == [
        ThinkingPart("hm", "sig"),
        ThinkingPart("", "secret", "r1"),
        UnknownPart({"reasoning_details": [{"type": "reasoning.new", "index": 1}]}),
    ]


def test_reasoning_in_tags():
    pieces = ["<think>", "\nhm", "\n", "</think>", "\n\n", "Hello"]
    assert parts(*(delta({"content": piece}) for piece in pieces)) == [ThinkingPart("\nhm\n"), TextPart("\n\nHello")]


@pytest.mark.parametrize("model", ["Qwen/Qwen3-32B", "openai/gpt-oss-120b", "deepseek-reasoner"])
def test_some_models_stream_blank_lines_first(model):
    pieces = ["<think>", "hm", "</think>", "\n\n", "Hello", "\n", "you"]
    assert parts(*(delta({"content": piece}, model=model) for piece in pieces)) == [
        ThinkingPart("hm"),
        TextPart("Hello\nyou"),
    ]


def test_content_in_chunks():
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    content = [thinking, {"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [0]}, 5]
    assert parts(delta({"content": content}), dialect=DIALECTS["mistral"]) == [
        ThinkingPart("hm"),
        TextPart("a"),
        UnknownPart({"type": "reference", "reference_ids": [0]}),
        UnknownPart({"content": [5]}),
    ]


def test_a_refusal_is_no_text():
    response = read(delta({"refusal": "I "}), delta({"refusal": "won't."}), delta({}, "stop")).answer.response
    assert response.parts == [UnknownPart({"refusal": "I won't."})]
    assert response.finish_reason == "content_filter"


def test_a_spoken_answer_is_a_file():
    call = ModelCall([], extras={"audio": {"format": "mp3"}})
    pieces = [{"id": "a1", "transcript": "Hel"}, {"transcript": "lo"}, {"data": PIXEL[:4]}, {"data": PIXEL[4:]}]
    assert parts(*(delta({"audio": piece}) for piece in pieces), call=call) == [
        FilePart(BinaryContent(b"pixel", "audio/mpeg")),
        UnknownPart({"audio": {"id": "a1", "transcript": "Hello"}}),
    ]


def test_images_are_files():
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    assert parts(delta({"images": [image, {"type": "?"}]})) == [
        FilePart(BinaryContent(b"pixel", "image/png")),
        UnknownPart({"images": [{"type": "?"}]}),
    ]


def test_groqs_own_tools():
    call = {"index": 0, "type": "search", "arguments": '{"query": "x"}'}
    assert parts(
        delta({"executed_tools": [call]}),
        delta({"executed_tools": [{**call, "output": "found"}]}),
        delta({"executed_tools": [{}]}),
        delta({"executed_tools": ["?"]}),
    ) == [
        NativeToolCallPart("web_search", '{"query": "x"}'),
        NativeToolReturnPart("web_search", {"output": "found"}),
        UnknownPart({"executed_tools": ["?"]}),
    ]


def test_unknown_fields_are_kept_whole():
    assert parts(
        delta({"content": "a", "annotations": [1], "mood": "gl"}), delta({"annotations": [2], "mood": "ad", "x": None})
    ) == [TextPart("a"), UnknownPart({"annotations": [1, 2]}), UnknownPart({"mood": "glad"})]


def test_unknown_events_are_kept():
    assert parts(event({"type": "ping"}, "ping"), event("hello"), delta({"content": "a"})) == [
        UnknownPart({"stream_event": {"event": "ping", "data": {"type": "ping"}}}),
        UnknownPart({"stream_event": {"event": None, "data": "hello"}}),
        TextPart("a"),
    ]


@pytest.mark.parametrize("chunk", [{"choices": None}, {"choices": [{"delta": None}]}, {"choices": []}, {"usage": None}])
def test_empty_chunks_are_harmless(chunk):
    assert parts(event(chunk), delta({"content": "a"})) == [TextPart("a")]


def test_only_the_first_candidate_is_read():
    second = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    assert parts(delta({"content": "yes"}), event(second)) == [TextPart("yes")]


@pytest.mark.parametrize(
    ("piece", "error"),
    [
        (event({"error": {"message": "over", "code": 502}}), AnswerError(502, "over")),
        (event({"error": {"message": "over", "type": "server_error", "code": None}}), AnswerError(None, "over")),
        (event({"error": "over"}), AnswerError(None, "over")),
        (event({"message": "over", "status_code": 400}, "error"), AnswerError(400, "over")),
        (event("over", "error"), AnswerError(None, "over")),
        (event([{"error": {"message": "over", "code": 429}}]), AnswerError(429, "over")),
        (event({"error": {"message": "over", "code": 400}, "choices": []}), AnswerError(400, "over")),
        (event({"choices": [{"error": {"message": "over", "code": 503}, "delta": {}}]}), AnswerError(503, "over")),
    ],
)
def test_errors_inside_a_stream(piece, error):
    assert read(piece).answer.error == error
    broken = read(delta({"content": "half"}), piece, DONE).answer
    assert broken.error == error
    assert broken.response.parts == [TextPart("half")]


def test_groq_tells_what_did_not_fit():
    failed = {"name": "add", "arguments": {"a": "x"}}
    error = {"message": "no fit", "code": "tool_use_failed", "failed_generation": json.dumps(failed)}
    answer = read(delta({"content": "a"}), event({"error": error}, "error")).answer
    assert answer.error == AnswerError(None, "no fit")
    assert answer.response.parts == [TextPart("a"), ToolCallPart("add", {"a": "x"})]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error": {"message": "over", "code": 503}}', AnswerError(503, "over")),
        (b'[{"error": {"message": "over", "code": 400}}]', AnswerError(400, "over")),
        (b"<html><title>Bad gateway</title></html>", AnswerError(None, "Bad gateway")),
    ],
)
def test_an_error_instead_of_a_stream(body, error):
    for pieces in ([body], [body[n : n + 1] for n in range(len(body))]):
        stream = read(*pieces)
        assert stream.answer.error == error
        assert stream.answer.response is None


def test_an_answer_instead_of_a_stream():
    stream = ChatStream(None, ANYONE)
    stream.feed(b'  {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}')
    assert stream.close() == [PartStartEvent(0, TextPart("a"))]
    assert stream.answer.response.parts == [TextPart("a")]
    assert stream.finished


@pytest.mark.parametrize("body", [b"{", b"[1]", b"Internal error", b'{"choices": [{"mess'])
def test_what_is_no_answer_is_a_wire_error(body):
    stream = ChatStream(None, ANYONE)
    stream.feed(body)
    with pytest.raises(WireError):
        stream.close()


def test_an_empty_stream_is_no_answer():
    stream = read(b": ping\n\n")
    assert stream.answer.response is None
    assert stream.answer.error is None


def test_text_after_an_object_of_arguments_is_kept():
    pieces = [
        {"index": 0, "function": {"name": "add", "arguments": {"a": 1}}},
        {"index": 0, "function": {"arguments": "?"}},
    ]
    assert parts(*calls(*pieces)) == [
        ToolCallPart("add", {"a": 1}),
        UnknownPart({"tool_calls": [{"id": None, "arguments": "?"}]}),
    ]
