"""Where the files of a test are, and what it is called in them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest

from replay_agent import naming
from replay_agent.exceptions import UserError

__all__ = "cassette_of", "cassette_path", "file_name_of", "module_folder", "nodeid"


def _backend(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    backend = callspec.params.get("anyio_backend") if callspec is not None else None
    return backend[0] if isinstance(backend, tuple) else backend


def file_name_of(item: pytest.Item, siblings: Sequence[str] = ()) -> str:
    """Return the file name of a test, without extension: ``Class.test[param]``, the event loop left out."""
    backend = _backend(item)
    own = naming.without_backend(item.name, backend)
    owner = getattr(item, "cls", None)
    prefix = f"{owner.__name__}." if owner is not None else ""
    return naming.file_name(prefix + own, clashes=own in _clashing(tuple(siblings), backend))


@functools.lru_cache(maxsize=32)
def _clashing(siblings: tuple[str, ...], backend: str | None) -> frozenset[str]:
    return naming.clashing(naming.without_backend(name, backend) for name in siblings)


def nodeid(item: pytest.Item) -> str:
    """Return the node id of a test without the event loop it runs on."""
    start, separator, name = item.nodeid.rpartition("::")
    return f"{start}{separator}{naming.without_backend(name, _backend(item))}"


def cassette_of(item: pytest.Item, siblings: Sequence[str] = ()) -> Path:
    """Return where the cassette of a test marked replay is. Raises `UserError` for a name that makes no sense."""
    mark = item.get_closest_marker("replay")
    return cassette_path(item, _cassette_name(item, mark) if mark else None, siblings)


def cassette_path(item: pytest.Item, name: str | None, siblings: Sequence[str] = ()) -> Path:
    """Return where a test's cassette is: by its name if the mark gives one, else by module and test."""
    root, cassettes = item.config.rootpath, str(item.config.getini("replay_cassette_dir"))
    if name is not None:
        folder = root / cassettes
        path = folder / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"the cassette {name!r} of {item.nodeid} would lie outside {folder}")
        return path
    return module_folder(item.path, root, cassettes) / f"{file_name_of(item, siblings)}.yaml"


@functools.lru_cache(maxsize=32)
def module_folder(path: Path, root: Path, cassettes: str) -> Path:
    """Return the folder of a test module's cassettes."""
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
