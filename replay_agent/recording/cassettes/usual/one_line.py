"""A short JSON body that was spelled on one line, from its lines: most of them have been seen before.

Answers of one provider differ in a few lines: the others are transcribed once. That takes a third of the time of
`JSONLines`, which calls itself for what is within.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import compress, count
from operator import ne
from typing import NamedTuple, TypeAlias

from replay_agent.recording.cassettes.json_spelling import Spelling, Transcription
from replay_agent.recording.cassettes.yaml_blocks import read_literal

__all__ = "OneLine", "reading"

# A line: its blanks, its dashes, and a key with its value, or a value alone. ``  - - role: user``, ``- 'a: b'``, ``k:``
_LINE = re.compile(r'( *)((?:- )*)(?:([A-Za-z_$][A-Za-z0-9_$./-]*|"(?:[^"\\\n]|\\.)*"):(?: ([^\n]+))?|([^\n]+))')
# The head of a text of several lines, with the line up to it: ``  - content: |-``, ``- |2+``.
_LITERAL = re.compile(r"^( *(?:- )*)([^ '\n|][^\n]*: )?\|2?[-+]?\n", re.MULTILINE)
_CONSTANTS = frozenset({"null", "true", "false"})
_NUMERIC = frozenset("-0123456789")
_MOST_KNOWN = 4096
_MOST_MODELS = 64
_MOST_OTHERS = 8
"""Lines in which a body may differ from one of as many lines; with more it takes no longer to transcribe it as a whole."""
_LONGEST_KNOWN = 120
"""Characters of a line that is remembered."""


_Line: TypeAlias = tuple[int, tuple[int, ...], str, bool]
"""What a line becomes: its level, that of what begins in it behind its first dash, its key and value as JSON behind the
brackets of those, and whether the value stands in the lines below.

