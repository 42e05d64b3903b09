from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError
from functools import partial

import pytest

from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.function import AgentInfo, DeltaToolCall, FunctionModel
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio

PROMPT = ModelRequest([UserPromptPart("hello there")])
TOOL = ToolDefinition("add", "Add.", {"type": "object"})
RESULT = ToolDefinition("final_result", "The end.", {"type": "object"})
TEXT = ModelRequestParameters()


def greet(messages, info):
    return ModelResponse([TextPart("hi")], model_name="mine")


async def greet_async(messages, info):
    return ModelResponse([TextPart("hi")])


async def stream_words(messages, info):
    yield "hello "
    yield "big world"


async def stream_nothing(messages, info):
    if messages is None:
        yield ""


@pytest.mark.parametrize("function", [greet, greet_async, partial(greet), partial(greet_async)])
async def test_function_answers(function):
    response, usage = await FunctionModel(function, model_name="named").request([PROMPT], None, TEXT)
    assert response.parts == [TextPart("hi")]
    assert response.model_name == "named"
    assert usage == Usage(request_tokens=52, response_tokens=1, total_tokens=53)


async def test_callable_object_may_be_async():
    class Greeter:
        async def __call__(self, messages, info):
            return await greet_async(messages, info)

    model = FunctionModel(Greeter())
    response, _ = await model.request([PROMPT], None, TEXT)
    assert response.parts == [TextPart("hi")]
    assert model.model_name == "function:Greeter:"


async def test_plain_function_runs_in_a_worker_thread():
    threads = []

    def note(messages, info):
        threads.append(threading.current_thread())
        return greet(messages, info)

    await FunctionModel(note).request([PROMPT], None, TEXT)
    assert threads != [threading.main_thread()]


async def test_function_is_told_everything():
    told = []

    async def note(messages, info):
        told.append((messages, info))
        return ModelResponse([])

    messages = [PROMPT]
    await FunctionModel(note).request(messages, {"seed": 1}, ModelRequestParameters([TOOL], False, [RESULT]))
    assert told == [(messages, AgentInfo([TOOL], False, [RESULT], {"seed": 1}))]
    assert told[0][0] is messages
    with pytest.raises(FrozenInstanceError):
        told[0][1].allow_text_result = True


async def test_errors_of_the_function_are_raised_as_they_are():
    def fail(messages, info):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await FunctionModel(fail).request([PROMPT], None, TEXT)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (FunctionModel(greet), "function:greet:"),
        (FunctionModel(stream_function=stream_words), "function::stream_words"),
        (FunctionModel(greet, stream_function=stream_words), "function:greet:stream_words"),
        (FunctionModel(greet, model_name="gpt"), "gpt"),
    ],
)
def test_model_names_its_functions(model, name):
    assert model.model_name == name
    assert model.system == "function"
    assert model.base_url is None


def test_some_function_is_needed():
    with pytest.raises(TypeError, match="`function` or `stream_function`"):
        FunctionModel()


async def test_missing_function_is_an_assertion():
    with pytest.raises(AssertionError, match="`function` to support non-streamed"):
        await FunctionModel(stream_function=stream_words).request([PROMPT], None, TEXT)


async def test_missing_stream_function_is_an_assertion():
    with pytest.raises(AssertionError, match="`stream_function` to support streamed"):
        async with FunctionModel(greet).request_stream([PROMPT], None, TEXT):
            pass


async def test_empty_stream_is_refused():
    with pytest.raises(ValueError, match="at least one item"):
        async with FunctionModel(stream_function=stream_nothing).request_stream([PROMPT], None, TEXT):
            pass


async def test_text_streams():
    async with FunctionModel(stream_function=stream_words).request_stream([PROMPT], None, TEXT) as response:
        assert response.usage() == Usage(request_tokens=50, response_tokens=0, total_tokens=50)
        events = [event async for event in response]
        assert events == [PartStartEvent(0, TextPart("hello ")), PartDeltaEvent(0, TextPartDelta("big world"))]
        assert response.get().parts == [TextPart("hello big world")]
        assert response.get().model_name == response.model_name == "function::stream_words"
        assert response.get().timestamp == response.timestamp
        assert response.usage() == Usage(request_tokens=50, response_tokens=3, total_tokens=53)


async def test_calls_stream_in_pieces():
    async def stream_calls(messages, info):
        yield {0: DeltaToolCall(name="add", tool_call_id="c1")}
        yield {0: DeltaToolCall(json_args='{"a": '), 1: DeltaToolCall("sub", "{}")}
        yield {0: DeltaToolCall(json_args="1}")}

    async with FunctionModel(stream_function=stream_calls).request_stream([PROMPT], None, TEXT) as response:
        events = [event async for event in response]
        assert events == [
            PartStartEvent(0, ToolCallPart("add", '{"a": ', "c1")),
            PartStartEvent(1, ToolCallPart("sub", "{}")),
            PartDeltaEvent(0, ToolCallPartDelta(args_delta="1}")),
        ]
        assert response.get().parts == [ToolCallPart("add", '{"a": 1}', "c1"), ToolCallPart("sub", "{}")]
        assert response.usage() == Usage(request_tokens=50, response_tokens=5, total_tokens=55)


async def test_text_and_calls_may_alternate():
    async def stream_both(messages, info):
        yield "thinking "
        yield {0: DeltaToolCall("add", "{}")}
        yield "done"

    async with FunctionModel(stream_function=stream_both).request_stream([PROMPT], None, TEXT) as response:
        assert len([event async for event in response]) == 3
        assert response.get().parts == [TextPart("thinking done"), ToolCallPart("add", "{}")]


async def test_changing_ids_are_refused():
    async def stream_two_ids(messages, info):
        yield {0: DeltaToolCall("add", "{", "c1")}
        yield {0: DeltaToolCall(json_args="}", tool_call_id="c2")}

    async with FunctionModel(stream_function=stream_two_ids).request_stream([PROMPT], None, TEXT) as response:
        with pytest.raises(UnexpectedModelBehavior, match="tool_call_id"):
            [event async for event in response]


async def test_a_left_stream_closes_its_function():
    closed = []

    async def stream_long(messages, info):
        try:
            while True:
                yield "more "
        finally:
            closed.append(True)

    async with FunctionModel(stream_function=stream_long).request_stream([PROMPT], None, TEXT) as response:
        await anext(aiter(response))
        assert not closed
    assert closed == [True]


async def test_errors_in_a_stream_are_raised_as_they_are():
    async def stream_fail(messages, info):
        yield "one"
        raise LookupError("mine")

    async with FunctionModel(stream_function=stream_fail).request_stream([PROMPT], None, TEXT) as response:
        with pytest.raises(LookupError, match="mine"):
            [event async for event in response]
        assert response.get().parts == [TextPart("one")]
