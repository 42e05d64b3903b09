"""Finds secrets in text that is spelled as numbers: hexadecimal digits, lists of bytes, base32."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from replay_agent.recording.redaction.layers.archives import Clean
from replay_agent.recording.redaction.layers.in_base64 import is_text
from replay_agent.recording.redaction.layers.runs import Runs
from replay_agent.recording.redaction.spans import Span

__all__ = "find_in_digits", "may_begin_digits"

_HEX = re.compile(rb"(?<![0-9A-Za-wyz])(?:[0-9a-fA-F]{2}[ :]?+){16,}+(?![0-9A-Za-z])")
_BASE32 = re.compile(rb"(?<![A-Za-z0-9+/=])[A-Z2-7]{32,}+={0,6}+(?![A-Za-z0-9+/])")
_BYTES = re.compile(rb"(?<![0-9.,\-])[0-9]{1,3}+(?:\s{0,40}+,\s{0,40}+[0-9]{1,3}+){15,}+(?![0-9.])")
_NUMBER = re.compile(rb"[0-9]++")


def find_in_digits(text: bytes, clean: Clean) -> Iterator[Span]:
    """Find runs of digits that spell a text with a secret, each to be replaced by what spells it without."""
    for begin, stop in _OF_ANY_KIND.of(text):
        run = text[begin:stop]
        for runs, pattern, read in _KINDS:
            for start, end in runs.of(run):
                for found in pattern.finditer(text, begin + start, begin + end):
                    yield from read(found, clean)


_NUMBER_ALONE = re.compile(rb"\n[ \t\r]{0,40}+[0-9]{1,3}+[ \t\r]{0,40}+(?=\n)")


def may_begin_digits(lines: bytes) -> Iterator[int]:
    """Yield where digits spell a text, and where numbers are that have a comma or the end of a line on both sides."""
    yield from (span.start for span in find_in_digits(lines, lambda data: (data, "")))
    yield from (found.start() + 1 for found in _NUMBER_ALONE.finditer(lines))


def _cleaned(data: bytes, clean: Clean) -> tuple[bytes, str] | None:
    return clean(data) if is_text(data) else None


def _of_hex(found: re.Match[bytes], clean: Clean) -> Iterator[Span]:
    digits = found[0].rstrip(b" :")
    mark = digits[2:3].decode() if digits[2:3] in (b" ", b":") else ""
    cleaned = _cleaned(bytes.fromhex(digits.replace(b":", b" ").decode()), clean)
    if cleaned is not None:
        spelled = cleaned[0].hex(mark) if mark else cleaned[0].hex()
        spelled = spelled.upper() if digits.upper() == digits else spelled
        yield Span(found.start(), found.start() + len(digits), cleaned[1], text=spelled.encode())


def _of_base32(found: re.Match[bytes], clean: Clean) -> Iterator[Span]:
    digits = found[0].rstrip(b"=")
    if len(digits) % 8 in (1, 3, 6):  # RFC 4648, 6: no number of bytes is spelled so
        return
    cleaned = _cleaned(base64.b32decode(digits + b"=" * (-len(digits) % 8)), clean)
    if cleaned is not None:
        spelled = base64.b32encode(cleaned[0])
        spelled = spelled if found[0].endswith(b"=") or len(digits) % 8 == 0 else spelled.rstrip(b"=")
        yield Span(*found.span(), cleaned[1], text=spelled)


def _of_bytes(found: re.Match[bytes], clean: Clean) -> Iterator[Span]:
    data = bytearray()
    for number in _NUMBER.finditer(found[0]):
        if int(number[0]) > 255:
            return
        data.append(int(number[0]))
    cleaned = _cleaned(bytes(data), clean)
    if cleaned is not None:
        first, second = list(_NUMBER.finditer(found[0], 0, 100))[:2]
        between = found[0][first.end() : second.start()]
        yield Span(*found.span(), cleaned[1], text=between.join(b"%d" % number for number in cleaned[0]))


_SHORTEST = 32
_OF_HEX, _OF_BASE32 = b"0123456789abcdefABCDEF :", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567="
_OF_BYTES = b"0123456789, \t\r\n"
_OF_ANY_KIND = Runs(_OF_HEX + _OF_BASE32 + _OF_BYTES, _SHORTEST)
"""Few texts have such a run, so that each kind by itself need not be looked for."""
_KINDS = (
    (Runs(_OF_HEX, _SHORTEST), _HEX, _of_hex),
    (Runs(_OF_BASE32, _SHORTEST), _BASE32, _of_base32),
    (Runs(_OF_BYTES, _SHORTEST), _BYTES, _of_bytes),
)
