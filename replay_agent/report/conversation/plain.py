"""Any value, models and dataclasses included, to plain JSON values that are the same in every run; JSON text back."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from pathlib import PurePath
from typing import Any

__all__ = "media_line", "parsed", "plain", "type_name"

# Levels; a value that holds itself ends here as well.
_DEEPEST = 60


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as objects, lists, text, numbers, truth values and null.

    Sets are sorted; media become a line of type, size and digest; what has no JSON form is its ``repr``.
    """
    if value is None or (isinstance(value, str | bool | int | float) and not isinstance(value, Enum)):
        return value
    if depth > _DEEPEST:
        return "..."
    if _is_a(value, "pydantic.main", "BaseModel"):
        return plain(value.model_dump(warnings=False), depth + 1)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        if value.get("part_kind") == "unknown" and len(value) == 2:
            return plain(value.get("raw"), depth + 1)
        return _media(value) or {_key(name): plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item, depth + 1) for item in value), key=_order)
    if isinstance(value, bytes | bytearray | memoryview):
        return media_line("bytes", bytes(value))
    if isinstance(value, Sequence):
        return [plain(item, depth + 1) for item in value]
    return _scalar(value, depth)


def _is_a(value: Any, module: str, name: str) -> bool:
    """Tell whether a value is of a class whose module need not be imported for that: whoever made one has done so."""
    holder = sys.modules.get(module)
    return holder is not None and isinstance(value, getattr(holder, name))


def _scalar(value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal | PurePath) or _is_a(value, "uuid", "UUID"):
        return str(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, type):
        return type_name(value)
    return repr(value)


def parsed(text: str) -> Any:
    """Return the JSON object or list that a text is, None for any other text."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def type_name(kind: type) -> str:
    """Return the name of a class without its module; a generic one with its parameters."""
    return kind.__qualname__.rpartition("<locals>.")[2]


def media_line(media_type: str, data: bytes) -> str:
    """Describe data by type, size in bytes and the beginning of its SHA-256."""
    return f"[{media_type}, {len(data):,} bytes, sha256 {sha256(data).hexdigest()[:12]}]"


def _media(value: Mapping[Any, Any]) -> str | None:
    """The line for data that was sent inline, as objects or as pydantic-ai dumps it."""
    kind, data = value.get("kind"), value.get("data")
    if kind != "binary" or not isinstance(data, str | bytes):
        return None
    content = data if isinstance(data, bytes) else _from_base64(data)
    return media_line(str(value.get("media_type") or "bytes"), content)


def _from_base64(text: str) -> bytes:
    from base64 import urlsafe_b64decode
    from binascii import Error

    try:
        # pydantic writes base64 with - and _, most others with + and /; padding may be missing.
        return urlsafe_b64decode(text.translate({43: "-", 47: "_"}) + "=" * (-len(text) % 4))
    except (Error, ValueError):
        return text.encode("utf-8", "replace")


def _key(name: Any) -> str:
    return name if isinstance(name, str) else str(plain(name))


def _order(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=repr)
