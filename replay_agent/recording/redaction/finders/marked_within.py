"""Finds tokens whose mark is not at their beginning, but within: two or three parts with a point between, ``Q~``."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from replay_agent.recording.redaction.spans import Span

__all__ = ("find_marked_within",)

_SECRET_OF_AZURE = re.compile(rb"Q~(?<=[A-Za-z0-9_~.\-]{3}[0-9]Q~)[A-Za-z0-9._~\-]{31,34}(?![A-Za-z0-9_])")
_KEYS_OF_AZURE = [
    (mark, before, re.compile(re.escape(mark) + rest + rb"(?![A-Za-z0-9+/=])"))
    for before, marks, rest in (
        (52, (b"JQQJ99",), rb"[A-Za-z0-9]{26}"),
        (76, (b"ACDb", b"+ASt"), rb"[A-Za-z0-9+/]{5}[AQgw]=="),
        (33, (b"+ASb", b"+AEh"), rb"[A-P][A-Za-z0-9+/]{5}="),
        (44, (b"AzFu",), rb"[A-Za-z0-9\-_]{5}[AQgw]=="),
        (42, (b"AzSe", b"+ACR"), rb"[A-D][A-Za-z0-9]{5}"),
    )
    for mark in marks
]
"""What services of Azure write at one place of all their keys, and how many digits stand before that."""
_BEHIND_A = re.compile(rb"A(?:CDb|z(?:Fu|Se)|(?<=\+A)(?:S[tb]|Eh|CR))")
_WITHOUT_A = b"JQQJ99"
"""Either is in a text with one of these: all but one are looked for at once."""
_DIGITS_BEFORE = re.compile(rb"[A-Za-z0-9+/_\-]*\Z")
_KEY_OF_MAILCHIMP = re.compile(rb"-us[0-9]{1,2}(?<=[0-9a-f]{8}-us[0-9]|[0-9a-f]{7}-us[0-9]{2})(?![A-Za-z0-9_.\-])")
_HEX_BEFORE = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{32}\Z")
_PARTS_OF_DISCORD = re.compile(rb"\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}(?![A-Za-z0-9_])")
_USER = re.compile(rb"(?<![A-Za-z0-9_\-])[MNO][A-Za-z0-9_\-]{22,27}\Z")
"""The base64 of a number of 17 to 20 digits."""
_SECRET_OF_ZHIPU = re.compile(rb"\.(?<=[0-9a-f]{32}\.)[A-Za-z0-9]{16}(?![A-Za-z0-9])")
_ID = 32


def find_marked_within(text: bytes) -> Iterator[Span]:
    """Find the secrets of Azure's applications and services, tokens of Discord's bots, keys of Zhipu and of Mailchimp."""
    for found in _SECRET_OF_AZURE.finditer(text) if b"~" in text else ():
        yield _span(text, found.start() - 4, found.end(), "azure-secret")
    if b"." in text:
        yield from _find_parts(text)
    if _BEHIND_A.search(text) is not None or _WITHOUT_A in text:
        yield from _find_keys_of_azure(text)
    for found in _KEY_OF_MAILCHIMP.finditer(text) if b"-" in text and b"-us" in text else ():
        if _HEX_BEFORE.search(text, max(found.start() - _ID - 1, 0), found.start()) is not None:
            yield _span(text, found.start() - _ID, found.end(), "mailchimp-key")


def _find_keys_of_azure(text: bytes) -> Iterator[Span]:
    for mark, size, pattern in _KEYS_OF_AZURE:
        for found in pattern.finditer(text) if mark in text else ():  # which takes less than to look for the pattern
            if _has_before(text, found.start(), size):
                yield _span(text, found.start() - size, found.end(), "azure-key")


def _has_before(text: bytes, start: int, size: int) -> bool:
    """Tell whether so many digits of base64 stand before a place, and no more."""
    digits = _DIGITS_BEFORE.search(text, max(start - size - 1, 0), start)
    return digits is not None and len(digits[0]) == size


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
