"""Finds secrets in base64 that holds text, and writes it anew around what comes in their place."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from replay_agent.recording.redaction.layers.archives import Clean, is_archive
from replay_agent.recording.redaction.layers.containers import is_wide, narrowed, packing
from replay_agent.recording.redaction.layers.runs import Runs
from replay_agent.recording.redaction.spans import Span

__all__ = "find_in_base64", "is_text", "may_begin_base64"

HoldsKnown: TypeAlias = Callable[[bytes], bool]
"""Tells whether bytes hold a value that is known to be a secret."""

_RUN = re.compile(
    rb"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{20,}+={0,2}+(?:\r?\n[ \t]{0,40}+[A-Za-z0-9+/_\-]{1,}+={0,2}+)*+"
)
"""A run, and those on the lines that follow it at once."""
_RUNS = Runs(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-", 20)
_DIGITS = re.compile(rb"[A-Za-z0-9+/_\-]{20,}+")
_GOES_ON = (b"=", b"\r", b"\n")
"""What stands behind a run that more may follow: its padding, further lines."""
_LINE = re.compile(rb"[A-Za-z0-9+/_\-=]++")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_LONG = 4096
"""Digits from which on a run is taken to begin where it seems to, and is read piece by piece."""
_OVERLAP = 4096
_STEP = 1 << 16
_HEAD = 24
"""Digits that tell of most runs that they are no text: ids and signatures hold a control character that early."""
_TAR_BEGIN, _TAR_END = 340, 352
"""Where the mark of a tar archive is (bytes 257 to 262), and the bytes around it."""
_SHORTEST_LINE = 40
"""Digits of a line of base64 that others follow."""
_GLUE, _GLUED = re.compile(rb"[/_\-]"), 200
"""What joins a run to the word before it, and how long that word may be: it is no multiple of four digits then."""
_MESSAGE = 128
"""Digits that tell of a message of gRPC or the like that it holds texts between its marks and lengths."""
_PRINTABLE = bytes(each in b"\t\r\n" or 32 <= each < 127 for each in range(256))
_BINARY = bytes(each < 32 and each not in b"\0\t\r\n\x1b" for each in range(256))
_WIDE = 356
"""Digits of a line from which on all that tells of base64 over several lines is in the first: the last is the mark of tar."""
_TEXT_CONTROLS = bytes((each < 32 and each not in b"\t\r\n\x1b") or each == 127 for each in range(256))
_PACKED_FIRSTS = frozenset(b"\x1f(xPB\xfd\xff\xfe")
"""How begins what is packed, and what has a mark of UTF-16 or UTF-32, but for two zeros."""


def find_in_base64(
    text: bytes, words: Iterable[tuple[int, int]], holds_known: HoldsKnown | None, clean: Clean
) -> Iterator[Span]:
    """Find runs of base64 in words that hold a secret, each line to be replaced by what it is without.

    What is text is cleaned as any text is. What is not (pictures, signatures) is looked through for known values only,
    if ``holds_known`` is given.
    """
    done = 0
    for start, end in _runs(text, words):
        if start < done:
            continue
        if text[end : end + 1] not in _GOES_ON:
            done = end
            if holds_known is not None or _may_hold_text(text[start:end]):
                yield from _cleaned(text, [(start, end)], holds_known, clean)
            continue
        found = _RUN.match(text, start)
        assert found is not None
        done = found.end()
        for lines in _blocks(text, *found.span()):
            if holds_known is not None or len(lines) > 1 or _may_hold_text(text[lines[0][0] : lines[0][1]]):
                yield from _cleaned(text, lines, holds_known, clean)


def _runs(text: bytes, words: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, last in words:
        for found in _DIGITS.finditer(text, first, last):
            yield found.span()


_Run: TypeAlias = tuple[int, int, bool, int]
"""Where a run begins and ends, whether others may follow it, and how many digits a text may begin with."""


def may_begin_base64(words: bytes) -> Iterator[int]:
    """Yield where base64 begins that may be text, or what texts are packed in, maybe with lines that follow it."""
    runs = [_run(words, start, end) for start, end in _RUNS.of(words)]
    for shift in range(4):
        runs = [run for run in runs if shift < run[3]]
        if not runs:
            return
        short: list[_Run] = []
        others: list[_Run] = []
        for run in runs:
            (short if run[0] + shift + _HEAD <= run[1] < run[0] + _TAR_END else others).append(run)
        found = {*_short_texts(words, short, shift), *_other_texts(words, others, shift)}
        yield from found
        runs = [run for run in runs if run[0] not in found]


def _run(words: bytes, start: int, end: int) -> _Run:
    is_line = _first_line(words, start, end)
    return start, end, is_line, 4 if is_line else len(_shifts(words[start:end]))


def _first_line(words: bytes, start: int, end: int) -> bool:
    """Tell whether a run may be the first line of several, at the end of which its word ends."""
    while words[end : end + 1] == b"=":
        end += 1
    return end - start >= _SHORTEST_LINE and not (end - start) % 4 and words[end : end + 1] == b"\n"


def _short_texts(words: bytes, runs: Sequence[_Run], shift: int) -> Iterator[int]:
    """Yield where short runs begin that may be text from a digit on: their beginnings are read together."""
    size = _HEAD // 4 * 3
    heads = _decoded(b"".join([words[start + shift : start + shift + _HEAD] for start, _, _, _ in runs])) or b""
    binary, controls = heads.translate(_BINARY), heads.translate(_TEXT_CONTROLS)
    printable = heads.translate(_PRINTABLE)
    for (start, stop, is_line, _), at in zip(runs, range(0, len(heads), size), strict=True):
        end = at + size
        is_mixed = 2 * printable.count(1, at, end) >= size
        if (
            (is_line and (is_mixed or binary.find(1, at, end) < 0))
            or (controls.find(1, at, end) < 0 and is_text(heads[at:end]))
            or (is_mixed and _is_mostly_text(_message(words[start:stop], shift)))
            or _may_be_packed(heads[at:end])
        ):
            yield start


def _other_texts(words: bytes, runs: Sequence[_Run], shift: int) -> Iterator[int]:
    for start, end, is_line, _ in runs:
        digits = words[start : min(end, start + _WIDE)]
        if _may_be_text(digits, shift) or (is_line and len(digits) < _WIDE and _may_go_on(digits, shift)):
            yield start


def _may_go_on(digits: bytes, shift: int) -> bool:
    """Tell whether the first line of several may be text together with them alone."""
    head = _decoded(digits[shift : shift + _HEAD])
    return head is not None and (_are_none(head, _BINARY) or 2 * _count(head, _PRINTABLE) >= len(head))


def _blocks(text: bytes, start: int, end: int) -> Iterator[list[tuple[int, int]]]:
    """Yield the lines of a run that belong together: all as long as the first but the last, as MIME wraps them."""
    lines = [found.span() for found in _LINE.finditer(text, start, end)] if text.find(b"\n", start, end) >= 0 else []
    if len(lines) < 2:
        yield [(start, end)]
        return
    block = [lines[0]]
    for line in lines[1:]:
        width, size = block[0][1] - block[0][0], line[1] - line[0]
        if block[-1][1] - block[-1][0] == width >= _SHORTEST_LINE and size <= width and width % 4 == size % 4 == 0:
            block.append(line)
        else:
            yield block
            block = [line]
    yield block


def _cleaned(
    text: bytes, lines: Sequence[tuple[int, int]], holds_known: HoldsKnown | None, clean: Clean
) -> Iterator[Span]:
    digits = text[lines[0][0] : lines[0][1]] if len(lines) == 1 else b"".join(text[start:end] for start, end in lines)
    for shift in _shifts(digits):
        if not _is_worth_it(digits, shift, holds_known):
            continue
        data = _decoded(digits[shift:])
        found = None if data is None else clean(data)
        if found is not None:
            data, rule = found
            yield from _rewritten(text, lines, digits[:shift] + _encoded(data, like=digits[shift:]), rule)
            return


def _shifts(digits: bytes) -> range:
    """Return the digits that a text may begin with."""
    if digits[:_LONG].islower() or digits[:_LONG].isupper():  # an identifier, digits of another base
        return range(0)
    return range(4 if len(digits) <= _LONG and _GLUE.search(digits, 0, _GLUED) else 1)


def _may_hold_text(digits: bytes) -> bool:
    """Tell whether a line of digits may be a text or what texts are packed in: ids and words that are neither repeat."""
    return any(_may_be_text(digits, shift) for shift in _shifts(digits))


def _is_worth_it(digits: bytes, shift: int, holds_known: HoldsKnown | None) -> bool:
    """Tell whether a run, read from its ``shift``-th digit, is text, is packed text, or holds a known value."""
    if holds_known is None and not _may_be_text(digits, shift):
        return False
    start = _decoded(digits[shift : shift + _LONG])
    if start is None:
        return False
    if is_text(start) or _is_mostly_text(start) or packing(start) or is_archive(start) or narrowed("", start):
        return True
    return holds_known is not None and (holds_known(start) or _holds_further(digits, shift, holds_known))


def _may_be_text(digits: bytes, shift: int) -> bool:
    """Tell whether the first digits of a run may be those of a text or of what texts are packed in."""
    head = _decoded(digits[shift : shift + _HEAD])
    if head is None:
        return False
    if is_text(head, 4) or _may_be_packed(head):
        return True
    if 2 * _count(head, _PRINTABLE) >= len(head) and _is_mostly_text(_message(digits, shift)):
        return True
    return len(digits) > _TAR_END and b"ustar" in (_decoded(digits[shift + _TAR_BEGIN : shift + _TAR_END]) or b"")


def _message(digits: bytes, shift: int) -> bytes:
    return _decoded(digits[shift : shift + _MESSAGE]) or b""


def _may_be_packed(head: bytes) -> bool:
    if head[:1] and head[0] not in _PACKED_FIRSTS and 0 not in head[:2]:
        return False
    return bool(packing(head)) or is_archive(head) or is_wide(head)


def _holds_further(digits: bytes, shift: int, holds_known: HoldsKnown) -> bool:
    steps = range(shift + _LONG - _OVERLAP // 4 * 4, len(digits), _STEP)
    return len(digits) > _LONG and any(
        piece is not None and holds_known(piece)
        for piece in (_decoded(digits[step : step + _STEP + _OVERLAP]) for step in steps)
    )


def is_text(data: bytes, least: int = 12) -> bool:
    """Tell whether bytes are a text of some length, maybe cut."""
    if len(data) < least or not _are_none(data, _TEXT_CONTROLS):
        return False
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 3  # a character may be cut at the end
    return True


def _is_mostly_text(data: bytes) -> bool:
    """Tell whether bytes are texts with something between: of 60 bytes of chance, 22 are printable, 36 once in 4,000 times."""
    return len(data) >= 24 and 5 * _count(data, _PRINTABLE) >= 3 * len(data)


def _count(data: bytes, table: bytes) -> int:
    return data.translate(table).count(1)


def _are_none(data: bytes, table: bytes) -> bool:
    return b"\1" not in data.translate(table)


def _decoded(digits: bytes) -> bytes | None:
    digits = digits.rstrip(b"=").translate(_STANDARD)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    try:
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
    except binascii.Error:
        return None


def _encoded(data: bytes, like: bytes) -> bytes:
    safe = b"-" in like or b"_" in like
    text = base64.urlsafe_b64encode(data) if safe else base64.b64encode(data)
    return text if like.endswith(b"=") or len(like) % 4 == 0 else text.rstrip(b"=")


def _rewritten(text: bytes, lines: Sequence[tuple[int, int]], digits: bytes, rule: str) -> Iterator[Span]:
    """Yield the lines that change, as long as they were as far as that goes; the last one takes what is left."""
    position = 0
    for number, (start, end) in enumerate(lines):
        stop = len(digits) if number == len(lines) - 1 else position + end - start
        line = digits[position:stop]
        position = stop
        if line != text[start:end]:
            yield Span(start, end, rule, text=line)
