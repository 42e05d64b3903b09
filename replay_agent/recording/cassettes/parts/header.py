"""The header of a cassette: what the file says of itself before its interactions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay_agent.exceptions import CassetteUnreadable, CassetteVersionError
from replay_agent.recording.cassettes.json_spelling import Number
from replay_agent.recording.cassettes.safe_documents import BadDocument, read_yaml
from replay_agent.recording.cassettes.yaml_blocks import read_block, write_block
from replay_agent.surroundings.version import __version__

__all__ = "RESTORE", "Header", "read_header", "render_header"

VERSION = 1
RESTORE = "Restore the file, or delete it and record again."
"""What to do with a file that cannot be read."""
_USUAL_HEADER = re.compile(
    rb"version: 1\nlibrary: (pytest-replay-agent [0-9][\w.]*)\nrecorded_at: '([0-9TZ:-]+)'\nkeying: ([a-z]+-[0-9]+)\n"
)
"""The header of nearly every file, which need not be read as YAML."""
_SHOWN = 60


@dataclass(slots=True)  # not frozen, as each replayed test makes one
class Header:
    """What a cassette says of itself before its interactions."""

    keying: str = ""
    """The scheme of the keys in the file (`Keying.scheme`)."""
    recorded_at: str | None = None
    """When the file was first written, ISO 8601 in UTC."""
    frozen: Mapping[str, object] = field(default_factory=dict)
    """Sources (clock, uuid, random, ...) that were frozen while recording, with their seeds; plain JSON values."""
    library: str = ""
    """Name and version of the release that wrote it; filled in on writing when empty."""
    version: int = VERSION
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields of the file that this release does not know, kept for writing back."""


def render_header(header: Header, *, empty: bool = False) -> bytes:
    """Write what stands before the first item."""
    fields: dict[str, Any] = {
        "version": header.version,
        "library": header.library or f"pytest-replay-agent {__version__}",
        "recorded_at": header.recorded_at,
        "keying": header.keying,
        "frozen": _spelled(dict(header.frozen)) or None,
        **header.extra,
    }
    said = write_block({name: value for name, value in fields.items() if value is not None})
    return f"{said}interactions:{' []' if empty else ''}\n".encode()


def _spelled(value: Any) -> Any:
    """Return a plain value with its floats as the numbers that they are written as."""
    if isinstance(value, dict):
        return {str(name): _spelled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(each) for each in value]
    return Number(repr(value)) if isinstance(value, float) else value


def _frozen(fields: dict[str, Any], path: Path) -> dict[str, Any]:
    try:
        return {name: _unspelled(value) for name, value in fields.items()}
    except (ValueError, OverflowError) as exc:
        raise CassetteUnreadable(f"{path}: `frozen` holds a number that cannot be read. {RESTORE}", path) from exc


def _unspelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unspelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_unspelled(each) for each in value]
    if not isinstance(value, Number):
        return value
    # As JSON has it: 1.0 and 1 are two seeds.
    return float(value) if set(value) & set(".eE") else int(value)


def read_header(data: bytes, path: Path) -> Header:
    """Read what stands before the first item. Raises `CassetteUnreadable`, `CassetteVersionError`."""
    usual = _USUAL_HEADER.fullmatch(data)
    if usual is not None:
        library, recorded_at, keying = map(bytes.decode, usual.groups())
        return Header(keying, recorded_at, library=library)
    fields = _as_written(data)
    if fields is not None:
        return _header(fields, path)
    try:
        fields = read_yaml(data, exact=True)
    except BadDocument as exc:
        where = "" if exc.line is None else f":{exc.line}"
        raise CassetteUnreadable(f"{path}{where}: the header cannot be read: {exc.cause}. {RESTORE}", path) from exc
    return _header(fields, path)


def _as_written(data: bytes) -> object:
    """Read a header that nobody has touched, None for any other: that needs no libyaml, which takes time to import."""
    try:
        text = data.decode()
        fields = read_block(text)
        return fields if write_block(fields) == text else None
    except (ValueError, IndexError, RecursionError):
        return None


def _header(fields: object, path: Path) -> Header:
    if not isinstance(fields, dict):
        raise CassetteUnreadable(f"{path}:1: the file does not begin with the header of a cassette. {RESTORE}", path)
    said = dict(fields)
    version = said.pop("version", None)
    if version != str(VERSION):
        raise CassetteVersionError(
            f"{path}: the file {'has no format version' if version is None else f'has format version {str(version)[:_SHOWN]}'}; "
            f"this release reads version {VERSION}. Update pytest-replay-agent, or record the cassette again.",
            path,
        )
    known = {name: said.pop(name, None) for name in ("keying", "recorded_at", "library", "frozen")}
    frozen = known["frozen"]
    return Header(
        str(known["keying"] or ""),
        None if known["recorded_at"] is None else str(known["recorded_at"]),
        _frozen(frozen, path) if isinstance(frozen, dict) else {},
        str(known["library"] or ""),
        extra={name: value for name, value in said.items() if name != "interactions"},
    )
