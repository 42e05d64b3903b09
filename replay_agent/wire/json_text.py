"""JSON as it stands in bodies: read with one kind of error, written compactly."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from replay_agent.exceptions import WireError

__all__ = "Fields", "dump_json", "load_fields", "load_json"

Fields: TypeAlias = dict[str, Any]
"""A JSON object."""


def load_json(text: str | bytes, format: str) -> Any:
    """Return the value of a JSON text; `WireError` for anything else, nesting beyond Python's limit included."""
    try:
        return json.loads(text)
    except RecursionError:
        raise WireError("the JSON is nested too deeply", format) from None
    except ValueError as exc:
        raise WireError(f"not JSON: {exc}", format) from exc


def load_fields(text: str | bytes, format: str) -> Fields:
    """Return a JSON object; `WireError` for anything else."""
    value = load_json(text, format)
    if not isinstance(value, dict):
        raise WireError(f"expected a JSON object, not {type(value).__name__}", format)
    return value


def dump_json(value: object) -> str:
    """Write compact JSON that can be encoded as UTF-8: a lone surrogate makes every character beyond ASCII an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
