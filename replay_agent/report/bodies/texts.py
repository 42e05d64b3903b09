"""Bodies as texts that can be compared word by word, or what can be said of those that are none."""

from __future__ import annotations

__all__ = "body_texts", "described"

_MOST_TEXT = 200_000
"""Characters that are compared word by word; of a longer body size and beginning are told."""


def body_texts(one: bytes, other: bytes) -> tuple[str, str]:
    """Return two bodies as texts to be compared, or what can be said of those that are none, or too long."""
    try:
        texts = one.decode(), other.decode()
    except UnicodeDecodeError:
        return described(one), described(other)
    return texts if max(map(len, texts)) <= _MOST_TEXT else (described(one), described(other))


def described(body: bytes) -> str:
    """Return size and beginning of a body."""
    return f"{len(body):,} bytes, beginning with {body[:40]!r}"
