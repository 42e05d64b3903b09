"""The file that holds a project's options for pytest, and how a few lines are added to it: all else stays to the byte."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay_agent.exceptions import UserError

__all__ = "OPTIONS", "SECTIONS", "Addition", "add_options", "section_of"

OPTIONS = {"replay_cassette_dir": "cassettes", "replay_record_mode": "none"}
"""What is added: the defaults, where somebody who wants others will look for them."""
SECTIONS = {
    "pytest.toml": ("pytest",),
    ".pytest.toml": ("pytest",),
    "pytest.ini": ("pytest",),
    ".pytest.ini": ("pytest",),
    "pyproject.toml": ("tool.pytest", "tool.pytest.ini_options"),
    "tox.ini": ("pytest",),
    "setup.cfg": ("tool:pytest",),
}
"""The files in the order in which pytest looks for its section, and what that is called there; the last one is made."""
_OURS = re.compile(r"\s*[\"']?replay_\w+[\"']?\s*[=:]")
_MAY_BE_EMPTY = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
"""Files of these names are pytest's, whatever is in them."""


@dataclass(frozen=True)
class Addition:
    """A file as it is to be, or why it stays as it is."""

    path: Path
    section: str
    before: str
    after: str
    reason: str = ""
    """Why nothing is added; empty if something is, or if it cannot be."""

    @property
    def options(self) -> str:
        """The lines that are wanted, as this kind of file has them."""
        return _lines(self.path, "\n")


def add_options(root: Path) -> Addition:
    """Return what the ini file of a project is to become; nothing is written. Raises `UserError` for one that cannot be read.

    The text is edited, not written anew: comments, order, quotes and ends of lines stay. ``after`` equals ``before`` if
    our options are there already (``reason`` says so), or where the section is spelled so that no line can be added to it.
    """
    path, section = _place(root)
    before = _read(path) if path.exists() else ""
    if any(name.startswith("replay_") for name in _options_in(path, before, section)):
        return Addition(path, section, before, before, f"[{section}] has options of replay-agent already")
    return Addition(path, section, before, next(_edited(path, before, section), before))


def section_of(path: Path) -> str | None:
    """Return the section of pytest's that a file has, None if it has none. Raises `UserError` if it cannot be read."""
    text = _read(path)
    found = [name for name in SECTIONS[path.name] if _has_section(path, text, name)]
    if path.name == "pyproject.toml" and "tool.pytest" in found and len(found) == 2:
        found = _used_of(tomllib.loads(text))
    if not found and path.name in _MAY_BE_EMPTY:
        return SECTIONS[path.name][-1]
    return found[-1] if found else None


def _used_of(document: dict[str, Any]) -> list[str]:
    """Tell pytest's own table in a pyproject.toml, which pytest 9 reads, from one that only holds ``ini_options``."""
    table = document["tool"]["pytest"]
    return ["tool.pytest.ini_options"] if "ini_options" in table else ["tool.pytest"]


def _place(root: Path) -> tuple[Path, str]:
    """Return the file that pytest reads, else the one of its files that is there, else a new ``pytest.ini``."""
    present = [root / name for name in SECTIONS if (root / name).is_file()]
    for path in present:
        section = section_of(path)
        if section is not None:
            return path, section
    path = present[0] if present else root / "pytest.ini"
    return path, SECTIONS[path.name][-1]


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
        if path.suffix == ".toml":
            tomllib.loads(text)
    except (OSError, ValueError) as exc:
        raise UserError(
            f"{path} cannot be read ({exc}), and pytest's options belong in there. Nothing was changed: mend the file, "
            "then run this again"
        ) from exc
    return text


# --- what is in a file ------------------------------------------------------------------------------------------------


def _has_section(path: Path, text: str, section: str) -> bool:
    if path.suffix == ".toml":
        return _table(tomllib.loads(text), section) is not None
    return _header_place(text.splitlines(), section, toml=False) is not None


def _table(document: Any, section: str) -> dict[str, Any] | None:
    for name in section.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else None


def _options_in(path: Path, text: str, section: str) -> list[str]:
    if path.suffix == ".toml":
        return list(_table(tomllib.loads(text), section) or ())
    lines = text.splitlines()
    header = _header_place(lines, section, toml=False)
    if header is None:
        return []
    return [line.strip() for line in lines[header + 1 : _end(lines, header)] if _OURS.match(line)]


def _header_place(lines: list[str], section: str, *, toml: bool) -> int | None:
    wanted = f"[{section}]"
    for place, line in enumerate(lines):
        # ``[tool . "pytest".ini_options]  # ours`` is the same table; in an ini file a header stands in column 0.
        shown = re.sub(r"[\s\"']", "", line.partition("#")[0]) if toml else line.partition("#")[0].rstrip()
        if shown == wanted:
            return place
    return None


def _end(lines: list[str], header: int) -> int:
    """Return the line before which the section ends: blank lines and comments above the next header are that one's."""
    end = next((place for place in range(header + 1, len(lines)) if lines[place].startswith("[")), len(lines))
    while end > header + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith(("#", ";"))):
        end -= 1
    return end


# --- what becomes of it -----------------------------------------------------------------------------------------------


def _edited(path: Path, text: str, section: str) -> Iterator[str]:
    """Yield the texts with our options that say the same as before otherwise, the one that looks best first."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    toml = path.suffix == ".toml"
    header = _header_place([line.rstrip("\r\n") for line in lines], section, toml=toml)
    ours = _lines(path, newline)
    if header is None:
        blank = newline if lines else ""
        candidates = ["".join([*lines, f"{blank}[{section}]{newline}{ours}"])]
    else:
        places = dict.fromkeys((_end([line.rstrip("\r\n") for line in lines], header), header + 1))
        candidates = ["".join([*lines[:place], ours, *lines[place:]]) for place in places]
    yield from (each for each in candidates if not toml or _says_only_more(text, each, section))


def _says_only_more(before: str, after: str, section: str) -> bool:
    """Tell whether a document says what it did, and our options: a line may have come to stand in a text, or in a list."""
    try:
        document = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    wanted = tomllib.loads(before)
    table = wanted
    for name in section.split("."):
        table = table.setdefault(name, {})
    table.update(OPTIONS)
    return document == wanted


def _lines(path: Path, newline: str) -> str:
    quote = '"' if path.suffix == ".toml" else ""
    return "".join(f"{name} = {quote}{value}{quote}{newline}" for name, value in OPTIONS.items())
