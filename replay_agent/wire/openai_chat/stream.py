"""Streamed answers of the chat completions format, read as they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from replay_agent.calls import Answer, AnswerError, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.framing.sse import ServerSentEvent
from replay_agent.messages import (
    FinishReason,
    ModelResponse,
    ModelResponseStreamEvent,
    PartStartEvent,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.wire.openai_chat.answers import (
    FORMAT,
    audio_type,
    failed_generation,
    finish_reason,
    read_answer,
    timestamp_of,
)
from replay_agent.wire.openai_chat.assistant import (
    CustomInput,
    audio_parts,
    beyond_a_call,
    call_args,
    content_block,
    executed_tool,
    file_of,
    is_text,
    reasoning_detail,
    said_by_a_call,
    says_nothing,
)
from replay_agent.wire.openai_chat.dialects import Dialect, drops_leading_blanks
from replay_agent.wire.openai_chat.usage import RunningUsage
from replay_agent.wire.shapes.event_source import EventSource
from replay_agent.wire.shapes.json_text import Fields, dump_json, read_json
from replay_agent.wire.shapes.refusals import error_in
from replay_agent.wire.shapes.streamed_parts import StreamedParts
from replay_agent.wire.shapes.think_tags import Piece, ThinkTags

__all__ = ("ChatStream",)

Events = list[ModelResponseStreamEvent]

_TEXT = "content"
"""The key of the text: what comes between two pieces of it does not cut it in two."""
_DOUBTS = 20
"""A call whose name is repeated more often than this is one call of a server that repeats names."""
_IGNORED = frozenset({"role", "name", "index", "prefix"})


@dataclass
class _Call:
    """A tool call under way."""

    key: int
    id: str | None = None
    name: str = ""
    args: list[str] = field(default_factory=list)
    has_object: bool = False
    """Whether its arguments came as an object, at once."""
    is_custom: bool = False
    """Whether it calls a tool with a text instead of JSON."""
    raw: Fields = field(default_factory=dict)
    """What it says beyond name and arguments."""

    doubts: int = 0

    def is_whole(self) -> bool:
        """Tell whether its arguments are complete, so that more of them would belong to another call."""
        self.doubts += 1
        if self.doubts > _DOUBTS:
            return False
        try:
            return isinstance(read_json("".join(self.args), FORMAT), dict)
        except WireError:
            return False


class ChatStream:
    """Reads one streamed answer. A body that is no stream is read as a whole when it ends."""

    def __init__(self, call: ModelCall | None, dialect: Dialect) -> None:
        self._call = call
        self._dialect = dialect
        self._source = EventSource()
        self._whole: Answer | None = None
        self._error: AnswerError | None = None
        self._done = False
        self._closed = False
        self._begun = False
        self._head: Fields = {}
        self._finish: FinishReason | None = None
        self._refused = False
        self._usage = RunningUsage(dialect)
        self._delta = _Delta(dialect, call)

    def feed(self, data: bytes) -> Events:
        """Take the next bytes and return the events that they completed."""
        return [made for event in self._source.feed(data) for made in self._event(event)]

    def close(self) -> Events:
        """Say that no bytes follow, and return the last events.

        Raises `WireError` where the body was no stream and no answer either.
        """
        if self._closed:
            return []
        self._closed = True
        events = [made for event in self._source.close() for made in self._event(event, cut=True)]
        if self._source.document and self._source.document.strip():
            return self._read_whole(self._source.document)
        return [*events, *self._delta.close()]

    @property
    def finished(self) -> bool:
        """Whether the last word has come; the end of a body is one where the provider said why it stopped."""
        return self._done or self._whole is not None or (self._closed and self._finish is not None)

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        if self._whole is not None:
            return self._whole
        parts = self._delta.parts.parts()
        if not parts and (self._error is not None or not self._begun):
            return Answer(error=self._error)
        response = ModelResponse(
            parts,
            model_name=self._head.get("model") or (self._call.model if self._call else None),
            timestamp=timestamp_of(self._head.get("created")),
            finish_reason="content_filter" if self._refused else self._finish,
            usage=self._usage.usage,
            provider_response_id=self._head.get("id"),
        )
        return Answer(response, self._error)

    def _read_whole(self, document: bytes) -> Events:
        self._whole = read_answer(self._call, document, self._dialect)
        parts = self._whole.response.parts if self._whole.response else []
        return [PartStartEvent(index, part) for index, part in enumerate(parts)]

    def _event(self, event: ServerSentEvent, *, cut: bool = False) -> Events:
        if event.data.strip() == "[DONE]":
            self._done = True
            return []
        try:
            value = read_json(event.data, FORMAT)
        except WireError:
            value = None
            if cut:
                return []
        if event.event == "error" or _has_error(value):
            return self._failed(value, event.data)
        if isinstance(value, dict) and _is_chunk(value):
            return self._chunk(value)
        unknown = {"event": event.event, "data": event.data if value is None else value}
        return self._delta.parts.whole(UnknownPart({"stream_event": unknown}))

    def _failed(self, value: Any, text: str) -> Events:
        self._error = error_in(value or text)
        self._done = True
        if not isinstance(value, dict):
            return []
        error = value.get("error")
        events = self._chunk(value) if _is_chunk(value) else []
        generated = failed_generation(error if isinstance(error, dict) else value) or []
        return [*events, *(made for part in generated for made in self._delta.parts.whole(part))]

    def _chunk(self, chunk: Fields) -> Events:
        self._begun = True
        for key in ("id", "model"):
            if isinstance(chunk.get(key), str) and chunk[key]:
                self._head[key] = chunk[key]
        if chunk.get("created"):
            self._head.setdefault("created", chunk["created"])
        self._usage.add(chunk)
        choice = _choice(chunk.get("choices"))
        if choice is None:
            return []
        if choice.get("finish_reason") or choice.get("finish_details"):
            self._finish = finish_reason(choice)
        if isinstance(choice.get("error"), dict):
            self._error = error_in(choice)
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return []
        self._refused = self._refused or bool(delta.get("refusal"))
        return self._delta.take(delta, self._head.get("model"))


def _is_chunk(value: Fields) -> bool:
    return any(key in value for key in ("choices", "usage", "x_groq")) or value.get("object") == "chat.completion.chunk"


def _choice(choices: object) -> Fields | None:
    """Return the first candidate's piece; the others are not read."""
    if not isinstance(choices, list):
        return None
    return next((choice for choice in choices if isinstance(choice, dict) and choice.get("index") in (None, 0)), None)


