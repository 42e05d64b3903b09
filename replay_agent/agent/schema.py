"""JSON schemas of objects, as tools need them."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import is_typeddict

from replay_agent.exceptions import UserError

__all__ = "ObjectJsonSchema", "error_details", "is_model_like", "object_schema"

ObjectJsonSchema: TypeAlias = dict[str, Any]
"""A JSON schema whose type is object."""


def is_model_like(type_: Any) -> bool:
    """Tell whether values of a type are objects with named fields: pydantic models, dataclasses, typed dicts."""
    return isinstance(type_, type) and (issubclass(type_, BaseModel) or is_dataclass(type_) or is_typeddict(type_))


def object_schema(schema: dict[str, Any]) -> ObjectJsonSchema:
    """Return the schema with the object at its root; `UserError` if it describes something else.

    The schema of a model that contains itself is a reference; its definition takes the place of the reference.
    """
    root = schema
    if "$ref" in schema:
        definition = schema.get("$defs", {}).get(schema["$ref"].removeprefix("#/$defs/"), {})
        root = {key: value for key, value in schema.items() if key != "$ref"} | definition
    if root.get("type") != "object":
        raise UserError("Schema must be an object")
    return root


def error_details(error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic found wrong, without links, in a form that can be written as JSON."""
    details = error.errors(include_url=False)
    for detail in details:
        if isinstance(cause := detail.get("ctx", {}).get("error"), Exception):
            detail["ctx"]["error"] = str(cause)
    return details
