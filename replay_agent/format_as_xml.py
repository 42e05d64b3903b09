"""`format_as_xml`: values as XML, which models read more easily than JSON in the middle of a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

from pydantic import BaseModel

__all__ = ("format_as_xml",)


def format_as_xml(
    obj: Any,
    root_tag: str = "examples",
    item_tag: str = "example",
    include_root_tag: bool = True,
    none_str: str = "null",
    indent: str | None = "  ",
) -> str:
    """Return a value as XML.

    Takes text, bytes, numbers, booleans, dates, mappings, dataclasses, pydantic models and iterables of them.

    Args:
        obj: The value.
        root_tag: The tag around everything.
        item_tag: The tag of each item of an iterable; a dataclass or model there has its class's name.
        include_root_tag: Whether the outer tag is written; that of a simple value always is.
        none_str: What stands for None.
        indent: The indentation; None writes everything on one line.

    Raises `TypeError` for a value of another type, and for a key that is neither text nor an integer.
    """
    root = ET.Element(root_tag)
    _fill(root, obj, item_tag, none_str)
    if include_root_tag or not len(root):
        return _written(root, indent)
    return ("" if indent is None else "\n").join(_written(child, indent) for child in root)


def _written(element: ET.Element, space: str | None) -> str:
    if space is not None:
        ET.indent(element, space)
    return ET.tostring(element, encoding="unicode")


def _fill(element: ET.Element, value: Any, item_tag: str, none_str: str) -> None:
    named = _named_values(value)
    if named is not None:
        children = [(_tag(key), child) for key, child in named]
    elif (text := _text(value, none_str)) is not None:
        element.text = text
        return
    elif isinstance(value, Iterable):
        children = [(_class_name(item) or item_tag, item) for item in value]
    else:
        raise TypeError(f"Unsupported type for XML formatting: {type(value)}")
    for tag, child in children:
        _fill(_added(element, tag), child, item_tag, none_str)


def _added(parent: ET.Element, tag: str) -> ET.Element:
    child = ET.Element(tag)
    parent.append(child)
    return child


def _named_values(value: Any) -> Iterator[tuple[object, Any]] | None:
    """Return names and values of something that has named values, else None."""
    if isinstance(value, Mapping):
        return iter(value.items())
    if isinstance(value, BaseModel):
        return iter(value)
    if is_dataclass(value) and not isinstance(value, type):
        return ((field.name, getattr(value, field.name)) for field in fields(value))
    return None


def _class_name(value: Any) -> str | None:
    return None if isinstance(value, Mapping) or _named_values(value) is None else type(value).__name__


def _text(value: Any, none_str: str) -> str | None:
    """Return the text of a simple value, None for any other."""
    if value is None:
        return none_str
    if isinstance(value, bytes | bytearray):
        return value.decode(errors="ignore")
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return str(value) if isinstance(value, str | bool | int | float) else None


def _tag(key: object) -> str:
    if isinstance(key, str | int):
        return str(key)
    raise TypeError(f"Unsupported key type for XML formatting: {type(key)}, only str and int are allowed")
