"""Finds what a test without a cassette may have recorded under another name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from replay_agent.exceptions import CassetteError
from replay_agent.recording.cassettes import store
from replay_agent.recording.matching.keys import Keying
from replay_agent.traffic import Request

__all__ = "Former", "find_former"

_MOST = 500
"""Cassettes that are looked through; each takes a millisecond or two."""


@dataclass(frozen=True)
class Former:
    """A test that is gone, and the cassette that it left."""

    path: Path
    test: str

    def names(self, now: str) -> tuple[str, str]:
        """Return what to call it and the test of today to move it: what is the same at their ends moves together."""
        old, new = _plain(self.test).split("::"), _plain(now).split("::")
        while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:
            old, new = old[:-1], new[:-1]
        return "::".join(old), "::".join(new)


def _plain(test: str) -> str:
    """Return a test's name without its parameters: they are moved together."""
    return test.partition("[")[0]


def find_former(folder: Path, root: Path, request: Request, keying: Keying, now: str) -> Former | None:
    """Return the test that is gone and recorded just this request, None if there is none.

    ``folder`` holds the cassettes of the project at ``root``; ``now`` is the test that asks.
    """
    key = keying(request)
    for path in islice(sorted(folder.rglob("*.y*ml"), key=lambda path: _distance(path, now)), _MOST):
        for test in _recorders(path, key.digest, keying):
            if test != now and _is_gone(test, root):
                return Former(path, test)
    return None


def _distance(path: Path, test: str) -> tuple[bool, str]:
    """Sort the cassettes of the same module first."""
    return path.parent.name != Path(test.partition("::")[0]).stem, str(path)


def _recorders(path: Path, digest: str, keying: Keying) -> Iterator[str]:
    try:
        cassette = store.load(path)
        keys = cassette.keys(keying) if cassette.header.keying == keying.scheme else []
    except CassetteError:
        return
    for index, key in enumerate(keys):
        if key.digest == digest and (test := cassette.test(index)) is not None:
            yield test


def _is_gone(test: str, root: Path) -> bool:
    """Tell whether a test is not where it was: its module, or a class or function of its name there."""
    module, *names = _plain(test).split("::")
    try:
        body: Sequence[ast.stmt] = ast.parse((root / module).read_bytes()).body
    except OSError:
        return True
    except (SyntaxError, ValueError, RecursionError):
        return False
    for name in names:
        found = next((each for each in _definitions(body) if each.name == name), None)
        if found is None:
            return True
        if isinstance(found, ast.ClassDef) and found.bases:
            return False  # it may inherit what is not written in it
        body = found.body
    return not names


def _definitions(body: Sequence[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the classes and functions of a body, also those under an ``if`` or ``try``."""
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
        else:
            yield from _definitions([each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt)])
