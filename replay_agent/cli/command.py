"""One command's own parser, made when the command is named: two dozen of them take as long as all else of `--help`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = "CommandParser", "Formatter"

_WIDTH = 80
"""Where nobody says how wide a line is."""
_MARGIN = 2
"""Columns that argparse leaves free."""


class Formatter(argparse.HelpFormatter):
    """Writes help as wide as the terminal. argparse makes one for every argument, and imports archives to ask for its width."""

    def __init__(self, prog: str, **told: Any) -> None:
        super().__init__(prog, **{"width": _columns() - _MARGIN, **told})


class CommandParser(argparse.ArgumentParser):
    """The parser of one command, whose ``arguments`` are added when somebody asks for anything of it."""

    def __init__(self, *, arguments: Callable[[argparse.ArgumentParser], None] | None = None, **told: Any) -> None:
        self._told: dict[str, Any] | None = {"formatter_class": Formatter, **told}
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:
        told = self.__dict__.get("_told")
        if told is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._told = None
        super().__init__(**told)
        if self._arguments is not None:
            self._arguments(self)
        return getattr(self, name)


def _columns() -> int:
    """Return how wide the terminal is, as `shutil.get_terminal_size` finds it out."""
    try:
        stated = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        stated = 0
    if stated > 0:
        return stated
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _WIDTH  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # no terminal, a stream that is closed, or none at all
        return _WIDTH
