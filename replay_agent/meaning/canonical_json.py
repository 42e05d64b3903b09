"""One spelling for all JSON that means the same: order of members, spelling of numbers and escapes do not show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic_core import from_json, to_json

from replay_agent.meaning.json_path import JSONPath
from replay_agent.meaning.tool_call_ids import id_field, is_data, may_hold_ids

__all__ = ("canonical_json",)

DEEPEST = 100
"""Deeper values are refused: where Python's own limit lies depends on where it is called from."""
_EXACT = 9007199254740992
"""Up to here, 2**53, a double holds every integer."""


def canonical_json(body: bytes, ignored: Sequence[JSONPath], ids: list[str]) -> bytes:
    """Return the canonical text of a JSON document, without what ``ignored`` names.

    Equal numbers are written the same (1, 1.0 and 1e0 are 1; integers of any size stay exact); text, numbers, truth
    values and null stay apart. Tool-call ids become their place in ``ids``, where new ones are added. Raises
    `ValueError` for what is no JSON, is nested deeper than 100 levels, or holds a number beyond a double.
    """
    seen = len(ids)
    try:
        return _canonical(from_json(body), body, ignored, ids)
    except _InexactNumber:
        del ids[seen:]
        return _canonical(json.loads(body, parse_float=_exact_number), body, ignored, ids)


def _canonical(value: Any, body: bytes, ignored: Sequence[JSONPath], ids: list[str]) -> bytes:
    for path in ignored:
        value = path.remove_from(value)
    if may_hold_ids(body):
        return to_json(_NumberedForm(ids).of(value, "", 0))
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
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if kind is dict:
        return {  # most values are text: they are spared the call
            name: child if type(child := value[name]) is str else _sorted_form(child, depth) for name in sorted(value)
        }
    return [_sorted_form(item, depth) for item in value]


class _NumberedForm:
    """The sorted form with tool-call ids numbered.

    An object's members are visited in the order of their names, so that the numbers do not depend on spelling.
    """

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self._places = {known: place for place, known in enumerate(ids)}

    def of(self, value: Any, under: str, depth: int) -> Any:
        kind = type(value)
        if kind is float:
            return _number(value)
        if kind is not dict and kind is not list:
            return value
        depth += 1
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        if kind is dict:
            return self._object(value, under, depth)
        return [self.of(item, under, depth) for item in value]

    def _object(self, value: dict[str, Any], under: str, depth: int) -> dict[str, Any]:
        known = id_field(value, under)
        form: dict[str, Any] = {}
        if known is not None:
            form["\0tool call"] = self._place(value.pop(known))
        for name in sorted(value):
            child = value[name]
            if type(child) is str:
                form[name] = child
            elif is_data(value, under, name):
                form[name] = _sorted_form(child, depth)
            else:
                form[name] = self.of(child, name, depth)
        return form

    def _place(self, id: str) -> int:
        place = self._places.setdefault(id, len(self._ids))
        if place == len(self._ids):
            self._ids.append(id)
        return place


def _number(value: float) -> Any:
    if not value.is_integer():
        if value - value != 0:  # an infinity, or no number
            raise _InexactNumber
        return {"\0number": repr(value)}  # in Python's own spelling, which is the same everywhere
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
