"""Answers of the chat completions format, written as a provider would send them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from replay_agent.calls import ModelCall
from replay_agent.framing.sse import encode_event
from replay_agent.messages import FinishReason, ModelResponse, ToolCallPart
from replay_agent.traffic import Headers
from replay_agent.wire.codec import EncodedAnswer
from replay_agent.wire.openai_chat.assistant import assistant_fields, custom_names, is_text
from replay_agent.wire.openai_chat.dialects import Dialect
from replay_agent.wire.openai_chat.usage import write_usage
from replay_agent.wire.shapes.json_text import Fields, dump_json
from replay_agent.wire.shapes.made_up import made_up_id, pieces

__all__ = "write_answer", "write_refusal"


def write_answer(call: ModelCall, answer: ModelResponse, dialect: Dialect) -> EncodedAnswer:
    """Write an answer as the provider would: a stream where the call asks for one, else one body."""
    written = _Written(call, _with_ids(call, answer), dialect)
    if not call.stream:
        return EncodedAnswer(200, (("content-type", "application/json"),), (dump_json(written.whole()).encode(),))
    events = [*(dump_json(chunk) for chunk in written.chunks()), "[DONE]"]
    head: Headers = (("content-type", "text/event-stream; charset=utf-8"),)
    return EncodedAnswer(200, head, tuple(encode_event(event) for event in events))


def _with_ids(call: ModelCall, answer: ModelResponse) -> ModelResponse:
    if "functions" in call.extras:
        return answer
    asked = _fingerprint(call)
    return replace(
        answer,
        parts=[
            replace(part, tool_call_id=made_up_id("call_", asked, index, part.tool_name, part.args))
            if isinstance(part, ToolCallPart) and part.tool_call_id is None
            else part
            for index, part in enumerate(answer.parts)
        ],
    )


def _fingerprint(call: ModelCall) -> str:
    from replay_agent.messages import ModelMessagesTypeAdapter  # which brings pydantic along

    messages = json.loads(ModelMessagesTypeAdapter.dump_json(call.messages))
    for message in messages:
        for item in (message, *message["parts"]):
            item.pop("timestamp", None)  # when it was said changes no id
    return made_up_id("", call.model, messages)


_WORDS: dict[FinishReason | None, str] = {"tool_call": "tool_calls"}


class _Written:
    """An answer on its way to the wire."""

    def __init__(self, call: ModelCall, answer: ModelResponse, dialect: Dialect) -> None:
        self._call = call
        self._answer = answer
        self._dialect = dialect
        self._message = self._assistant()

    def _assistant(self) -> Fields:
        lenient = replace(self._dialect, strict=False, chunks=False)
        if not self._dialect.chunks:
            lenient = replace(lenient, reasoning=self._dialect.reasoning or "reasoning_content")
        extras = self._call.extras
        custom = custom_names(extras.get("tools"))
        message = assistant_fields(self._answer.parts, lenient, legacy="functions" in extras, custom=custom)
        return self._chunked(message) if self._dialect.chunks else message

    def _chunked(self, message: Fields) -> Fields:
        """Mistral's message: a text where that is all there is, else chunks; calls with an index."""
        blocks = assistant_fields(self._answer.parts, self._dialect).get("content")
        if isinstance(blocks, list) and not all(is_text(block) for block in blocks):
            message["content"] = blocks
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            indexed = [{**call, "index": index} if isinstance(call, dict) else call for index, call in enumerate(calls)]
            message["tool_calls"] = indexed
        return {"content": "", **message}

    def _head(self, kind: str) -> Fields:
        answer = self._answer
        prefix = "" if self._dialect.chunks else "chatcmpl-"
        made_up = answer.provider_response_id or made_up_id(prefix, _fingerprint(self._call), self._message)
        return {
            "id": made_up,
            "object": kind,
            "created": int(answer.timestamp.timestamp()),
            "model": answer.model_name or self._call.model or "unknown",
        }

    def _finish(self) -> str:
        reason = self._answer.finish_reason
        if reason is None:
            return "tool_calls" if "tool_calls" in self._message else "stop"
        return _WORDS.get(reason, reason)

    def _usage(self) -> Fields | None:
        usage = self._answer.usage
        if usage is not None:
            return write_usage(usage, self._dialect)
        # Mistral's SDK refuses an answer without counts.
        return (
            dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0) if self._dialect.chunks else None
        )

    def whole(self) -> Fields:
        message = {"role": "assistant", "content": None, **self._message}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish()}
        usage = self._usage()
        return {**self._head("chat.completion"), "choices": [choice], **({} if usage is None else {"usage": usage})}

    def chunks(self) -> list[Fields]:
        head = self._head("chat.completion.chunk")
        first: Fields = {"role": "assistant", "content": ""}
        chunks = [_chunk(head, delta) for delta in (first, *_deltas(self._message, whole_calls=self._dialect.chunks))]
        last = _chunk(head, {}, self._finish())
        usage = self._usage()
        if self._dialect.chunks and usage is not None:
            last["usage"] = usage
        elif self._dialect.usage_in_x_groq:
            last["x_groq"] = {"id": head["id"], **({} if usage is None else {"usage": usage})}
        chunks.append(last)
        if usage is not None and self._asked_for_usage():
            chunks.append({**head, "choices": [], "usage": usage})
        return chunks

    def _asked_for_usage(self) -> bool:
        options = self._call.extras.get("stream_options", {"include_usage": self._dialect.asks_for_usage})
        return isinstance(options, dict) and options.get("include_usage") is True


def _chunk(head: Fields, delta: Fields, finish: str | None = None) -> Fields:
    return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


_ORDER = (
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "executed_tools",
    "content",
    "function_call",
    "tool_calls",
    "images",
)


def _deltas(message: Fields, *, whole_calls: bool) -> list[Fields]:
    """Cut a message into what a stream brings, field after field, texts in pieces."""
    keys = [key for key in (*_ORDER, *(key for key in message if key not in _ORDER)) if key in message]
    return [delta for key in keys for delta in _field_deltas(key, message[key], whole_calls=whole_calls)]


def _field_deltas(key: str, value: Any, *, whole_calls: bool) -> list[Fields]:
    if value is None or value == "":
        return []
    if key == "tool_calls" and isinstance(value, list) and not whole_calls:
        return [{key: [piece]} for index, call in enumerate(value) for piece in _call_pieces(index, call)]
    if isinstance(value, str):
        return [{key: piece} for piece in pieces(value)]
    if isinstance(value, list):
        return [{key: [item]} for item in value]
    return [{key: value}]


def _call_pieces(index: int, call: Any) -> list[Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return [{"index": index, **call} if isinstance(call, dict) else call]
    head = {**call, "index": index, "function": {**function, "arguments": ""}}
    more = [{"index": index, "function": {"arguments": piece}} for piece in pieces(function["arguments"])]
    return [head, *more]


_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_SERVER_ERROR = 500


def write_refusal(status: int, message: str, dialect: Dialect) -> EncodedAnswer:
    """Write a refusal."""
    kind = _KINDS.get(status) or ("server_error" if status >= _SERVER_ERROR else "invalid_request_error")
    error: Fields = {"message": message, "type": kind, "param": None, "code": None}
    body = {"object": "error", **error} if dialect.chunks else {"error": error}
    return EncodedAnswer(status, (("content-type", "application/json"),), (dump_json(body).encode(),))
