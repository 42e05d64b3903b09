"""Shape: what kinds of values a JSON value is made of, whatever the values are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = "Shape", "shape_changes", "shape_of"

_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """The kinds that values at one place have, and the shapes of what they hold."""

    kinds: frozenset[str]
    members: dict[str, Shape] = field(default_factory=dict)
    """Of objects, by name."""
    elements: Shape | None = None
    """Of lists, all their elements together; None for empty ones."""


def shape_of(value: Any, depth: int = 0) -> Shape:
    """Return the shape of a JSON value."""
    if depth > _DEEPEST:
        return Shape(frozenset({"deep"}))
    if isinstance(value, dict):
        members = {str(name): shape_of(each, depth + 1) for name, each in value.items()}
        return Shape(frozenset({"object"}), members)
    if isinstance(value, list):
        return Shape(frozenset({"list"}), elements=_merged([shape_of(each, depth + 1) for each in value]))
    return Shape(frozenset({_kind(value)}))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string"


def _merged(shapes: Sequence[Shape]) -> Shape | None:
    if not shapes:
        return None
    names = dict.fromkeys(name for shape in shapes for name in shape.members)
    members = {name: [shape.members[name] for shape in shapes if name in shape.members] for name in names}
    return Shape(
        frozenset().union(*(shape.kinds for shape in shapes)),
        {name: merged for name, each in members.items() if (merged := _merged(each))},
        _merged([shape.elements for shape in shapes if shape.elements is not None]),
    )


def shape_changes(before: Shape, after: Shape, path: str) -> Iterator[str]:
    """Yield where two shapes differ, in words; an empty list has the shape of any other."""
    if not (before.kinds <= after.kinds or after.kinds <= before.kinds):
        yield f"{path} is {_named(after)}, was {_named(before)}"
        return
    both_objects = "object" in before.kinds and "object" in after.kinds
    for name in (name for name in before.members if both_objects and name not in after.members):
        yield f"{path}.{name} is missing"
    for name, shape in after.members.items() if both_objects else ():
        if name in before.members:
            yield from shape_changes(before.members[name], shape, f"{path}.{name}")
        else:
            yield f"{path}.{name} is new, {_named(shape)}"
    if before.elements is not None and after.elements is not None:
        yield from shape_changes(before.elements, after.elements, f"{path}[]")


def _named(shape: Shape) -> str:
    article = {"object": "an object", "list": "a list", "null": "null"}
    return " or ".join(sorted(article.get(kind, f"a {kind}") for kind in shape.kinds))
