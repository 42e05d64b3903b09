"""Texts that differ, and look the same where they are printed: a letter with its accent and one with an accent behind it."""

from __future__ import annotations

from unicodedata import normalize

__all__ = ("told_apart",)


def told_apart(one: str, other: str) -> tuple[str, str]:
    """Return two texts as they are; those that are one text to a reader with what is not ASCII as escapes."""
    if one == other or (one.isascii() and other.isascii()) or normalize("NFKC", one) != normalize("NFKC", other):
        return one, other
    return _escaped(one), _escaped(other)


def _escaped(text: str) -> str:
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    code = ord(character)
    return character if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
