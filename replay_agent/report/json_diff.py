"""The smallest values in which two JSON documents differ, by their paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Final

__all__ = "ABSENT", "ValueChange", "json_diff"

_MOST = 200
"""Changes; a dozen are shown."""
_LONGEST_LIST = 600
"""Longer lists are compared place by place: matching their elements takes the square of their length."""
_DEEPEST = 80
"""Deeper values are compared whole, well before Python's own limit of recursion."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*")


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


ABSENT: Final = _Absent()
"""Stands for the value of a member that only the other side has."""


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that changed, by its JSON path; `ABSENT` on the side that does not have it."""

    path: str
    before: Any
    after: Any


def json_diff(before: Any, after: Any, path: str = "$") -> list[ValueChange]:
    """Return the smallest values that differ, in the order of the new value; at most 200.

    Elements of lists are matched with each other, so that one inserted element is one change.
    """
    return list(islice(_changes(before, after, path, 0), _MOST))


def _changes(before: Any, after: Any, path: str, depth: int) -> Iterator[ValueChange]:
    if isinstance(before, dict) and isinstance(after, dict) and depth < _DEEPEST:
        for name in [*after, *(name for name in before if name not in after)]:
            here = f"{path}.{name}" if _PLAIN_NAME.fullmatch(name) else f"{path}[{json.dumps(name)}]"
            yield from _member(before.get(name, ABSENT), after.get(name, ABSENT), here, depth)
    elif isinstance(before, list) and isinstance(after, list) and depth < _DEEPEST:
        yield from _elements(before, after, path, depth)
    elif not _same(before, after):
        yield ValueChange(path, before, after)


def _member(before: Any, after: Any, path: str, depth: int) -> Iterator[ValueChange]:
    if before is ABSENT or after is ABSENT:
        yield ValueChange(path, before, after)
    else:
        yield from _changes(before, after, path, depth + 1)


def _elements(before: list[Any], after: list[Any], path: str, depth: int) -> Iterator[ValueChange]:
    # Of equal length, an element most likely changed in its place: matching would tell it as one removed and one added.
    if len(before) == len(after) or max(len(before), len(after)) > _LONGEST_LIST:
        for place in range(max(len(before), len(after))):
            yield from _member(_at(before, place), _at(after, place), f"{path}[{place}]", depth)
        return
    matcher = SequenceMatcher(None, list(map(_text, before)), list(map(_text, after)), autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        for step in range(max(j - i, m - k)):
            old, new = _at(before[i:j], step), _at(after[k:m], step)
            place = k + step if new is not ABSENT else i + step
            yield from _member(old, new, f"{path}[{place}]", depth)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else ABSENT


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _same(before: Any, after: Any) -> bool:
    """Whether two values are one in JSON, where true is not 1, and 1 is 1.0."""
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)
