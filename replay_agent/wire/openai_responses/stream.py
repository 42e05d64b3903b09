"""Streamed answers of OpenAI's Responses API, read.

Source: https://platform.openai.com/docs/api-reference/responses-streaming. Items are opened, extended and finished
under their ``output_index``; a finished item says all over again what its pieces said, and so does the object at the
end for the whole answer. Gateways leave out any of the three, hence each is believed where the one before is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from replay_agent.calls import Answer, AnswerError
from replay_agent.exceptions import WireError
from replay_agent.framing.sse import ServerSentEvent
from replay_agent.messages import (
    BinaryContent,
    FilePart,
    ModelResponsePart,
    ModelResponseStreamEvent,
    NativeToolCallPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.wire.openai_responses.answers import read_error, read_response
from replay_agent.wire.openai_responses.content import ItemReader
from replay_agent.wire.shapes.data_url import decode_base64
from replay_agent.wire.shapes.event_source import EventSource
from replay_agent.wire.shapes.json_text import Fields, read_json, read_object
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("ResponsesStream",)

_FORMAT = "openai_responses"
_BEGINNINGS = ("created", "queued", "in_progress")
_ENDS = ("completed", "failed", "incomplete", "cancelled")


@dataclass
class _Item:
    """An item under way: as it was opened, and the pieces that have come for its fields."""

    raw: Fields
    pieces: dict[str, list[str]] = field(default_factory=dict)
    done: bool = False
    is_live: bool = False
    """Whether its part grows while its arguments come."""

    def so_far(self) -> Fields:
        return self.raw | {key: "".join(texts) for key, texts in self.pieces.items()}


class ResponsesStream:
    """Reads one answer, fed in pieces: a stream of events, or a response or error in one document."""

    def __init__(self) -> None:
        self.finished = False
        self._source = EventSource()
        self._parts = StreamedParts()
        self._reader = ItemReader()
        self._items: dict[Hashable, _Item] = {}
        self._response: Fields | None = None
        self._error: AnswerError | None = None

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        parts = self._parts.parts()
        if self._response is None and not parts:
            return Answer(error=self._error)
        return Answer(read_response(self._response or {}, parts), self._error)

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. What is no event becomes an unknown part."""
        return [event for sent in self._source.feed(data) for event in self._sent(sent)]

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow, and return the last events. Raises `WireError` where nothing was an answer."""
        events = [event for sent in self._source.close() for event in self._sent(sent, cut=True)]
        if self._source.document:
            return events + self._document(self._source.document)
        for key, item in self._items.items():
            if not item.done:
                events += self._give_up(key, item)
        return events

    def _document(self, document: bytes) -> list[ModelResponseStreamEvent]:
        response = read_object(document, _FORMAT)
        is_response = isinstance(response.get("output"), list) or response.get("object") == "response"
        if not is_response and not response.get("error"):
            raise WireError("the answer is neither a response nor an error", _FORMAT)
        self.finished = True
        if is_response:
            return self._state({"response": response})
        self._error = read_error(response)
        return []

    def _sent(self, sent: ServerSentEvent, *, cut: bool = False) -> list[ModelResponseStreamEvent]:
        if not sent.data or sent.data == "[DONE]":
            return []
        try:
            event = read_json(sent.data, _FORMAT)
        except WireError:
            return [] if cut else self._parts.whole(UnknownPart(sent.data))
        if not isinstance(event, dict):
            return self._parts.whole(UnknownPart(event))
        kind = _string(event, "type") or sent.event or ""
        if kind in self._HANDLERS:
            return self._HANDLERS[kind](self, {**event, "type": kind})
        if isinstance(event.get("response"), dict):
            return self._state({**event, "type": kind})
        if event.get("error"):
            return self._fail(event)
        return [] if kind in _SILENT else self._parts.whole(UnknownPart(event))

    # --- the answer as a whole ----------------------------------------------------------------------------------------

    def _state(self, event: Fields) -> list[ModelResponseStreamEvent]:
        response = event.get("response")
        if not isinstance(response, dict):
            return self._parts.whole(UnknownPart(event))
        known = self._response or {}
        # A later state may leave out, as null, what an earlier one said.
        self._response = known | {
            key: value for key, value in response.items() if value is not None or key not in known
        }
        if response.get("error"):
            self._error = read_error(response)
        ending = _ending(event, response)
        if ending is None:
            return []
        self.finished = True
        self._response.setdefault("status", ending)
        output = response.get("output")
        return self._missed(output) if isinstance(output, list) else []

    def _missed(self, output: list[Any]) -> list[ModelResponseStreamEvent]:
        """Take from the finished answer the items that did not come, or did not end, on their own."""
        done = {key for key, item in self._items.items() if item.done}
        if len(done) >= len(output):
            return []
        # By index and by id: gateways count anew, or not at all.
        done |= {_string(self._items[key].raw, "id") for key in done}
        events: list[ModelResponseStreamEvent] = []
        for index, item in enumerate(output):
            item_id = _string(item, "id")
            key = item_id if item_id in self._items else index
            if key not in done and (item_id is None or item_id not in done):
                events += self._settle_item(key, item)
        return events

    def _fail(self, event: Fields) -> list[ModelResponseStreamEvent]:
        self.finished = True
        self._error = read_error(event)
        return []

    # --- items --------------------------------------------------------------------------------------------------------

    def _added(self, event: Fields) -> list[ModelResponseStreamEvent]:
        key, item = _key(event), event.get("item")
        if not isinstance(item, dict):
            return []
        under_way = self._items[key] = _Item(item)
        # Read aside: what an item means for those that follow counts when it is finished.
        for name, part in ItemReader().read(item):
            if isinstance(part, ToolCallPart) and item.get("type") == "function_call":
                under_way.is_live = isinstance(part.args, str)
                return self._parts.whole(part, (key, name))
            if isinstance(part, NativeToolCallPart):
                return self._parts.whole(part, (key, name))
        return []

    def _done(self, event: Fields) -> list[ModelResponseStreamEvent]:
        return self._settle_item(_key(event), event.get("item", event))

    def _settle_item(self, key: Hashable, item: Any) -> list[ModelResponseStreamEvent]:
        self._items[key] = _Item(item if isinstance(item, dict) else {}, done=True)
        return [event for name, part in self._reader.read(item) for event in self._settle((key, name), part)]

    def _give_up(self, key: Hashable, item: _Item) -> list[ModelResponseStreamEvent]:
        """Show what there is of an item that will not be finished any more."""
        if "refusal" in item.pieces:
            return self._parts.whole(UnknownPart({"type": "refusal", "refusal": "".join(item.pieces["refusal"])}))
        if item.is_live:  # its part has grown with every piece
            return []
        pieces = self._reader.read(item.so_far())
        return [event for name, part in pieces if name == "call" for event in self._settle((key, name), part)]

    def _settle(self, key: Hashable, part: ModelResponsePart) -> list[ModelResponseStreamEvent]:
        """Bring a part to its final form: by what its pieces left out, or, if they said otherwise, by replacing it."""
        known = self._parts.part(key)
        if known == part:
            return []
        if isinstance(part, TextPart) and isinstance(known, TextPart) and part.content.startswith(known.content):
            return self._parts.text(key, part.content[len(known.content) :])
        if isinstance(part, ThinkingPart) and isinstance(known, ThinkingPart) and _extends(part, known):
            rest = part.content[len(known.content) :]
            return self._parts.thinking(key, rest, signature=part.signature) if rest or part.signature else []
        if isinstance(part, ToolCallPart) and isinstance(known, ToolCallPart) and _continues(part, known):
            rest = part.args_as_json_str()[len(known.args_as_json_str()) :]
            return self._parts.tool_call(key, args=rest)
        return self._parts.whole(part, key)

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _text(self, event: Fields) -> list[ModelResponseStreamEvent]:
        delta = _delta(event)
        return self._parts.text(_content_key(event, "text", "content_index"), delta) if delta else []

    def _summary(self, event: Fields) -> list[ModelResponseStreamEvent]:
        return self._thinking(event, _content_key(event, "summary", "summary_index"))

    def _reasoning(self, event: Fields) -> list[ModelResponseStreamEvent]:
        # The summary is what is meant to be shown; what it sums up would say the same again.
        is_summed_up = self._parts.part((_key(event), ("summary", 0))) is not None
        return [] if is_summed_up else self._thinking(event, _content_key(event, "content", "content_index"))

    def _thinking(self, event: Fields, key: Hashable) -> list[ModelResponseStreamEvent]:
        delta = _delta(event)
        return self._parts.thinking(key, delta, id=_string(event, "item_id")) if delta else []

    def _arguments(self, event: Fields) -> list[ModelResponseStreamEvent]:
        key = _key(event)
        item = self._items.get(key)
        if item is None or not item.is_live or item.done or not _delta(event):
            return []
        return self._parts.tool_call((key, "call"), args=_delta(event))

    def _image(self, event: Fields) -> list[ModelResponseStreamEvent]:
        data, kind = decode_base64(event.get("partial_image_b64")), event.get("output_format")
        if data is None:
            return self._parts.whole(UnknownPart(event))
        file = FilePart(BinaryContent(data, f"image/{kind if isinstance(kind, str) else 'png'}"))
        return self._parts.whole(file, (_key(event), ("file", 0)))  # each takes the place of the one before

    def _refusal(self, event: Fields) -> list[ModelResponseStreamEvent]:
        return self._collect(event, "refusal")

    def _custom_input(self, event: Fields) -> list[ModelResponseStreamEvent]:
        return self._collect(event, "input")

    def _code(self, event: Fields) -> list[ModelResponseStreamEvent]:
        return self._collect(event, "code")

    def _mcp_arguments(self, event: Fields) -> list[ModelResponseStreamEvent]:
        return self._collect(event, "arguments")

    def _collect(self, event: Fields, name: str) -> list[ModelResponseStreamEvent]:
        item = self._items.get(_key(event))
        if item is not None and not item.done:
            item.pieces.setdefault(name, []).append(_delta(event))
        return []

    _HANDLERS: ClassVar[Mapping[str, Callable[[ResponsesStream, Fields], list[ModelResponseStreamEvent]]]] = {
        **dict.fromkeys((f"response.{state}" for state in (*_BEGINNINGS, *_ENDS)), _state),
        "error": _fail,
        "response.output_item.added": _added,
        "response.output_item.done": _done,
        "response.output_text.delta": _text,
        "response.reasoning_summary_text.delta": _summary,
        "response.reasoning_text.delta": _reasoning,
        "response.function_call_arguments.delta": _arguments,
        "response.refusal.delta": _refusal,
        "response.custom_tool_call_input.delta": _custom_input,
        "response.code_interpreter_call_code.delta": _code,
        "response.mcp_call_arguments.delta": _mcp_arguments,
        "response.image_generation_call.partial_image": _image,
    }


def _ending(event: Fields, response: Fields) -> str | None:
    """Return the state in which an event leaves the answer for good; None while it goes on."""
    kind, status = _string(event, "type"), _string(response, "status")
    if kind is None:
        return status or ""  # a document, which is no event, is an end by itself
    state = kind.removeprefix("response.")
    if state in _ENDS:
        return state
    return status if status in _ENDS and state not in _BEGINNINGS else None


def _key(event: Fields) -> Hashable:
    index = event.get("output_index")
    return index if isinstance(index, int) else _string(event.get("item"), "id") or _string(event, "item_id")


def _string(fields: object, key: str) -> str | None:
    value = fields.get(key) if isinstance(fields, dict) else None
    return value if isinstance(value, str) else None


def _content_key(event: Fields, kind: str, index_name: str) -> Hashable:
    index = event.get(index_name)
    return _key(event), (kind, index if isinstance(index, int) else 0)


def _delta(event: Fields) -> str:
    return _string(event, "delta") or ""


def _extends(part: ThinkingPart, known: ThinkingPart) -> bool:
    return part.content.startswith(known.content) and known.signature is None


def _continues(part: ToolCallPart, known: ToolCallPart) -> bool:
    same = (part.tool_name, part.tool_call_id) == (known.tool_name, known.tool_call_id)
    texts = isinstance(part.args, str) and isinstance(known.args, str)
    return same and texts and part.args_as_json_str().startswith(known.args_as_json_str())


_SILENT = frozenset(
    {
        "keepalive",
        "ping",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.done",
        "response.output_text.annotation.added",
        "response.refusal.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
        "response.code_interpreter_call_code.done",
        "response.mcp_call_arguments.done",
        "response.compaction.compacting",
        *(f"response.image_generation_call.{state}" for state in ("in_progress", "generating", "completed")),
        *(f"response.{tool}.{state}" for tool in ("mcp_call", "mcp_list_tools") for state in ("in_progress", *_ENDS)),
        *(
            f"response.{tool}_call.{state}"
            for tool in ("code_interpreter", "file_search", "web_search")
            for state in ("in_progress", "searching", "interpreting", "completed", "failed")
        ),
        *(f"response.shell_call_command.{state}" for state in ("added", "delta", "done")),
        *(f"response.shell_call_output_content.{state}" for state in ("delta", "done")),
        *(f"response.audio{kind}.{state}" for kind in ("", ".transcript") for state in ("delta", "done")),
    }
)
"""Events that say nothing which the finished item does not say."""
