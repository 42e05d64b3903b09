"""What the smaller fixtures of pytest-recording say of a test, without a fixture being set up where none is overridden.

And of pytest-vcr, whose cassettes stand straight in the folder `cassettes`, without one for each module.

Setting up a fixture costs what a request costs, and each marked test goes by seven of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from replay_agent.exceptions import UserError
from replay_agent.pytest_plugin.around.nearest_mark import closest
from replay_agent.pytest_plugin.options import asked_mode
from replay_agent.surroundings import naming

__all__ = (
    "allowed_hosts",
    "cassette_dir",
    "default_cassette_name",
    "disable_recording",
    "folder_of_all",
    "is_own",
    "record_mode",
    "value_of",
    "vcr_cassette_dir",
    "vcr_cassette_name",
    "vcr_config",
    "vcr_markers",
)

Value = TypeVar("Value")
_OWN: pytest.StashKey[dict[str, bool]] = pytest.StashKey()
"""Of a module or class, which names are those of our fixtures there."""
_HOME = __name__.rsplit(".", 2)[0]


def value_of(request: pytest.FixtureRequest, own: Callable[[pytest.FixtureRequest], Value]) -> Value:
    """Return the value of the fixture with the name of this function, which is what ours returns."""
    name, item = own.__name__, request.node
    if name in getattr(item, "fixturenames", ()) or not is_own(item, name):
        value: Value = request.getfixturevalue(name)
        return value
    return own(request)


def is_own(item: pytest.Item, name: str) -> bool:
    """Tell whether nobody overrides a fixture of ours for a test and those beside it.

    A test that asks for it by name, or is parametrized by that name, has it among its own fixtures.
    """
    if item.parent is None:
        return False
    try:
        known = item.parent.stash[_OWN]
    except KeyError:
        known = item.parent.stash[_OWN] = {}
    if name not in known:
        # pytest has no public way to the definitions of a fixture; without this one, the fixture itself is asked.
        find = getattr(getattr(item.session, "_fixturemanager", None), "getfixturedefs", None)
        found = (find(name, item) if find is not None else None) or ()
        known[name] = len(found) > 0 and all(each.func.__module__.startswith(_HOME) for each in found)
    return known[name]


def record_mode(request: pytest.FixtureRequest) -> str:
    """Return the record mode that the command line asks for, else ``none``."""
    return asked_mode(request.config) or "none"


def disable_recording(request: pytest.FixtureRequest) -> bool:
    """Tell whether vcrpy is out of the game."""
    return bool(request.config.getoption("disable_recording"))


def vcr_config(_request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return no keywords: they are for a project to say."""
    return {}


def vcr_markers(request: pytest.FixtureRequest) -> list[pytest.Mark]:
    """Return the marks ``vcr`` of a test, closest first."""
    return list(request.node.iter_markers("vcr"))


def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """Return the folder of a module's cassettes: beside it."""
    return _cassettes_beside(request.node.path)


@lru_cache(maxsize=64)
def _cassettes_beside(path: Path) -> str:
    return str(path.parent / "cassettes" / path.stem)


def cassette_dir(item: pytest.Item, folder: str, name: str, suffix: str) -> str:
    """Return the folder of a test's cassette: the module's, or pytest-vcr's where the cassette is there, or would be.

    It would be where a project says the names as only pytest-vcr has them said.
    """
    if not is_own(item, "vcr_cassette_dir") or _is_file(folder, name, suffix):
        return folder
    of_all = folder_of_all(item)
    return of_all if not is_own(item, "vcr_cassette_name") or _is_file(of_all, name, suffix) else folder


def folder_of_all(item: pytest.Item) -> str:
    """Return pytest-vcr's folder of the cassettes of a test: that of all modules beside its own."""
    return str(item.path.parent / "cassettes")


def _is_file(folder: str, name: str, suffix: str) -> bool:
    # Asked for each replayed test, where a `Path` would cost more than the question.
    return os.path.isfile(f"{folder}/{name}" if name.endswith(suffix) else f"{folder}/{name}{suffix}")  # noqa: PTH113


def default_cassette_name(request: pytest.FixtureRequest) -> str:
    """Return the name of a test's cassette: what the mark ``default_cassette`` says, else ``Class.test[param]``."""
    mark = closest(request.node, "default_cassette")
    if mark is None:
        owner = f"{request.cls.__name__}." if request.cls else ""
        return naming.without_forbidden(f"{owner}{request.node.name}")
    if not mark.args:
        raise UserError("the mark default_cassette names no cassette: pytest.mark.default_cassette('name.yaml')")
    name: str = mark.args[0]
    return name


def vcr_cassette_name(request: pytest.FixtureRequest) -> str:
    """Return what pytest-vcr calls `default_cassette_name`."""
    return value_of(request, default_cassette_name)


def allowed_hosts(request: pytest.FixtureRequest) -> list[str] | None:
    """Return the hosts that stay reachable: of the mark ``block_network``, the command line, or ``vcr_config``."""
    mark = closest(request.node, "block_network")
    hosts = (
        (mark.kwargs.get("allowed_hosts") if mark else None)
        or request.config.getoption("allowed_hosts")
        or value_of(request, vcr_config).get("allowed_hosts")
    )
    return hosts.split(",") if isinstance(hosts, str) else hosts
