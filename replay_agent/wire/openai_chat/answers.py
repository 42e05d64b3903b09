"""Whole answers of the chat completions format, read: completions, and refusals of any shape."""

from __future__ import annotations

from datetime import UTC, datetime

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import NO_TIMESTAMP, FinishReason, ModelResponse, ModelResponsePart, TextPart, ToolCallPart
from replay_agent.wire.openai_chat.assistant import read_assistant
from replay_agent.wire.openai_chat.dialects import Dialect
from replay_agent.wire.openai_chat.usage import read_usage
from replay_agent.wire.shapes.json_text import Fields, read_json
from replay_agent.wire.shapes.refusals import error_in, refusal

__all__ = (
    "FORMAT",
    "audio_type",
    "failed_generation",
    "finish_reason",
    "read_answer",
    "read_refusal",
    "timestamp_of",
)

FORMAT = "openai_chat"
"""How errors name the format."""


def read_answer(call: ModelCall | None, body: bytes, dialect: Dialect) -> Answer:
    """Read an answer that is no stream: a completion, or an error that came with a status below 400.

    Raises `WireError` where it is neither.
    """
    if body.lstrip()[:1] == b"<":
        return Answer(error=refusal(None, body))
    value = read_json(body, FORMAT)
    # Google's compatible endpoint puts its errors into a list.
    if isinstance(value, list) and value and isinstance(value[0], dict) and value[0].get("error"):
        return Answer(error=error_in(value))
    if not isinstance(value, dict):
        raise WireError(f"an answer is a JSON object, not {type(value).__name__}", FORMAT)
    return _completion(call, value, dialect)


def _completion(call: ModelCall | None, value: Fields, dialect: Dialect) -> Answer:
    choices = value.get("choices")
    failed = bool(value.get("error")) or value.get("object") == "error"
    error = error_in(value) if failed else None
    if not isinstance(choices, list):
        if error is None:
            raise WireError("an answer without choices", FORMAT)
        return Answer(_response(call, value, {}, dialect) if "choices" in value else None, error)
    choice = choices[0] if choices and isinstance(choices[0], dict) else {}
    if error is None and isinstance(choice.get("error"), dict):
        error = error_in(choice)
    return Answer(_response(call, value, choice, dialect), error)


def _response(call: ModelCall | None, value: Fields, choice: Fields, dialect: Dialect) -> ModelResponse:
    message = choice.get("message")
    fields: Fields = message if isinstance(message, dict) else {}
    parts = read_assistant(fields, dialect, audio_type=audio_type(call))
    reason = finish_reason(choice)
    if reason is None and choice.get("finish_reason") == "":  # Snowflake's word for an end like any other
        reason = "tool_call" if any(isinstance(part, ToolCallPart) for part in parts) else "stop"
    if fields.get("refusal"):
        reason = "content_filter"
    return ModelResponse(
        parts,
        model_name=_text(value.get("model")) or (call.model if call else None),
        timestamp=timestamp_of(value.get("created")),
        finish_reason=reason,
        usage=read_usage(value.get("usage"), dialect),
        provider_response_id=_text(value.get("id")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
    "error": "error",
    # Words of compatible servers: Mistral's, those of text-generation-inference, and Anthropic's through gateways.
    "model_length": "length",
    "max_tokens": "length",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "tool_use": "tool_call",
}


def finish_reason(choice: Fields) -> FinishReason | None:
    """Return why an answer ended, None where its choice does not say, or says an unknown word.

    The vision models of 2023 say it as ``"finish_details": {"type": "max_tokens"}``.
    """
    details = choice.get("finish_details")
    word = choice.get("finish_reason") or (details.get("type") if isinstance(details, dict) else details)
    return _FINISH_REASONS.get(word.lower()) if isinstance(word, str) else None


_MILLISECONDS = 100_000_000_000
"""A count of seconds as large as this lies beyond the year 5000, so it counts milliseconds."""


def timestamp_of(created: object) -> datetime:
    """Return the time that ``created`` tells, `NO_TIMESTAMP` where it tells none."""
    if not isinstance(created, int | float) or isinstance(created, bool) or not created:
        return NO_TIMESTAMP
    try:
        return datetime.fromtimestamp(created / 1000 if created >= _MILLISECONDS else created, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIMESTAMP


def audio_type(call: ModelCall | None) -> str:
    """Return the media type in which a call asks to be spoken to."""
    asked = call.extras.get("audio") if call else None
    name = asked.get("format") if isinstance(asked, dict) else None
    if not isinstance(name, str):
        return "audio/wav"
    return "audio/mpeg" if name == "mp3" else f"audio/{name}"


def read_refusal(call: ModelCall | None, status: int, body: bytes) -> Answer:
    """Read an answer of status 400 or above.

    Two refusals are answers besides: Groq's of a tool call that does not fit its schema holds what the model wrote,
    and Azure's content filter ends a turn as it does elsewhere with status 200.
    """
    error = refusal(status, body)
    try:
        value = read_json(body, FORMAT)
    except WireError:
        return Answer(error=error)
    details = value.get("error") if isinstance(value, dict) else None
    if not isinstance(details, dict):
        return Answer(error=error)
    model = call.model if call else None
    generated = failed_generation(details)
    if generated is not None:
        return Answer(ModelResponse(generated, model, NO_TIMESTAMP, finish_reason="error"), error)
    if details.get("code") == "content_filter":
        return Answer(ModelResponse([], model, NO_TIMESTAMP, finish_reason="content_filter"), error)
    return Answer(error=error)


def failed_generation(error: Fields) -> list[ModelResponsePart] | None:
    """Return what the model wrote where Groq refuses it as a tool call (``tool_use_failed``), None elsewhere."""
    text = error.get("failed_generation")
    if error.get("code") != "tool_use_failed" or not isinstance(text, str):
        return None
    try:
        value = read_json(text, FORMAT)
    except WireError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("arguments"), dict):
        return [ToolCallPart(value["name"], value["arguments"])]
    return [TextPart(text)] if text else []
