from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.messages import (
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ToolCallPart,
    ToolCallPartDelta,
    UnknownPart,
)
from replay_agent.wire.shapes.streamed_parts import StreamedParts


@pytest.fixture
def parts() -> StreamedParts:
    return StreamedParts()


def test_text_under_a_key_grows(parts):
    assert parts.text("content", "Hel") == [PartStartEvent(0, TextPart("Hel"))]
    assert parts.text("content", "lo") == [PartDeltaEvent(0, TextPartDelta("lo"))]
    assert parts.parts() == [TextPart("Hello")]


def test_the_started_part_stays_as_it_was(parts):
    [started] = parts.text("content", "Hel")
    parts.text("content", "lo")
    parts.parts()
    assert started.part == TextPart("Hel")


def test_text_without_a_key_extends_only_text(parts):
    parts.text(None, "a")
    parts.text(None, "b")
    parts.thinking(None, "hm")
    parts.text(None, "c")
    assert parts.parts() == [TextPart("ab"), ThinkingPart("hm"), TextPart("c")]


def test_a_known_key_wins_over_the_order(parts):
    parts.text("a", "1")
    parts.text("b", "x")
    parts.text("a", "2")
    assert parts.parts() == [TextPart("12"), TextPart("x")]


def test_a_key_of_another_kind_starts_a_part(parts):
    parts.thinking(0, "hm")
    parts.text(0, "a")
    parts.text(0, "b")
    assert parts.parts() == [ThinkingPart("hm"), TextPart("ab")]


def test_signatures_join(parts):
    parts.thinking("r", "I think", signature="ab")
    parts.thinking("r", signature="cd")
    parts.thinking("r", " so")
    assert parts.parts() == [ThinkingPart("I think so", "abcd")]


def test_a_call_is_silent_until_it_has_arguments(parts):
    assert parts.tool_call(0, name="add", call_id="c1") == []
    assert parts.parts() == []
    assert parts.tool_call(0, args='{"a"') == [PartStartEvent(0, ToolCallPart("add", '{"a"', "c1"))]
    assert parts.tool_call(0, args=":1}") == [PartDeltaEvent(0, ToolCallPartDelta(None, ":1}"))]
    assert parts.parts() == [ToolCallPart("add", '{"a":1}', "c1")]


def test_arguments_may_come_before_the_name(parts):
    assert parts.tool_call(0, args="{") == []
    assert parts.tool_call(0, args="}") == []
    assert parts.tool_call(0, name="add") == [PartStartEvent(0, ToolCallPart("add", "{}"))]


def test_object_arguments_merge(parts):
    parts.tool_call(0, name="add", args={"a": 1})
    parts.tool_call(0, args={"b": 2})
    assert parts.parts() == [ToolCallPart("add", {"a": 1, "b": 2})]


def test_a_late_id_is_taken(parts):
    parts.tool_call(0, name="add", args="{")
    parts.tool_call(0, args="}", call_id="c1")
    assert parts.parts() == [ToolCallPart("add", "{}", "c1")]


def test_without_a_key_a_name_begins_a_call(parts):
    parts.tool_call(None, name="add", args="{")
    parts.tool_call(None, args="}")
    parts.tool_call(None, name="sub", args="{}")
    assert parts.parts() == [ToolCallPart("add", "{}"), ToolCallPart("sub", "{}")]


@pytest.mark.parametrize("more", [{"args": {"b": 2}}, {"args": "}", "call_id": "c2"}])
def test_what_contradicts_a_call_is_refused(parts, more):
    parts.tool_call(0, name="add", args="{", call_id="c1")
    parts.tool_call(0, args='"a":1')
    with pytest.raises(UnexpectedModelBehavior):
        parts.tool_call(0, **more)


def test_a_whole_part_takes_the_place_of_its_key(parts):
    parts.whole(TextPart("draft"), "k")
    assert parts.whole(TextPart("final"), "k") == [PartStartEvent(0, TextPart("final"))]
    parts.whole(UnknownPart(1))
    assert parts.parts() == [TextPart("final"), UnknownPart(1)]


def test_a_part_is_found_by_its_key(parts):
    parts.text("k", "a")
    parts.text("k", "b")
    parts.tool_call("c", name="add")
    assert parts.part("k") == TextPart("ab")
    assert parts.part("c") is None
    assert parts.part("?") is None


@given(st.lists(st.tuples(st.sampled_from(["text", "thinking"]), st.text())))
def test_events_rebuild_the_parts(pieces):
    parts, built = StreamedParts(), []
    for kind, content in pieces:
        for event in getattr(parts, kind)(None, content):
            if isinstance(event, PartStartEvent):
                built.append(event.part)
            else:
                built[event.index] = event.delta.apply(built[event.index])
    assert parts.parts() == built


@given(st.lists(st.tuples(st.sampled_from(["text", "thinking", "name", "args", "dict", "call", "whole"]), st.text())))
def test_followers_come_to_be_the_same(pieces):
    parts, follower = StreamedParts(), StreamedParts()
    for kind, content in pieces:
        if kind in ("text", "thinking"):
            events = getattr(parts, kind)(None, content)
        elif kind == "whole":
            events = parts.whole(UnknownPart(content), content[:1])
        elif kind == "call":
            events = parts.tool_call(None, name=f"n{content}", args="{")
        else:
            piece = {"name": {"name": content}, "args": {"args": content}, "dict": {"args": {content: 1}}}[kind]
            with suppress(UnexpectedModelBehavior):
                events = parts.tool_call(kind if kind == "dict" else "text", **piece)
        for event in events:
            follower.follow(event)
            events = []
        assert follower.parts() == parts.parts()


def test_many_pieces_cost_no_more_than_few(parts):
    for _ in range(200_000):
        parts.text("content", "x" * 50)
    [part] = parts.parts()
    assert len(part.content) == 10_000_000
