"""Where the files of a test are, and what it is called in them."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin.around.nearest_mark import closest
from replay_agent.surroundings import naming

__all__ = (
    "cassette_of",
    "cassette_path",
    "cassette_under",
    "file_name_of",
    "module_folder",
    "nodeid",
    "snapshot_folder",
    "snapshot_folder_name",
    "snapshot_name_of",
)


def _backend(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    backend = callspec.params.get("anyio_backend") if callspec is not None else None
    return backend[0] if isinstance(backend, tuple) else backend


def file_name_of(item: pytest.Item, siblings: Sequence[str] = ()) -> str:
    """Return the file name of a test, without extension: ``Class.test[param]``, the event loop left out."""
    classes = _classes(item)
    return _file_name(item, siblings, classes[-1:], apart=_has_namesake(item, classes))


def snapshot_name_of(item: pytest.Item, siblings: Sequence[str] = ()) -> str:
    """Return the file name of a test's snapshots, which has all its classes: ``Class.Inner.test[param]``."""
    return _file_name(item, siblings, _classes(item))


def snapshot_folder(config: pytest.Config, module: Path) -> Path:
    """Return where the snapshots of a module's runs are: ``tests/__snapshots__/test_geo`` for ``tests/test_geo.py``."""
    return module.parent / snapshot_folder_name(config) / module.stem


def snapshot_folder_name(config: pytest.Config) -> str:
    """Return what syrupy's option calls the folders of snapshots, also where syrupy is not loaded."""
    return str(config.getoption("snapshot_dirname", "__snapshots__"))


def _file_name(item: pytest.Item, siblings: Sequence[str], classes: Sequence[str], *, apart: bool = False) -> str:
    backend = _backend(item)
    own = naming.without_backend(item.name, backend)
    name = ".".join((*classes, _without_secrets(own, siblings, backend)))
    digest_of = "::".join((*_classes(item), own)) if apart else None
    return naming.file_name(name, clashes=apart or own in _clashes.among(siblings, backend), digest_of=digest_of)


def _classes(item: pytest.Item) -> list[str]:
    """Return the names of the classes that a test is in, the outermost first."""
    if isinstance(item.parent, pytest.Module) or getattr(item, "cls", item) is None:
        return []
    return [node.obj.__name__ for node in item.listchain() if isinstance(node, pytest.Class)]


def _has_namesake(item: pytest.Item, classes: Sequence[str]) -> bool:
    """Tell whether a test in a class would take the file of a test in another class of that name.

    The class of the module itself keeps the name, those within other classes do not; where only case differs, none does.
    Asked of the module, not of what was collected: a test is to find its cassette also where it runs alone.
    """
    if not classes:
        return False
    own, function = classes[-1], getattr(item, "originalname", None) or item.name
    module = getattr(item.getparent(pytest.Module), "obj", None)
    others = (other for other in _classes_of(module) if other is not getattr(item, "cls", None))
    alike = {
        other.__name__ for other in others if other.__name__.casefold() == own.casefold() and hasattr(other, function)
    }
    return bool(alike - {own}) or (own in alike and len(classes) > 1)


@functools.lru_cache(maxsize=32)
def _classes_of(module: object) -> tuple[type, ...]:
    return tuple(_classes_in(module, depth=0))


_DEEPEST = 10
"""A class may hold itself, by another way round; nobody nests tests as deep as this."""


def _classes_in(holder: object, depth: int) -> Iterator[type]:
    for value in list(vars(holder).values()) if hasattr(holder, "__dict__") else ():
        if isinstance(value, type) and depth < _DEEPEST and value.__module__ == _module_of(holder):
            yield value
            yield from _classes_in(value, depth + 1)


def _module_of(holder: object) -> object:
    return holder.__module__ if isinstance(holder, type) else getattr(holder, "__name__", None)


class _Clashes:
    """Which names clash, of those that were asked for last: the tests of a module come one after the other."""

    def __init__(self) -> None:
        self._last: tuple[Sequence[str], int, str | None, frozenset[str]] = ((), 0, None, frozenset())

    def among(self, siblings: Sequence[str], backend: str | None) -> frozenset[str]:
        """Return those of the names of a module or class that would share a file with another."""
        known, count, of, found = self._last
        if siblings is not known or len(siblings) != count or backend != of:
            found = naming.clashing(naming.without_backend(name, backend) for name in siblings)
            self._last = siblings, len(siblings), backend, found
        return found


_clashes = _Clashes()


def _without_secrets(name: str, siblings: Sequence[str], backend: str | None) -> str:
    """Return a test's name with placeholders for the keys among its parameters, numbered where that makes two alike."""
    told = _redacted(name)
    if told == name:
        return name
    others = dict.fromkeys(naming.without_backend(sibling, backend) for sibling in siblings)
    alike = [other for other in others if _redacted(other) == told]
    number = alike.index(name) if name in alike else 0
    return f"{told}-{number + 1}" if number else told


