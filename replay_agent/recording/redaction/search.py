"""Finds every secret in a text and in all that the text holds: further texts in escapes, in base64, in pieces of a stream.

Each rule looks at text whose escapes are undone; what it finds is carried back to where it stands in the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from replay_agent.recording.redaction.finders.by_name import MEMBERS, QUERIES, XML_FIELDS, find_form_fields
from replay_agent.recording.redaction.finders.clues import Clues, Looker, Rule
from replay_agent.recording.redaction.finders.grants import GRANTS
from replay_agent.recording.redaction.finders.header_lines import HEADER_LINES
from replay_agent.recording.redaction.finders.long_words import words_at
from replay_agent.recording.redaction.finders.paired import PAIRED
from replay_agent.recording.redaction.finders.settings import OPTIONS, QUOTED, SAID, SETTINGS
from replay_agent.recording.redaction.finders.shapes import BEHIND_BACKSLASHES, SHAPES, URL_PASSWORDS, find_shapes
from replay_agent.recording.redaction.finders.sieve import Sieve, anchored
from replay_agent.recording.redaction.finders.tables import TABLES
from replay_agent.recording.redaction.finders.web_keys import WEB_KEYS
from replay_agent.recording.redaction.knowledge import Knowledge
from replay_agent.recording.redaction.layers.archives import cleaned_archive, is_archive, zips
from replay_agent.recording.redaction.layers.containers import narrowed, packed_members, packing, repacked, unpacked
from replay_agent.recording.redaction.layers.escapes import (
    LEVELS,
    MAIL,
    MARGIN,
    is_form_with_spaces,
    is_quoted_printable,
    peeled,
    plain,
)
from replay_agent.recording.redaction.layers.in_base64 import find_in_base64, may_begin_base64
from replay_agent.recording.redaction.layers.in_digits import find_in_digits, may_begin_digits
from replay_agent.recording.redaction.layers.in_streams import find_split, stream_events
from replay_agent.recording.redaction.spans import Places, Span, Spans, replaced

__all__ = "Search", "sieve"

_DOCUMENTS = (MEMBERS, QUERIES, XML_FIELDS, PAIRED, TABLES, WEB_KEYS, GRANTS, URL_PASSWORDS, BEHIND_BACKSLASHES)
"""Look at a text as it is: an escape may be part of what is to be read."""
_WORDS = (SHAPES, SETTINGS, OPTIONS, QUOTED, SAID, HEADER_LINES)
"""Look at a text whose escapes are all undone."""
_MAIL = anchored((b"=", MAIL), needs=b"=")
_DEEPEST_BASE64 = 3
_OVERLAP = MARGIN // 2


def sieve(rules: Iterable[Rule] = ()) -> Sieve:
    """Return what tells where the rules of a search and others may find anything. One serves many searches."""
    rules = (*rules, *_DOCUMENTS, *_WORDS)
    anchors = (anchor for rule in rules for anchor in rule.anchors)
    of_words = (anchor for rule in rules for anchor in rule.of_words)
    beside_words = (anchor for rule in rules for anchor in rule.beside_words)
    return Sieve((*anchors, _MAIL), (*of_words, may_begin_base64), beside_words, within_words=(may_begin_digits,))


_SIEVE = sieve()


class Search:
    """Looks for what a run knows, for names, for shapes, and for what the user named."""

    def __init__(self, knowledge: Knowledge, own: Sequence[Rule] = (), sieve: Sieve = _SIEVE) -> None:
        self.knowledge = knowledge
        self._sieve = sieve
        self._documents = (*own, *_DOCUMENTS)

    def find(
        self, data: bytes, events: Sequence[tuple[int, int]] | None = None, *, first: Looker | None = None
    ) -> Spans:
        """Find the secrets in a body. What is found is known from then on, so that it is found elsewhere too.

        ``events`` are the documents of a stream, if it is known where they stand. ``first`` is asked of the body as it
        is spelled, before all rules.
        """
        while True:
            known = self.knowledge.size
            spans = Spans(data, self._all(data, events, first), plain).merged()
            for span in spans:
                if span.text is None and not span.stands_in:
                    self.knowledge.learn(span.rule, span.value)
            if self.knowledge.size == known:
                return spans
            del spans

    def _all(self, data: bytes, events: Sequence[tuple[int, int]] | None, first: Looker | None) -> Iterator[Span]:
        if is_archive(data):
            found = cleaned_archive(data, lambda inner: self._cleaned(inner, _DEEPEST_BASE64 - 1))
            if found is not None:
                yield Span(0, len(data), found[1], text=found[0])
                return
        packed, clues = list(self._packed(data)), self._clues(data)
        all_else = chain(
            first(data, clues) if first else (),
            self._split(data, events),
            self._within(clues, LEVELS, _DEEPEST_BASE64),
        )
        yield from packed
        yield from (span for span in all_else if not any(span.start < p.end and p.start < span.end for p in packed))

    def places(self, data: bytes, spans: Spans) -> Places:
        """Return what comes in the place of each secret."""
        return Places(spans, partial(self._text, data))

    def clean(self, data: bytes) -> tuple[bytes, str] | None:
        """Return bytes without their secrets, and the rule of the first of these; None if they hold none."""
        return self._cleaned(data, _DEEPEST_BASE64)

    def _cleaned(self, data: bytes, depth: int) -> tuple[bytes, str] | None:
        if packing(data):
            packed = unpacked(data)
            found = self._cleaned(packed, depth - 1) if packed is not None and depth else None
            if packed is not None:
                return None if found is None else (repacked(found[0], data), found[1])
        if is_archive(data) and depth:
            found = cleaned_archive(data, lambda inner: self._cleaned(inner, depth - 1))
            if found is not None:
                return found
        wide = narrowed("", data)
        if wide is not None:
            found = self._cleaned(wide.data, depth)
            return None if found is None else (wide.spelled(found[0]), found[1])
        spans = Spans(data, chain(self._split(data, None), self._within(self._clues(data), LEVELS, depth))).merged()
        if not spans:
            return None
        return replaced(data, self.places(data, spans)), spans[0].rule

    def _clues(self, text: bytes) -> Clues:
        return Clues(text, self._sieve)

    def _packed(self, data: bytes) -> Iterator[Span]:
        """Find the packed files within a body that hold a secret, each to be packed anew around what comes in its place."""
        for start, end in chain(packed_members(data), zips(data)):
            found = self.clean(data[start:end])
            if found is not None:
                yield Span(start, end, found[1], text=found[0])

    def _split(self, data: bytes, events: Sequence[tuple[int, int]] | None) -> Iterator[Span]:
        places = stream_events(data) if events is None else events
        yield from find_split(data, places, lambda joined: self._within(self._clues(joined), LEVELS, _DEEPEST_BASE64))

    def _within(self, clues: Clues, levels: int, depth: int) -> Spans:
        """Look at a text as a document, then at what its escapes stand for, and where there are none at its words."""
        text = clues.text
        spans = Spans(text, (), plain)
        for rule in self._documents:
            spans.extend(rule.find(text, clues))
        if is_form_with_spaces(text):  # whether or not a header says so
            spans.extend(find_form_fields(text))
            spans.extend(find_shapes(text))  # it may be a setting: a plus sign is part of a token then
        spans.extend(self._without_mail(clues, levels, depth))
        if levels and clues.may(_MAIL) and is_quoted_printable(text):
            of_mail = Spans(text, self._in_mail(text, levels)).merged()
            spans = Spans(text, chain(of_mail, _left_by_mail(text, spans, of_mail)), plain)
        return spans.merged()

    def _in_mail(self, text: bytes, levels: int) -> Iterator[Span]:
        for layer in peeled(text, mail=True):
            yield from layer.unpeeled(self._within(self._clues(layer.text), min(levels - 1, 1), 0))

    def _without_mail(self, clues: Clues, levels: int, depth: int) -> Iterator[Span]:
        text, position = clues.text, 0
        for layer in peeled(text) if levels else ():
            if layer.begin:
                yield from self._within_words(clues.of(position, layer.begin + _OVERLAP), position, depth)
            yield from layer.unpeeled(self._within(self._clues(layer.text), levels - 1, depth))
            position = max(layer.end - _OVERLAP, 0)
            if layer.end == len(text):
                return
        yield from self._within_words(clues.of(position, len(text)), position, depth)

    def _within_words(self, clues: Clues, start: int, depth: int) -> Iterator[Span]:
        """Look at the words of a text that begins at a place of another. A word that is cut at the start is none."""
        words = clues.text
        yield from _later(self.knowledge.find(words), start)
        for rule in _WORDS:
            yield from _later(rule.find(words, clues), start)
        if depth:

            def clean(data: bytes) -> tuple[bytes, str] | None:
                return self._cleaned(data, depth - 1)

            holds = self.knowledge.holds if self.knowledge.size else None
            places = clues.at(may_begin_base64) if holds is None else None
            yield from _later(find_in_base64(words, words_at(words, places), holds, clean), start)
            if clues.may(may_begin_digits):
                yield from _later(find_in_digits(words, clean), start)

    def _text(self, data: bytes, span: Span) -> bytes:
        if span.text is not None:
            return span.text
        made = self.knowledge.placeholder(span)
        if not span.quoted:
            return made
        quote = _quote_before(data, span.start)
        return quote + made + quote


_REST_OF_ESCAPE = re.compile(rb"(?<==)[0-9A-F]{2}")
_ESCAPE_OF_MAIL = re.compile(rb"=[0-9A-F]{2}")
_ESCAPES_OF_MAIL = re.compile(rb"(?:=[0-9A-F]{2})+")


def _left_by_mail(text: bytes, spans: Spans, of_mail: Spans) -> Iterator[Span]:
    """Yield the spans but those that begin with or within an escape of mail (``token =3Fx=3Dsk-...``) and are found there."""
    before = 0
    for span in spans.in_order():
        while before < len(of_mail) and of_mail[before].end <= span.start:
            before += 1
        if before < len(of_mail) and _goes_on_in_escapes(text, span, of_mail[before]):
            continue
        escape = _REST_OF_ESCAPE.match(text, span.start) or _ESCAPE_OF_MAIL.match(text, span.start)
        if escape is None or not _is_of_mail(text, span, escape.end(), of_mail, before):
            yield span


def _goes_on_in_escapes(text: bytes, span: Span, found: Span) -> bool:
    """Tell whether a span is one of mail, and behind it escapes that are no part of a secret: ``...Q=0A``."""
    return found.start <= span.start and _ESCAPES_OF_MAIL.fullmatch(text, found.end, span.end) is not None


def _is_of_mail(text: bytes, span: Span, start: int, of_mail: Spans, first: int) -> bool:
    """Tell whether the secret of a span is one of mail; those that end behind its start begin with the ``first``.

    ``start`` is where the escape ends in which the span begins.
    """
    for number in range(first, len(of_mail)):
        found = of_mail[number]
        if found.start >= span.end:
            return False
        if (found.end >= span.end or _ESCAPE_OF_MAIL.match(text, found.end)) and (
            found.start <= start or _ESCAPE_OF_MAIL.search(text, start, span.end)
        ):
            return True
    return False


def _later(spans: Iterable[Span], start: int) -> Iterator[Span]:
    """Yield the spans of a part of a text as spans of the text; the part begins at ``start``."""
    for span in spans:
        if span.start or not start:
            yield Span(span.start + start, span.end + start, *span[2:]) if start else span


def _quote_before(data: bytes, start: int) -> bytes:
    r"""Return how the quotation marks of a name are spelled that stands before a value: ``"``, ``\\"``, ``%22``."""
    before = (
        data[max(start - 300, 0) : start]
        .replace(b"%3A", b":")
        .replace(b"%20", b" ")
        .rstrip(b" \t\r\n+")
        .removesuffix(b":")
    )
    before = before.rstrip(b" \t\r\n+")
    for quote in (b"%22", b"&quot;", b"&#34;"):
        if before.endswith(quote):
            return quote
    bare = before.removesuffix(b'"')
    return bare[len(bare.rstrip(b"\\")) :] + b'"'
