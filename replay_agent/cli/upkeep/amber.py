"""syrupy's own files, in which the snapshots of all tests of a module stand: entries of one test renamed, or taken out.

::

    # serializer version: 1
    # name: TestGeo.test_capital[France].1
      'Paris'
    # ---

What is kept is indented, so that a line that begins with ``# name:`` is always the head of an entry.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

__all__ = ("move_entries",)

_HEAD = "# name: "
_VERSION = "# serializer version: 1"


def move_entries(source: Path, target: Path, before: str, after: str) -> bool:
    """Give the entries of the test ``before`` the name ``after``, in the same file or another; tell whether there were any.

    Names are as syrupy has them, ``Class.test``; what stands behind them, a number or another name, stays. Nothing is moved
    onto an entry that is there. A file without entries is deleted.
    """
    head, entries = _read(source)
    own = [entry for entry in entries if _belongs(entry[0], before)]
    moved = [(f"{after}{name.removeprefix(before)}", text) for name, text in own]
    there_head, there = (head, [each for each in entries if each not in own]) if source == target else _read(target)
    if not own or {name for name, _ in moved} & {name for name, _ in there}:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, there_head or head, [*there, *moved])
    if source != target:
        _write(source, head, [entry for entry in entries if entry not in own])
    return True


def _belongs(name: str, test: str) -> bool:
    return re.fullmatch(rf"{re.escape(test)}(?:\.\d+|\[.*)?", name, re.DOTALL) is not None


def _read(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """Return what stands above the entries, and each entry: its name and the lines below."""
    if not path.is_file():
        return "", []
    head, *entries = re.split(rf"^{_HEAD}", path.read_bytes().decode("utf-8"), flags=re.MULTILINE)
    return head, [(name.rstrip("\r"), text) for name, _, text in (entry.partition("\n") for entry in entries)]


def _write(path: Path, head: str, entries: Sequence[tuple[str, str]]) -> None:
    """Write the entries in the order of their names, as syrupy does."""
    if not entries:
        path.unlink(missing_ok=True)
        return
    text = "".join(f"{_HEAD}{name}\n{lines}" for name, lines in sorted(entries, key=lambda entry: entry[0]))
    path.write_bytes((head or f"{_VERSION}\n").encode() + text.encode())
