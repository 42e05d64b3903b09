"""Modules that are imported later: what is to be done when one has arrived."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

__all__ = ("Arrivals",)


class Arrivals(MetaPathFinder):
    """An import hook: calls ``arrived(module)`` after the first import of each of these names."""

    def __init__(self, names: Sequence[str], arrived: Callable[[ModuleType], None]) -> None:
        self._names = frozenset(names)
        self._arrived = arrived
        self._searching: set[str] = set()

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Let the other finders find the module, and have its loader tell us. Part of the import protocol."""
        if fullname not in self._names or fullname in self._searching:
            return None
        self._searching.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._searching.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Announcing(spec.loader, self._arrived)
        return spec

    def install(self) -> None:
        """Begin to watch imports."""
        sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Announcing(Loader):
    """A module's own loader, announcing when it has run."""

    def __init__(self, loader: Loader, arrived: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._arrived = arrived

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._arrived(module)
