"""The parts of a streamed response, as models written for the seed build them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from replay_agent.messages import ModelResponsePart, ModelResponseStreamEvent, ToolCallPart

if TYPE_CHECKING:
    from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("PartsManager",)


class PartsManager:
    """Adds pieces to the parts of a response and returns what happened to these.

    ``vendor_part_id`` tells the pieces of one part from those of others; None means the last part.
    """

    def __init__(self, parts: StreamedParts) -> None:
        self._parts = parts

    def get_parts(self) -> list[ModelResponsePart]:
        """Return the parts so far."""
        return self._parts.parts()

    def handle_text_delta(self, *, vendor_part_id: Hashable | None, content: str) -> ModelResponseStreamEvent:
        """Add text."""
        return self._parts.text(vendor_part_id, content)[0]

    def handle_tool_call_delta(
        self,
        *,
        vendor_part_id: Hashable | None,
        tool_name: str | None,
        args: str | dict[str, Any] | None,
        tool_call_id: str | None,
    ) -> ModelResponseStreamEvent | None:
        """Add a piece of a tool call; None as long as too little is known of it.

        Raises `UnexpectedModelBehavior` for a piece that contradicts the call.
        """
        events = self._parts.tool_call(vendor_part_id, name=tool_name, args=args, call_id=tool_call_id)
        return events[0] if events else None

    def handle_tool_call_part(
        self,
        *,
        vendor_part_id: Hashable | None,
        tool_name: str,
        args: str | dict[str, Any],
        tool_call_id: str | None = None,
    ) -> ModelResponseStreamEvent:
        """Add a whole tool call, or put it in the place of the one under that id."""
        return self._parts.whole(ToolCallPart(tool_name, args, tool_call_id), vendor_part_id)[0]
