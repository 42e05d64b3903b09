"""Answers of Gemini, written: objects, server-sent events, an array in pieces, refusals."""

from __future__ import annotations

from replay_agent.calls import ModelCall
from replay_agent.framing.sse import encode_event
from replay_agent.messages import (
    FinishReason,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    UnknownPart,
)
from replay_agent.usage import Usage
from replay_agent.wire.gemini.answers import GROUNDING_FIELDS, MODALITY_COUNTERS
from replay_agent.wire.gemini.content import write_model_parts
from replay_agent.wire.shapes.json_text import Fields, write_json
from replay_agent.wire.shapes.made_up import made_up_id, pieces

__all__ = "STATUSES", "array_pieces", "event_of", "split_metadata", "write_chunks"

_FINISH_REASONS: dict[FinishReason | None, str] = {
    None: "STOP",
    "stop": "STOP",
    "tool_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "error": "MALFORMED_FUNCTION_CALL",
}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_SPOKEN_OF_ELSEWHERE = {
    "cache_read_tokens": "cachedContentTokenCount",
    "reasoning_tokens": "thoughtsTokenCount",
    "tool_use_prompt_tokens": "toolUsePromptTokenCount",
}


def split_metadata(parts: list[ModelResponsePart]) -> tuple[list[ModelResponsePart], Fields]:
    """Take out what stands beside the content of an answer; return the other parts and the fields of the answer."""
    rest: list[ModelResponsePart] = []
    candidate: Fields = {}
    beside: Fields = {}
    for part in parts:
        if isinstance(part, UnknownPart) and (told := _told_beside(part)) is not None:
            beside |= told
        elif isinstance(part, NativeToolReturnPart) and (fields := _written_metadata(part, rest)) is not None:
            rest.pop()
            candidate |= fields
        else:
            rest.append(part)
    first, *others = beside.pop("candidates", None) or [{}]
    return rest, {**beside, "candidates": [candidate | first, *others]}


def _told_beside(part: UnknownPart) -> Fields | None:
    """Return the fields of an answer that were kept as an unknown part."""
    match part.raw:
        case {"response": dict(fields), **others} if not others:
            return fields
    return None


def _written_metadata(result: NativeToolReturnPart, before: list[ModelResponsePart]) -> Fields | None:
    """Return the metadata that the result and the call before it were read from, None for a tool in the content."""
    call = before[-1] if before else None
    content = result.content
    if not isinstance(call, NativeToolCallPart) or not isinstance(content, dict):
        return None
    if (call.tool_name, call.tool_call_id, result.tool_call_id) != (result.tool_name, None, None):
        return None
    if result.tool_name == "web_fetch" and "urlMetadata" in content:
        return {"urlContextMetadata": content}
    if result.tool_name in ("web_search", "file_search") and (not content or content.keys() & GROUNDING_FIELDS):
        queries = call.args_as_dict().get("queries")
        return {"groundingMetadata": {**content, **({"webSearchQueries": queries} if queries else {})}}
    return None


def write_chunks(
    call: ModelCall, answer: ModelResponse, parts: list[ModelResponsePart], metadata: Fields
) -> list[Fields]:
    """Return the objects of an answer: one, or, for a stream, one for each piece of its parts; the last one is full."""
    written = write_model_parts(parts, sign_texts=not call.stream)
    groups = [[piece] for part in written for piece in _pieces(part)] if call.stream else [written]
    groups = groups or [[]]
    common: Fields = {
        "modelVersion": answer.model_name or call.model or "gemini",
        "responseId": answer.provider_response_id or made_up_id("", written, len(call.messages)),
    }
    chunks: list[Fields] = [{"candidates": [{**_content(group), "index": 0}], **common} for group in groups[:-1]]
    candidate, *others = metadata.pop("candidates")
    last = {**_content(groups[-1]), "finishReason": _FINISH_REASONS[answer.finish_reason], "index": 0, **candidate}
    # A prompt that is blocked has no candidates.
    answered: Fields = {} if "promptFeedback" in metadata and not written else {"candidates": [last, *others]}
    chunks.append({**answered, **metadata, "usageMetadata": _write_usage(answer.usage or Usage()), **common})
    return chunks


def _content(parts: list[Fields]) -> Fields:
    return {"content": {"parts": parts, "role": "model"}} if parts else {}


def _pieces(part: Fields) -> list[Fields]:
    """Cut a text or a thought as a stream does; what comes with it comes with its last piece."""
    text = part.get("text")
    if not isinstance(text, str) or not text:
        return [part]
    *first, last = pieces(text)
    kind = {key: value for key, value in part.items() if key == "thought"}
    return [*({"text": piece, **kind} for piece in first), {**part, "text": last}]


def _write_usage(usage: Usage) -> Fields:
    details = dict(usage.details or {})
    standard = {key: details.pop(name) for name, key in _SPOKEN_OF_ELSEWHERE.items() if name in details}
    request_tokens, response_tokens = usage.request_tokens or 0, usage.response_tokens or 0
    return {
        "promptTokenCount": max(0, request_tokens - standard.get("toolUsePromptTokenCount", 0)),
        "candidatesTokenCount": max(0, response_tokens - standard.get("thoughtsTokenCount", 0)),
        "totalTokenCount": request_tokens + response_tokens if usage.total_tokens is None else usage.total_tokens,
        **standard,
        **_write_modalities(details),
    }


def _write_modalities(details: dict[str, int]) -> Fields:
    named = {
        "audio_prompt_tokens": details.pop("input_audio_tokens", 0),
        "audio_candidates_tokens": details.pop("output_audio_tokens", 0),
        **details,
    }
    written: Fields = {}
    # The longest ending first: ``tool_use_prompt`` ends as ``prompt`` does.
    for key, where in sorted(MODALITY_COUNTERS.items(), key=lambda item: -len(item[1])):
        ending = f"_{where}_tokens"
        for name in [name for name in named if name.endswith(ending)]:
            count = named.pop(name)
            if count:
                entry = {"modality": name.removesuffix(ending).upper(), "tokenCount": count}
                written.setdefault(key, []).append(entry)
    return written


def event_of(chunk: Fields) -> bytes:
    """Return an object of an answer as a server-sent event."""
    # Google's streams have CRLF; JSON has no raw line ends.
    return encode_event(write_json(chunk).decode()).replace(b"\n", b"\r\n")


def array_pieces(chunks: list[Fields]) -> tuple[bytes, ...]:
    """Return the objects of an answer as the pieces of one JSON array."""
    first, *others = [write_json(chunk) for chunk in chunks]
    written = [b"[" + first, *(b",\r\n" + chunk for chunk in others)]
    return (*written[:-1], written[-1] + b"\n]")
