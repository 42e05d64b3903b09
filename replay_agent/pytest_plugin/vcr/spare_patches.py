"""What vcrpy put in place for a cassette that is closed, for the next one: where nobody kept or changed a part of it.

Making it anew is classes and wrapped functions by the dozen for each test, which the garbage collector has to look for
afterwards. Whoever still holds one of those, a pool its connections or a test a function, keeps it with its cassette, and
the next cassette gets others, as vcrpy has it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from functools import cache
from operator import is_
from types import CodeType, FunctionType, ModuleType
from typing import Any

import vcr.patch

__all__ = "Patches", "SparePatches"

_READ = frozenset({"http.client", "urllib3.connection", "urllib3.connectionpool", "aiohttp.client", "vcr.patch", "vcr"})
"""Modules that vcrpy looks into for what it replaces and by what, beside its stubs and those it tries to import."""
_MISSING = object()
_references: Callable[[Any], int] = getattr(sys, "getrefcount", lambda _: 0)


class Patches:
    """What is to be entered for a cassette, and what of it knows that cassette."""

    def __init__(self, cassette: Any, build: Callable[[Any], Iterable[Any]]) -> None:
        """``build`` returns vcrpy's patchers for the cassette."""
        known = _references(cassette)
        self.all = list(build(cassette))
        replacing = [one for one in self.all if hasattr(one, "value")]
        self._places = [(vars(one.owner), one.name) for one in replacing]
        self._present = self._found()
        self._values = list({id(one.value): one.value for one in replacing}.values())
        self._classes = [value for value in self._values if _has(value, cassette)]
        self._cells = [cell for value in self._values for cell in _cells(value) if cell.cell_contents is cassette]
        holds_it_so = _references(cassette) - known == len(self._classes) + len(self._cells)
        self.may_serve_again = holds_it_so and all(
            one.__name__ == f"{one.__base__.__name__}{cassette._path}"  # noqa: SLF001 - as vcrpy calls it
            for one in self._classes
        )
        self._functions = [value for value in self._values if type(value) is FunctionType]
        self._others = [value for value in self._values if type(value) is not FunctionType]
        self._attributes = [vars(one) for one in self._functions]
        self._parts = self._parts_now()
        self._kept = [dict(one) for one in self._attributes], self._others_now()
        self._held = self._holders()

    def _holders(self) -> list[int]:
        """Count who holds each value: the same as in the beginning is nobody but these patches."""
        return [_references(value) for value in self._values]

    def _parts_now(self) -> list[Any]:
        """Return what the functions consist of: their code, their defaults.

        Asked for by their names, these would be an event each to whoever audits the process, as we do.
        """
        return gc.get_referents(*self._functions)

    def _others_now(self) -> list[Any]:
        """Return what of the other values others may have changed."""
        return [_state(one) for one in self._others]

    def emptied(self) -> bool:
        """Forget the cassette when all was undone; False where anybody else could tell."""
        removers = [one for one in self.all if not hasattr(one, "value")]
        if not self.may_serve_again or self._holders() != self._held:
            return False
        parts = self._parts_now()
        if len(parts) != len(self._parts) or not all(map(is_, parts, self._parts)):
            return False
        if (self._attributes, self._others_now()) != self._kept:
            return False
        for remover in removers:
            for kept in vars(remover).values():
                if isinstance(kept, dict):
                    kept.clear()
        self._serve(None)
        return True

    def serve(self, cassette: Any) -> bool:
        """Be those of another cassette; False if what they would replace is not what it was."""
        if not all(map(is_, self._found(), self._present)):
            return False
        for one in self._classes:
            one.__name__ = one.__qualname__ = f"{one.__base__.__name__}{cassette._path}"  # noqa: SLF001
        self._serve(cassette)
        return True

    def _found(self) -> list[Any]:
        return [attributes.get(name, _MISSING) for attributes, name in self._places]

    def _serve(self, cassette: Any) -> None:
        for one in self._classes:
            one.cassette = cassette
        for cell in self._cells:
            cell.cell_contents = cassette


class SparePatches:
    """The patches that the last cassette left behind."""

    def __init__(self, modules: Iterable[str]) -> None:
        """``modules`` are those that vcrpy tries to import."""
        self._modules = frozenset(modules) | _READ
        self._spare: Patches | None = None
        self._asked: Any = None
        self._world = _World([])

    def taken(self, cassette: Any, absent: Any, build: Callable[[Any], Iterable[Any]]) -> Patches:
        """Return patches for a cassette while modules are ``absent``: those left behind, or what ``build`` makes."""
        spare, self._spare = self._spare, None
        asked = absent, getattr(cassette, "skip_patchers", ())
        fits = spare is not None and self._asked == asked and not cassette.custom_patches
        if fits and self._world.is_there() and spare is not None and spare.serve(cassette):
            return spare
        made = Patches(cassette, build)
        made.may_serve_again &= _CAN_COUNT and not cassette.custom_patches and all(map(_is_plain, made.all))
        self._asked, self._world = asked, self._seen()
        return made

    def left(self, patches: Patches) -> None:
        """Keep patches that were undone, if another cassette can have them."""
        if patches.emptied():
            self._spare = patches

    def _seen(self) -> _World:
        modules: dict[str, Any] = dict(sys.modules)  # where None says that there is no such module
        return _World(
            (name, module)
            for name, module in modules.items()
            if isinstance(module, ModuleType) and (name in self._modules or name.startswith("vcr.stubs"))
        )


class _World:
    """Modules by their names, and what vcrpy looks up in them, as they are when it is made."""

    def __init__(self, modules: Iterable[tuple[str, ModuleType]]) -> None:
        self._modules = dict(modules)
        looked_up = [
            (vars(module), name) for module in self._modules.values() for name in _names() & vars(module).keys()
        ]
        self._attributes, self._names = [each for each, _ in looked_up], [name for _, name in looked_up]
        self._values = self._found()

    def _found(self) -> list[Any]:
        return list(map(dict.get, self._attributes, self._names))

    def is_there(self) -> bool:
        """Tell whether all of it is the same now."""
        modules = map(sys.modules.get, self._modules)
        return all(map(is_, modules, self._modules.values())) and all(map(is_, self._found(), self._values))


@cache
def _names() -> frozenset[str]:
    """Return the names of what vcrpy looks up when it says what to replace."""
    found: set[str] = set()
    loader: Any = vcr.patch.__loader__
    codes = [loader.get_code(vcr.patch.__name__)]
    while codes:
        code = codes.pop()
        found.update(code.co_names)
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
    return frozenset(found)


_CAN_COUNT = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether the number of references to an object tells who holds it."""


def _is_plain(patcher: Any) -> bool:
    """Tell whether all that a patcher puts in place is known by a look: a function, a class, classes by name, or nothing."""
    value = getattr(patcher, "value", None)
    inner = value.values() if type(value) is dict else [value]
    return value is None or all(type(one) in (FunctionType, type) for one in inner)


def _state(value: Any) -> Any:
    """Return what of a class or dict others may have changed; the cassette of a class is for us to change."""
    if isinstance(value, type):
        return {**vars(value), "cassette": None}
    return dict(value) if type(value) is dict else None


def _has(value: Any, cassette: Any) -> bool:
    return isinstance(value, type) and vars(value).get("cassette") is cassette


def _cells(value: Any) -> tuple[Any, ...]:
    return (value.__closure__ or ()) if type(value) is FunctionType else ()
