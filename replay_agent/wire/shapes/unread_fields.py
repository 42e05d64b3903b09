"""What a body says beyond its decoded call, by path: ``messages[0].content[1].cache_control``.

A codec composes the body that a call would be sent as; `unread_fields` are those of the real body that the composed one
lacks. Put back, these fields are the `ModelCall.extras` at work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = "put_back", "unread_fields"

# A path of two steps at least: ``tools[get_time].cache_control``. A name alone may hold anything, dots too.
_PATH = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[^\[\]]+\])+")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")
_LONGEST_NUMBER = 10
_BY_NAME = "tools"
"""Members of this list are told apart by their names, since an encoder may order them otherwise."""


def unread_fields(
    composed: Mapping[str, Any], body: Mapping[str, Any], *, unremarkable: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the fields of ``body`` that ``composed`` lacks, by their paths.

    Inside lists the keys named in ``unremarkable`` are passed over with all that is in them, and so is a list of
    another length: there is no telling which member lacks what.
    """
    found = {key: value for key, value in body.items() if key not in composed}
    for key in composed.keys() & body.keys():
        _compare(composed[key], body[key], key, unremarkable, found)
    return found


def _compare(ours: object, theirs: object, path: str, unremarkable: frozenset[str], found: dict[str, Any]) -> None:
    if ours == theirs:
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in theirs.items():
            if key in unremarkable:
                continue
            if key in ours:
                _compare(ours[key], value, f"{path}.{key}", unremarkable, found)
            else:
                found[f"{path}.{key}"] = value
    elif isinstance(ours, list) and isinstance(theirs, list):
        for step, one, other in _pairs(ours, theirs, path):
            _compare(one, other, f"{path}[{step}]", unremarkable, found)


def _pairs(ours: list[Any], theirs: list[Any], path: str) -> list[tuple[str, Any, Any]]:
    if path == _BY_NAME:
        named = {member["name"]: member for member in ours if _has_name(member)}
        pairs = [(member["name"], member) for member in theirs if _has_name(member)]
        return [(name, named[name], member) for name, member in pairs if name in named]
    if len(ours) != len(theirs):
        return []
    return [(str(index), one, other) for index, (one, other) in enumerate(zip(ours, theirs, strict=True))]


def _has_name(member: object) -> bool:
    return isinstance(member, dict) and isinstance(member.get("name"), str)


def put_back(body: dict[str, Any], leftovers: Mapping[str, Any]) -> None:
    """Write leftovers into a body; one whose place is no longer there is left out, and what is there stays.

    Everything on the way to a place is copied: it may be part of the call that the body was composed of.
    """
    for path, value in leftovers.items():
        if _PATH.fullmatch(path) is None:
            body[path] = value
            continue
        first, *steps = [name or index for name, index in _STEP.findall(path)]
        if first in body:
            body[first] = _with(body[first], steps, value)


def _with(place: Any, steps: list[str], value: object) -> Any:
    step, *rest = steps
    if isinstance(place, dict):
        if rest:
            return {**place, step: _with(place[step], rest, value)} if step in place else place
        return {step: value} | place
    index = _index(place, step) if isinstance(place, list) and rest else None
    return place if index is None else [*place[:index], _with(place[index], rest, value), *place[index + 1 :]]


def _index(members: list[Any], step: str) -> int | None:
    named = (index for index, member in enumerate(members) if _has_name(member) and member["name"] == step)
    numbered = int(step) if step.isdecimal() and len(step) < _LONGEST_NUMBER else None
    return next(named, numbered if numbered is not None and numbered < len(members) else None)
