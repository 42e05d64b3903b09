"""Modules that are imported when somebody first asks them for something."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ("Later",)


class Later:
    """Stands for a module, under the name that annotations know it by; has what the module has."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._module), name)
