"""Gemini's answers, read as they arrive: server-sent events, a JSON array in pieces, or one JSON object.

Source of the format: https://ai.google.dev/api/generate-content#generatecontentresponse.
"""

from __future__ import annotations

from typing import Any, Literal

from replay_agent.calls import Answer, AnswerError
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
)
from replay_agent.usage import Usage
from replay_agent.wire.gemini.answers import FINISH_REASONS, addresses, has_retrieved, read_usage
from replay_agent.wire.gemini.arguments import PartialCall
from replay_agent.wire.gemini.content import camel, read_model_part, read_signature
from replay_agent.wire.gemini.enums import Enums, enums_of, rated, spelled, spelled_part
from replay_agent.wire.shapes.event_source import EventSource
from replay_agent.wire.shapes.json_elements import JSONElements
from replay_agent.wire.shapes.json_text import Fields, read_json
from replay_agent.wire.shapes.refusals import error_in, refusal
from replay_agent.wire.shapes.scalars import counter, read_timestamp, text_of
from replay_agent.wire.shapes.streamed_parts import StreamedParts

__all__ = ("GeminiStream",)

_FORMAT = "gemini"
_CHUNK_FIELDS = {"candidates", "usageMetadata", "modelVersion", "responseId", "createTime", "error"}
_CANDIDATE_FIELDS = {
    "content",
    "finishReason",
    "index",
    "tokenCount",
    "avgLogprobs",
    "logprobsResult",
    "safetyRatings",
    "groundingMetadata",
    "urlContextMetadata",
}


