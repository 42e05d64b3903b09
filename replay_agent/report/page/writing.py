"""A page or a part of one as a file: written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from replay_agent.exceptions import UserError
from replay_agent.recording.cassettes.store import replace_file

__all__ = ("write_whole",)


def write_whole(path: Path, text: str) -> None:
    """Write a file, its folder too where there is none. Raises `UserError` where that cannot be; what was there stays."""
    data = text.encode("utf-8")
    try:
        replace_file(path, data)
    except OSError as exc:
        raise UserError(
            f"{path} cannot be written: {exc.strerror or exc}. Name a file in a folder that can be."
        ) from None
