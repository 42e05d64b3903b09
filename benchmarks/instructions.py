"""Instructions of a replayed test, counted by valgrind: the same on a busy machine as on a quiet one."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import suite
from benchmarks.provider import provider
from benchmarks.suite import CONTENDERS, PROMISED, SHARED, VCRPY, Contender
from benchmarks.targets import Figure

FEW, MANY = 8, 28
"""Tests of the two sessions that are compared: what a session takes for itself is in both."""
_VALGRIND = "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"
_COUNTED = re.compile(r"Collected : (\d+)")
CHOSEN = tuple(each for each in CONTENDERS if each.plugins != VCRPY)
"""Without vcrpy itself, whose tests take twice as long, and a minute each here."""


def table(folder: Path) -> tuple[str, list[Figure]]:
    """Return the millions of instructions of a test by each contender, and the ratios of ours to the others."""
    if shutil.which(_VALGRIND[0]) is None:
        return "instructions: valgrind is not installed", []
    with provider() as base:
        for contender in CHOSEN:
            for tests in (FEW, MANY):
                suite.measure(contender, _place(folder, contender, tests), base, tests=tests, own=False)
    with ThreadPoolExecutor(2) as workers:
        counted = workers.map(lambda each: _counted(folder, each), CHOSEN)
        of_test = {each.name: count for each, count in zip(CHOSEN, counted, strict=True)}
    rows = [f"{SHARED}: millions of instructions a test (sessions of {MANY} and of {FEW} compared)"]
    rows += [f"  {name:38} {count / 1e6:8.2f}" for name, count in of_test.items()]
    return "\n".join(rows), [
        Figure(f"instructions: {ours} to {name}", of_test[ours] / of_test[name], PROMISED.get((SHARED, ours, name)))
        for ours, name in suite.pairs()
        if name in of_test
    ]


def _place(folder: Path, contender: Contender, tests: int) -> Path:
    return folder / str(tests) / contender.folder


def _counted(folder: Path, contender: Contender) -> float:
    """Return the instructions of one test, without those of the session."""
    whole: dict[int, int] = {}
    for tests in (FEW, MANY):
        place = _place(folder, contender, tests)
        suite.session(contender, place, PYTHONHASHSEED="0")  # everything is compiled then
        found = _COUNTED.search(suite.session(contender, place, under=_VALGRIND, PYTHONHASHSEED="0"))
        if found is None:
            raise SystemExit("valgrind has not said how many instructions it counted")
        whole[tests] = int(found[1])
    return (whole[MANY] - whole[FEW]) / (MANY - FEW)
