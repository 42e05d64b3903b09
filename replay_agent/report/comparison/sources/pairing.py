"""Which file of one side is which of the other: by path, then by content, by test and by what was asked first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

from replay_agent.exceptions import CassetteError
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.comparison.result.comparison import Unreadable
from replay_agent.report.comparison.sources.runs import Run, read_runs
from replay_agent.report.comparison.sources.sides import Side

__all__ = "Pair", "pair_files", "pair_runs", "read_side"

_SUFFIX = re.compile(r"\.(?:ya?ml|json|toml)(?:\.gz)?\Z", re.IGNORECASE)


_KeyOf: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A file on both sides, or on one where the other has none."""

    old: str | None
    new: str | None
    is_same: bool = False
    """Whether the bytes are the same, so that there is nothing to be read."""


def pair_files(old: Side, new: Side) -> list[Pair]:
    """Pair the files of two sides, in the order of their names on the new one."""
    common = [path for path in new.ids if path in old.ids]
    pairs = [Pair(path, path, old.ids[path] == new.ids[path] != "") for path in common]
    left = {path: old.ids[path] for path in old.ids if path not in new.ids}
    right = {path: new.ids[path] for path in new.ids if path not in old.ids}
    for moved in _moved(old, new, left, right):
        assert moved.old is not None
        assert moved.new is not None
        del left[moved.old], right[moved.new]
        pairs.append(moved)
    pairs += [Pair(path, None) for path in left]
    pairs += [Pair(None, path) for path in right]
    return sorted(pairs, key=lambda pair: pair.new or pair.old or "")


def _moved(old: Side, new: Side, left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[Pair]:
    """Yield files that are under another name: the same content, the same name but for its end or folder, test, question."""
    if not (left and right):
        return
    words = _FirstWords(old), _FirstWords(new)
    ways: tuple[tuple[_KeyOf, _KeyOf], ...] = (
        (left.__getitem__, right.__getitem__),
        (_stem, _stem),
        (words[0].test, words[1].test),
        (_name, _name),
        (words[0].asked, words[1].asked),
    )
    olds, news = list(left), list(right)
    for key_of_old, key_of_new in ways:
        found = dict(_unique(olds, news, key_of_old, key_of_new))
        yield from (Pair(one, other, left[one] == right[other] != "") for one, other in found.items())
        olds = [path for path in olds if path not in found]
        taken = set(found.values())
        news = [path for path in news if path not in taken]
        if not (olds and news):
            return


def _unique(
    olds: Iterable[str],
    news: Iterable[str],
    key_of_old: _KeyOf,
    key_of_new: _KeyOf,
) -> Iterator[tuple[str, str]]:
    """Yield those of both whose key nothing else of either has."""
    groups: tuple[defaultdict[str, list[str]], ...] = (defaultdict(list), defaultdict(list))
    for group, paths, key_of in ((groups[0], olds, key_of_old), (groups[1], news, key_of_new)):
        for path in paths:
            group[key_of(path)].append(path)
    for key, one in groups[0].items():
        other = groups[1].get(key, [])
        if key and len(one) == len(other) == 1:
            yield one[0], other[0]


def _name(path: str) -> str:
    return PurePosixPath(_stem(path)).name


def _stem(path: str) -> str:
    return _SUFFIX.sub("", path)


class _FirstWords:
    """The test and the first question of files, each read once and let go again."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._known: dict[str, tuple[str, str]] = {}

    def test(self, path: str) -> str:
        """Return the name of the only test that recorded a file, without its module; empty if there is none."""
        return self._read(path)[0]

    def asked(self, path: str) -> str:
        """Return the key of the first request of a file; empty if it has none."""
        return self._read(path)[1]

    def _read(self, path: str) -> tuple[str, str]:
        if path not in self._known:
            self._known[path] = self._words(path)
        return self._known[path]

    def _words(self, path: str) -> tuple[str, str]:
        try:
            runs = read_runs(self._side.read(path), self._side.place(path))
        except CassetteError:
            return "", ""
        if len(runs) != 1 or not runs[0].interactions:
            return "", ""
        name = (runs[0].test or "").partition("::")[2]
        return name, meaning()(runs[0].interactions[0].request).digest


def read_side(side: Side, path: str | None) -> list[Run] | Unreadable:
    """Return what the tests of a file recorded, or why that cannot be told; nothing for a file that is not there."""
    if path is None:
        return []
    try:
        return read_runs(side.read(path), side.place(path))
    except CassetteError as exc:
        return Unreadable(path, side.name, str(exc))


def pair_runs(old: list[Run], new: list[Run]) -> list[tuple[Run | None, Run | None]]:
    """Pair the tests of one file: by their names, and the only one left of each side with each other."""
    before, after = {run.test: run for run in old}, {run.test: run for run in new}
    pairs: list[tuple[Run | None, Run | None]] = [
        (before.pop(test), after.pop(test)) for test in list(before) if test in after
    ]
    if len(before) == len(after) == 1:
        return [*pairs, (before.popitem()[1], after.popitem()[1])]
    return [*pairs, *((run, None) for run in before.values()), *((None, run) for run in after.values())]
