"""JSON paths that name what to leave out of a body: ``$.metadata.trace_id``, ``$.messages[*].name``, ``$..seed``.

The subset of RFC 9535 that names members and elements: child and descendant segments, names plain or quoted, indexes
counted from either end, and wildcards. Slices, filters and lists of selectors are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from replay_agent.exceptions import UserError

__all__ = ("JSONPath",)

Selector: TypeAlias = str | int | Literal[True]
"""A member's name, an element's index, or True for every child."""

# One step: ``.name``, ``.*``, ``..name``, ``..*``, ``['a name']``, ``[0]``, ``[-1]``, ``[*]``, ``..[0]``. Behind two
# dots no third is wanted, hence the condition on ``deep``.
_SEGMENT = re.compile(
    r"""(?P<deep>\.\.)?
    (?: (?(deep)|\.) (?: (?P<every>\*) | (?P<name>[^\W\d][\w-]*) )
      | \[ \s* (?: (?P<each>\*) | (?P<index>-?\d{1,9}) | '(?P<single>(?:[^'\\]|\\.)*)' | "(?P<double>(?:[^"\\]|\\.)*)" ) \s* \] )
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: which children, of the value itself or (``deep``) of everything below it."""

    selector: Selector
    deep: bool = False


@dataclass(frozen=True, slots=True)
class JSONPath:
    """A path, as its text and as steps."""

    text: str
    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, text: str) -> JSONPath:
        """Read a path. Raises `UserError` that shows where it stops making sense."""
        if not text.startswith("$"):
            raise UserError(f"not a JSON path: {text!r} must start with '$', as in '$.metadata.trace_id'")
        segments: list[Segment] = []
        position = 1
        while position < len(text):
            found = _SEGMENT.match(text, position)
            if found is None:
                raise UserError(_complaint(text, position))
            segments.append(_segment(found))
            position = found.end()
        return cls(text, tuple(segments))

    def remove_from(self, value: Any) -> Any:
        """Take what the path names out of a decoded JSON value, in place; the path ``$`` leaves None."""
        if not self.segments:
            return None
        *way, last = self.segments
        parents = [value]
        for segment in way:
            parents = [child for parent in _reached(parents, segment) for child in _selected(parent, segment.selector)]
        # Collected before anything is removed: what is below a removed member is reached too, and does no harm there.
        for parent in list(_reached(parents, last)):
            _remove(parent, last.selector)
        return value

    @property
    def member(self) -> str | None:
        """The name if the path is a plain member of the root, as in ``$.name``: what a form's field can be called."""
        if len(self.segments) == 1 and isinstance(self.segments[0].selector, str):
            return self.segments[0].selector
        return None


def _complaint(text: str, position: int) -> str:
    return (
        f"cannot read the JSON path {text!r} from character {position + 1} on ({text[position:]!r}). "
        "It may hold .name, ['a name'], [0], [-1], [*] and ..name, not slices or filters."
    )


def _segment(found: re.Match[str]) -> Segment:
    deep = found["deep"] is not None
    if found["every"] or found["each"]:
        return Segment(True, deep)
    if found["index"] is not None:
        return Segment(int(found["index"]), deep)
    if found["name"] is not None:
        return Segment(found["name"], deep)
    quoted = found["single"] if found["single"] is not None else found["double"]
    return Segment(_ESCAPE.sub(r"\1", quoted), deep)


def _reached(parents: list[Any], segment: Segment) -> Iterator[Any]:
    for parent in parents:
        yield parent
        if segment.deep:
            yield from _below(parent)


def _below(value: Any) -> Iterator[Any]:
    # A loop, since a body may be nested deeper than Python recurses.
    waiting = list(_selected(value, True))
    while waiting:
        child = waiting.pop()
        yield child
        waiting += _selected(child, True)


def _selected(parent: Any, selector: Selector) -> list[Any]:
    if isinstance(parent, dict):
        if selector is True:
            return list(parent.values())
        return [parent[selector]] if selector in parent else []
    if isinstance(parent, list) and not isinstance(selector, str):
        if selector is True:
            return list(parent)
        return [parent[selector]] if -len(parent) <= selector < len(parent) else []
    return []


def _remove(parent: Any, selector: Selector) -> None:
    if selector is True and isinstance(parent, dict | list):
        parent.clear()
    elif isinstance(parent, dict):
        parent.pop(selector, None)
    elif isinstance(parent, list) and not isinstance(selector, str) and -len(parent) <= selector < len(parent):
        del parent[selector]
