"""Lines of at most so many columns, colours carried over from one to the next."""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

__all__ = ("wrapped",)

_PIECE = re.compile(r"\x1b\[[0-9;]*m|[^\s\x1b]+|\s")
_PLAIN = "\x1b[0m"


def wrapped(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Break a line between words, or within a word that fills more than a line; ``hanging`` indents all but the first."""
    hanging = indent if hanging is None else hanging
    lines: list[str] = []
    line, used, colour = indent, len(indent), ""
    for piece in _PIECE.findall(text):
        if piece.startswith("\x1b"):
            colour = "" if piece == _PLAIN else piece
            line += piece
            continue
        for part in _parts(piece, width - len(hanging)):
            room = _columns(part)
            if used + room > width and used > len(hanging):
                lines.append(line.rstrip(" ") + (_PLAIN if colour else ""))
                line, used = hanging + colour, len(hanging)
                if part == " ":
                    continue
            line += part
            used += room
    return [*lines, line.rstrip(" ")]


def _parts(piece: str, width: int) -> list[str]:
    """Cut a word into pieces that fit into a line."""
    if _columns(piece) <= width:
        return [piece]
    parts, part, used = [], "", 0
    for character in piece:
        room = _columns(character)
        if used + room > width:
            parts.append(part)
            part, used = "", 0
        part += character
        used += room
    return [*parts, part]


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)
