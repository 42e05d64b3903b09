"""The two things that rot unseen: the direction of imports, and what the plugin drags in."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import replay_agent

PACKAGE = Path(replay_agent.__file__).parent

BLOCKS = [
    ["traffic", "exceptions", "usage", "settings", "messages", "calls", "naming", "credentials", "content_encoding"],
    ["wire", "recording"],
    ["conversation", "models", "provider"],
    ["agent", "report", "snapshot"],
    ["harness", "vcr_dropin", "commands"],
    [
        "pytest_hooks",
        "pytest_options",
        "pytest_run",
        "pytest_plugin",
        "pytest_vcr",
        "pytest_collecting",
        "cli",
        "__main__",
    ],
]
"""Rooms and modules from the vocabulary down to the doors; an import may only point up, or stay in its room."""

WITHIN_A_BLOCK = {
    "commands": {"harness"},
    "vcr_dropin": {"harness"},
    "pytest_plugin": {"pytest_hooks", "pytest_options", "pytest_run", "pytest_vcr"},
    "pytest_run": {"pytest_options"},
    "pytest_vcr": {"pytest_options", "pytest_run"},
    "pytest_collecting": {"pytest_plugin", "pytest_run"},
    "cli": {"pytest_collecting"},
    "__main__": {"cli"},
}
"""Rooms that may also look at a neighbour of their own block."""

NEVER = [
    ("recording", "wire"),
    ("agent", "recording"),
    ("agent", "wire"),
    ("agent", "provider"),
    ("wire", "recording"),
]

ONLY_IN = {
    "syrupy": {"snapshot"},
    "respx": {"provider.router"},
    "genai_prices": {"conversation.cost"},
}


FOR_DEVELOPERS = {"test", "docs", "lint"}
"""Extras that a user's installation has no part of."""

USED_IF_THERE = {"brotli", "zstandard"}
"""Libraries that nobody has to install: without them an answer in their encoding is kept as it came."""


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), ast.parse(path.read_text("utf-8"))


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (
                [node.module] if node.module != "replay_agent" else [f"replay_agent.{a.name}" for a in node.names]
            )


def room(module):
    return module.split(".")[0]


def block(name):
    return next((number for number, rooms in enumerate(BLOCKS) if name in rooms), None)


EDGES = sorted(
    {
        (room(module), room(name.removeprefix("replay_agent.")))
        for module, tree in modules()
        if module
        for name in imports(tree)
        if name.startswith("replay_agent.") and name != "replay_agent.__version__"
    }
)


def test_every_room_has_its_place():
    rooms = {room(module) for module, _ in modules() if module}
    assert {name for name in rooms if block(name) is None} == set()


@pytest.mark.parametrize(("here", "there"), [edge for edge in EDGES if edge[0] != edge[1]])
def test_imports_point_one_way(here, there):
    assert (here, there) not in NEVER
    above = block(there) < block(here)
    vocabulary = block(here) == block(there) == 0 and BLOCKS[0].index(there) < BLOCKS[0].index(here)
    assert above or vocabulary or there in WITHIN_A_BLOCK.get(here, ())


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_has_one_door(library):
    doors = {module for module, tree in modules() if any(room(name) == library for name in imports(tree))}
    assert doors <= ONLY_IN[library]


def declared():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    users = (needs for extra, needs in extras.items() if extra not in FOR_DEVELOPERS)
    return {re.split(r"[\[<>=]", need)[0].lower() for needs in (project["dependencies"], *users) for need in needs}


def test_every_library_that_is_imported_is_declared():
    libraries = {room(name) for _, tree in modules() for name in imports(tree)} - set(sys.stdlib_module_names)
    homes = packages_distributions()
    needed = {name: {home.lower().replace("_", "-") for home in homes[name]} for name in libraries & homes.keys()}
    foreign = needed.keys() - USED_IF_THERE - {"replay_agent", "pydantic_core"}
    assert {name for name in foreign if not needed[name] & declared()} == set()


def test_the_plugin_is_light():
    code = "import sys, replay_agent.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"vcr", "httpx", "httpx2", "pydantic", "syrupy", "yaml", "respx", "anyio", "genai_prices"}
    assert heavy.isdisjoint(loaded)


def test_the_root_exports_what_it_lists():
    assert set(replay_agent.__all__) <= set(dir(replay_agent))
    for name in replay_agent.__all__:
        assert getattr(replay_agent, name) is not None


def test_an_unknown_root_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        replay_agent.Nonsense  # noqa: B018
