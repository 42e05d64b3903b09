"""vcrpy's stub modules, of which each has the error for itself that a refused request raises."""

from __future__ import annotations

import sys
from types import ModuleType

__all__ = ("StubModules",)


class StubModules:
    """Those of vcrpy's stubs that are imported and have an attribute of this name."""

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute
        self._seen = 0
        self._names: list[str] = []

    def present(self) -> list[ModuleType]:
        """Return them as they are now. The names are looked for only when other modules have come or gone meanwhile."""
        if len(sys.modules) != self._seen:
            names = list(sys.modules)
            self._seen = len(names)
            self._names = [name for name in names if name.startswith("vcr.") and name.partition(".stubs")[0] == "vcr"]
        modules = (sys.modules.get(name) for name in self._names)
        return [module for module in modules if module is not None and hasattr(module, self._attribute)]
