"""JSON bodies: read within limits, written as HTTP clients write them."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, TypeAlias

from replay_agent.exceptions import WireError

__all__ = "Fields", "dump_json", "read_json", "read_object", "write_json", "write_text"

Fields: TypeAlias = dict[str, Any]
"""A JSON object."""

_DEEPEST = 200
_SHORT = 50_000
"""Bytes that Python's own reader has read long before pydantic's is imported."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# A whole pair of surrogates, half of one (the group), or any other escape: so an escaped backslash before ``ud83d`` is
# not taken for the half of a pair.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def read_json(text: str | bytes, format: str) -> Any:
    """Return the value of a JSON text, given as characters or bytes.

    Half of a surrogate pair, which providers send where they cut an emoji in two, becomes U+FFFD. Raises `WireError`
    for anything that is no JSON text and for values nested deeper than 200 levels.
    """
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if _SURROGATE.search(data):
        data = _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], data)
    try:
        return _value(data)
    except ValueError as exc:
        raise WireError(f"this is not JSON: {exc}", format) from exc


def _value(data: bytes) -> Any:
    """Return what pydantic's reader makes of a text; without it where nobody has it yet and the text is short."""
    if len(data) <= _SHORT and not _is_pydantic_there():
        try:
            # No text of fewer brackets is too deep, and what one of the two makes of it the other does too.
            if data.count(b"[") + data.count(b"{") <= _DEEPEST:
                return json.loads(data.decode())
        except ValueError:
            pass  # which the other one words, as it does wherever it is there already
    from pydantic_core import from_json

    return from_json(data)


def _is_pydantic_there() -> bool:
    return "pydantic_core" in sys.modules


def _jsonable(value: object) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)


def read_object(text: str | bytes, format: str) -> Fields:
    """Return a JSON object, given as characters or bytes; `WireError` for any other value."""
    value = read_json(text, format)
    if not isinstance(value, dict):
        raise WireError(f"a JSON object was expected, not {type(value).__name__}", format)
    return value


def write_text(value: object) -> str:
    """Return compact JSON; values beyond JSON's types are written as pydantic writes them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_jsonable)


def write_json(value: object) -> bytes:
    """Return compact JSON in UTF-8."""
    return write_text(value).encode("utf-8", "replace")


def dump_json(value: object) -> str:
    """Return compact JSON that can be encoded as UTF-8: a lone surrogate makes every character beyond ASCII an escape."""
    text = write_text(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=_jsonable)
    return text
