"""Texts and values as the words of a page, cut where they are endless."""

from __future__ import annotations

import json
from typing import Any

from replay_agent.report.conversation.plain import parsed, plain
from replay_agent.report.page.report import Words

__all__ = "LONGEST", "value_words", "words"

_ONE_LINE = 76
"""Characters of JSON that read well on one line, on a phone on two."""
LONGEST = 40_000
"""Characters of one text: more than anybody reads on a page. The cassette has all of it."""


def words(text: str, longest: int = LONGEST) -> Words:
    """Return a text, its end left out where it is too long."""
    return Words(text[:longest], max(0, len(text) - longest))


def value_words(value: Any, longest: int = LONGEST) -> Words:
    """Return a value as text: a text as it is, but JSON in it, and everything else, as indented JSON."""
    if isinstance(value, str):
        structured = parsed(value)
        if structured is None:
            return words(value, longest)
        value = structured
    simple = plain(value)
    return words(simple if isinstance(simple, str) else _json(simple), longest)


def _json(value: Any) -> str:
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _ONE_LINE else json.dumps(value, indent=2, ensure_ascii=False)
