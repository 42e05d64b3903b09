r"""Undoes escapes, one level at a time, and knows where everything stood before.

A text within a text is spelled with escapes: JSON in a string of JSON (``\"``, ``\u002B``), a query (``%2B``), HTML
(``&#43;``), lines that YAML folded. However deep a secret is, with enough levels undone it stands there in plain.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html.entities import html5
from urllib.parse import quote_from_bytes

from replay_agent.recording.redaction.spans import Span, Spans

__all__ = "LEVELS", "MAIL", "MARGIN", "Peeled", "is_form_with_spaces", "is_quoted_printable", "peeled", "plain"

LEVELS = 8
"""Deeper nesting is not looked into: a quotation mark has 255 backslashes before it there."""

_ESCAPE = re.compile(
    rb"""[\\%&\x1b\xc2\xcd\xd8\xe1\xe2\xef\xf3](?:"""  # the first byte by itself, so that it is looked for fast
    rb"""(?<=\\)(?:["\\/bfnrt']"""  # \n
    rb"""|u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"""  # \ud83d\ude00
    rb"""|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|U[0-9A-Fa-f]{8}|[ux]\{[0-9A-Fa-f]{1,6}\}"""  # \u002B \x2b \U0000002B \u{2b}
    rb"""|0{4}[0-9A-Fa-f]{2}[ ]?|[2-7][0-9A-Fa-f][ ]"""  # of CSS: \00002b \2b followed by a blank
    rb"""|[0-3][0-7]{2}"""  # of C and shells: \053
    rb"""|\r?\n[ \t]*+\\?)"""  # a line that YAML folded within quotation marks
    rb"""|(?<=%)(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})"""
    rb"""|(?<=&)(?:#[0-9]{1,9}+;?+|#[xX][0-9A-Fa-f]{1,8}+;?+|[A-Za-z]{2,10}+;|ZeroWidthSpace;)"""
    rb"""|(?<=\x1b)\[[0-9;:?]{0,24}+[A-Za-z]"""  # the colours of a terminal
    rb"""|(?<=\xc2)\xad|(?<=\xcd)\x8f|(?<=\xd8)\x9c|(?<=\xe1)\xa0\x8e"""  # of no width
    rb"""|(?<=\xe2)(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0-\xaf])"""
    rb"""|(?<=\xef)(?:\xb8[\x80-\x8f]|\xbb\xbf|\xbc[\x81-\xbf]|\xbd[\x80-\x9e])"""  # selectors; letters of full width
    rb"""|(?<=\xf3)(?:\xa0[\x80\x81][\x80-\xbf](?:\xf3\xa0[\x80\x81][\x80-\xbf]){0,3}+|\xa0[\x84-\x87][\x80-\xbf]))"""  # tags
)
"""Whatever stands for a character, or shows as none: ``s\u200bk\u200b-...`` is a key, too."""
_QUOTED_PRINTABLE = re.compile(rb"(?<!=)=(?:[0-9A-Fa-f]{2}|[ \t]{0,4}+\r?\n)")
"""Of mail (RFC 2045, 6.7): ``=2B``, and a line that goes on."""
_ESCAPE_IN_FORM = re.compile(rb"\+|" + _ESCAPE.pattern)
_FORM = re.compile(rb"[\w.*%\[\]-]++=[\w.*%~!$'()\[\]/=&,:;@|-]*+\+[\w.*%~!$'()\[\]/=&,:;@|+-]*+")
"""``grant_type=password&text=two+words``: a plus sign is a space there, and nowhere else."""
_FIRSTS = frozenset(b"\\%&\x1b\xc2\xcd\xd8\xe1\xe2\xef\xf3=")
_LONGEST = 32
"""The bytes of the longest escape, but for a folded line, which ends in white space."""
_STEP = 1 << 12
"""Bytes whose escapes are undone at once: joining the pieces takes 80 bytes for each of them."""
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
MARGIN = 1 << 15
"""How much is kept around an escape: whatever is longer than that and spelled with one is no secret."""


@lru_cache(maxsize=4096)
def _plain(escape: bytes) -> bytes:
    """Return what an escape stands for."""
    if escape[:1] == b"\\":
        return _behind_backslash(escape)
    if escape == b"+":
        return b" "
    if escape[:2] == b"%u":
        return _character(int.from_bytes(bytes.fromhex(escape[2:].decode())))
    if escape[:1] == b"%":
        return bytes((int(escape[1:], 16),))
    if escape[:1] == b"=":
        return bytes((int(escape[1:], 16),)) if len(escape) == 3 and escape[1:].isalnum() else b""
    if escape[:1] == b"&":
        return _entity(escape)
    return _shown(escape)


def _behind_backslash(escape: bytes) -> bytes:
    letter = escape[1:2]
    if letter == b"u" and len(escape) == 12 and escape[6:7] == b"\\":
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        return _character(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
    if letter in (b"u", b"x", b"U"):
        return _character(int(escape[2:].strip(b"{}").decode(), 16))
    if letter.isdigit():
        is_octal = len(escape) == 4 and not escape.endswith(b" ")
        return _character(int(escape[1:].decode(), 8 if is_octal else 16))
    return b"" if letter in (b"\r", b"\n") else _LETTERS.get(letter, letter)


def _shown(escape: bytes) -> bytes:
    """Return what is left of characters that show as none or as others: tags spell out a text that nobody sees."""
    if escape[:2] in (b"\xef\xbc", b"\xef\xbd"):
        return bytes((ord(escape.decode()) - 0xFEE0,))
    if escape[:2] == b"\xf3\xa0" and len(escape) > 4:
        return bytes(ord(each) & 0x7F for each in escape.decode()).replace(b"\x7f", b"")
    return b""


def _character(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b"\xef\xbf\xbd"


def _entity(escape: bytes) -> bytes:
    name = escape[1:].decode("ascii")
    if not name.startswith("#"):
        known = html5.get(name)
        return escape if known is None else known.encode()
    digits = name[1:].rstrip(";")
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    return _character(code) if code <= 0x10FFFF else escape


_IN_MAIL = re.compile(rb"=(?<!==)(?:3D|2[BDEF]|5F|\r?\n(?=[A-Za-z0-9_.+/=~]|-[^-]))")
"""A line that goes on does so at once: behind the end of base64 stands a margin, a mark or the boundary of a part."""


MAIL = rb"(?<!==)(?:3D|2[BDEF]|5F|\r?\n)"
"""What tells of mail in one line, behind an equals sign."""


def is_quoted_printable(text: bytes) -> bool:
    """Tell whether a text may be, or hold, mail whose characters are spelled ``=2B``."""
    return b"=" in text and _IN_MAIL.search(text) is not None


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

    def unpeeled(self, spans: Spans | Sequence[Span]) -> Iterator[Span]:
        """Yield spans of this text, which are in order and apart, as spans of the text that it was made of."""
        wanted = array(
            "I" if len(self.text) < 1 << 32 else "Q", (place for span in spans for place in (span.start, span.end))
        )
        places = iter(self._places(wanted))
        for span in spans:
            yield self._spelled(span, next(places), next(places))

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
        return Span(start, end, span.rule, span.value, text, span.quoted, span.stands_in)


def peeled(source: bytes, *, mail: bool = False) -> Iterator[Peeled]:
    """Yield the stretches of a text that hold escapes, one level of these undone. Takes no more memory than the text.

    With ``mail`` the escapes of mail are, which mean something else anywhere else.
    """
    escape = _QUOTED_PRINTABLE if mail else _ESCAPE_IN_FORM if is_form_with_spaces(source) else _ESCAPE
    found = _next(source, 0, escape)
    end = 0
    while found is not None:
        begin = max(found.start() - MARGIN, end)
        text = bytearray(source[begin : found.start()])
        position = found.start()
        while found is not None and found.start() - position <= 2 * MARGIN:
            stop = _cut(source, position)
            text += _undone(source[position:stop], escape)
            position = stop
            found = _next(source, position, escape)
        end = min(position + MARGIN, len(source))
        text += memoryview(source)[position:end]
        stretch = bytes(text)
        del text
        yield Peeled(stretch, source, begin, end, escape)


_FIRST_BYTES = [bytes((each,)) for each in b"\\%&\x1b\xc2\xcd\xd8\xe1\xe2\xef\xf3"]
_BLOCK = 1 << 14
_MOST_TRIED = 64
"""Bytes of a block that begin an escape elsewhere; from a block that has more on, each byte is looked at."""


def _next(source: bytes, position: int, escape: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """Return the first escape from a place on, found by where its first byte may stand: most of a text has none."""
    if escape is not _ESCAPE:
        return escape.search(source, position)
    start, size = position, _STEP // 8
    while start < len(source):
        first, end, tried = None, start + size, 0
        for byte in _FIRST_BYTES:
            place = source.find(byte, start, end)
            while place >= 0:
                found = escape.match(source, place)
                if found is not None:
                    first, end = found, place
                    break
                tried += 1
                if tried > _MOST_TRIED:
                    return escape.search(source, start)
                place = source.find(byte, place + 1, end)
        if first is not None:
            return first
        start, size = start + size, min(2 * size, _BLOCK)
    return None


_OTHER_FIRSTS = b"%&\x1b\xc2\xcd\xd8\xe1\xe2\xef\xf3"
_BESIDE_BACKSLASHES = re.compile(b"[" + _OTHER_FIRSTS + b"]" + _ESCAPE.pattern.partition(b"]")[2])
_BACKSLASH = b"\\"
_SIMPLE = [
    (_BACKSLASH + letter, _LETTERS.get(letter, letter)) for letter in (b'"', b"n", b"t", b"r", b"/", b"'", b"b", b"f")
]


def _undone(piece: bytes, escape: re.Pattern[bytes]) -> bytes:
    """Return a piece with one level of its escapes undone: those of JSON fast."""
    if escape is _ESCAPE:
        text = _undone_simply(piece)
        if text is not None:
            return text
    return escape.sub(_replacement, piece)


def _undone_simply(piece: bytes) -> bytes | None:
    """Undo the escapes of a piece that has none but a backslash and a letter; return None if it has others."""
    if len(piece.translate(None, _OTHER_FIRSTS)) != len(piece) and _BESIDE_BACKSLASHES.search(piece) is not None:
        return None
    if b"\0" in piece:  # which stands for two backslashes here
        return None
    text = piece.replace(_BACKSLASH * 2, b"\0")
    left = text.count(_BACKSLASH)
    for spelled, letter in _SIMPLE:
        if not left:
            break
        size = len(text)
        text = text.replace(spelled, letter)
        left -= size - len(text)
    return None if left else text.replace(b"\0", _BACKSLASH)


def _replacement(found: re.Match[bytes]) -> bytes:
    return _plain(found[0])


def _cut(source: bytes, position: int) -> int:
    """Return a place some way behind this one that is within no escape."""
    stop = position + _STEP
    if stop >= len(source):
        return len(source)
    comma = source.rfind(b",", position + _LONGEST, stop)  # which is in no escape
    if comma >= 0:
        return comma + 1
    for cut in range(stop, max(stop - 20 * _LONGEST, position + _LONGEST), -_LONGEST):
        before = source[cut - _LONGEST : cut]
        if _FIRSTS.isdisjoint(before) and not before[-1:].isspace():
            return cut
    last = position
    for found in _ESCAPE.finditer(source, position, stop):
        last = found.end() if found.end() <= stop - _LONGEST else last
    return last if last > position else stop
