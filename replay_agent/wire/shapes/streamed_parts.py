"""Builds the parts of a streamed answer from pieces that arrive under the provider's own keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

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

_Delta = TextPartDelta | ThinkingPartDelta | ToolCallPartDelta
_TextLike = TypeVar("_TextLike", bound=TextPart | ThinkingPart)


@dataclass(slots=True)
class _Slot:
    """A part under way. Deltas wait until the part is asked for, so that n pieces cost n and not n squared."""

    part: ModelResponsePart | ToolCallPartDelta
    waiting: list[_Delta] = field(default_factory=list)

    def take(self, delta: _Delta) -> None:
        if isinstance(delta, ToolCallPartDelta) and not _only_more_text(self.part, delta):
            self.part = delta.apply(self.joined())  # type: ignore[assignment]
        else:
            self.waiting.append(delta)

    def joined(self) -> ModelResponsePart | ToolCallPartDelta:
        if self.waiting:
            self.part = _joined(self.part, self.waiting)
            self.waiting = []
        return self.part


class StreamedParts:
    """The parts so far. A piece under a known key extends that part, under a new key it starts one.

    A key that belongs to a part of another kind counts as new. Without a key, text and reasoning extend the last part
    if it is of their kind, and a piece of a tool call extends the last call unless it brings a new name. A tool call
    shows as a part once both its name and its arguments are known; until then its pieces are kept silently.
    """

    def __init__(self) -> None:
        self._slots: list[_Slot] = []
        self._index: dict[Hashable, int] = {}

    def parts(self) -> list[ModelResponsePart]:
        """Return the parts that are whole enough to be shown."""
        joined = (slot.joined() for slot in self._slots)
        return [part for part in joined if not isinstance(part, ToolCallPartDelta)]

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
        delta = ToolCallPartDelta(name, args, call_id)
        found = self._find_call(key, name)
        if found is None:
            return self._shown(self._put(key, delta.as_part() or delta))
        slot = self._slots[found]
        if isinstance(slot.part, ToolCallPartDelta):
            slot.part = delta.apply(slot.part)  # type: ignore[assignment]
            return self._shown(found)
        slot.take(delta)
        return [PartDeltaEvent(found, delta)]

    def whole(self, part: ModelResponsePart, key: Hashable | None = None) -> list[ModelResponseStreamEvent]:
        """Add a part that came in one piece, or put it in the place of the one under that key."""
        if key is not None and key in self._index:
            index = self._index[key]
            self._slots[index] = _Slot(part)
            return [PartStartEvent(index, part)]
        return [self._start(key, part)]

    def follow(self, event: ModelResponseStreamEvent) -> None:
        """Take an event that other parts gave rise to, so that these come to be the same."""
        if isinstance(event, PartStartEvent):
            while len(self._slots) <= event.index:
                self._slots.append(_Slot(ToolCallPartDelta()))  # a call of which too little is known to be shown
            self._slots[event.index] = _Slot(event.part)
        elif isinstance(event, PartDeltaEvent):
            self._slots[event.index].take(event.delta)

    def part(self, key: Hashable) -> ModelResponsePart | None:
        """Return the part under a key, None if there is none to show yet."""
        index = self._index.get(key)
        found = None if index is None else self._slots[index].joined()
        return None if isinstance(found, ToolCallPartDelta) else found

    def _find(self, key: Hashable | None, *kinds: type) -> int | None:
        index = len(self._slots) - 1 if key is None else self._index.get(key, -1)
        return index if index >= 0 and isinstance(self._slots[index].part, kinds) else None

    def _find_call(self, key: Hashable | None, name: str | None) -> int | None:
        if key is None and name is not None:
            return None
        return self._find(key, ToolCallPart, ToolCallPartDelta)

    def _put(self, key: Hashable | None, part: ModelResponsePart | ToolCallPartDelta) -> int:
        self._slots.append(_Slot(part))
        index = len(self._slots) - 1
        if key is not None:
            self._index[key] = index
        return index

    def _start(self, key: Hashable | None, part: ModelResponsePart) -> PartStartEvent:
        return PartStartEvent(self._put(key, part), part)

    def _extend(self, index: int, delta: TextPartDelta | ThinkingPartDelta) -> PartDeltaEvent:
        self._slots[index].waiting.append(delta)
        return PartDeltaEvent(index, delta)

    def _shown(self, index: int) -> list[ModelResponseStreamEvent]:
        part = self._slots[index].joined()
        return [] if isinstance(part, ToolCallPartDelta) else [PartStartEvent(index, part)]


def _only_more_text(part: ModelResponsePart | ToolCallPartDelta, delta: ToolCallPartDelta) -> bool:
    return (
        isinstance(part, ToolCallPart)
        and isinstance(part.args, str)
        and isinstance(delta.args_delta, str)
        and not delta.tool_name_delta
        and delta.tool_call_id in (None, part.tool_call_id)
    )


def _joined(part: ModelResponsePart | ToolCallPartDelta, deltas: list[_Delta]) -> ModelResponsePart:
    if isinstance(part, TextPart):
        return _with_more(part, (delta.content_delta for delta in deltas if isinstance(delta, TextPartDelta)))
    if isinstance(part, ThinkingPart):
        thoughts = [delta for delta in deltas if isinstance(delta, ThinkingPartDelta)]
        signatures = [part.signature, *(delta.signature_delta for delta in thoughts)]
        known = [signature for signature in signatures if signature is not None]
        longer = _with_more(part, (delta.content_delta for delta in thoughts))
        return replace(longer, signature="".join(known) if known else None)
    assert isinstance(part, ToolCallPart)
    pieces = [part.args, *(delta.args_delta for delta in deltas if isinstance(delta, ToolCallPartDelta))]
    return replace(part, args="".join(piece for piece in pieces if isinstance(piece, str)))


def _with_more(part: _TextLike, pieces: Iterable[str]) -> _TextLike:
    return replace(part, content="".join((part.content, *pieces)))
