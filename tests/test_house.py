"""The two things that rot unseen: the direction of imports, and what the plugin drags in."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import replay_agent

PACKAGE = Path(replay_agent.__file__).parent

ROOMS = [
    ["surroundings", "traffic", "exceptions", "usage", "settings", "messages", "calls", "format_as_xml"],
    ["framing"],
    ["recording.matching", "wire.shapes"],
    ["recording.meaning", "recording.cassettes", "recording.redaction", "recording.process", "recording.succession"],
    ["wire.codec"],
    [
        "wire.anthropic",
        "wire.bedrock",
        "wire.cohere",
        "wire.gemini",
        "wire.ollama",
        "wire.openai_chat",
        "wire.openai_responses",
    ],
    ["wire", "recording"],
    ["recording.clients", "report.conversation", "models", "faults"],
    ["agent", "report", "providers", "provider"],
    ["tools", "result", "common_tools"],
    ["harness", "report.comparison"],
    ["report.page", "report.snapshots", "report.review"],
    ["pytest_plugin"],
    ["pytest_plugin.vcr"],
    ["cli"],
    ["__main__"],
]
"""Rooms, from the vocabulary down to the doors: an import may only point to a room of a floor above, or stay in its own."""

NEVER = [
    ("recording", "wire"),
    ("recording", "report.conversation"),
    ("agent", "recording"),
    ("agent", "wire"),
    ("agent", "provider"),
    ("models", "recording"),
    ("wire", "recording"),
    ("report.comparison", "pytest_plugin"),
    ("report.comparison", "harness"),
    ("report.page", "harness"),
    ("recording.redaction", "recording.cassettes"),
    ("recording.cassettes", "recording.redaction"),
]
"""Pairs of rooms that know nothing of each other, the rooms within them included."""

ONLY_IN = {
    "syrupy": {"report.snapshots.extension", "pytest_plugin.around.snapshot_keeper"},
    "respx": {"provider.router"},
    "genai_prices": {"report.conversation.cost"},
    "jinja2": {"report.page.html.rendering"},
}


FOR_DEVELOPERS = {"test", "docs", "lint"}
"""Extras that a user's installation has no part of."""

USED_IF_THERE = {"brotli", "zstandard"}
"""Libraries that nobody has to install: without them an answer in their encoding is kept as it came."""


@functools.cache
def modules():
    """Return every module of ours, with the names that it imports."""
    return [(dotted(path), imports(path)) for path in sorted(PACKAGE.rglob("*.py"))]


def dotted(path):
    return ".".join(part for part in path.relative_to(PACKAGE).with_suffix("").parts if part != "__init__")


def imports(path):
    return [*read_imports(path)]


@functools.cache
def read_imports(path):
    """Return the names that a module imports, and whether it does so when it is itself imported.

    Not so: what a function imports when it is called, and what is imported for annotations alone.
    """
    found = {}
    waiting = [(ast.parse(path.read_text("utf-8")), True)]
    while waiting:
        node, first = waiting.pop()
        for name in imported_by(node):
            found[name] = found.get(name, False) or first
        first = first and not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_annotations(node))
        waiting += [(child, first) for child in ast.iter_child_nodes(node)]
    return found


