"""Builds the parts of a streamed answer from pieces that arrive under the provider's own keys."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from replay_agent.messages import (
    ModelResponsePart,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)

__all__ = ("StreamedParts",)


class StreamedParts:
    """The parts so far. A piece under a known key extends that part, under a new key it starts one.

    Without a key, text and reasoning extend the last part if it is of their kind, and a piece of a tool call extends
    the last call unless it brings a new name. A tool call shows as a part once both its name and its arguments are
    known; until then its pieces are kept silently.
    """

    def __init__(self) -> None:
        self._parts: list[ModelResponsePart | ToolCallPartDelta] = []
        self._index: dict[Hashable, int] = {}

    def parts(self) -> list[ModelResponsePart]:
        """Return the parts that are whole enough to be shown."""
        return [part for part in self._parts if not isinstance(part, ToolCallPartDelta)]

    def text(self, key: Hashable | None, content: str) -> list[ModelResponseStreamEvent]:
        """Add text."""
        found = self._find(key, TextPart)
        if found is None:
            return [self._start(key, TextPart(content))]
        return [self._extend(found, TextPartDelta(content))]

    def thinking(
        self,
        key: Hashable | None,
        content: str = "",
        *,
        signature: str | None = None,
        id: str | None = None,
    ) -> list[ModelResponseStreamEvent]:
        """Add reasoning, a signature, or both."""
        found = self._find(key, ThinkingPart)
        if found is None:
            return [self._start(key, ThinkingPart(content, signature, id))]
        return [self._extend(found, ThinkingPartDelta(content, signature))]

    def tool_call(
        self,
        key: Hashable | None,
        *,
        name: str | None = None,
        args: str | dict[str, Any] | None = None,
        call_id: str | None = None,
    ) -> list[ModelResponseStreamEvent]:
        """Add a piece of a tool call: of its name, of its arguments, or its id.

        Raises `UnexpectedModelBehavior` where text and dict arguments are mixed or the id changes.
        """
        found = self._find_call(key, name)
        if found is None:
            delta = ToolCallPartDelta(name, args, call_id)
            return self._shown(self._put(key, delta.as_part() or delta))
        before = self._parts[found]
        delta = ToolCallPartDelta(name, args, call_id)
        self._parts[found] = after = delta.apply(before)  # type: ignore[assignment]
        if isinstance(before, ToolCallPartDelta):
            return self._shown(found)
        assert not isinstance(after, ToolCallPartDelta)
        return [PartDeltaEvent(found, delta)]

    def whole(self, part: ModelResponsePart, key: Hashable | None = None) -> list[ModelResponseStreamEvent]:
        """Add a part that came in one piece, or put it in the place of the one under that key."""
        if key is not None and key in self._index:
            index = self._index[key]
            self._parts[index] = part
            return [PartStartEvent(index, part)]
        return [self._start(key, part)]

    def part(self, key: Hashable) -> ModelResponsePart | None:
        """Return the part under a key, None if there is none to show yet."""
        index = self._index.get(key)
        found = None if index is None else self._parts[index]
        return None if isinstance(found, ToolCallPartDelta) else found

    def _find(self, key: Hashable | None, kind: type[ModelResponsePart]) -> int | None:
        if key is not None:
            return self._index.get(key)
        last = len(self._parts) - 1
        return last if last >= 0 and isinstance(self._parts[last], kind) else None

    def _find_call(self, key: Hashable | None, name: str | None) -> int | None:
        if key is not None:
            return self._index.get(key)
        last = len(self._parts) - 1
        if name is None and last >= 0 and isinstance(self._parts[last], ToolCallPart | ToolCallPartDelta):
            return last
        return None

    def _put(self, key: Hashable | None, part: ModelResponsePart | ToolCallPartDelta) -> int:
        self._parts.append(part)
        index = len(self._parts) - 1
        if key is not None:
            self._index[key] = index
        return index

    def _start(self, key: Hashable | None, part: ModelResponsePart) -> PartStartEvent:
        return PartStartEvent(self._put(key, part), part)

    def _extend(self, index: int, delta: TextPartDelta | ThinkingPartDelta) -> PartDeltaEvent:
        part = self._parts[index]
        assert not isinstance(part, ToolCallPartDelta)
        self._parts[index] = delta.apply(part)
        return PartDeltaEvent(index, delta)

    def _shown(self, index: int) -> list[ModelResponseStreamEvent]:
        part = self._parts[index]
        return [] if isinstance(part, ToolCallPartDelta) else [PartStartEvent(index, part)]
