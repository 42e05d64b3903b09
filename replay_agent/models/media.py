"""Makes a conversation's images, sounds and documents fit for a provider: fetched, sent by address, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import httpx

from replay_agent.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    UnknownPart,
    UserContent,
    UserPromptPart,
)
from replay_agent.models.providers import Capabilities

__all__ = ("sendable",)

Fetch: TypeAlias = Callable[[str], Awaitable[httpx.Response]]
Content: TypeAlias = UserContent | UnknownPart

_UNTOLD = ("", "application/octet-stream", "binary/octet-stream")


async def sendable(messages: Sequence[ModelMessage], capabilities: Capabilities, fetch: Fetch) -> list[ModelMessage]:
    """Return the messages with media in the form in which the provider takes them.

    Raises `RuntimeError` or `NotImplementedError`, as the capabilities says, for what it does not take at all, and
    ``httpx.HTTPStatusError`` where a download is refused.
    """
    return [await _message(message, capabilities, fetch) for message in messages]


async def _message(message: ModelMessage, capabilities: Capabilities, fetch: Fetch) -> ModelMessage:
    if not isinstance(message, ModelRequest) or not any(_has_media(part) for part in message.parts):
        return message
    return replace(message, parts=[await _part(part, capabilities, fetch) for part in message.parts])


def _has_media(part: ModelRequestPart) -> bool:
    return isinstance(part, UserPromptPart) and not isinstance(part.content, str)


async def _part(part: ModelRequestPart, capabilities: Capabilities, fetch: Fetch) -> ModelRequestPart:
    if not isinstance(part, UserPromptPart) or isinstance(part.content, str):
        return part
    return replace(part, content=[await _content(item, capabilities, fetch) for item in part.content])


async def _content(item: Content, capabilities: Capabilities, fetch: Fetch) -> Content:
    if isinstance(item, ImageUrl | AudioUrl | DocumentUrl):
        if item.kind in capabilities.by_address:
            return item
        if item.kind not in capabilities.downloaded:
            raise _refusal(item.kind, capabilities, f"{type(item).__name__} is not supported by this model")
        item = await _downloaded(item, fetch)
    if isinstance(item, BinaryContent) and not item.media_type.startswith(capabilities.media_types):
        kind = "audio-url" if item.is_audio else item.kind
        raise _refusal(kind, capabilities, f"Content of type {item.media_type!r} is not supported by this model")
    return item


def _refusal(kind: str, capabilities: Capabilities, message: str) -> Exception:
    return NotImplementedError(message) if kind in capabilities.not_implemented else RuntimeError(message)


async def _downloaded(item: ImageUrl | AudioUrl | DocumentUrl, fetch: Fetch) -> BinaryContent:
    response = await fetch(item.url)
    response.raise_for_status()
    told = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return BinaryContent(response.content, item.media_type if told in _UNTOLD else told)