A level is twice the column in which something begins, one more at a dash: a list stands in the column of the key that it
belongs to. A plain tuple, as it is taken apart for each line.
"""


class _Model(NamedTuple):
    """A body that was transcribed: the next one of as many lines nearly always differs from it in their values alone."""

    lines: list[str]
    read: list[_Line]
    written: list[str]
    places: list[int]
    """Where in ``written`` each line is."""


@lru_cache(maxsize=64)
def reading(spelling: Spelling) -> OneLine | None:
    """Return what reads bodies of a spelling, None for one of several lines."""
    spelled = Transcription(spelling)
    return OneLine(spelled) if spelled.is_on_one_line else None


class _Form(NamedTuple):
    """Bodies that differ in the values of some lines: what stands before each of those and behind the last, on either side."""

    fields: list[tuple[str, str, _Line]]
    """Of each line that differs: the lines before it, what they become, and the line itself in one of the bodies."""
    rest: str
    written: str


def _form_of(model: _Model, places: list[int]) -> _Form:
    """Return the form of bodies that differ from a model in these lines at most."""
    fields: list[tuple[str, str, _Line]] = []
    begin, done = 0, 0
    for place in places:
        before = "\n".join(["", *model.lines[begin:place], ""] if begin else [*model.lines[:place], ""])
        at = model.places[place]
        fields.append((before, "".join(model.written[done:at]), model.read[place]))
        begin, done = place + 1, at + 1
    return _Form(fields, "\n".join(["", *model.lines[begin:], ""]), "".join(model.written[done:]))


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


class _GoesOn(Exception):
    """Raised for a text in quotes that goes on in the next line."""


class OneLine:
    """What lines become in one spelling."""

    def __init__(self, spelled: Transcription) -> None:
        self._string, self._comma, self._colon = spelled.string, spelled.comma, spelled.colon
        self._known: dict[str, _Line] = {}
        self._models: dict[int, _Model] = {}
        """By their number of lines, what was transcribed last."""
        self._forms: dict[int, tuple[list[int], _Form]] = {}
        """By their number of lines, what those that came one after the other have in common, and where they differ."""

    def read(self, text: str) -> str | None:
        """Transcribe the lines below a key; None for what is left to the long way: odd texts.

        Raises ValueError and IndexError for lines that nobody has written, where it notices.
        """
        literals: list[str] = []
        try:
            if "|" in text:
                text = _without_literals(text, literals)
            else:
                form = self._forms.get(text.count("\n"))
                filled = self._filled(form[1], text) if form is not None else None
                if filled is not None:
                    return filled
            *found, last = text.split("\n")
            if last:
                raise ValueError("the last line does not end")
            return self.transcribed(found, literals)
        except _GoesOn:
            return None

    def _filled(self, form: _Form, text: str) -> str | None:
        """Transcribe a body by what is known of its form, without a look at the lines that are the same; None for another form."""
        known, position = self._known, 0
        written: list[str] = []
        for before, meaning, was in form.fields:
            begin = position + len(before)
            position = text.find("\n", begin)
            line = text[begin:position]
            if position < 0 or not text.startswith(before, begin - len(before)):
                return None
            now = known.get(line) or self._meant(line, [])
            if now[0] != was[0] or now[1] != was[1] or now[3] is not was[3]:
                return None
            written += meaning, now[2]
        if text[position:] != form.rest:
            return None
        written.append(form.written)
        return "".join(written)

    def transcribed(self, lines: list[str], literals: list[str]) -> str:
        """Transcribe the lines of a body, and what they say together."""
        model = None if literals else self._models.get(len(lines))
        return self._anew(lines, literals) if model is None else self._like(model, lines)

    def _like(self, model: _Model, lines: list[str]) -> str:
        """Transcribe a body after the model of one whose lines stand in the same levels, if it does have that shape."""
        known = self._known
        others = list(compress(count(), map(ne, lines, model.lines)))
        if len(others) > _MOST_OTHERS:
            return self._anew(lines, [])
        written = model.written.copy()
        for place in others:
            was, line = model.read[place], lines[place]
            now = known.get(line) or self._meant(line, [])
            if now[0] != was[0] or now[1] != was[1] or now[3] is not was[3]:
                return self._anew(lines, [])
            written[model.places[place]] = now[2]
        self._note_form(model, others)
        return "".join(written)

    def _note_form(self, model: _Model, others: list[int]) -> None:
        """Note where a body differed from the model, if those of this form do so in a few lines altogether."""
        size = len(model.lines)
        known = self._forms.get(size)
        places = sorted({*others, *(known[0] if known is not None else ())})
        if 0 < len(places) <= _MOST_OTHERS:
            if len(self._forms) >= _MOST_MODELS:
                self._forms.clear()
            self._forms[size] = places, _form_of(model, places)
        else:
            self._forms.pop(size, None)

    def _anew(self, lines: list[str], literals: list[str]) -> str:
        known, comma = self._known, self._comma
        levels, written, leads = [-1], list[str](), True
        add, read, places = written.append, list[_Line](), list[int]()
        for line in lines:
            found = known.get(line) or self._meant(line, literals)
            level, within, text, more = found
            while levels[-1] > level:
                add(_CLOSING[levels.pop() & 1])
            if (levels[-1] != level) is not leads:
                raise ValueError("a line is not as it was written")
            if leads:
                levels.append(level)
                add(_OPENING[level & 1])
            else:
                add(comma)
            if within:
                levels += within
            read.append(found)
            places.append(len(written))
            add(text)
            leads = more
        if leads:
            raise ValueError("nothing follows a key")
        written += [_CLOSING[level & 1] for level in reversed(levels[1:])]
        if not literals:
            self._keep(_Model(lines, read, written, places))
        return "".join(written)

    def _keep(self, model: _Model) -> None:
        if len(self._models) >= _MOST_MODELS:
            self._models.clear()
        self._models[len(model.lines)] = model

    def _meant(self, line: str, literals: list[str]) -> _Line:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError("a line is empty")
        blank, dashes, key, value, alone = found.groups()
        if not (key or dashes):
            raise ValueError("there is neither a key nor a dash")
        column = len(blank)
        within = [2 * place + 1 for place in range(column + 2, column + len(dashes), 2)] if dashes else []
        if key and dashes:
            within.append(2 * (column + len(dashes)))
        head = f"{self._key(key)}{self._colon}" if key else ""
        said = value or alone
        opening = "".join([_OPENING[level & 1] for level in within]) if within else ""
        text = f"{opening}{head}{self._value(said, literals) if said else ''}"
        read = 2 * column + bool(dashes), tuple(within), text, not said
        if len(line) <= _LONGEST_KNOWN and not (said and said[0] == "|"):
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[line] = read
        return read

    def _key(self, key: str) -> str:
        return self._string(json.loads(key)) if key[0] == '"' else f'"{key}"'

    def _value(self, value: str, literals: list[str]) -> str:
        first = value[0]
        if first == "'":
            return self._string(value[1:-1].replace("''", "'"))
        if first == "[":
            return f"[{value[1:-1].replace(', ', self._comma)}]"
        if first == "|":
            return self._string(literals[int(value[1:])])
        if first == '"':
            if value[-1] == "\\":
                raise _GoesOn
            return self._string(json.loads(value))
        return value if first in _NUMERIC or first == "{" or value in _CONSTANTS else self._string(value)


_OPENING, _CLOSING = "{[", "}]"
"""By whether a level is odd: brackets of objects and of lists."""
