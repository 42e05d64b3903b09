r"""Undoes escapes, one level at a time, and knows where everything stood before.

A text within a text is spelled with escapes: JSON in a string of JSON (``\"``, ``\u002B``), a query (``%2B``), HTML
(``&#43;``), lines that YAML folded. However deep a secret is, with enough levels undone it stands there in plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html.entities import html5
from urllib.parse import quote_from_bytes

from replay_agent.recording.redaction.spans import Span

__all__ = "LEVELS", "MARGIN", "Peeled", "is_form_with_spaces", "peeled", "plain"

LEVELS = 8
"""Deeper nesting is not looked into: a quotation mark has 255 backslashes before it there."""

_ESCAPE = re.compile(
    rb"""\\(?:["\\/bfnrt']"""  # \n
    rb"""|u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"""  # \ud83d\ude00
    rb"""|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}"""  # \u002B \x2b
    rb"""|\r?\n[ \t]*+\\?)"""  # a line that YAML folded within quotation marks
    rb"""|%[0-9A-Fa-f]{2}"""
    rb"""|&(?:#[0-9]{1,7}+|#[xX][0-9A-Fa-f]{1,6}+|amp|lt|gt|quot|apos);"""
)
_ESCAPE_IN_FORM = re.compile(rb"\+|" + _ESCAPE.pattern)
_FORM = re.compile(rb"[\w.*%\[\]-]++=[\w.*%~!$'()\[\]/=&,:;@|-]*+\+[\w.*%~!$'()\[\]/=&,:;@|+-]*+")
"""``grant_type=password&text=two+words``: a plus sign is a space there, and nowhere else."""
_FIRSTS = frozenset(b"\\%&")
_LONGEST = 12
"""The bytes of the longest escape, but for a folded line, which ends in white space."""
_STEP = 1 << 16
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
MARGIN = 1 << 15
"""How much is kept around an escape: whatever is longer than that and spelled with one is no secret."""


@lru_cache(maxsize=4096)
def _plain(escape: bytes) -> bytes:
    """Return what an escape stands for."""
    if escape == b"+":
        return b" "
    if escape[:1] == b"%":
        return bytes((int(escape[1:], 16),))
    if escape[:1] == b"&":
        return _entity(escape)
    letter = escape[1:2]
    if letter == b"u" and len(escape) == 12:
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        return chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF)).encode()
    if letter in (b"u", b"x"):
        return chr(int(escape[2:].decode(), 16)).encode("utf-8", "surrogatepass")
    return b"" if letter in (b"\r", b"\n") else _LETTERS.get(letter, letter)


def _entity(escape: bytes) -> bytes:
    name = escape[1:].decode("ascii")
    if not name.startswith("#"):
        return html5[name].encode()
    code = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else escape


def is_form_with_spaces(text: bytes) -> bool:
    """Tell whether a text is a form or query whose plus signs are spaces."""
    return _FORM.fullmatch(text) is not None


def plain(text: bytes) -> bytes:
    """Return a short text with all levels of its escapes undone."""
    for _ in range(LEVELS):
        if _ESCAPE.search(text) is None:
            break
        text = _ESCAPE.sub(lambda found: _plain(found[0]), text)
    return text


class Peeled:
    """A stretch of a text with one level of its escapes undone."""

    def __init__(self, text: bytes, source: bytes, begin: int, end: int, escape: re.Pattern[bytes]) -> None:
        self.text = text
        self.begin, self.end = begin, end
        """Where the stretch stands in the text that it was made of."""
        self._source = source
        self._escape = escape

    def unpeeled(self, spans: Sequence[Span]) -> list[Span]:
        """Return spans of this text, in order and apart, as spans of the text that it was made of."""
        places = iter(self._places([place for span in spans for place in (span.start, span.end)]))
        return [self._spelled(span, next(places), next(places)) for span in spans]

    def _places(self, wanted: Sequence[int]) -> Iterator[int]:
        """Yield where these places, starts and ends in turn, stood before: one within an escape is at its edge."""
        done, count = 0, len(wanted)
        read, at = 0, self.begin
        for found in self._escape.finditer(self._source, self.begin, self.end):
            if done == count:
                return
            start, end = found.span()
            before = read + start - at
            after = before + len(_plain(found[0]))
            while done < count and wanted[done] < before + done % 2:
                yield at + wanted[done] - read
                done += 1
            while done < count and wanted[done] < after + done % 2:
                yield end if done % 2 else start
                done += 1
            read, at = after, end
        for place in wanted[done:]:
            yield at + place - read

    def _spelled(self, span: Span, start: int, end: int) -> Span:
        """Return the span at its place before; what comes there must be read back through the same escapes."""
        text = span.text
        if text and self._source.find(b"%", start, end) >= 0:
            text = quote_from_bytes(text, safe="-_.~()").encode()
        return span._replace(start=start, end=end, text=text)


def peeled(source: bytes) -> Iterator[Peeled]:
    """Yield the stretches of a text that hold escapes, one level of these undone. Takes no more memory than the text."""
    escape = _ESCAPE_IN_FORM if is_form_with_spaces(source) else _ESCAPE
    found = escape.search(source)
    end = 0
    while found is not None:
        begin = max(found.start() - MARGIN, end)
        text = bytearray(source[begin : found.start()])
        position = found.start()
        while found is not None and found.start() - position <= 2 * MARGIN:
            stop = _cut(source, position)
            text += escape.sub(_replacement, source[position:stop])
            position = stop
            found = escape.search(source, position)
        end = min(position + MARGIN, len(source))
        text += memoryview(source)[position:end]
        stretch = bytes(text)
        del text
        yield Peeled(stretch, source, begin, end, escape)


def _replacement(found: re.Match[bytes]) -> bytes:
    return _plain(found[0])


def _cut(source: bytes, position: int) -> int:
    """Return a place some way behind this one that is within no escape."""
    stop = position + _STEP
    if stop >= len(source):
        return len(source)
    for cut in range(stop, max(stop - 20 * _LONGEST, position + _LONGEST), -_LONGEST):
        before = source[cut - _LONGEST : cut]
        if _FIRSTS.isdisjoint(before) and not before[-1:].isspace():
            return cut
    last = position
    for found in _ESCAPE.finditer(source, position, stop):
        last = found.end() if found.end() <= stop - _LONGEST else last
    return last if last > position else stop
