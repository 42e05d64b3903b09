"""What Gemini's answers say of themselves: why they ended, what they cost, where they looked."""

from __future__ import annotations

from replay_agent.messages import FinishReason
from replay_agent.usage import Usage
from replay_agent.wire.gemini.content import camel
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import counter, text_of

__all__ = "FINISH_REASONS", "GROUNDING_FIELDS", "MODALITY_COUNTERS", "addresses", "has_retrieved", "read_usage"

FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "LANGUAGE": "error",
    "MALFORMED_FUNCTION_CALL": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "NO_IMAGE": "error",
}
GROUNDING_FIELDS = frozenset(
    {
        "groundingChunks",
        "groundingSupports",
        "searchEntryPoint",
        "retrievalMetadata",
        "retrievalQueries",
        "googleMapsWidgetContextToken",
        "imageSearchQueries",
        "sourceFlaggingUris",
    }
)
"""What may stand beside the queries in the metadata of a search."""
MODALITY_COUNTERS = {
    "promptTokensDetails": "prompt",
    "cacheTokensDetails": "cache",
    "candidatesTokensDetails": "candidates",
    "toolUsePromptTokensDetails": "tool_use_prompt",
}
"""Lists of tokens by modality in the usage, and what our names for their counters end with."""
_STANDARD_COUNTERS = {"audio_prompt_tokens": "input_audio_tokens", "audio_candidates_tokens": "output_audio_tokens"}


def addresses(pages: Fields) -> list[str]:
    entries = pages.get("urlMetadata")
    found = (
        [camel(entry).get("retrievedUrl") for entry in entries if isinstance(entry, dict)]
        if isinstance(entries, list)
        else []
    )
    return [address for address in found if isinstance(address, str)]


def has_retrieved(grounding: Fields) -> bool:
    chunks = grounding.get("groundingChunks")
    return isinstance(chunks, list) and any(
        isinstance(chunk, dict) and "retrievedContext" in camel(chunk) for chunk in chunks
    )


def read_usage(metadata: Fields, before: Usage | None) -> Usage:
    """Return the usage; each chunk tells the sum so far, and what it leaves out is as it was."""
    counts = {key: counter(value) for key, value in metadata.items()}
    request_tokens = counts.get("promptTokenCount", 0) + counts.get("toolUsePromptTokenCount", 0)
    response_tokens = counts.get("candidatesTokenCount", 0) + counts.get("thoughtsTokenCount", 0)
    details = {
        "cache_read_tokens": counts.get("cachedContentTokenCount", 0),
        "reasoning_tokens": counts.get("thoughtsTokenCount", 0),
        "tool_use_prompt_tokens": counts.get("toolUsePromptTokenCount", 0),
        **_by_modality(metadata),
    }
    known = {key: value for key, value in details.items() if value}
    if before is None:
        before = Usage(request_tokens=0, response_tokens=0, total_tokens=0)
    return Usage(
        request_tokens=request_tokens or before.request_tokens,
        response_tokens=response_tokens or before.response_tokens,
        total_tokens=counts.get("totalTokenCount") or before.total_tokens,
        details={**(before.details or {}), **known} or None,
    )


def _by_modality(metadata: Fields) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, where in MODALITY_COUNTERS.items():
        entries = metadata.get(key)
        for entry in entries if isinstance(entries, list) else []:
            fields = camel(entry) if isinstance(entry, dict) else {}
            if modality := text_of(fields, "modality"):
                name = f"{modality.lower()}_{where}_tokens"
                found[_STANDARD_COUNTERS.get(name, name)] = counter(fields.get("tokenCount"))
    return found
