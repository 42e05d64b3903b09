"""Pieces: the parts of messages as a page shows them, media as pictures where they are some."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from replay_agent.messages import (
    BinaryContent,
    FilePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.report.conversation.plain import media_line
from replay_agent.report.page.content.pictures import picture_of
from replay_agent.report.page.content.words import value_words, words
from replay_agent.report.page.report import Picture, Piece, Words

__all__ = "Pictures", "pieces_of", "returned_by"

_MOST_PICTURES = 1_500_000
"""Bytes of all pictures of one test; what comes after them is told by type and size."""
_MOST_ITEMS = 200
_DATA_URL = "data:"


@dataclass
class Pictures:
    """Makes pictures of what a test sent and got, as long as there is room."""

    room: int = _MOST_PICTURES

    def of(self, part: object) -> list[Picture]:
        """Return the pictures in the content of a part."""
        content = getattr(part, "content", None)
        items = [content] if isinstance(content, BinaryContent) else content
        if isinstance(items, str) or not isinstance(items, Sequence):
            return []
        return [picture for item in items[:_MOST_ITEMS] if (picture := self._of(_data_of(item)))]

    def _of(self, data: bytes | None) -> Picture | None:
        picture = picture_of(data) if data is not None and len(data) <= self.room else None
        if picture is not None:
            self.room -= len(data or b"")
        return picture


def pieces_of(part: Any, pictures: Pictures) -> list[Piece]:
    """Return a part of a message as pieces, with its pictures."""
    shown = pictures.of(part)
    match part:
        case SystemPromptPart():
            return [Piece("system", words(part.content))]
        case UserPromptPart():
            return [Piece("user", _user_words(part.content), pictures=shown)]
        case TextPart():
            return [Piece("text", words(part.content))]
        case ThinkingPart():
            return [Piece("thinking", words(part.content) if part.content else None)]
        case ToolCallPart() | NativeToolCallPart():
            return [Piece("call", value_words(part.args), part.tool_name, isinstance(part, NativeToolCallPart))]
        case ToolReturnPart() | NativeToolReturnPart():
            return [Piece("return", value_words(part.content), part.tool_name, pictures=shown)]
        case RetryPromptPart():
            return [Piece("retry", value_words(part.content), part.tool_name or "", failed=True)]
        case FilePart():
            return [Piece("file", words(_media_text(part.content)), pictures=shown)]
        case UnknownPart():
            return [Piece("other", value_words(part.raw))]
        case _:
            return [Piece("other", value_words(part))]


def returned_by(part: object) -> tuple[str | None, str, Words, bool] | None:
    """Return what a tool gave back: id and name of its call, the words, and whether it failed; None for anything else."""
    if isinstance(part, ToolReturnPart | NativeToolReturnPart):
        return part.tool_call_id, part.tool_name, value_words(part.content), False
    if isinstance(part, RetryPromptPart) and part.tool_name:
        return part.tool_call_id, part.tool_name, value_words(part.content), True
    return None


def _user_words(content: Any) -> Words:
    return words(content) if isinstance(content, str) else words("\n".join(_item_texts(content)))


def _item_texts(content: Sequence[Any]) -> Iterator[str]:
    for item in content[:_MOST_ITEMS]:
        if isinstance(item, str):
            yield item
        elif isinstance(item, BinaryContent):
            yield _media_text(item)
        elif isinstance(url := getattr(item, "url", None), str):
            yield _url_text(url, str(getattr(item, "kind", "")))
        else:
            yield value_words(getattr(item, "raw", item)).text
    if len(content) > _MOST_ITEMS:
        yield f"... and {len(content) - _MOST_ITEMS:,} more"


def _url_text(url: str, kind: str) -> str:
    data = _from_data_url(url)
    name = kind.removesuffix("-url") or "media"
    return f"[{name} {url[:500]}]" if data is None else media_line(url[len(_DATA_URL) :].partition(";")[0][:80], data)


def _media_text(content: BinaryContent) -> str:
    return media_line(content.media_type, content.data)


def _data_of(item: object) -> bytes | None:
    if isinstance(item, BinaryContent):
        return item.data
    url = getattr(item, "url", None)
    return _from_data_url(url) if isinstance(url, str) else None


def _from_data_url(url: str) -> bytes | None:
    """Return the data that stands in an address itself (RFC 2397), where it is base64."""
    head, comma, data = url.partition(",")
    if not (head.lower().startswith(_DATA_URL) and head.lower().endswith(";base64") and comma):
        return None
    try:
        return b64decode(data)
    except (Error, ValueError):
        return None
