"""Does a value fit a JSON schema? Of the vocabulary of JSON Schema, what tools and results are described with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ("misfits",)

Schema: TypeAlias = Mapping[str, Any]

_DEEPEST = 100
"""References that lead to themselves end here; no call of a tool is nested as deeply."""


def misfits(value: Any, schema: Schema) -> list[str]:
    """Return what is wrong with a value, a line for each place, nothing if it fits.

    Keywords that are not known are taken to be content with it.
    """
    return list(_Check(schema).at("$", value, schema, 0))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and value == value // 1,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


class _Check:
    """One check of one value; holds the whole schema, for references point into it."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def at(self, place: str, value: Any, schema: Any, depth: int) -> Iterator[str]:
        """Yield what is wrong with the value at a place."""
        if schema is False:
            yield f"{place} should not be there"
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return
        if isinstance(schema.get("$ref"), str):
            yield from self.at(place, value, self._target(schema["$ref"]), depth + 1)
        wrong = [*_wrong_type(place, value, schema), *_wrong_choice(place, value, schema)]
        yield from wrong
        if not wrong:
            yield from self._members(place, value, schema, depth)
            yield from self._content(place, value, schema, depth)

    def _target(self, ref: str) -> Any:
        target: Any = self._root
        for key in ref.removeprefix("#").strip("/").split("/"):
            name = key.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, Mapping) and name else target
        return target

    def _members(self, place: str, value: Any, schema: Schema, depth: int) -> Iterator[str]:
        for member in schema.get("allOf") or ():
            yield from self.at(place, value, member, depth + 1)
        for word in ("anyOf", "oneOf"):
            members = schema.get(word) or ()
            faults = [list(self.at(place, value, member, depth + 1)) for member in members]
            if faults and all(faults):
                yield (
                    min(faults, key=len)[0] if len(faults) == 1 else f"{place} fits none of {len(faults)} alternatives"
                )

    def _content(self, place: str, value: Any, schema: Schema, depth: int) -> Iterator[str]:
        if isinstance(value, dict):
            yield from self._properties(place, value, schema, depth)
        elif isinstance(value, list):
            yield from self._items(place, value, schema, depth)
        elif isinstance(value, str):
            yield from _text(place, value, schema)
        elif _is_number(value):
            yield from _bounds(place, value, schema)

    def _properties(self, place: str, value: dict[str, Any], schema: Schema, depth: int) -> Iterator[str]:
        yield from _counts(place, len(value), schema, "minProperties", "maxProperties", "members")
        known: Schema = schema.get("properties") or {}
        yield from (f"{place}.{name} is missing" for name in schema.get("required") or () if name not in value)
        others = schema.get("additionalProperties", True)
        patterns: Schema = schema.get("patternProperties") or {}
        for name, item in value.items():
            if name in known:
                yield from self.at(f"{place}.{name}", item, known[name], depth + 1)
            elif matching := [inner for pattern, inner in patterns.items() if re.search(pattern, name)]:
                for inner in matching:
                    yield from self.at(f"{place}.{name}", item, inner, depth + 1)
            elif others is False:
                yield f"{place}.{name} is not among the properties ({', '.join(known) or 'there are none'})"
            else:
                yield from self.at(f"{place}.{name}", item, others, depth + 1)

    def _items(self, place: str, value: Sequence[Any], schema: Schema, depth: int) -> Iterator[str]:
        yield from _counts(place, len(value), schema, "minItems", "maxItems", "items")
        if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
            yield f"{place} has the same item twice"
        first: Sequence[Any] = schema.get("prefixItems") or ()
        for index, item in enumerate(value):
            inner = first[index] if index < len(first) else schema.get("items", True)
            yield from self.at(f"{place}[{index}]", item, inner, depth + 1)


def _wrong_type(place: str, value: Any, schema: Schema) -> Iterator[str]:
    wanted = schema.get("type")
    # Gemini's schemas name types in capitals, and a value that may be null in a word of its own (OpenAPI 3.0).
    names = [str(name).lower() for name in (wanted if isinstance(wanted, list) else [wanted] if wanted else [])]
    tests = [_TYPES[name] for name in names if name in _TYPES]
    if value is None and schema.get("nullable"):
        return
    if tests and not any(test(value) for test in tests):
        yield f"{place} is {_shown(value)}, which is no {' or '.join(names)}"


def _wrong_choice(place: str, value: Any, schema: Schema) -> Iterator[str]:
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(choices, list) and not any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in choices
    ):
        yield f"{place} is {_shown(value)}, not one of {', '.join(map(_shown, choices))}"


def _text(place: str, value: str, schema: Schema) -> Iterator[str]:
    yield from _counts(place, len(value), schema, "minLength", "maxLength", "characters")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _matches(pattern, value):
        yield f"{place} is {_shown(value)}, which does not match {pattern}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # of the dialect of ECMA 262, that Python does not have
        return True


def _counts(place: str, count: int, schema: Schema, least: str, most: str, what: str) -> Iterator[str]:
    if count < (schema.get(least) or 0):
        yield f"{place} has {count} {what}, fewer than {schema[least]}"
    if isinstance(schema.get(most), int) and count > schema[most]:
        yield f"{place} has {count} {what}, more than {schema[most]}"


_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("minimum", lambda value, bound: value >= bound, "is less than"),
    ("maximum", lambda value, bound: value <= bound, "is more than"),
    ("exclusiveMinimum", lambda value, bound: value > bound, "is not more than"),
    ("exclusiveMaximum", lambda value, bound: value < bound, "is not less than"),
)


def _bounds(place: str, value: Any, schema: Schema) -> Iterator[str]:
    for word, holds, text in _BOUNDS:
        bound = schema.get(word)
        if _is_number(bound) and not holds(value, bound):
            yield f"{place} is {value}, which {text} {bound}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
