"""Data that fits a JSON schema, made without chance: the same schema and seed always give the same data."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeAlias

from replay_agent.exceptions import UserError

__all__ = "CHARACTERS", "SchemaData"

Schema: TypeAlias = Mapping[str, Any]

CHARACTERS = string.ascii_letters + string.digits + string.punctuation
"""What the seed chooses from for a string."""

_FIRST_DAY = date(2024, 1, 1)


class _Endless(Exception):
    """A schema asks for itself; whoever has another way to fill the place takes it."""


class SchemaData:
    """Makes data for one schema, with as little in it as the schema allows.

    ``seed`` chooses wherever there is a choice; in a list of unique items it grows with each item and stays grown.
    """

    def __init__(self, schema: Schema, seed: int = 0) -> None:
        self.schema = schema
        self.seed = seed
        self._open_refs: list[str] = []
        self._makers: dict[str, Callable[[Schema], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": self._boolean,
            "null": self._null,
        }

    def generate(self) -> Any:
        """Return the data. `UserError` where the schema cannot be filled, as it asks for itself without end."""
        try:
            return self._any(self.schema)
        except _Endless as exc:
            raise UserError(f"No data can be made for a schema that requires itself: {exc}") from exc

    def _any(self, schema: Schema | bool) -> Any:
        if isinstance(schema, bool):
            return self._character()
        if "const" in schema:
            return schema["const"]
        for choices in ("enum", "examples"):
            if schema.get(choices):
                return self._chosen(schema[choices])
        if "$ref" in schema:
            return self._ref(schema["$ref"])
        for members in ("anyOf", "oneOf"):
            if schema.get(members):
                return self._member(schema[members])
        return self._typed(schema, schema.get("type"))

    def _chosen(self, choices: Sequence[Any]) -> Any:
        return choices[self.seed % len(choices)]

    def _ref(self, ref: str) -> Any:
        if ref in self._open_refs:
            raise _Endless(ref)
        self._open_refs.append(ref)
        try:
            return self._any(self._target(ref))
        finally:
            self._open_refs.pop()

    def _target(self, ref: str) -> Schema:
        target: Any = self.schema
        try:
            for key in ref.removeprefix("#").strip("/").split("/"):
                target = target[key.replace("~1", "/").replace("~0", "~")] if key else target
        except (KeyError, TypeError, IndexError) as exc:
            raise UserError(f"The schema has no definition at {ref!r}") from exc
        found: Schema = target
        return found

    def _member(self, members: Sequence[Schema]) -> Any:
        first = self.seed % len(members)
        endless: _Endless | None = None
        for member in (*members[first:], *members[:first]):
            try:
                return self._any(member)
            except _Endless as exc:
                endless = endless or exc
        assert endless is not None
        raise endless

    def _typed(self, schema: Schema, type_: str | Sequence[str] | None) -> Any:
        if type_ is None:
            return self._character()
        if not isinstance(type_, str):
            return self._typed(schema, self._chosen(type_))
        try:
            make = self._makers[type_]
        except KeyError:
            raise UserError(f"No data can be made for the JSON schema type {type_!r}") from None
        return make(schema)

    def _object(self, schema: Schema) -> dict[str, Any]:
        required = schema.get("required", ())
        properties: Schema = schema.get("properties", {})
        data = {name: self._any(value) for name, value in properties.items() if name in required}
        if additional := schema.get("additionalProperties"):
            data[_unused_name(data)] = self._any({} if additional is True else additional)
        return data

    def _array(self, schema: Schema) -> list[Any]:
        data: list[Any] = []
        unique = bool(schema.get("uniqueItems"))
        for item in schema.get("prefixItems", ()):
            self._add(data, item, unique)
        items: Schema = schema.get("items") or {}
        missing = schema.get("minItems", 0) - len(data)
        for _ in range(missing):
            self._add(data, items, unique)
        if missing <= 0 and items and schema.get("maxItems", len(data) + 1) > len(data):
            self._add_if_possible(data, items, unique)
        return data

    def _add(self, data: list[Any], schema: Schema, unique: bool) -> None:
        data.append(self._any(schema))
        self.seed += unique

    def _add_if_possible(self, data: list[Any], schema: Schema, unique: bool) -> None:
        try:
            self._add(data, schema, unique)
        except _Endless:
            return

    def _string(self, schema: Schema) -> str:
        longest: int | None = schema.get("maxLength")
        if "minLength" in schema:
            return (self._character() * int(schema["minLength"]))[:longest]
        if schema.get("format") == "date" and longest != 0:
            return (_FIRST_DAY + timedelta(days=self.seed)).isoformat()
        return self._character()[:longest]

    def _character(self) -> str:
        """Letters as a spreadsheet names its columns: one character, then two, and so on."""
        letters, rest = "", self.seed
        while rest >= 0:
            rest, place = divmod(rest, len(CHARACTERS))
            letters = CHARACTERS[place] + letters
            rest -= 1
        return letters

    def _integer(self, schema: Schema) -> Any:
        low = _bound(schema, "minimum", "exclusiveMinimum", 1)
        high = _bound(schema, "maximum", "exclusiveMaximum", -1)
        if low is not None and high is not None:
            return low + self.seed % (high - low) if high != low else low
        if low is not None:
            return low + self.seed
        return self.seed if high is None else high - self.seed

    def _number(self, schema: Schema) -> float:
        return float(self._integer(schema))

    def _boolean(self, _schema: Schema) -> bool:
        return self.seed % 2 == 1

    def _null(self, _schema: Schema) -> None:
        return None


def _bound(schema: Schema, inclusive: str, exclusive: str, inward: int) -> Any:
    if inclusive in schema:
        return schema[inclusive]
    return schema[exclusive] + inward if exclusive in schema else None


def _unused_name(data: Mapping[str, Any]) -> str:
    name = "additionalProperty"
    while name in data:
        name += "_"
    return name
