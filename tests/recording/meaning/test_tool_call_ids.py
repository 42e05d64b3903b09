"""The table of places is held to the formats that can be written: an id that a codec writes is found, and nothing else."""

from __future__ import annotations

import pytest

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.meaning.tool_call_ids import id_places, number_ids
from replay_agent.traffic import Request
from replay_agent.wire.registry import CODECS

BASES = {"gemini": "https://generativelanguage.googleapis.com/v1beta/models/", "ollama": "http://localhost:11434"}


def request_of(codec, *ids, stream=False):
    calls = [ToolCallPart("look", {"call_id": "data", "id": "data"}, each) for each in ids]
    returns = [ToolReturnPart("look", {"tool_use_id": "data"}, each) for each in reversed(ids)]
    call = ModelCall(
        model="some-model",
        messages=[ModelRequest([UserPromptPart("Hi")]), ModelResponse(calls), ModelRequest(returns)],
        stream=stream,
    )
    encoded = codec.encode_call(call)
    return Request("POST", BASES.get(codec.name, "https://h.example") + encoded.path, encoded.headers, encoded.body)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("stream", [False, True])
def test_ids_of_every_format_are_found(codec, stream):
    one, other = (meaning()(request_of(codec, *ids, stream=stream)) for ids in (("a1", "b2"), ("c3", "d4")))
    if one.ids:
        assert (one.ids, other.ids) == (("a1", "b2"), ("c3", "d4"))
    else:  # a format that sends none
        assert b"a1" not in request_of(codec, "a1", "b2").body
    assert one.digest == other.digest
    assert meaning()(request_of(codec, "a1", "a1", stream=stream)).digest != one.digest or not one.ids


@pytest.mark.parametrize(
    "body",
    [None, 1, "messages", [], {}, {"messages": None}, {"messages": {}}, {"messages": [1, None, [], {"role": 1}]},
     {"messages": [{"role": "tool", "tool_call_id": 7, "content": [{"type": 1, "toolUse": "x"}], "tool_calls": {}}]},
     {"contents": [{"parts": "x"}, {"parts": [{"functionCall": [{"id": "a"}]}]}]}, {"input": [{"type": None}]}],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/m:generateContent", "/v1/messages/batches"]
)
def test_odd_shapes_have_no_ids(path, body):
    find = id_places(path)
    assert find is not None
    assert list(find(body)) == []


def test_equal_ids_get_equal_numbers():
    ids = ["known"]
    holders = [{"id": "new"}, {"id": "known"}, {"id": "new"}, {"id": "newer"}]
    number_ids(((holder, "id") for holder in holders), ids)
    assert ids == ["known", "new", "newer"]
    assert [next(iter(holder.values())) for holder in holders] == [1, 0, 1, 2]


def test_messages_of_two_members_may_hold_ids():
    find = id_places("/v1/chat/completions")
    call, answer = {"role": "assistant", "tool_calls": [{"id": "a"}]}, {"role": "tool", "tool_call_id": "a"}
    block = {"role": "assistant", "content": [{"type": "tool_use", "id": "b"}]}
    assert find is not None
    places = list(find({"messages": [call, answer, {"role": "user", "content": "id"}, block]}))
    assert [holder[name] for holder, name in places] == ["a", "a", "b"]
