"""One spelling for all JSON that means the same: order of members, spelling of numbers and escapes do not show."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from pydantic_core import from_json, to_json

from replay_agent.recording.meaning.json_path import JSONPath

__all__ = ("canonical_json",)

_DEEPEST = 100
"""Deeper values are refused: where Python's own limit lies depends on where it is called from."""
_EXACT = 9007199254740992
"""Up to here, 2**53, a double holds every integer."""


def canonical_json(
    body: bytes, ignored: Sequence[JSONPath] = (), rewrite: Sequence[Callable[[Any], None]] = ()
) -> bytes:
    """Return the canonical text of a JSON document, without what ``ignored`` names.

    Equal numbers are written the same (1, 1.0 and 1e0 are 1; integers of any size stay exact); text, numbers, truth
    values and null stay apart. ``rewrite`` are given the decoded value and change in place what counts by its role, not
    by its value; they may be called twice. Raises `ValueError` for what is no JSON, is nested deeper than 100 levels, or
    holds a number beyond a double.
    """
    try:
        # The fast reader first. It makes doubles of numbers with a point or an exponent; a body with one that may have
        # lost something by that is read again, slowly.
        return _canonical(from_json(body), ignored, rewrite)
    except _InexactNumber:
        return _canonical(json.loads(body, parse_float=_exact_number), ignored, rewrite)


def _canonical(value: Any, ignored: Sequence[JSONPath], rewrite: Sequence[Callable[[Any], None]]) -> bytes:
    for path in ignored:
        value = path.remove_from(value)
    for change in rewrite:
        change(value)
    return to_json(_sorted_form(value, 0))


class _InexactNumber(ValueError):
    pass


def _sorted_form(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is float:
        return _number(value)
    if kind is not dict and kind is not list:
        return value
    depth += 1
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if kind is dict:
        return {  # most values are text: they are spared the call
            name: child if type(child := value[name]) is str else _sorted_form(child, depth) for name in sorted(value)
        }
    return [_sorted_form(item, depth) for item in value]


def _number(value: float) -> Any:
    if not value.is_integer():
        if value - value != 0:  # an infinity, or no number
            raise _InexactNumber
        # As an object with a name that no JSON has but by intent, so that 1.5 and "1.5" stay two.
        return {"\0number": repr(value)}  # in Python's own spelling, which is the same everywhere
    # Beyond, a double may stand for several integers, and only the text says which.
    if -_EXACT < value < _EXACT:
        return int(value)
    raise _InexactNumber


def _exact_number(text: str) -> int | float:
    value = float(text)
    if value.is_integer():
        exact = Decimal(text)
        whole = int(exact)
        if whole == exact:
            return whole
    return value
