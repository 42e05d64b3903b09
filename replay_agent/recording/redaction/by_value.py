"""Finds known values, however a body spells them, and tokens by their shape."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

from replay_agent.recording.redaction.secrets import SHAPES, Secret, placeholder
from replay_agent.recording.redaction.spans import Span, Text, disjoint

__all__ = "KnownValues", "find_shapes"

_OPEN_MARKS = frozenset({b"PRIVATE", b"earer", b"asic", b"://", b"bot"})
"""Marks that do not stand in one word with what is secret."""
_MARKS = [(mark, order) for order, shape in enumerate(SHAPES) for mark in shape.marks]
_OPEN = [(mark, order) for mark, order in _MARKS if mark in _OPEN_MARKS]
_CLOSED = [(mark, order) for mark, order in _MARKS if mark not in _OPEN_MARKS]
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


def find_shapes(text: Text) -> list[Span]:
    """Find tokens that are known by their shape."""
    data, words = text.data, text.words
    likely = [order for mark, order in _OPEN if mark in data]
    if words:
        likely += [order for mark, order in _CLOSED if mark in words]
    return disjoint(
        Span(*found.span(), placeholder(SHAPES[order].rule), SHAPES[order].rule)
        for order in sorted(set(likely))
        for found in SHAPES[order].pattern.finditer(data)
    )


class KnownValues:
    """Values that must not be in a body: escaped, encoded for an address, or somewhere in base64."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        known = sorted({secret.value: secret for secret in secrets}.values(), key=lambda secret: -len(secret.value))
        self._plain = [(spelling, secret) for secret in known for spelling in secret.spellings()]
        self._encoded = [(core, secret) for secret in known for core in secret.in_base64()]

    def __bool__(self) -> bool:
        return bool(self._plain)

    def find(self, text: Text) -> list[Span]:
        """Find the values as text."""
        data = text.data
        spans = [
            Span(start, start + len(spelling), placeholder(secret.rule), secret.rule)
            for spelling, secret in self._plain
            if spelling in data
            for start in _places(data, spelling)
        ]
        return disjoint(spans) if spans else []

    def find_in_base64(self, text: Text) -> list[Span]:
        """Find runs of base64 that hold a value, to be replaced by runs that hold the placeholder."""
        words = text.words
        if not words:
            return []
        data = text.data
        hits = [(start, secret) for core, secret in self._encoded if core in words for start in _places(data, core)]
        return disjoint(span for start, secret in hits for span in _recoded(data, start, secret)) if hits else []


def _places(data: bytes, text: bytes) -> Iterable[int]:
    place = data.find(text)
    while place >= 0:
        yield place
        place = data.find(text, place + len(text))


def _recoded(data: bytes, inside: int, secret: Secret) -> Sequence[Span]:
    """Return the run of base64 around a place, written anew without the secret; none if it is no base64 after all."""
    start = end = inside
    while start and data[start - 1] in _BASE64:
        start -= 1
    while end < len(data) and data[end] in _BASE64:
        end += 1
    for shift in range(4):
        run = data[start + shift : end]
        plain = _decoded(run)
        value = secret.value.encode("utf-8", "surrogateescape")
        if plain is not None and value in plain:
            text = _encoded(plain.replace(value, placeholder(secret.rule)), like=run)
            return [Span(start + shift, end, text, secret.rule)]
    return []


def _decoded(run: bytes) -> bytes | None:
    digits = run.rstrip(b"=").translate(_STANDARD)
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        return None


_STANDARD = bytes.maketrans(b"-_", b"+/")
_PADDING = re.compile(rb"=+$")


def _encoded(plain: bytes, like: bytes) -> bytes:
    safe = b"-" in like or b"_" in like
    text = base64.urlsafe_b64encode(plain) if safe else base64.b64encode(plain)
    return text if like.endswith(b"=") or len(like) % 4 == 0 else text.rstrip(b"=")
