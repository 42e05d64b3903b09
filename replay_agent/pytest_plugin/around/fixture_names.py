"""Fixtures that several tests share: which a test has, what they are called in cassettes, and where these are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from replay_agent.pytest_plugin.places import module_folder
from replay_agent.surroundings import naming

__all__ = (
    "fixture_cassette",
    "fixture_of",
    "joined",
    "label_among",
    "label_of",
    "name_of",
    "owner_of",
    "owners_of",
    "shared_fixtures",
)

SHORTEST_SECRET = 12
"""Characters; no shorter value of a parameter is taken for a key."""

_XUNIT = re.compile(r"_*(?:xunit|unittest)_([a-zA-Z]+(?:_[a-zA-Z]+)?)_fixture_[\w.-]*")
"""What pytest makes of ``setup_module``, ``setup_class`` and ``setUpClass``: ``_xunit_setup_class_fixture_TestIt``; a
module has its dotted name there (``_xunit_setup_module_fixture_tests.test_it``)."""

_SET = type(pytest.param())
"""What a parameter is wrapped in that has marks or an id of its own."""


def shared_fixtures(item: pytest.Item) -> list[pytest.FixtureDef[Any]]:
    """Return the fixtures of a test that others may share."""
    # pytest has no public way from a test to the definitions of its fixtures; without this one, none are known before
    # they are set up, which matters only if a test that is not replayed needs one first.
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return [fixture for fixtures in known.values() for fixture in _used(fixtures) if fixture.scope != "function"]


def _used(overriding: Sequence[pytest.FixtureDef[Any]]) -> Iterator[pytest.FixtureDef[Any]]:
    """Yield those of the fixtures of one name that are used: the last, and what each of them overrides and asks for."""
    for fixture in reversed(overriding):
        yield fixture
        if fixture.argname not in fixture.argnames:
            return


def name_of(name: str) -> str:
    """Return what a fixture of this name is called; by the method where pytest made one of an xUnit setup."""
    xunit = _XUNIT.fullmatch(name)
    return xunit[1] if xunit else name


def _home_of(fixture: pytest.FixtureDef[Any]) -> str:
    """Return the node id of the place where a fixture is defined: empty for the rootdir's conftest and for plugins."""
    if hasattr(fixture, "node"):  # pytest 9.1 and later, where `baseid` is on its way out
        return fixture.node.nodeid if fixture.node is not None else ""
    return fixture.baseid


def owner_of(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> str | None:
    """Return what the fixture that this test uses is called in cassettes; None for one of this test alone."""
    return next(iter(owners_of(fixture, item)), None)


def owners_of(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> list[str]:
    """Return what the fixture that this test uses is called in cassettes, none for one of this test alone.

    One of a class is followed by what it is called in the classes around: where a test of such a class runs first, pytest
    hands on to the inner class what it has set up for the outer one.
    """
    place, home = _place_of(fixture, item), _home_of(fixture)
    if place is None:
        return []
    name = name_of(fixture.argname)
    if name != fixture.argname and "::" in home:  # the setup of a class around is not that of the class within
        place = home
    if fixture.argname in fixture.argnames:  # it overrides another of its name, and asks for that: both are in use
        name = f"{name}-{PurePosixPath(home.rpartition('::')[2] or 'conftest').stem}"
    places = [home if home.startswith(f"{place}::") else place]
    while fixture.scope == "class" and places[-1].count("::") > 1 and places[-1] != home:
        places.append(places[-1].rpartition("::")[0])
    return [f"{place}::fixture {name}" for place in places]


def _place_of(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> str | None:
    """Return the node id of what shares the fixture: module or class; else of where it is defined."""
    if fixture.scope in ("session", "package"):
        home = _home_of(fixture)
        return home if "::" in home or home.endswith(".py") else f"{home}/conftest.py".lstrip("/")
    node: pytest.Collector | None = None
    if fixture.scope == "module":
        node = item.getparent(pytest.Module)
    elif fixture.scope == "class":
        node = item.getparent(pytest.Class)
    return node.nodeid if node is not None else None


def label_of(value: object, name: str, index: int) -> str:
    """Return how a parameter of a fixture is told apart from others: by its value, as pytest does, else by its number."""
    if isinstance(value, str | int | float | complex | bool | Enum | None):
        return _redacted(str(value))
    return str(getattr(value, "__name__", None) or f"{name}{index}")


def label_among(value: object, name: str, index: int, others: Sequence[object] | None) -> str:
    """Return the label of a parameter, distinct from those of the fixture's others, also as the name of a file.

    ``others`` are None where tests parametrize the fixture: then nobody knows all of them.
    """
    label = label_of(value, name, index)
    if others is None:
        return naming.file_name(label, clashes=True) if naming.file_name(label) != label else label
    labels = [
        label_of(other.values[0] if isinstance(other, _SET) else other, name, n) for n, other in enumerate(others)
    ]
    told = naming.file_name(label, clashes=True) if label in naming.clashing(labels) else label
    return f"{told}-{index}" if labels.count(label) > 1 else told


def joined(labels: Sequence[str]) -> str:
    """Return the labels of several parameters as one, equal for the same ones only."""
    text = "-".join(labels)
    return f"{text}-{naming.digest(repr(labels))}" if len(labels) > 1 and "-" in "".join(labels) else text


def _redacted(label: str) -> str:
    if len(label) < SHORTEST_SECRET:
        return label
    from replay_agent.recording.redaction.redactor import Redactor

    return Redactor().text(label)


def fixture_of(owner: str | None) -> tuple[str, str] | None:
    """Return the file that shares a fixture, and the fixture's name, of what `owner_of` returned; None for a test."""
    place, is_fixture, name = (owner or "").rpartition("::fixture ")
    return (place.partition("::")[0], name.partition("[")[0]) if is_fixture else None


def fixture_cassette(owner: str, config: pytest.Config) -> Path:
    """Return where the cassette of a fixture is: beside those of the tests that share it."""
    place, _, name = owner.rpartition("::fixture ")
    module, *classes = place.split("::")
    root, cassettes = config.rootpath, str(config.getini("replay_cassette_dir"))
    folder = module_folder(root / module, root, cassettes)
    if module.rpartition("/")[2] == "conftest.py":
        folder = folder.parent if folder.name == "conftest" else folder
    file = naming.file_name("".join(f"{each}." for each in classes) + f"fixture-{name}")
    return folder / f"{file}.yaml"
