"""Arguments of a function call that Gemini streams value by value (``partialArgs``)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from replay_agent.exceptions import WireError
from replay_agent.wire.shapes.json_text import Fields

__all__ = ("PartialCall",)

_FORMAT = "gemini"
# One step of ``$.a.b[0]['c d']``: a name behind a dot, an index, a name in quotes of either kind.
_STEP = re.compile(r"\.?([^.\[\]'\"]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_VALUES = ("stringValue", "numberValue", "boolValue")
_DEEPEST = 100


class PartialCall:
    """A call whose arguments are under way: JSON paths with their values, long texts in several pieces."""

    def __init__(self, name: str, call_id: str | None) -> None:
        self.name = name
        self.call_id = call_id
        self.args: Fields = {}
        self._unfinished: str | None = None

    def add(self, piece: Fields) -> None:
        """Take the value for one path. Raises `WireError` for a path that leads nowhere."""
        path = piece.get("jsonPath")
        if not isinstance(path, str):
            raise WireError("a partial argument has no path", _FORMAT)
        value = next((piece[name] for name in _VALUES if name in piece), None)
        place, step = self._place(path)
        if path == self._unfinished and isinstance(value, str):
            value = str(place[step]) + value
        if isinstance(place, list) and step == len(place):
            place.append(value)
        else:
            place[step] = value
        self._unfinished = path if piece.get("willContinue") is True else None

    def _place(self, path: str) -> tuple[Any, Any]:
        steps = _steps(path)
        place: Any = self.args
        for step, following in pairwise(steps):
            _check(place, step, path)
            fresh: Any = [] if isinstance(following, int) else {}
            if isinstance(place, list) and step == len(place):
                place.append(fresh)
            elif isinstance(place, dict):
                place.setdefault(step, fresh)
            place = place[step]
        _check(place, steps[-1], path)
        return place, steps[-1]


def _steps(path: str) -> list[str | int]:
    rest = path.removeprefix("$")
    found = list(_STEP.finditer(rest))
    if not found or "".join(step[0] for step in found) != rest or len(found) > _DEEPEST:
        raise WireError(f"the path {path[:80]!r} of an argument cannot be read", _FORMAT)
    # An index of more digits leads nowhere either way, and thousands of them would be refused as a number.
    return [int(step[2][:9]) if step[2] is not None else step[1] or step[3] or step[4] or "" for step in found]


def _check(place: Any, step: str | int, path: str) -> None:
    fits = isinstance(place, dict) if isinstance(step, str) else isinstance(place, list) and step <= len(place)
    if not fits:
        raise WireError(f"the path {path[:80]!r} of an argument leads nowhere", _FORMAT)
