"""Cassettes and interactions that no test is left for, as far as that can be known."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from replay_agent.exceptions import CassetteError
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import Cassette
from replay_agent.report.recorded.project import Project
from replay_agent.surroundings.naming import seen_from_here
from replay_agent.surroundings.visible import visible

__all__ = "Orphan", "find_orphans"

_SUFFIXES = frozenset({".yaml", ".yml"})
_OF_VCRPY = b"interactions:"
"""How vcrpy's cassettes begin, whose keys are sorted; ours say first what wrote them."""
_NO_SOURCES = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})


@dataclass(frozen=True)
class Orphan:
    """A cassette that no test plays, or the interactions in one whose tests are gone."""

    path: Path
    tests: tuple[str, ...]
    """The tests that recorded it, as far as it says."""
    interactions: tuple[int, ...] | None = None
    """None for the whole file."""
    kept: str = ""
    """Why it may be in use all the same; nothing if it is known not to be."""

    def __str__(self) -> str:
        path = seen_from_here(self.path)
        by = f", recorded by {', '.join(self.tests)}" if self.tests else ""
        kept = f": left alone, {self.kept}" if self.kept else ""
        if self.interactions is None:
            return visible(f"{path}: no test plays it{by}{kept}")
        count = len(self.interactions)
        return visible(f"{path}: {count} interaction{'s' if count > 1 else ''} of tests that are gone{by}{kept}")


def find_orphans(project: Project, *, most: int | None = None) -> list[Orphan]:
    """Return what is in the folder of the cassettes and not used, by path.

    What may be used all the same says so: a cassette that does not name its tests (vcrpy's, one of `use_cassette`), one of
    a module that pytest did not collect, one that a source file names. A file that is no cassette is nobody's orphan.

    With ``most`` no more files are read than that, and of those that no test plays only the ones that begin as ours do.
    """
    playing = {path.resolve(): tests for path, tests in project.used.items()}
    search = _Search(project)
    paths = sorted(path for path in project.folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    if most is not None:
        paths = [path for path in paths if path.resolve() not in playing and _is_ours(path)][:most]
    return [orphan for path in paths if (orphan := search.orphan(path, playing.get(path.resolve())))]


def _is_ours(path: Path) -> bool:
    """Tell by its beginning whether a file may be a cassette that names its tests, as vcrpy's do not."""
    try:
        with path.open("rb") as file:
            return file.read(len(_OF_VCRPY)) != _OF_VCRPY
    except OSError:
        return False


class _Search:
    def __init__(self, project: Project) -> None:
        self._project = project

    def orphan(self, path: Path, playing: Collection[str] | None) -> Orphan | None:
        """Return what of a cassette is not played by the tests that play it; by none if it is None."""
        try:
            cassette = store.load(path)
        except CassetteError:
            return None
        indexes = range(len(cassette))
        if playing is None:
            return Orphan(path, _recorders(cassette, indexes), kept=self._doubt(cassette) or self._mention(path))
        gone = [index for index in indexes if cassette.test(index) not in (None, *playing)]
        known = [index for index in gone if not self._doubt_of(cassette.test(index))]
        return Orphan(path, _recorders(cassette, known), tuple(known)) if known else None

    def _doubt(self, cassette: Cassette) -> str:
        doubts = (self._doubt_of(cassette.test(index)) for index in range(len(cassette)))
        return next(filter(None, doubts), "" if len(cassette) else self._doubt_of(None))

    def _doubt_of(self, test: str | None) -> str:
        """Return why a test may still be there."""
        module, separator, _ = (test or "").partition("::")
        if not separator:
            return "for it does not say which test recorded it"
        if module not in self._project.modules:
            return f"for pytest did not collect {module}" if (self._project.root / module).exists() else ""
        if test in self._project.unmarked:
            return f"for {test} is there, though it is not marked"
        written = next((name for name in _names_of(test or "") if self._is_not_defined_here(module, name)), None)
        return f"for {module} has {written}, which pytest did not collect this time" if written else ""

    def _is_not_defined_here(self, module: str, name: str) -> bool:
        """Tell whether a module has a test or class that it defines elsewhere: on another system, with another library."""
        if (module, name) in self._collected:
            return False
        source = next((text for path, text in self._sources if path == self._project.root / module), "")
        return re.search(rf"^\s*+(?:async\s++)?+(?:def|class)\s++{re.escape(name)}\b", source, re.MULTILINE) is not None

    @cached_property
    def _collected(self) -> set[tuple[str, str]]:
        """The modules with the names of the classes and functions of their tests."""
        tests = {*self._project.unmarked, *chain.from_iterable(self._project.used.values())}
        return {(test.partition("::")[0], name) for test in tests for name in _names_of(test)}

    def _mention(self, path: Path) -> str:
        """Return which source file names a cassette, as code does that plays it without a mark."""
        name = path.relative_to(self._project.folder).with_suffix("").as_posix()
        spellings = [f"{path.name}", f'"{name}"', f"'{name}'"]
        sources = (place for place, text in self._sources if any(each in text for each in spellings))
        return next((f"for {place} names it" for place in sources), "")

    @cached_property
    def _sources(self) -> list[tuple[Path, str]]:
        return [(path, path.read_text("utf-8", "replace")) for path in _python_files(self._project.root)]


def _names_of(test: str) -> list[str]:
    """Return the classes and the function of a node id: ``TestX`` and ``test_a`` of ``t.py::TestX::test_a[b::c]``."""
    return test.partition("[")[0].split("::")[1:]


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NO_SOURCES)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def _recorders(cassette: Cassette, indexes: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(test for index in indexes if (test := cassette.test(index))))
