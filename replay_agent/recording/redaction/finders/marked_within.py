"""Finds tokens whose mark is not at their beginning, but within: two or three parts with a point between, ``Q~``."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from replay_agent.recording.redaction.spans import Span

__all__ = ("find_marked_within",)

_SECRET_OF_AZURE = re.compile(rb"Q~(?<=[A-Za-z0-9_~.\-]{3}[0-9]Q~)[A-Za-z0-9._~\-]{31,34}(?![A-Za-z0-9_])")
_PARTS_OF_DISCORD = re.compile(rb"\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}(?![A-Za-z0-9_])")
_USER = re.compile(rb"(?<![A-Za-z0-9_\-])[MNO][A-Za-z0-9_\-]{22,27}\Z")
"""The base64 of a number of 17 to 20 digits."""
_SECRET_OF_ZHIPU = re.compile(rb"\.(?<=[0-9a-f]{32}\.)[A-Za-z0-9]{16}(?![A-Za-z0-9])")
_ID = 32


def find_marked_within(text: bytes) -> Iterator[Span]:
    """Find the secrets of Azure's applications, the tokens of Discord's bots and the keys of Zhipu."""
    for found in _SECRET_OF_AZURE.finditer(text) if b"~" in text else ():
        yield _span(text, found.start() - 4, found.end(), "azure-secret")
    if b"." in text:
        yield from _find_parts(text)


def _find_parts(text: bytes) -> Iterator[Span]:
    for found in _PARTS_OF_DISCORD.finditer(text):
        user = _USER.search(text, max(found.start() - 30, 0), found.start())
        if user is not None and _is_number(user[0]):
            yield _span(text, user.start(), found.end(), "discord-token")
    for found in _SECRET_OF_ZHIPU.finditer(text):
        secret = found[0].decode()
        if secret != secret.lower() and secret != secret.upper() and any(map(str.isdigit, secret)):
            yield _span(text, found.start() - _ID, found.end(), "zhipu-key")


def _span(text: bytes, start: int, end: int, rule: str) -> Span:
    return Span(start, end, rule, text[start:end])


def _is_number(digits: bytes) -> bool:
    try:
        return base64.urlsafe_b64decode(digits + b"=" * (-len(digits) % 4)).isdigit()
    except binascii.Error:
        return False
