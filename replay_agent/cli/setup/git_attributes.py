"""What makes ``git diff`` show cassettes as conversations: a line in ``.gitattributes``, and a program that git is told of."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from replay_agent.exceptions import UserError

__all__ = "COMMAND", "DRIVER", "PROGRAM", "is_told", "line_for", "tell_git", "top_of", "with_line"

DRIVER = "replay-agent"
PROGRAM = "replay-agent show --textconv"
COMMAND = f'git config diff.{DRIVER}.textconv "{PROGRAM}"'
"""What tells git of the program. It holds for one clone: git takes no programs from files that others wrote."""


def line_for(folder: str) -> str:
    """Return the line that gives the cassettes in a folder, seen from the file, to the driver."""
    escaped = re.sub(r"([*?\[\]\\!])", r"\\\1", folder)
    pattern = f"/{escaped}/**/*.yaml"
    if re.search(r"[\s\"]", pattern):  # then git reads it as a text in C
        pattern = '"{}"'.format(pattern.replace("\\", "\\\\").replace('"', '\\"'))
    return f"{pattern} diff={DRIVER}"


def with_line(text: str, line: str) -> str:
    """Return the text of a ``.gitattributes`` with a line at its end, itself if some line names our driver already."""
    if re.search(rf"^[^#\n]*\sdiff={DRIVER}\s*$", text, re.MULTILINE):
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    joint = newline if text and not text.endswith("\n") else ""
    return f"{text}{joint}{line}{newline}"


def top_of(place: Path) -> Path | None:
    """Return the folder of the work tree that a place is in; None where there is no git, or no repository."""
    told = _git(place, "rev-parse", "--show-toplevel")
    return Path(told.stdout.strip()) if told is not None and told.returncode == 0 and told.stdout.strip() else None


def is_told(place: Path) -> bool:
    """Tell whether git knows a program for our driver here."""
    told = _git(place, "config", "--get", f"diff.{DRIVER}.textconv")
    return told is not None and told.returncode == 0 and bool(told.stdout.strip())


def tell_git(place: Path) -> None:
    """Tell git of the program, for this clone. Raises `UserError` if it does not take it."""
    told = _git(place, "config", f"diff.{DRIVER}.textconv", PROGRAM)
    if told is None or told.returncode:
        said = told.stderr.strip() if told is not None else "git is not installed"
        raise UserError(f"git did not take the program for cassettes ({said}). Run it yourself:\n    {COMMAND}")


def _git(place: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(  # noqa: S603 - our own words
            ["git", "-C", str(place), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
