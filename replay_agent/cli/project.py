"""What a project's ini file says to a command that runs no pytest."""

from __future__ import annotations

import configparser
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = "cache_folder", "cassette_folder", "options_of", "redaction_rules"

_DEFAULT = "cassettes"
_CACHE = ".pytest_cache"
_SECTIONS = {"pytest.ini": "pytest", ".pytest.ini": "pytest", "tox.ini": "pytest", "setup.cfg": "tool:pytest"}


def cassette_folder(root: Path) -> str:
    """Return the folder of a project's cassettes, seen from its root. A file that cannot be read says nothing."""
    said = next((value for value in _said(root, "replay_cassette_dir") if isinstance(value, str)), _DEFAULT)
    return said.strip("/") or _DEFAULT


def cache_folder(root: Path) -> Path:
    """Return the folder of pytest's cache, if ``root`` is where the project's ini file is."""
    said = next((value for value in _said(root, "cache_dir") if isinstance(value, str) and value), _CACHE)
    return root / os.path.expandvars(said)


def redaction_rules(root: Path) -> list[str]:
    """Return what a project calls a secret beside what everybody does."""
    said: Any = next(_said(root, "replay_redact"), [])
    lines = said.splitlines() if isinstance(said, str) else said if isinstance(said, list) else []
    return [line.strip() for line in lines if isinstance(line, str) and line.strip()]


def options_of(path: Path) -> dict[str, Any]:
    """Return pytest's options in a file of one of the names that it reads. A file that cannot be read has none."""
    return _toml(path) if path.suffix == ".toml" else _ini(path, _SECTIONS.get(path.name, "pytest"))


def _said(root: Path, option: str) -> Iterator[Any]:
    """Yield what the files say, in the order in which pytest reads them."""
    for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        path = root / name
        if path.is_file():
            options = options_of(path)
            if option in options:
                yield options[option]


def _toml(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        tool = document.get("tool", {}).get("pytest", {}) if path.name == "pyproject.toml" else document["pytest"]
        return {**tool, **tool.get("ini_options", {})}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def _ini(path: Path, section: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text("utf-8"))
        return dict(parser[section])
    except (OSError, ValueError, KeyError, configparser.Error):
        return {}
