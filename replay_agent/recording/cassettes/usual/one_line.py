"""A short JSON body that was spelled on one line, from its lines: all of them are cut at once, and each costs a few steps.

That takes a third of the time of `JSONLines`, which goes from line to line and calls itself for what is within.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache

from replay_agent.recording.cassettes.json_spelling import Spelling, Transcription
from replay_agent.recording.cassettes.yaml_blocks import read_literal

__all__ = ("on_one_line",)

# A line: its blanks, its dashes, and a key with its value, or a value alone. ``  - - role: user``, ``- 'a: b'``, ``k:``
_LINES = re.compile(r'( *)((?:- )*)(?:([A-Za-z_$][A-Za-z0-9_$./-]*|"(?:[^"\\\n]|\\.)*"):(?: ([^\n]+))?|([^\n]+))\n')
# The head of a text of several lines, with the line up to it: ``  - content: |-``, ``- |2+``.
_LITERAL = re.compile(r"^( *(?:- )*)([^ '\n|][^\n]*: )?\|2?[-+]?\n", re.MULTILINE)
_CONSTANTS = frozenset({"null", "true", "false"})
_NUMERIC = frozenset("-0123456789")
_ODD = frozenset("|\"'[{")


def on_one_line(text: str, spelling: Spelling) -> str | None:
    """Transcribe the lines below a key; None for what is left to the long way: another spelling, odd texts.

    Raises ValueError and IndexError for lines that nobody has written, where it notices.
    """
    spelled = _transcription(spelling)
    if not spelled.is_on_one_line:
        return None
    literals: list[str] = []
    lines = _without_literals(text, literals) if "|" in text else text
    found = _LINES.findall(lines)
    if len(found) != lines.count("\n") or not lines.endswith("\n"):
        raise ValueError("a line is not as it was written")
    return _transcribed(found, spelled, literals)


@lru_cache(maxsize=64)
def _transcription(spelling: Spelling) -> Transcription:
    """Return how to spell: of what stands on one line, nothing is counted."""
    return Transcription(spelling)


def _without_literals(text: str, literals: list[str]) -> str:
    """Return the lines with a number in the place of each text of several lines, which is added to ``literals``."""
    kept, position = [], 0
    while (head := _LITERAL.search(text, position)) is not None:
        body, after = read_literal(text, head.end() - 1, len(head[1]) + (2 if head[2] else 0))
        kept.append(f"{text[position : text.rindex('|', 0, head.end())]}|{len(literals)}\n")
        literals.append(body)
        position = after
    kept.append(text[position:])
    return "".join(kept)


def _transcribed(lines: list[tuple[str, ...]], spelled: Transcription, literals: list[str]) -> str | None:
    string, comma, colon = spelled.string, spelled.comma, spelled.colon
    # What is open: twice its column, one more for a list, which stands in the column of the key that it belongs to.
    levels, closing, written = [-1], [""], list[str]()
    add, opens = written.append, True
    for blank, dashes, key, behind, alone in lines:
        level = 2 * len(blank) + (dashes != "")
        while levels[-1] > level:
            levels.pop()
            add(closing.pop())
        if (levels[-1] != level) is not opens or not (key or dashes):
            raise ValueError("a line is not as it was written")
        if not opens:
            add(comma)
        elif dashes:
            levels.append(level)
            closing.append("]")
            add("[")
        if key and (opens or dashes):
            level += 2 * len(dashes) - (dashes != "")
        for _ in range(len(dashes) // 2 - 1):
            levels.append(levels[-1] + 4)
            closing.append("]")
            add("[")
        if key:
            if opens or dashes:
                levels.append(level)
                closing.append("}")
                add("{")
            add(string(json.loads(key)) if key[0] == '"' else f'"{key}"')
            add(colon)
        value = behind if key else alone
        opens = not value
        if value and (first := value[0]) not in _ODD:
            add(value if first in _NUMERIC or value in _CONSTANTS else string(value))
        elif value:
            odd = _odd(value, first, string, comma, literals)
            if odd is None:
                return None
            add(odd)
    if opens:
        raise ValueError("nothing follows a key")
    written.extend(reversed(closing))
    return "".join(written)


def _odd(value: str, first: str, string: Callable[[str], str], comma: str, literals: list[str]) -> str | None:
    """Transcribe a value in quotes, a row of numbers, something empty; None for what goes on in the next line."""
    if first == "'":
        return string(value[1:-1].replace("''", "'"))
    if first == "[":
        return f"[{value[1:-1].replace(', ', comma)}]"
    if first == "|":
        return string(literals[int(value[1:])])
    if first == '"':
        return None if value[-1] == "\\" else string(json.loads(value))
    return value
