"""A file written whole or not at all: beside its place first, and there by renaming."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from replay_agent.exceptions import UserError

__all__ = ("write_whole",)


def write_whole(path: Path, text: str) -> None:
    """Write a file, its folder too where there is none. Raises `UserError` where that cannot be; what was there stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(path, text.encode("utf-8"))
    except OSError as exc:
        raise UserError(
            f"{path} cannot be written: {exc.strerror or exc}. Name a file in a folder that can be."
        ) from None


def _write_beside(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        beside.chmod(0o666 & ~_umask())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)  # which can only be read by setting it
    os.umask(mask)
    return mask