@functools.lru_cache(maxsize=1024)
def _redacted(name: str) -> str:
    if len(name.partition("[")[2].removesuffix("]")) < _SHORTEST_SECRET:
        return name
    from replay_agent.recording.redaction.redactor import Redactor

    redactor = Redactor()
    # Once more with each parameter on a line: the dash that pytest puts between them could be a part of some keys.
    return redactor.text(redactor.text(name).replace("-", "\n")).replace("\n", "-")


_SHORTEST_SECRET = 8


def nodeid(item: pytest.Item) -> str:
    """Return the node id of a test without the event loop it runs on, and without keys among its parameters."""
    start, separator, name = item.nodeid.rpartition("::")
    return f"{start}{separator}{_redacted(naming.without_backend(name, _backend(item)))}"


def cassette_of(item: pytest.Item, siblings: Sequence[str] = ()) -> Path:
    """Return where the cassette of a test marked replay is. Raises `UserError` for a name that makes no sense."""
    return cassette_under(item, closest(item, "replay"), siblings)


def cassette_under(item: pytest.Item, mark: pytest.Mark | None, siblings: Sequence[str]) -> Path:
    """Return what `cassette_of` does of a test whose mark is known."""
    return cassette_path(item, _cassette_name(item, mark) if mark is not None else None, siblings)


def cassette_path(item: pytest.Item, name: str | None, siblings: Sequence[str] = ()) -> Path:
    """Return where a test's cassette is: by its name if the mark gives one, else by module and test.

    Raises `UserError` for a name that leads out of the folder of the cassettes.
    """
    root, cassettes = item.config.rootpath, str(item.config.getini("replay_cassette_dir"))
    if name is not None:
        folder = root / cassettes
        path = folder / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"the cassette {name!r} of {item.nodeid} would lie outside {folder}")
        return path
    folder, former = _folders(item.path, root, cassettes)
    classes = _classes(item)
    former_name = _former_name(item, siblings, classes)
    as_ever = not classes and _redacted(item.name) == item.name  # nothing like a key is among its parameters
    name = former_name if as_ever else file_name_of(item, siblings)
    path = folder / f"{name}.yaml"
    if (former, former_name) == (folder, name) or path.exists():
        return path
    old = former / f"{former_name}.yaml"
    return old if _holds(old, nodeid(item)) else path


def _former_name(item: pytest.Item, siblings: Sequence[str], classes: Sequence[str]) -> str:
    """Return the name that tests of classes of one name shared, and in which keys among the parameters were seen."""
    backend = _backend(item)
    own = naming.without_backend(item.name, backend)
    return naming.file_name(".".join((*classes[-1:], own)), clashes=own in _clashes.among(siblings, backend))


def _holds(path: Path, test: str) -> bool:
    """Tell whether a test has recorded this file, which another may claim too, or nobody knows who has."""
    if not path.is_file():
        return False
    from replay_agent.recording.cassettes import store

    cassette = store.load(path)
    return any(cassette.test(index) in (None, test) for index in range(len(cassette)))


@functools.lru_cache(maxsize=32)
def _folders(path: Path, root: Path, cassettes: str) -> tuple[Path, Path]:
    """Return the folder of a test module's cassettes, and the one they were in before: asked together by every test."""
    folder, former = module_folder(path, root, cassettes), former_folder(path, root, cassettes)
    return folder, folder if folder == former else former


def module_folder(path: Path, root: Path, cassettes: str) -> Path:
    """Return the folder of a test module's cassettes; two modules never have the same.

    Beside ``tests/test_x.py``, a ``test_x.py`` in the rootdir has a digest in its name; so has a module beyond the rootdir.
    """
    folder = former_folder(path, root, cassettes)
    if path.is_relative_to(root):
        within = path.relative_to(root)
        meets_another = within.parts[0] != "tests" and (root / "tests" / within).is_file()
    else:
        within, meets_another = _beyond(path, root), True
    return folder.with_name(f"{folder.name}-{naming.digest(within.as_posix())}") if meets_another else folder


def _beyond(path: Path, root: Path) -> Path:
    """Return the way from the rootdir to a module; on another drive of Windows there is none."""
    return Path(os.path.relpath(path, root)) if path.drive == root.drive else path


def former_folder(path: Path, root: Path, cassettes: str) -> Path:
    """Return the folder of a test module's cassettes in which modules of the same name met."""
    module = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    parts = module.with_suffix("").parts
    return root.joinpath(cassettes, *(parts[1:] if len(parts) > 1 and parts[0] == "tests" else parts))


def _cassette_name(item: pytest.Item, mark: pytest.Mark) -> str | None:
    if mark.args and "cassette" in mark.kwargs:
        raise UserError(f"the mark replay of {item.nodeid} names its cassette twice")
    name = mark.args[0] if mark.args else mark.kwargs.get("cassette")
    if name is None or (isinstance(name, str) and name.strip()):
        return name
    raise UserError(f"the mark replay of {item.nodeid} names no cassette: {name!r} is not a name")
