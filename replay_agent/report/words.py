"""The words that changed from one text to another, for long texts by sentences first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

__all__ = "Span", "changed_length", "word_diff"

_JOINTS = "-:./+@"
"""Between letters or digits they make one word: a date, a version, an address, an id."""
_WORD = re.compile(rf"\s*(?:/?\w+(?:[{_JOINTS}]\w+)*|[^\w\s])|\s+")
"""A word with the blanks before it, so that blanks, of which there are many, are not compared on their own.

``at 2026-11-27, /tmp/a.txt`` is ``at``, `` 2026-11-27``, ``,``, `` /tmp/a.txt``.
"""
_LONGEST_WORD = 200
"""How far back the beginning of a cut word is looked for; what is longer is base64 or the like, and may be cut."""
# With the marks or breaks that end it: ``Be brief.``, `` Answer in French!``; a run of marks by itself is one too.
_SENTENCE = re.compile(r"[^\n.!?]+[\n.!?]*|[\n.!?]+")
# Characters of both texts together, and words or sentences of one.
_LONGEST_BY_WORDS = 40_000
_MOST_PIECES = 6_000
_MOST_PAIRS = 150_000
"""Pairs of equal pieces that are looked at; beyond that a coarser comparison must do.

difflib's time grows with the pairs (a text of one word repeated has the square of its length): within these three limits
a diff takes a tenth of a second.
"""
_LEAST_KEPT = 0.25
"""Texts that share less of their words are shown as replaced, not as shreds of each other: what two unrelated sentences
have in common, "the", "a", commas, is less than a quarter of them."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that both have, only the old one (``removed``), or only the new one (``added``)."""

    kind: Literal["same", "removed", "added"]
    text: str


def word_diff(before: str, after: str) -> tuple[Span, ...]:
    """Return the spans that lead from one text to the other: word by word, for long texts sentence by sentence first."""
    # What both begin and end with is taken off first: in a long prompt that is nearly all of it.
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    start, end = _to_word_bounds(before, after, start, end)
    inner = _spans(before[start : len(before) - end], after[start : len(after) - end])
    return tuple(_merged([Span("same", before[:start]), *inner, Span("same", before[len(before) - end :])]))


def changed_length(spans: Sequence[Span]) -> int:
    """Return how many characters were removed or added."""
    return sum(len(span.text) for span in spans if span.kind != "same")


def _common(before: str, after: str) -> int:
    """The length of the common beginning, found by halving: comparing slices is fast, comparing characters is not."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _to_word_bounds(before: str, after: str, start: int, end: int) -> tuple[int, int]:
    """Move both ends of the difference outwards until no word is cut."""
    starts = range(start, max(start - _LONGEST_WORD, 0), -1)
    ends = range(end, max(end - _LONGEST_WORD, 0), -1)
    return (
        next((place for place in starts if _is_bound(before, place) and _is_bound(after, place)), 0),
        next(
            (
                place
                for place in ends
                if _is_bound(before, len(before) - place) and _is_bound(after, len(after) - place)
            ),
            0,
        ),
    )


def _is_bound(text: str, place: int) -> bool:
    """Tell whether a word of `_WORD` may end or begin here."""
    window = text[max(place - 2, 0) : place], text[place : place + 2]
    left, right = (["", *window[0]][-1], [*window[1], ""][0])
    if _is_letter(left) and _is_letter(right):
        return False
    if _is_letter(left) and right and right in _JOINTS:
        return not _is_letter(window[1][1:])
    if left and left in _JOINTS and _is_letter(right):
        return left != "/" and not _is_letter(window[0][:-1])
    return True


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


def _spans(before: str, after: str) -> list[Span]:
    if len(before) + len(after) <= _LONGEST_BY_WORDS:
        words = _WORD.findall(before), _WORD.findall(after)
        if not _alike(*words):
            return _replaced(before, after)
        if _affordable(*words):
            spans = _readable(list(_matched(*words, _replaced)))
            return spans if _worth_keeping(spans) else _replaced(before, after)
    sentences = _SENTENCE.findall(before), _SENTENCE.findall(after)
    if max(map(len, sentences)) > 1 and _alike(*sentences) and _affordable(*sentences):
        return list(_matched(*sentences, _spans))
    return _replaced(before, after)


def _alike(before: list[str], after: list[str]) -> bool:
    common = (Counter(before) & Counter(after)).total()
    # Half the share that is wanted in the end: a cheap look that spares the dear one where it would be thrown away.
    return common >= _LEAST_KEPT * min(len(before), len(after)) / 2


def _affordable(before: list[str], after: list[str]) -> bool:
    if max(len(before), len(after)) > _MOST_PIECES:
        return False
    counts = Counter(after)
    return sum(counts[piece] for piece in before) <= _MOST_PAIRS


def _matched(before: list[str], after: list[str], changed: Callable[[str, str], list[Span]]) -> Iterator[Span]:
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[i:j]), "".join(after[k:m])
        if tag == "equal":
            yield Span("same", old)
        else:
            yield from changed(old, new)


def _replaced(before: str, after: str) -> list[Span]:
    return [span for span in (Span("removed", before), Span("added", after)) if span.text]


def _worth_keeping(spans: Sequence[Span]) -> bool:
    same = sum(len(span.text) for span in spans if span.kind == "same")
    return same >= _LEAST_KEPT * (same + changed_length(spans) / 2)


def _readable(spans: list[Span]) -> list[Span]:
    """Count blanks and punctuation between two changes as changed too: the change reads as one."""
    result: list[Span] = []
    for place, span in enumerate(spans):
        between = 0 < place < len(spans) - 1 and span.kind == "same" and len(span.text) <= 3
        if between and not any(character.isalnum() or character == "\n" for character in span.text):
            result += [Span("removed", span.text), Span("added", span.text)]
        else:
            result.append(span)
    return result


def _merged(spans: list[Span]) -> Iterator[Span]:
    """Join neighbours: between two unchanged stretches, first all that was removed, then all that was added."""
    same, removed, added = "", "", ""
    for span in spans:
        if span.kind == "removed":
            removed += span.text
        elif span.kind == "added":
            added += span.text
        elif span.text:
            if removed or added:
                blanks = _leading_blanks(removed, added)
                yield from _change(same + blanks, removed[len(blanks) :], added[len(blanks) :])
                same, removed, added = "", "", ""
            same += span.text
    blanks = _leading_blanks(removed, added)
    yield from _change(same + blanks, removed[len(blanks) :], added[len(blanks) :])


def _leading_blanks(removed: str, added: str) -> str:
    common = removed[: _common(removed, added)]
    return common[: len(common) - len(common.lstrip())]


def _change(same: str, removed: str, added: str) -> list[Span]:
    return [*([Span("same", same)] if same else []), *_replaced(removed, added)]
