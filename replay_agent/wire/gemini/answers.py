"""What Gemini's answers say of themselves: why they ended, what they cost, where they looked."""

from __future__ import annotations

from replay_agent.messages import FinishReason
from replay_agent.usage import Usage
from replay_agent.wire.gemini.content import camel
from replay_agent.wire.gemini.enums import Enums, spelled
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import count_of, counter, sum_of, text_of

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
    """Return the addresses of the pages that were read, as ``urlContextMetadata`` lists them."""
    entries = pages.get("urlMetadata")
    found = (
        [camel(entry).get("retrievedUrl") for entry in entries if isinstance(entry, dict)]
        if isinstance(entries, list)
        else []
    )
    return [address for address in found if isinstance(address, str)]


def has_retrieved(grounding: Fields) -> bool:
    """Tell whether what an answer rests on comes from the user's own files."""
    chunks = grounding.get("groundingChunks")
    return isinstance(chunks, list) and any(
        isinstance(chunk, dict) and "retrievedContext" in camel(chunk) for chunk in chunks
    )


def read_usage(metadata: Fields, before: Usage | None, enums: Enums) -> Usage:
    """Return the usage; each chunk tells the sum so far, and what it leaves out is as it was."""
    counts = {key: counter(value) for key, value in metadata.items()}
    request_tokens = sum_of(*(count_of(metadata.get(key)) for key in ("promptTokenCount", "toolUsePromptTokenCount")))
    response_tokens = sum_of(*(count_of(metadata.get(key)) for key in ("candidatesTokenCount", "thoughtsTokenCount")))
    details = {
        "cache_read_tokens": counts.get("cachedContentTokenCount", 0),
        "reasoning_tokens": counts.get("thoughtsTokenCount", 0),
        "tool_use_prompt_tokens": counts.get("toolUsePromptTokenCount", 0),
        **_by_modality(metadata, enums),
    }
    known = {key: value for key, value in details.items() if value}
    before = before or Usage()
    return Usage(
        request_tokens=_latest(request_tokens, before.request_tokens),
        response_tokens=_latest(response_tokens, before.response_tokens),
        total_tokens=_latest(count_of(metadata.get("totalTokenCount")), before.total_tokens),
        details={**(before.details or {}), **known} or None,
    )


def _latest(count: int | None, before: int | None) -> int | None:
    return count or (count if before is None else before)  # a 0 in a later chunk takes nothing back


def _by_modality(metadata: Fields, enums: Enums) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, where in MODALITY_COUNTERS.items():
        entries = metadata.get(key)
        for entry in entries if isinstance(entries, list) else []:
            fields = spelled(camel(entry), ("modality",), enums) if isinstance(entry, dict) else {}
            if modality := text_of(fields, "modality"):
                name = f"{modality.lower()}_{where}_tokens"
                found[_STANDARD_COUNTERS.get(name, name)] = counter(fields.get("tokenCount"))
    return found