class _Delta:
    """The parts of the answer, and what is still held back until it is whole."""

    def __init__(self, dialect: Dialect, call: ModelCall | None) -> None:
        self.parts = StreamedParts()
        self._tags = ThinkTags() if dialect.think_tags else None
        self._model = call.model if call else None
        self._audio_type = audio_type(call)
        self._calls: dict[object, _Call] = {}
        self._all_calls: list[_Call] = []
        self._no_calls: list[Any] = []
        self._audio: Fields = {}
        self._rest: Fields = {}
        self._has_text = False
        self._executed: set[object] = set()
        self._readers: dict[str, Callable[[Any], Events]] = {
            "reasoning_details": self._details,
            "executed_tools": self._executed_tools,
            "content": self._content,
            "function_call": self._function_call,
            "tool_calls": self._tool_calls,
            "images": self._images,
            "audio": self._sound,
        }

    def take(self, delta: Fields, model: str | None) -> Events:
        """Take a piece of the message and return its events."""
        self._model = self._model or model
        events = [] if delta.get("reasoning_details") else self._reasoning(delta)
        for key, read in self._readers.items():
            if not says_nothing(delta.get(key)):
                events += read(delta[key])
        for key, value in delta.items():
            if key not in self._readers and key not in _IGNORED and key not in _REASONING and not says_nothing(value):
                self._keep(key, value)
        return events

    def close(self) -> Events:
        """Return the events of what was held back."""
        events = self._pieces(self._tags.close()) if self._tags else []
        for call in self._all_calls:
            if call.is_custom and call.name:
                events += self._more_of(call, "", '"}')
        unknown = [*(more for call in self._all_calls if (more := _unknown_call(call))), *self._no_calls]
        parts = [
            *audio_parts(self._audio, self._audio_type),
            *([UnknownPart({"tool_calls": unknown})] if unknown else []),
            *(UnknownPart({key: value}) for key, value in self._rest.items()),
        ]
        return [*events, *(made for part in parts for made in self.parts.whole(part))]

    def _keep(self, key: str, value: Any) -> None:
        known = self._rest.get(key)
        if isinstance(known, str) and isinstance(value, str):
            self._rest[key] = known + value
        elif isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        else:
            self._rest[key] = value

    # --- reasoning and text -------------------------------------------------------------------------------------------

    def _reasoning(self, delta: Fields) -> Events:
        for key in _REASONING:
            value = delta.get(key)
            if isinstance(value, str) and value:
                return self.parts.thinking(None, value)
            if not says_nothing(value):
                self._keep(key, value)
        return []

    def _details(self, details: Any) -> Events:
        events: Events = []
        for place, detail in enumerate(details if isinstance(details, list) else [details]):
            part = reasoning_detail(detail)
            if part is None:
                events += self.parts.whole(UnknownPart({"reasoning_details": [detail]}))
            else:
                index = detail.get("index")
                key = ("detail", detail["type"], index if isinstance(index, int) else place)
                events += self.parts.thinking(key, part.content, signature=part.signature, id=part.id)
        return events

    def _content(self, content: Any) -> Events:
        if isinstance(content, str):
            return self._pieces(self._tags.feed(content) if self._tags else [("text", content)])
        if not isinstance(content, list):
            self._keep("content", content)
            return []
        return [made for block in content for made in self._block(block)]

    def _block(self, block: Any) -> Events:
        if is_text(block):
            return self._pieces([("text", block["text"])])
        events: Events = []
        for part in content_block(block):
            if part.part_kind == "thinking":
                events += self.parts.thinking(None, part.content)
            else:
                events += self.parts.whole(part)
        return events

    def _pieces(self, pieces: list[Piece]) -> Events:
        events: Events = []
        for kind, content in pieces:
            if kind == "thinking":
                events += self.parts.thinking(None, content)
            elif self._has_text or not content.isspace() or not drops_leading_blanks(self._model):
                self._has_text = True
                events += self.parts.text(_TEXT, content)
        return events

    # --- tool calls ---------------------------------------------------------------------------------------------------

    def _tool_calls(self, calls: Any) -> Events:
        if not isinstance(calls, list):
            self._keep("tool_calls", calls)
            return []
        return [made for call in calls for made in self._tool_call(call)]

    def _tool_call(self, raw: Any) -> Events:
        if not isinstance(raw, dict):
            self._no_calls.append(raw)
            return []
        given, arguments = said_by_a_call(raw)
        name = given if isinstance(given, str) else ""
        call = self._known_call(raw, name)
        _merge(call.raw, {key: value for key, value in (beyond_a_call(raw) or {}).items() if key != "id"})
        if isinstance(arguments, CustomInput):
            return self._more_input(call, name, arguments.text)
        return self._more_of(call, name, arguments)

    def _known_call(self, raw: Fields, name: str) -> _Call:
        """Return the call that a piece belongs to, by its index, else its id, else the last one; or begin a new one."""
        index, call_id = raw.get("index"), raw.get("id") or None
        place: object = index if isinstance(index, int) else ("id", call_id) if isinstance(call_id, str) else None
        known = self._calls.get(place)
        if known is None and place is None and not name and self._all_calls:
            known = self._all_calls[-1]
        if known is None or self._is_another(known, call_id, name):
            known = _Call(len(self._all_calls))
            self._all_calls.append(known)
        self._calls[place] = known
        if known.id is None and isinstance(call_id, str):
            known.id = call_id
        return known

    @staticmethod
    def _is_another(known: _Call, call_id: object, name: str) -> bool:
        if isinstance(call_id, str) and known.id is not None:
            # Some servers make up a new id for every piece; what begins a call brings its name.
            return call_id != known.id and bool(name)
        return bool(name and known.name and known.args) and known.is_whole()

    def _more_of(self, call: _Call, name: str, arguments: Any) -> Events:
        if name and name == call.name:
            name = ""
        args = ("" if name else None) if arguments is None else call_args(arguments)
        call.name += name
        if isinstance(args, dict) and call.name:
            call.has_object = True
            return self.parts.whole(ToolCallPart(call.name, args, call.id), call.key)
        if args and (isinstance(args, dict) or call.has_object):
            _merge(call.raw, {"arguments": args})
            return []
        assert not isinstance(args, dict)
        if args is not None:
            call.args.append(args)
        return self.parts.tool_call(call.key, name=name or None, args=args, call_id=call.id)

    def _more_input(self, call: _Call, name: str, text: str) -> Events:
        """Take a piece of a custom tool's input: a text, which is the one argument of the call."""
        opening = "" if call.is_custom else '{"input":"'
        call.is_custom = True
        return self._more_of(call, name, opening + dump_json(text)[1:-1])

    def _function_call(self, call: Any) -> Events:
        return self._tool_call({"index": -1, "function": call})  # an index that no tool call has

    # --- the provider's own tools, and files --------------------------------------------------------------------------

    def _executed_tools(self, tools: Any) -> Events:
        events: Events = []
        for tool in tools if isinstance(tools, list) else [tools]:
            found = executed_tool(tool)
            if not found:
                events += self.parts.whole(UnknownPart({"executed_tools": [tool]}))
            for part in found:
                index = tool.get("index")
                key = (part.part_kind, index if isinstance(index, int) else None)
                if part.part_kind == "builtin-tool-return" or key not in self._executed:
                    self._executed.add(key)
                    events += self.parts.whole(part)
        return events

    def _images(self, images: Any) -> Events:
        return [
            made
            for image in (images if isinstance(images, list) else [images])
            for made in self.parts.whole(file_of(image) or UnknownPart({"images": [image]}))
        ]

    def _sound(self, sound: Any) -> Events:
        if isinstance(sound, dict):
            _merge(self._audio, sound)
        else:
            self._keep("audio", sound)
        return []


_REASONING = ("reasoning", "reasoning_content", "thinking")


def _merge(known: Fields, more: Fields) -> None:
    """Add the pieces of an object: texts grow, anything else takes the place of what was there."""
    for key, value in more.items():
        before = known.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            _merge(before, value)
        else:
            known[key] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _unknown_call(call: _Call) -> Any:
    """Return what of a call is not in its part: fields beyond name and arguments, or all of it if it has no name."""
    if call.name:
        return {"id": call.id, **call.raw} if call.raw else None
    function = {"function": {"arguments": "".join(call.args)}} if call.args else {}
    return {"id": call.id, **call.raw, **function}


def _has_error(value: object) -> bool:
    """Tell whether this is an error in place of a chunk: an object, or Google's list of one."""
    found = value[0] if isinstance(value, list) and value else value
    return isinstance(found, dict) and bool(found.get("error"))
