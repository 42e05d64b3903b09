"""Text to lines for a terminal, a report or a snapshot: what is invisible is shown, what is too long is cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

from replay_agent.surroundings.visible import visible as shown

__all__ = "NO_BOUNDS", "Bounds", "cut", "indented", "short", "visible"

_TRAILING = re.compile(r"[ \t\u00a0]+\Z")
# Pictures of the characters themselves: an editor that trims blanks on saving would change a snapshot otherwise.
_TRAILING_MARKS = {0x20: "\u2420", 0x09: "\u2409", 0xA0: "\\u00a0"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a text is shown: at most so many lines, and so many characters of a line."""

    lines: int
    width: int


NO_BOUNDS = Bounds(0, 0)
"""All of it."""


def visible(text: str, *, trailing: bool = True) -> list[str]:
    """Return the lines of a text with everything invisible made visible: control characters and trailing blanks.

    Without ``trailing`` blanks stay as they are: for a piece of text that something follows.
    """
    lines = shown(text).split("\n")
    return [_TRAILING.sub(_marked, line) for line in lines] if trailing else lines


def _marked(blanks: re.Match[str]) -> str:
    return blanks[0].translate(_TRAILING_MARKS)


def indented(text: str, bounds: Bounds = NO_BOUNDS, indent: str = "  ") -> list[str]:
    """Return the visible lines of a text, indented; an empty line stays empty, the end of the last one is marked."""
    lines = visible(text)
    if len(lines) > 1 and not lines[-1]:
        lines[-1] = "\u240a"
    if bounds.lines and len(lines) > bounds.lines + 1:
        head = (bounds.lines + 1) // 2
        tail = bounds.lines - head
        hidden = len(lines) - head - tail
        lines = [*lines[:head], f"... {hidden} more lines ...", *(lines[-tail:] if tail else [])]
    return [indent + (cut(line, bounds.width) if bounds.width else line) if line else "" for line in lines]


def short(text: str, width: int) -> str:
    """Return a text as one visible line of at most so many characters, its end left out where there are more."""
    line = " ".join(visible(text[: 2 * width]))  # what is visible is never shorter
    return line if len(line) <= width else f"{line[: width - 3]}..."


def cut(line: str, width: int) -> str:
    """Return a line without its middle, which is counted, so that about so many characters of it are left."""
    if len(line) <= width + 20:  # the note on what is left out would be as long
        return line
    tail = width // 4
    hidden = len(line) - width
    return f"{line[: width - tail]} ... {hidden:,} more characters ... {line[-tail:]}"