def imported_by(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [imported(node.module, alias.name) for alias in node.names]
    return []


def is_for_annotations(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imported(module, name):
    """Return what ``from module import name`` reads: the module of that name, else the one it is taken from."""
    place = PACKAGE.parent.joinpath(*module.split("."), name)
    return f"{module}.{name}" if place.with_suffix(".py").is_file() or place.is_dir() else module


FLOORS = {name: floor for floor, rooms in enumerate(ROOMS) for name in rooms}


def room(module):
    """Return the innermost room that a module stands in; None for one that the plan does not know."""
    parts = module.split(".")
    return next((name for n in (2, 1) if (name := ".".join(parts[:n])) in FLOORS), None)


def within(module, name):
    return f"{module}.".startswith(f"{name}.")


EDGES = sorted(
    {
        (module, name.removeprefix("replay_agent."))
        for module, names in modules()
        if module
        for name in names
        if name.startswith("replay_agent.")
    }
)


def test_every_module_has_its_place():
    assert {module for module, _ in modules() if module and room(module) is None} == set()


CROWDED = {"agent", "models"}
"""Rooms with more files than fifteen: one concept each, all of one kind."""


def test_no_room_is_crowded():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    crowded = {folder.relative_to(PACKAGE).as_posix() for folder in folders if len(list(folder.glob("*.py"))) > 15}
    assert crowded <= CROWDED


def rules():
    """Every pair of rooms that import each other, with an example."""
    return sorted({(room(here), room(there)): (here, there) for here, there in EDGES}.items())


@pytest.mark.parametrize(("rooms", "example"), [pair for pair in rules() if pair[0][0] != pair[0][1]])
def test_imports_point_one_way(rooms, example):
    here, there = rooms
    vocabulary = FLOORS[here] == FLOORS[there] == 0 and ROOMS[0].index(there) < ROOMS[0].index(here)
    assert FLOORS[there] < FLOORS[here] or vocabulary, f"{example[0]} imports {example[1]}"


@pytest.mark.parametrize(("here", "there"), NEVER)
def test_some_rooms_know_nothing_of_each_other(here, there):
    assert [edge for edge in EDGES if within(edge[0], here) and within(edge[1], there)] == []


NAMED_ELSEWHERE = {
    "common_tools": {"duckduckgo", "tavily"},
    "pytest_plugin.vcr": {"fixtures"},
    "recording": {"store"},
}
"""Doors that no import of ours goes through: pytest is told their names, or a user imports them."""


def doors():
    """Every room whose ``__all__`` lists modules, with that list: what other rooms may use of it."""
    for path in sorted(PACKAGE.rglob("__init__.py")):
        name = ".".join(path.parent.relative_to(PACKAGE).parts)
        lists = [node.value for node in ast.parse(path.read_text("utf-8")).body if is_all(node)]
        listed = {each for value in lists for each in ast.literal_eval(value)}
        modules = {each.stem for each in path.parent.iterdir()} | NAMED_ELSEWHERE.get(name, set())
        if name and listed and listed <= modules:
            yield name, listed


def is_all(node):
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


@pytest.mark.parametrize(("name", "listed"), [pytest.param(*each, id=each[0]) for each in doors()])
def test_a_room_is_entered_by_the_doors_that_it_lists(name, listed):
    entered = [
        (here, there) for here, there in EDGES if within(there, name) and there != name and not within(here, name)
    ]
    used = {there.removeprefix(f"{name}.").split(".")[0]: here for here, there in entered}
    beside = {there: here for there, here in used.items() if there not in listed}
    assert beside == {}, f"list them in {name}/__init__.py, if other rooms shall use them"
    assert listed - used.keys() == NAMED_ELSEWHERE.get(name, set())


FORMATS = sorted(path.parent.name for path in PACKAGE.glob("wire/*/__init__.py") if path.parent.name != "shapes")
DOORS = {"calls", "content", "answers", "written", "stream"}
"""The stages that every wire format has, each in a file of this name."""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_same_doors(name):
    assert {path.stem for path in (PACKAGE / "wire" / name).glob("*.py")} >= DOORS


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_imported_by_the_registry_alone(name):
    outside = {here for here, there in EDGES if within(there, f"wire.{name}") and not within(here, f"wire.{name}")}
    assert outside <= {"wire.registry", *(["wire.mistral"] if name == "openai_chat" else [])}


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_has_one_door(library):
    doors = {module for module, names in modules() if any(name.split(".")[0] == library for name in names)}
    assert doors <= ONLY_IN[library]


def declared():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    users = (needs for extra, needs in extras.items() if extra not in FOR_DEVELOPERS)
    return {re.split(r"[\[<>=]", need)[0].lower() for needs in (project["dependencies"], *users) for need in needs}


def test_every_library_that_is_imported_is_declared():
    libraries = {name.split(".")[0] for _, names in modules() for name in names} - set(sys.stdlib_module_names)
    homes = packages_distributions()
    needed = {name: {home.lower().replace("_", "-") for home in homes[name]} for name in libraries & homes.keys()}
    foreign = needed.keys() - USED_IF_THERE - {"replay_agent", "pydantic_core"}
    assert {name for name in foreign if not needed[name] & declared()} == set()


LONGEST_CHAIN = 14


def test_no_chain_of_imports_is_long():
    first = {
        dotted(path): [name.removeprefix("replay_agent.") for name, first in read_imports(path).items() if first]
        for path in PACKAGE.rglob("*.py")
        if path.parent != PACKAGE or path.stem != "__init__"
    }
    below = {module: first.keys() & set(names) - {module} for module, names in first.items()}

    @functools.cache
    def chain(module):
        return (*max(map(chain, below[module]), key=len, default=()), module)

    longest = max(map(chain, below), key=len)
    assert len(longest) <= LONGEST_CHAIN, " <- ".join(longest)


def test_the_plugin_is_light():
    code = "import sys, replay_agent.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"vcr", "httpx", "httpx2", "pydantic", "syrupy", "yaml", "respx", "anyio", "genai_prices", "jinja2"}
    assert heavy.isdisjoint(loaded)


def test_the_root_exports_what_it_lists():
    assert set(replay_agent.__all__) <= set(dir(replay_agent))
    for name in replay_agent.__all__:
        assert getattr(replay_agent, name) is not None


def test_an_unknown_root_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        replay_agent.Nonsense  # noqa: B018


COME_ALONG = {
    "annotated-types": "pydantic",
    "certifi": "httpx",
    "httpcore": "httpx",
    "httpcore2": "httpx2",
    "urllib3": "requests",
}
"""Libraries that are there with another one for certain."""


def imported_by_tests():
    for path in (PACKAGE.parent / "tests").rglob("*.py"):
        yield from (name.split(".")[0] for name in imports(path))


def test_every_library_that_a_test_imports_is_declared():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    needs = [*project["dependencies"], *(need for extra in project["optional-dependencies"].values() for need in extra)]
    known = {re.split(r"[\[<>=;]", need)[0].strip().lower() for need in needs} | COME_ALONG.keys()
    homes = packages_distributions()
    libraries = set(imported_by_tests()) - set(sys.stdlib_module_names) - {"replay_agent", "tests"}
    names = {
        library: {home.lower().replace("_", "-") for home in homes.get(library, [library])} for library in libraries
    }
    assert {library for library in libraries if not names[library] & known} == set()


def test_the_door_to_cassette_files_opens_from_the_room_above_too():
    from replay_agent import recording
    from replay_agent.recording.cassettes import store

    assert recording.store is store
    with pytest.raises(AttributeError, match="no attribute 'shop'"):
        recording.shop  # noqa: B018
