from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from replay_agent.messages import ModelResponse, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


@dataclass
class Counting(StreamedResponse):
    up_to: int

    async def _get_event_iterator(self):
        for number in range(self.up_to):
            self._usage += Usage(response_tokens=1)
            for event in self._parts.text("content", str(number)):
                yield event

    model_name = "counter"
    timestamp = NOON


async def test_a_stream_of_ones_own():
    response = Counting(3)
    assert response.get() == ModelResponse([], model_name="counter", timestamp=NOON)
    assert response.usage() == Usage()
    assert await anext(aiter(response)) == PartStartEvent(0, TextPart("0"))
    assert [event async for event in response] == [
        PartDeltaEvent(0, TextPartDelta("1")),
        PartDeltaEvent(0, TextPartDelta("2")),
    ]
    assert response.get() == ModelResponse([TextPart("012")], model_name="counter", timestamp=NOON)
    assert response.usage() == Usage(response_tokens=3)


async def test_closing_ends_the_iteration():
    response = Counting(3)
    await anext(aiter(response))
    await response.aclose()
    assert [event async for event in response] == []
    assert response.get().parts == [TextPart("0")]


async def test_what_never_began_can_be_closed():
    await Counting(3).aclose()


async def test_an_iterator_that_cannot_be_closed_is_left_alone():
    class Pieces:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise StopAsyncIteration

    class Plain(Counting):
        def _get_event_iterator(self):
            return Pieces()

    response = Plain(0)
    assert [event async for event in response] == []
    await response.aclose()


def test_streams_have_independent_state():
    one, other = Counting(1), Counting(1)
    assert one._parts is not other._parts
    assert one.usage() is not other.usage()


class Silent(Model):
    model_name = "silent"
    system = "silence"

    async def request(self, messages, model_settings, model_request_parameters):
        raise NotImplementedError


async def test_streaming_is_optional():
    assert Silent().base_url is None
    with pytest.raises(NotImplementedError, match="not supported by this Silent"):
        async with Silent().request_stream([], None, ModelRequestParameters()):
            pass


def test_a_model_must_answer():
    with pytest.raises(TypeError, match="abstract"):
        Model()


def test_parameters_have_defaults():
    assert ModelRequestParameters() == ModelRequestParameters([], True, [])
    assert ModelRequestParameters().function_tools is not ModelRequestParameters().function_tools
