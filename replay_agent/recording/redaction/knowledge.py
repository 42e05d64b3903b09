"""The secrets that a run has shown so far: which values to look for, and what stands in the place of each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from threading import RLock
from typing import Any

from replay_agent.recording.matching.placeholders import PLACEHOLDER, placeholder
from replay_agent.recording.redaction.digests import Digests
from replay_agent.recording.redaction.finders.by_name import find_json_fields
from replay_agent.recording.redaction.layers.escapes import plain
from replay_agent.recording.redaction.looks import is_searchable
from replay_agent.recording.redaction.names import environment_secrets
from replay_agent.recording.redaction.spans import Span

__all__ = ("Knowledge",)

_SCHEME = re.compile(rb"(?:[Bb]earer|[Bb]asic|[Tt]oken|[Bb]ot) +(?=\S)")
_FEW = 60
"""Values that are looked for one by one, a millisecond a megabyte each; for more, each place is looked at once."""
_MOST = 1500
"""Values that traffic may teach. Of more, each is replaced where a rule finds it, and looked for nowhere else."""
_BEGINNING = 8
"""Bytes by which values are told apart at first; no searched one is shorter."""


class _Names:
    """Texts one behind the other: each is known by where it stands, and takes little more than its length."""

    _SIZE = 4

    def __init__(self) -> None:
        self._kept = bytearray()
        self._last: tuple[str, int] | None = None

    def add(self, name: str) -> int:
        """Keep a name, and return where; one that is added several times in a row is kept once."""
        if self._last is None or self._last[0] != name:
            encoded = name.encode("utf-8", "surrogatepass")
            self._last = name, len(self._kept)
            self._kept += len(encoded).to_bytes(self._SIZE, "little")
            self._kept += encoded
        return self._last[1]

    def __getitem__(self, at: int) -> str:
        start = at + self._SIZE
        end = start + int.from_bytes(self._kept[at:start], "little")
        return self._kept[start:end].decode("utf-8", "surrogatepass")


class Knowledge:
    """The values of credential variables, as last read, and every secret that was found or carried in this run.

    Secrets are told apart: each has one placeholder, numbered by order of appearance. ``environ`` is the process's by
    default. May be shared by threads.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ: Mapping[str, str] = os.environ if environ is None else environ
        self._environ_read: dict[str, str] | None = None
        self._environ_held: dict[Any, Any] | None = None
        self._lock = RLock()
        self._rules: dict[bytes, int] = {}
        """By each value where the name of its rule is kept."""
        self._spelled: dict[bytes, bytes] = {}
        """Other spellings of those values, which are looked for too."""
        self._beginnings: dict[bytes, int | tuple[int, ...]] = {}
        """How long those are that begin so: most often one, or all as long as each other."""
        self._names = _Names()
        """What rules are called, and what placeholders name."""
        self._placeholders = Digests()
        """Where the name of each value's placeholder is in there, and its number."""
        self._counts = Digests()
        """By the first placeholder of a rule the same of its last one: ``Api Key`` and ``Api-Key`` are one name."""
        self._taken = Digests()
        self.read_environment()

    @property
    def size(self) -> int:
        """How many values are looked for; grows with what the run shows."""
        return len(self._rules)

    def read_environment(self) -> None:
        """Take in what the variables hold now. What one held before is still looked for."""
        held = _held(self._environ)
        if held is not None and held == self._environ_held:
            return
        as_held = None if held is None else held.copy()
        now = dict(self._environ)
        with self._lock:
            self._environ_held = as_held
            if now == self._environ_read:
                return
            self._environ_read = now
            for value, name in environment_secrets(now).items():
                self._add(value.encode("utf-8", "surrogateescape"), name)
            for name, value in now.items():
                if value.lstrip()[:1] in ("{", "["):  # the key file of a service account, say
                    self._learn_fields(name, value.encode("utf-8", "surrogateescape"))

    def learn(self, rule: str, value: bytes) -> None:
        """Look for a value from now on, if it can be looked for."""
        value = _bare(value)
        is_new = value not in self._rules and len(self._rules) < _MOST
        if is_new and is_searchable(value.decode("utf-8", "surrogateescape")):
            with self._lock:
                self._add(value, rule)

    def _learn_fields(self, name: str, document: bytes) -> None:
        for span in find_json_fields(document):
            self.learn(name, span.value)

    def _add(self, value: bytes, rule: str) -> None:
        if value not in self._rules:
            self._rules[value] = self._names.add(rule)
        self._add_beginning(value[:_BEGINNING], len(value))
        for spelling in {plain(value), value.replace(b" ", b"+"), value.replace(b"+", b" ")} - {value}:
            if len(spelling) >= _BEGINNING and spelling not in self._rules:
                self._spelled.setdefault(spelling, value)
                self._add_beginning(spelling[:_BEGINNING], len(spelling))

    def _add_beginning(self, beginning: bytes, length: int) -> None:
        known = self._beginnings.get(beginning)
        if known is None:
            self._beginnings[beginning] = length
        elif length not in (lengths := _several(known)):  # the longer one is meant where both stand
            self._beginnings[beginning] = (*sorted((*lengths, length), reverse=True),)

    def find(self, text: bytes) -> Iterator[Span]:
        """Find the known values."""
        for start, spelling, value in self._places(text):
            yield Span(start, start + len(spelling), self._names[self._rules[value]], value)

    def _places(self, text: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield where which spelling of which value stands."""
        if len(self._rules) + len(self._spelled) > _FEW:
            yield from self._places_of_many(text)
            return
        for spelling in [*self._rules, *self._spelled]:
            start = text.find(spelling)
            while start >= 0:
                yield start, spelling, self._spelled.get(spelling, spelling)
                start = text.find(spelling, start + len(spelling))

    def _places_of_many(self, text: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """The same in time that does not grow with the number of values: by how they begin."""
        beginnings, rules, spelled = self._beginnings, self._rules, self._spelled
        for start in range(len(text) - _BEGINNING + 1):
            known = beginnings.get(text[start : start + _BEGINNING])
            if known is None:
                continue
            for length in _several(known):
                spelling = text[start : start + length]
                if spelling in rules or spelling in spelled:
                    yield start, spelling, spelled.get(spelling, spelling)
                    break

    def holds(self, text: bytes) -> bool:
        """Tell whether a known value is in there."""
        return next(self._places(text), None) is not None

    def placeholder(self, span: Span) -> bytes:
        """Return what comes in the place of a secret, the same one wherever it is found."""
        if span.stands_in:
            return placeholder(span.rule, 0)
        value = _bare(span.value)
        with self._lock:
            known = self._placeholders.get(value)
            if known is None:
                at = self._rules.get(value)
                known = self._next(span.rule if at is None else self._names[at])
                self._placeholders.put(value, *known)
            return placeholder(self._names[known[0]], known[1])

    def _next(self, rule: str) -> tuple[int, int]:
        """Return where the name of a rule's next placeholder is, and its number."""
        first = placeholder(rule)
        at, number = self._counts.get(first) or (self._names.add(first[len(b"REDACTED(") : -1].decode()), 0)
        number += 1
        while placeholder(rule, number) in self._taken:
            number += 1
        self._counts.put(first, at, number)
        return at, number

    def reserve(self, text: bytes) -> None:
        """Leave placeholders alone that traffic carries already: a client in replay sends back what it got."""
        if b"REDACTED(" in text:
            with self._lock:
                for found in PLACEHOLDER.finditer(text):
                    self._taken.put(found[0])


def _several(known: int | tuple[int, ...]) -> tuple[int, ...]:
    return known if isinstance(known, tuple) else (known,)


def _bare(value: bytes) -> bytes:
    """Return a secret without escapes and the scheme before it, so that it is one and the same wherever it stands."""
    value = plain(value.strip()) if len(value) < 1 << 16 else value
    scheme = _SCHEME.match(value)
    return value[scheme.end() :] if scheme else value


def _held(environ: Mapping[str, str]) -> dict[Any, Any] | None:
    """Return what `os.environ` keeps the variables in, if it does: that none has changed it tells at once.

    It decodes each variable anew, which took a tenth of what it costs to record a request.
    """
    held = getattr(environ, "__dict__", {}).get("_data") if environ is os.environ else None
    return held if type(held) is dict else None
