from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta, ToolCallPart
from replay_agent.models.base import StreamedResponse
from replay_agent.models.parts_manager import PartsManager
from replay_agent.usage import Usage
from replay_agent.wire.shapes.streamed_parts import StreamedParts


@pytest.fixture
def manager():
    return PartsManager(StreamedParts())


def piece(key=None, tool_name=None, args=None, tool_call_id=None):
    return {"vendor_part_id": key, "tool_name": tool_name, "args": args, "tool_call_id": tool_call_id}


def test_text_grows(manager):
    assert manager.handle_text_delta(vendor_part_id="a", content="He") == PartStartEvent(0, TextPart("He"))
    assert manager.handle_text_delta(vendor_part_id="a", content="y") == PartDeltaEvent(0, TextPartDelta("y"))
    assert manager.get_parts() == [TextPart("Hey")]


def test_a_call_is_silent_until_enough_is_known(manager):
    assert manager.handle_tool_call_delta(**piece(0, tool_name="add")) is None
    assert manager.handle_tool_call_delta(**piece(0, args="{", tool_call_id="c")) == PartStartEvent(
        0, ToolCallPart("add", "{", "c")
    )
    assert manager.handle_tool_call_delta(**piece(0, args="}")).index == 0
    assert manager.get_parts() == [ToolCallPart("add", "{}", "c")]


def test_a_whole_call_takes_the_place_of_its_id(manager):
    for args in ({"a": 1}, {"a": 2}):
        event = manager.handle_tool_call_part(vendor_part_id="x", tool_name="add", args=args)
        assert event == PartStartEvent(0, ToolCallPart("add", args))
    assert manager.get_parts() == [ToolCallPart("add", {"a": 2})]


def test_a_contradiction_is_refused(manager):
    manager.handle_tool_call_delta(**piece(0, "add", "{", "c"))
    with pytest.raises(UnexpectedModelBehavior):
        manager.handle_tool_call_delta(**piece(0, args={"a": 1}))


@dataclass
class Own(StreamedResponse):
    """A response of a model that somebody wrote for the seed."""

    model_name = "own"
    timestamp = datetime(2024, 1, 1, tzinfo=UTC)

    async def _get_event_iterator(self):
        self._usage = Usage(response_tokens=2)
        for word in ("one ", "two"):
            yield self._parts_manager.handle_text_delta(vendor_part_id=0, content=word)


@pytest.mark.anyio
async def test_a_model_of_ones_own_may_build_with_it():
    response = Own()
    assert len([event async for event in response]) == 2
    assert response.get().parts == [TextPart("one two")]
    assert response.usage() == Usage(response_tokens=2)
