"""Where rules may find something in a text, told by its different pieces and not by its places.

A text is cut at its lines and commas. The same pieces stand there again and again, from message to message, from level to
level of escapes and from file to file: each different one is looked at once, by the anchor of every rule, and one without
any is known again. Rules look at the few places that are left.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, compress, count, islice
from typing import TypeAlias

from replay_agent.recording.redaction.finders.long_words import LONG_WORDS
from replay_agent.recording.redaction.layers.runs import Runs, Seen

__all__ = "Anchor", "Beside", "Sieve", "anchored"

Anchor: TypeAlias = Callable[[bytes], Iterable[int]]
"""Finds the places where its rule may find something, in pieces of which each is on a line of its own.

It sees one piece without those around it: of all that the rule finds, some part must show in one piece. What it finds too
often costs time, what it does not find is not looked at.
"""
Beside: TypeAlias = Callable[[bytes, Sequence[tuple[int, int]]], Iterable[int]]
"""Finds the same by the long words of pieces, of which it is told where they begin and end."""
_Marks: TypeAlias = list[tuple[int, int]]
"""Numbers of anchors, and where in a piece they are."""

_BLOCK = 1 << 14
"""Bytes whose pieces are told apart at once: as objects, pieces take several times their bytes."""
_BATCH = 1 << 13
"""Bytes of long words that are looked at together: with where each begins they take ten times that."""
_LONGEST, _EDGE = 1 << 15, 128
"""Bytes of a piece that is looked at like any other; a longer one is, but for its edges, one word, or no text that models
read and write: where there is one, rules look at all of the text, which takes less memory.
"""
_SHORT = 1 << 13
"""Bytes of a piece that is looked at as it is."""
_LONG_BASE64 = Runs(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-", 1 << 12)
"""Nothing longer is a secret or stands between two characters by which a rule knows one."""
_AROUND = 1 << 9
"""Bytes of long base64 that are looked at, at each end: no anchor tells by more."""
_SLOTS = 1 << 14
_BLOCKS, _FEW = 1 << 8, 8
"""Blocks that are known again, and how many anchors are remembered of each."""
_ROOMY = 256
"""Bytes of a text for each place of an anchor; where there are more, the rule looks at all of the text."""


def anchored(*begins: tuple[bytes, bytes], needs: bytes) -> Anchor:
    """Return an anchor for what begins with one of these texts, and goes on as the pattern beside it says.

    One of the bytes that it ``needs`` is in all of that: a byte is looked for twenty times as fast as a text of a few,
    and pictures have none but those of base64.
    """
    compiled = [(text, re.compile(re.escape(text) + rest)) for text, rest in begins]
    bytes_needed = [bytes((each,)) for each in needs]

    def anchor(pieces: bytes) -> Iterable[int]:
        for each in bytes_needed:
            if each in pieces:
                # which takes less than to look for the pattern
                there = [pattern for text, pattern in compiled if text in pieces]
                return _starts(there, pieces) if there else ()
        return ()

    return anchor


def _starts(patterns: Sequence[re.Pattern[bytes]], pieces: bytes) -> Iterator[int]:
    for pattern in patterns:
        for found in pattern.finditer(pieces):
            yield found.start()


def _is_word(piece: bytes) -> bool:
    return LONG_WORDS.end(piece, _EDGE) >= len(piece) - _EDGE


def _most(size: int) -> int:
    return size // _ROOMY + 64


class Sieve:
    """The anchors of a set of rules, and the pieces that have none of them. May be shared by threads.

    Those ``of_words`` see the long words of pieces instead, which repeat within other pieces: ids, addresses, models.
    Those ``beside_words`` look around long words, and those ``within_words`` see what is in the midst of long base64,
    which no other sees.
    """

    def __init__(
        self,
        anchors: Iterable[Anchor],
        of_words: Iterable[Anchor] = (),
        beside_words: Iterable[Beside] = (),
        within_words: Iterable[Anchor] = (),
    ) -> None:
        self._of_pieces = tuple(dict.fromkeys(anchors))
        self._of_words, self._beside_words, self._within_words = (
            tuple(of_words),
            tuple(beside_words),
            tuple(within_words),
        )
        looks = self._of_pieces, self._within_words, self._beside_words, self._of_words
        self._anchors: tuple[Anchor | Beside, ...] = tuple(chain.from_iterable(looks))
        self._dull, self._dull_words = Seen(_SLOTS), Seen(_SLOTS)
        self._known: list[tuple[int, tuple[tuple[int, int], ...]] | None] = [None] * _BLOCKS

    def places(self, text: bytes) -> dict[Anchor | Beside, array[int] | None]:
        """Return where in a text each anchor is; None of one that has too many places to look at them alone.

        Of an anchor of words that is where such a word begins.
        """
        found = [array("Q") for _ in self._anchors]
        many: set[int] = set()
        most = _most(len(text))
        for start, block in _blocks(text):
            marks = self._in_block(block, many)
            if marks is None:
                many.update(range(len(found)))
                break
            for number, place in marks:
                if len(found[number]) < most:
                    found[number].append(start + place)
                else:
                    many.add(number)
        return {anchor: None if number in many else found[number] for number, anchor in enumerate(self._anchors)}

    def _in_block(self, block: bytes, many: set[int]) -> Iterable[tuple[int, int]] | None:
        """Return the numbers of anchors and where they are in a block; None if all of the text is to be looked at.

        A block with a few is known again: a conversation is sent once more with each of its requests.
        """
        digest = hash(block)
        known = self._known[digest % _BLOCKS]
        if known is not None and known[0] == digest:
            return known[1]
        pieces = block.replace(b",", b"\n").split(b"\n")
        if len(pieces) == 1 and len(block) > _LONGEST and not _is_word(block):
            return None
        placed = _placed(pieces, self._marked(pieces, many))
        first = tuple(islice(placed, _FEW + 1))
        if len(first) > _FEW:
            return chain(first, placed)
        if not many:
            self._known[digest % _BLOCKS] = digest, first
        return first

    def _marked(self, pieces: Iterable[bytes], many: set[int]) -> Mapping[bytes, _Marks]:
        """Return the pieces that have anchors, and know those that have none, but where there are too ``many`` of some."""
        fresh = self._dull.others(set(pieces))
        if not fresh:
            return {}
        marked: dict[bytes, _Marks] = {}
        lines = _Lines(fresh, marked, many)
        words = list(LONG_WORDS.of(lines.text))
        plain = {piece for piece in fresh if len(piece) > _SHORT and self._is_plain(piece)}
        others = lines if not plain else _Lines([piece for piece in fresh if piece not in plain], marked, many)
        others.look(0, self._of_pieces)
        lines.look(len(self._of_pieces), self._within_words)
        first = len(self._of_pieces) + len(self._within_words)
        beside = (anchor(lines.text, words) for anchor in self._beside_words)
        for number, places in enumerate(chain(beside, self._in_words(lines.text, words)) if words else (), first):
            lines.mark(number, places)
        if not many:
            self._dull.update([piece for piece in fresh if piece not in marked] if marked else fresh)
        return marked

    def _is_plain(self, piece: bytes) -> bool:
        """Tell whether a piece has no anchor, but for those of words, by what is around its long base64."""
        brief = _brief(piece)
        if brief is piece:
            return False
        line = b"\n%b\n" % brief
        return not any(True for anchor in self._of_pieces for _ in anchor(line))

    def _in_words(self, text: bytes, words: Iterable[tuple[int, int]]) -> Sequence[Sequence[int]]:
        """Return where long words of a text begin that have an anchor, of each anchor as many as matter."""
        found: list[list[int]] = [[] for _ in self._of_words]
        most = _most(len(text))
        for starts in _batches(text, words):
            fresh = self._dull_words.others(starts)
            if not fresh:
                continue
            ends = list(accumulate(len(word) + 1 for word in fresh))
            lines = b"\n%b\n" % b"\n".join(fresh)
            told: set[int] = set()
            for places, anchor in zip(found, self._of_words, strict=True):
                of_anchor = {bisect_right(ends, place - 1) for place in anchor(lines)}
                if of_anchor:
                    told |= of_anchor
                    if len(places) < most:
                        places.extend(
                            islice(sorted(start for word in of_anchor for start in starts[fresh[word]]), most)
                        )
            self._dull_words.update([word for at, word in enumerate(fresh) if at not in told] if told else fresh)
        return found


class _Lines:
    """Different pieces, each on a line of its own, which are marked where they have anchors."""

    def __init__(self, pieces: Sequence[bytes], marked: dict[bytes, _Marks], many: set[int]) -> None:
        self.text = b"\n%b\n" % b"\n".join(pieces)
        self._marked, self._many = marked, many
        self._whole = pieces[0] if len(pieces) == 1 else None
        self._most = _most(len(self.text))

    def look(self, first: int, anchors: Iterable[Anchor]) -> None:
        """Mark the pieces that have these anchors, which are numbered from the ``first`` on."""
        for number, anchor in enumerate(anchors, first):
            places = () if number in self._many else anchor(self.text)
            if places:
                self.mark(number, places)

    def mark(self, number: int, places: Iterable[int]) -> None:
        """Take in where an anchor is, as long as there are not too many places."""
        found = list(islice(places, self._most))
        if not found or number in self._many:
            return
        text = self.text
        begin, end = 0, -1
        marks: _Marks = []
        for place in found:
            if not begin <= place <= end:
                begin, end = text.rfind(b"\n", 0, place) + 1, text.find(b"\n", place)
                marks = self._marked.setdefault(self._whole or text[begin:end], [])
            marks.append((number, place - begin))
        if len(found) == self._most:
            self._many.add(number)


def _brief(piece: bytes) -> bytes:
    """Return a piece without the midst of long base64, where nothing is that begins or ends with another character."""
    kept: list[bytes] = []
    start = 0
    for begin, end in _LONG_BASE64.of(piece):
        kept.append(piece[start : begin + _AROUND])
        start = end - _AROUND
    return b"".join((*kept, piece[start:])) if kept else piece


def _batches(text: bytes, words: Iterable[tuple[int, int]]) -> Iterator[dict[bytes, list[int]]]:
    """Yield words, each with where it begins, so many together that a short one costs no call of each anchor."""
    starts: dict[bytes, list[int]] = {}
    size = 0
    for start, end in words:
        starts.setdefault(text[start:end], []).append(start)
        size += end - start
        if size > _BATCH:
            yield starts
            starts, size = {}, 0
    if starts:
        yield starts


def _placed(pieces: Sequence[bytes], marked: Mapping[bytes, _Marks]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of anchors, and where they are in a block that has these pieces."""
    begin = last = 0
    for number in compress(count(), map(marked.__contains__, pieces)) if marked else ():
        begin += sum(map(len, pieces[last:number])) + number - last  # and the cuts between them
        last = number
        for anchor, at in marked[pieces[number]]:
            yield anchor, begin + at


def _blocks(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield pieces that follow each other, some together, and where in the text they begin."""
    start = 0
    while start < len(text):
        end = len(text)
        if start + _BLOCK < end:
            end = max(text.rfind(cut, start, start + _BLOCK) for cut in (b"\n", b","))
            if end < 0:  # one long piece
                ends = (text.find(cut, start + _BLOCK) for cut in (b"\n", b","))
                end = min((place for place in ends if place >= 0), default=len(text))
        yield start, text[start:end]
        start = end + 1
