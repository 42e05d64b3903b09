"""Multipart bodies (RFC 2046, section 5.1; form data: RFC 7578), read without their boundary, which is random."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = "BodyPart", "parse_multipart"

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})"?', re.IGNORECASE)
_FIRST_LINE = re.compile(rb"\A(?:\r?\n)*--([^\r\n]{1,200}?)[ \t]*\r?\n")
_NAME = re.compile(r'\bname="?([^";]*)"?')


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One part: its header fields, names in lower case, and its bytes."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header field, empty if it is not there."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def name(self) -> str:
        """The name of a form field, empty for a part that has none."""
        found = _NAME.search(self.header("content-disposition"))
        return found[1] if found else ""


def parse_multipart(content_type: str, body: bytes) -> list[BodyPart] | None:
    """Return the parts of a body; None if it does not hold what its boundary announces.

    The boundary is taken from the content type, or from the first line where it is not said there.
    """
    boundary = _boundary(content_type, body)
    if boundary is None:
        return None
    newline = b"\r\n" if b"\r\n" in body else b"\n"
    _, *pieces = (newline + body).split(newline + b"--" + boundary)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        return None
    parts = [_part(piece, newline) for piece in pieces[:-1]]
    return None if None in parts else [part for part in parts if part is not None]


def _boundary(content_type: str, body: bytes) -> bytes | None:
    said = _BOUNDARY.search(content_type)
    if said is not None and (boundary := said[1].strip().encode("latin-1", "replace")) in body:
        return boundary
    seen = _FIRST_LINE.match(body)
    return seen[1] if seen else None


def _part(piece: bytes, newline: bytes) -> BodyPart | None:
    padding, found, rest = piece.partition(newline)
    if not found or padding.strip(b" \t"):
        return None
    head, found, body = (newline + rest).partition(newline + newline)
    if not found:
        return None
    lines = [line for line in head.decode("utf-8", "replace").split(newline.decode()) if line]
    fields = (line.partition(":") for line in lines)
    return BodyPart(tuple((name.strip().lower(), value.strip()) for name, _, value in fields), body)
