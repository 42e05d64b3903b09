"""Media inside a body: ``data:`` URLs (RFC 2397), read and written."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from replay_agent.messages import BinaryContent

__all__ = "decode_base64", "read_data_url", "write_data_url"

# ``data:image/png;base64,``, ``data:text/plain;charset=utf-8,``, ``data:,``
_HEAD = re.compile(r"data:(?P<type>[^;,]*)(?P<parameters>(?:;[^;,]*)*),", re.IGNORECASE)


def read_data_url(url: object) -> BinaryContent | None:
    """Return what a ``data:`` URL holds; None for any other value, broken base64 included."""
    head = _HEAD.match(url) if isinstance(url, str) else None
    if head is None:
        return None
    payload = head.string[head.end() :]
    is_base64 = head["parameters"].lower().endswith(";base64")
    data = decode_base64(payload) if is_base64 else unquote_to_bytes(payload)
    return None if data is None else BinaryContent(data, head["type"] or "text/plain")


def write_data_url(content: BinaryContent) -> str:
    """Return the ``data:`` URL that holds the content, as base64."""
    return f"data:{content.media_type};base64,{base64.b64encode(content.data).decode()}"


def decode_base64(text: object) -> bytes | None:
    """Return the bytes of a base64 text; None for anything else."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
