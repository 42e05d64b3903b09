"""Plan: what a run of pytest may change, where not everything that is open has been accepted; and what it came to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from replay_agent.recording.succession.bounds import Bounds

__all__ = "Ended", "Plan", "TestPlan", "read_ends", "write_ends"


@dataclass(frozen=True)
class TestPlan:
    """What one test may change."""

    __test__ = False

    snapshots: tuple[tuple[str, str], ...] | None = None
    """Which snapshots, by file and by syrupy's name; None for all of them."""
    live: bool = False
    held: Mapping[str, str] = field(default_factory=dict)
    barred: tuple[str, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """How far its recording may go."""
        return Bounds(self.held, frozenset(self.barred), self.live)


@dataclass(frozen=True)
class Plan:
    """What each test may change, by what it is called on pytest's command line."""

    tests: Mapping[str, TestPlan]
    ends: str
    """The file for what the run came to."""

    def write(self, path: Path) -> None:
        """Write it down for the process that is to follow it."""
        path.write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Return what `write` wrote."""
        document = json.loads(path.read_text("utf-8"))
        return cls({name: _test_plan(values) for name, values in document["tests"].items()}, document["ends"])


def _test_plan(values: Mapping[str, Any]) -> TestPlan:
    snapshots = values["snapshots"]
    named = None if snapshots is None else tuple((str(file), str(name)) for file, name in snapshots)
    return TestPlan(named, values["live"], values["held"], tuple(values["barred"]))


@dataclass(frozen=True)
class Ended:
    """What became of a test in such a run."""

    passed: bool
    live: int = 0
    """How many requests went live."""
    text: str = ""
    """What it failed with."""


def write_ends(path: Path, ends: Mapping[str, Ended]) -> None:
    """Write down what a run came to, by the tests' names on the command line."""
    path.write_text(json.dumps({name: asdict(end) for name, end in ends.items()}), "utf-8")


def read_ends(path: Path) -> dict[str, Ended]:
    """Return what `write_ends` wrote, nothing if the run did not get that far."""
    if not path.is_file():
        return {}
    return {name: Ended(**values) for name, values in json.loads(path.read_text("utf-8")).items()}