class GeminiStream:
    """Reads one answer of any shape; the first character tells the shape."""

    def __init__(self, model: str | None, dialect: str | None = None) -> None:
        self._response = _Response(model, enums_of(dialect))
        self._shape: Literal["unknown", "json", "events"] = "unknown"
        self._elements = JSONElements(_FORMAT)
        self._events = EventSource()

    def feed(self, data: bytes) -> list[ModelResponseStreamEvent]:
        """Take the next bytes and return the events that they completed. Raises `WireError` for what is no JSON."""
        if self._shape == "unknown":
            start = data.lstrip(b" \t\r\n\xef\xbb\xbf")
            if not start:
                return []
            self._shape = "json" if start[:1] in b"{[" else "events"
            data = start
        if self._shape == "events":
            return self._take([event.data.encode() for event in self._events.feed(data)])
        return self._take(self._elements.feed(data))

    def close(self) -> list[ModelResponseStreamEvent]:
        """Say that no bytes follow, and return the last events. Raises `WireError` for an object that is cut."""
        if self._elements.inside and not self._elements.is_array:
            raise WireError("the answer is cut", _FORMAT)
        events = self._last_events() if self._shape == "events" else []
        return events + self._response.close()

    @property
    def answer(self) -> Answer:
        """The answer as far as it has come."""
        return self._response.answer

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped, or an error has come."""
        return self._response.finished

    def _last_events(self) -> list[ModelResponseStreamEvent]:
        last = self._events.close()
        if self._events.document is not None:
            self._response.error = refusal(None, self._events.document)
            return []
        try:
            return self._take([event.data.encode() for event in last])
        except WireError:
            return []  # the stream was cut within an event

    def _take(self, chunks: list[bytes]) -> list[ModelResponseStreamEvent]:
        merging = self._shape == "events" or self._elements.is_array is True
        values = (read_json(chunk, _FORMAT) for chunk in chunks if chunk.strip() not in (b"", b"[DONE]"))
        return [event for value in values for event in self._response.take(value, merging=merging)]


class _Response:
    """The meaning of the chunks so far."""

    def __init__(self, model: str | None, enums: Enums) -> None:
        self._enums = enums
        self.error: AnswerError | None = None
        self._parts = StreamedParts()
        self._run: tuple[str, int] = ("", 0)
        self._model = model
        self._id: str | None = None
        self._timestamp = NO_TIMESTAMP
        self._usage: Usage | None = None
        self._earlier = Usage()
        self._adding = False
        self._reason: str | None = None
        self._blocked = False
        self._call: PartialCall | None = None
        self._native_calls = False
        self._grounding: Fields = {}
        self._pages: Fields = {}
        self._beside: Fields = {}
        self._candidate: Fields = {}
        self._others: list[Any] = []

    @property
    def finished(self) -> bool:
        return self._reason is not None or self._blocked or self.error is not None

    @property
    def answer(self) -> Answer:
        parts = self._parts.parts()
        if self.error is not None and not parts:
            return Answer(error=self.error)
        response = ModelResponse(
            parts,
            model_name=self._model,
            timestamp=self._timestamp,
            finish_reason="content_filter" if self._blocked else FINISH_REASONS.get(self._reason or ""),
            usage=self._usage and self._earlier + self._usage,
            provider_response_id=self._id,
        )
        return Answer(response, self.error)

    def take(self, value: object, *, merging: bool) -> list[ModelResponseStreamEvent]:
        """Take one chunk. ``merging``: a text goes on where the last one ended, as it does in a stream."""
        if not isinstance(value, dict):
            raise WireError(f"an object was expected in the answer, not {type(value).__name__}", _FORMAT)
        chunk = camel(value)
        if chunk.get("error"):
            self.error = error_in(value)
            return []
        self._note(chunk)
        candidates = chunk.get("candidates")
        events: list[ModelResponseStreamEvent] = []
        for candidate in candidates if isinstance(candidates, list) else []:
            fields = spelled(camel(candidate), ("finishReason",), self._enums) if isinstance(candidate, dict) else {}
            # The first candidate is the answer; the others are kept as they came.
            if not isinstance(candidate, dict) or counter(fields.get("index")):
                self._others.append(candidate)
            else:
                events += self._take_candidate(fields, merging=merging)
        return events + (self._last_parts() if self.finished else [])

    def close(self) -> list[ModelResponseStreamEvent]:
        return self._last_parts()

    def _note(self, chunk: Fields) -> None:
        self._model = text_of(chunk, "modelVersion") or self._model
        self._id = text_of(chunk, "responseId") or self._id
        self._timestamp = read_timestamp(chunk.get("createTime")) or self._timestamp
        if isinstance(chunk.get("usageMetadata"), dict):
            self._count(camel(chunk["usageMetadata"]))
        feedback = chunk.get("promptFeedback")
        if isinstance(feedback, dict) and camel(feedback).get("blockReason"):
            self._blocked = True
            self._beside["promptFeedback"] = _rated_feedback(feedback, self._enums)
        self._beside |= {key: chunk[key] for key in chunk if key not in _CHUNK_FIELDS and key != "promptFeedback"}

    def _count(self, metadata: Fields) -> None:
        """Take the counts of a chunk.

        Recorded streams tell in each chunk the sum so far, so the latest counts. Chunks of which each is an answer of
        its own, with a reason to stop and counts that begin anew, are told by the two together: from then on they are
        added.
        """
        told = read_usage(metadata, None, self._enums)
        if self._reason is not None and self._usage is not None:
            self._adding |= _begins_anew(told, self._usage)
        if self._adding and self._usage is not None:
            self._earlier, self._usage = self._earlier + self._usage, None
        self._usage = read_usage(metadata, self._usage, self._enums)

    def _take_candidate(self, candidate: Fields, *, merging: bool) -> list[ModelResponseStreamEvent]:
        content = candidate.get("content")
        raw_parts = camel(content).get("parts") if isinstance(content, dict) else None
        events: list[ModelResponseStreamEvent] = []
        for raw in raw_parts if isinstance(raw_parts, list) else []:
            if not merging:
                self._begin("")
            events += self._take_part(spelled_part(raw, self._enums))
        self._reason = text_of(candidate, "finishReason") or self._reason
        self._grounding = _object(candidate, "groundingMetadata") or self._grounding
        self._pages = _object(candidate, "urlContextMetadata") or self._pages
        rest = {key: value for key, value in candidate.items() if key not in _CANDIDATE_FIELDS}
        if self._reason == "STOP":
            rest.pop("finishMessage", None)  # says in words what the reason says
        self._candidate |= rest
        return events

    def _take_part(self, raw: object) -> list[ModelResponseStreamEvent]:
        part = camel(raw) if isinstance(raw, dict) else {}
        call = part.get("functionCall")
        if isinstance(call, dict) and self._is_partial(camel(call)):
            return self._take_partial(camel(call), read_signature(part))
        return [event for read in self._in_order(read_model_part(raw)) for event in self._add(read)]

    def _in_order(self, parts: list[ModelResponsePart]) -> list[ModelResponsePart]:
        """Put the signature of a text that goes on behind it, so that the text stays in one piece."""
        goes_on = self._run[0] == "text" and len(parts) > 1 and isinstance(parts[1], TextPart)
        return [*parts[1:], parts[0]] if goes_on and isinstance(parts[0], ThinkingPart) else parts

    def _add(self, part: ModelResponsePart) -> list[ModelResponseStreamEvent]:
        if isinstance(part, TextPart):
            return self._parts.text(self._begin("text"), part.content)
        if isinstance(part, ThinkingPart) and part.content:
            events = self._parts.thinking(self._begin("thinking"), part.content, signature=part.signature)
            if part.signature is not None:
                self._begin("")
            return events
        self._begin("")
        self._native_calls |= isinstance(part, NativeToolCallPart)
        return self._parts.whole(part)

    def _begin(self, kind: str) -> tuple[str, int]:
        """Return the key for a part of a kind: the last one's if that is of the same kind."""
        if not kind or self._run[0] != kind:
            self._run = (kind, self._run[1] + 1)
        return self._run

    def _is_partial(self, call: Fields) -> bool:
        return "partialArgs" in call or call.get("willContinue") is True or (self._call is not None and not call)

    def _take_partial(self, call: Fields, signature: str | None) -> list[ModelResponseStreamEvent]:
        events = [] if signature is None else self._add(ThinkingPart("", signature))
        name = text_of(call, "name")
        if name is not None:
            self._call = PartialCall(name, text_of(call, "id"))
        if self._call is None:
            return events + self._add(UnknownPart({"functionCall": call}))
        pieces = call.get("partialArgs")
        for piece in pieces if isinstance(pieces, list) else []:
            self._call.add(camel(piece) if isinstance(piece, dict) else {})
        if call.get("willContinue") is True:
            return events
        done, self._call = self._call, None
        return events + self._add(ToolCallPart(done.name, done.args, done.call_id))

    def _last_parts(self) -> list[ModelResponseStreamEvent]:
        """Return what the provider tells of the whole answer: searches it made, pages it read, and what is unknown."""
        candidate, beside = dict(self._candidate), dict(self._beside)
        events = self._last_tool("web_fetch", self._pages, {"urls": addresses(self._pages)})
        queries, rest = self._grounding.get("webSearchQueries"), dict(self._grounding)
        if queries and not self._native_calls:
            rest.pop("webSearchQueries")
            events += self._last_tool("web_search", rest, {"queries": queries})
        elif has_retrieved(rest) and not self._native_calls:
            events += self._last_tool("file_search", rest, {})
        elif rest:
            candidate["groundingMetadata"] = rest
        if candidate or self._others:
            beside["candidates"] = [candidate, *self._others]
        return events + (self._parts.whole(UnknownPart({"response": beside}), "beside") if beside else [])

    def _last_tool(self, name: str, content: Fields, args: Fields) -> list[ModelResponseStreamEvent]:
        if not content and not args.get("queries"):
            return []
        call, result = NativeToolCallPart(name, args), NativeToolReturnPart(name, content)
        return [*self._parts.whole(call, (name, "call")), *self._parts.whole(result, (name, "return"))]


def _begins_anew(told: Usage, before: Usage) -> bool:
    return 0 < (told.response_tokens or 0) <= (before.response_tokens or 0) and (
        (told.total_tokens or 0) <= (before.total_tokens or 0)
    )


def _object(fields: Fields, key: str) -> Fields:
    value = fields.get(key)
    return camel(value) if isinstance(value, dict) else {}


def _rated_feedback(feedback: Fields, enums: Enums) -> Fields:
    """Return what was said of a prompt that was blocked, in words."""
    said = spelled(feedback, ("blockReason",), enums)
    return said | {"safetyRatings": rated(said["safetyRatings"], enums)} if "safetyRatings" in said else said
