"""Folders of cassettes, in which pytest need not look for tests: it takes longer to pass over a file than to list it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = "CassetteFolders", "holds_only_cassettes"

_DEFAULT = "cassettes"
"""What folders of cassettes are called where nobody says so, also those of the mark ``vcr``."""
_ENDINGS = ".yaml", ".yml"
_FILES = frozenset({".py", *_ENDINGS})
_BEGINS = 4096
"""Bytes in which a cassette of any kind comes to its interactions."""


class CassetteFolders:
    """A hook for the collection of a session."""

    NAME = "replay_agent_cassette_folders"

    def __init__(self, config: pytest.Config) -> None:
        named = Path(str(config.getini("replay_cassette_dir")))
        self._names = {_DEFAULT, named.name}
        self._config = config

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Pass over a folder that has nothing but cassettes in it, in a folder of cassettes."""
        if collection_path.suffix in _FILES or self._names.isdisjoint(collection_path.parts):
            return None
        if _may_be_tests(self._config) or not holds_only_cassettes(str(collection_path)):
            return None
        return True


def _may_be_tests(config: pytest.Config) -> bool:
    """Tell whether somebody else makes tests of files, those of YAML perhaps: a plugin, a conftest, a glob of doctests."""
    if config.getoption("doctestglob", None):
        return True
    collecting = config.pluginmanager.hook.pytest_collect_file.get_hookimpls()
    return not all(each.function.__module__.startswith("_pytest.") for each in collecting)


def holds_only_cassettes(folder: str) -> bool:
    """Tell whether there are files of YAML in a folder, nothing else, and the first one is a cassette."""
    try:
        with os.scandir(folder) as entries:
            first = None
            for entry in entries:
                if not entry.name.endswith(_ENDINGS):
                    return False
                first = first or entry.path
        if first is None:
            return False
        with open(first, "rb") as file:  # noqa: PTH123 - asked of each folder, where no path is needed
            return b"\ninteractions:" in b"\n" + file.read(_BEGINS)
    except OSError:  # a file, or a folder that nobody may read: pytest says what is wrong with it
        return False
