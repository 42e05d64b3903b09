"""What the processes of one recording tell each other: lines of JSON in a file of the temporary folder.

A forked process has a copy of the recording, and nothing that it plays, records or misses would be known to the one that
keeps the cassette. Both write it here, and read what the others wrote before they give an answer away.
"""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = "Message", "Spool"

Message: TypeAlias = dict[str, Any]
"""What happened, under its name: played, recorded, missed, over; ``pid`` says who tells it."""


class Spool:
    """A file that grows at its end, one message a line. Not locked within a process: the caller holds its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._heard = 0

    @classmethod
    def made(cls) -> Spool:
        """Make the file, readable to this user only; it is removed when the process that made it ends. Raises OSError."""
        descriptor, path = tempfile.mkstemp(prefix="replay-agent-", suffix=".spool")
        os.close(descriptor)
        made = cls(Path(path))
        atexit.register(made._remove, os.getpid())
        return made

    def say(self, **message: object) -> None:
        """Tell the others, in one piece. Raises OSError."""
        line = json.dumps({"pid": os.getpid(), **message}).encode() + b"\n"
        # Appending is one step to the system: lines of several processes do not mix.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        try:
            while line:
                line = line[os.write(descriptor, line) :]
        finally:
            os.close(descriptor)

    def news(self) -> list[Message]:
        """Return what others have said since this was asked last. Raises OSError."""
        if self.path.stat().st_size <= self._heard:
            return []
        with self.path.open("rb") as file:
            file.seek(self._heard)
            whole, end, _ = file.read().rpartition(b"\n")  # a line that is still being written waits
        self._heard += len(whole) + len(end)
        messages = [json.loads(line) for line in whole.splitlines()]
        return [message for message in messages if message["pid"] != os.getpid()]

    def lock(self) -> BaseFileLock:
        """Return what keeps the other processes from taking their turn while it is held."""
        from filelock import FileLock

        return FileLock(self._lock_path)

    @property
    def _lock_path(self) -> Path:
        return self.path.with_suffix(".lock")

    def _remove(self, maker: int) -> None:
        if os.getpid() == maker:
            for path in (self.path, self._lock_path):
                path.unlink(missing_ok=True)
