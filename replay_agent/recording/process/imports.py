"""Calls a function after a module is first imported, so that clients which a test imports late are hooked too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

__all__ = ("ImportWatcher",)


class ImportWatcher(MetaPathFinder):
    """An import hook: calls ``arrived(module)`` after the first import of each of these names, in the importing thread."""

    def __init__(self, names: Sequence[str], arrived: Callable[[ModuleType], None]) -> None:
        self._names = frozenset(names)
        self._arrived = arrived
        self._searching: set[str] = set()

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Let the other finders find the module, and have its loader tell us. Part of the import protocol."""
        if fullname not in self._names or fullname in self._searching:
            return None
        # Finding asks all finders, and so us again.
        self._searching.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._searching.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _TellingLoader(spec.loader, self._arrived)
        return spec

    def install(self) -> None:
        """Watch imports from now on. Does nothing where that is so already; others may have put the list of finders back."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def uninstall(self) -> None:
        """Stop watching."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _TellingLoader(Loader):
    """A module's own loader, which calls ``arrived`` when it has run the module."""

    def __init__(self, loader: Loader, arrived: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._arrived = arrived

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Put back before the module runs: it, and whoever looks at it later, sees its own loader.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._arrived(module)
