"""The snapshots of one test: which of them it compared, whether it stopped at one, and that none is lost if it failed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import AssertionResult, SnapshotAssertion
from syrupy.extensions.amber import AmberSnapshotExtension
from syrupy.location import PyTestLocation

from replay_agent.pytest_plugin.places import snapshot_folder
from replay_agent.report.snapshots.extension import RunSnapshotExtension
from replay_agent.surroundings import naming

__all__ = "Difference", "SnapshotKeeper"


@dataclass(frozen=True)
class Difference:
    """A snapshot that is not what a test shows."""

    path: Path
    name: str
    """What syrupy calls it within its file."""
    old: str | None
    """None if there is none."""
    new: str


class SnapshotKeeper:
    """Watches what a test compares with syrupy's snapshots. With ``accept`` they become what the test shows, if it passes."""

    def __init__(self, item: pytest.Item, *, accept: bool, only: Collection[tuple[str, str]] | None = None) -> None:
        """``only`` are the snapshots that are accepted, by file and name; None for all of them."""
        self._item = item
        self._accept = accept
        self._only = only
        self._session: Any = None
        self._assertions: list[SnapshotAssertion] = []
        self._held: dict[tuple[str, str], dict[str, Any]] = {}

    def watch(self, assertion: SnapshotAssertion) -> None:
        """Watch what is compared by way of the fixture ``snapshot`` of this test, and of all that is derived from it."""
        self._session = assertion.session
        self._assertions.append(assertion)
        assertion.session = _Watched(assertion.session, self)  # type: ignore[assignment]
        assertion.update_snapshots = assertion.update_snapshots or self._accept

    @property
    def differing(self) -> bool:
        """Whether the last thing that was compared differs, which is where a test stops."""
        results = [result for assertion in self._assertions for result in list(assertion.executions.values())[-1:]]
        return any(not result.success and result.exception is None for result in results)

    def differences(self) -> list[Difference]:
        """Return the snapshots that differ and are not accepted, each once."""
        found = {
            (result.snapshot_location, result.snapshot_name): result
            for assertion in self._assertions
            for result in assertion.executions.values()
        }
        return [
            Difference(Path(place[0]), place[1], _text(result.recalled_data), _text(result.asserted_data) or "")
            for place, result in found.items()
            if result.asserted_data is not None  # else it was not compared
            and result.exception is None
            and (not result.success or (result.updated and not self._is_accepted(place)))
        ]

    def _is_accepted(self, place: tuple[str, str]) -> bool:
        return self._only is None or place in self._only

    def changed(self) -> list[Path]:
        """Return the files that are to change because the test shows something else now."""
        return [Path(location) for location, _ in self._held]

    def write(self) -> None:
        """Have syrupy write what was accepted: the test has passed."""
        for place, write in self._held.items():
            if self._is_accepted(place):
                self._session.queue_snapshot_write(**write)
        self._held.clear()

    def keep(self) -> None:
        """Count what a failed test has not compared among its snapshots, so that nobody takes it for unused."""
        self._held.clear()
        for assertion in self._assertions or self._never_asked_for():
            for location, name in self._left(assertion):
                _count(assertion, location, name)

    def keep_those_of(self, test: str) -> None:
        """Count the snapshots of a test or module that is not run: one that has another name now, or cannot be imported."""
        for assertion in (self._assertions or self._never_asked_for())[:1]:
            for location, name in _snapshots_of(self._item.config, test):
                _count(assertion, location, name)

    def _never_asked_for(self) -> list[SnapshotAssertion]:
        """Return what the fixture would have been in a test that failed before it had one."""
        # syrupy hands its session out with the fixture only, and puts it here before the first test.
        session = getattr(self._item.config, "_syrupy", None)
        if session is None or "run_snapshot" not in getattr(self._item, "fixturenames", ()):
            return []
        location = PyTestLocation(self._item)
        return [SnapshotAssertion(session, RunSnapshotExtension, location, update_snapshots=False)]

    def _left(self, assertion: SnapshotAssertion) -> list[tuple[str, str]]:
        """Return file and name of each snapshot of this test that was not compared."""
        compared = {
            (result.snapshot_location, result.snapshot_name)
            for each in self._assertions
            for result in each.executions.values()
        }
        found = assertion.extension.discover_snapshots(test_location=assertion.test_location)
        own = [
            (collection.location, snapshot.name)
            for collection in found
            if _is_own(assertion, collection.location)
            for snapshot in collection
            if collection.location.endswith(RunSnapshotExtension.file_extension)
            or assertion.test_location.matches_snapshot_name(snapshot.name)
        ]
        return [each for each in own if each not in compared]


def _count(assertion: SnapshotAssertion, location: str, name: str) -> None:
    """Have syrupy know a snapshot as one that was looked at, and not found to be equal."""
    assertion.executions[len(assertion.executions)] = AssertionResult(
        snapshot_location=location,
        snapshot_name=name,
        asserted_data=None,
        recalled_data=None,
        created=False,
        updated=False,
        success=False,
        exception=None,
        test_location=assertion.test_location,
    )


def _snapshots_of(config: pytest.Config, test: str) -> Iterator[tuple[str, str]]:
    """Yield file and name of each snapshot of a test, or of all tests of a module; none of them need be there any more."""
    module, *names = test.split("::")
    folder, own = snapshot_folder(config, config.rootpath / module), ".".join(names)
    extensions = RunSnapshotExtension(), AmberSnapshotExtension()
    for path in (*sorted(folder.glob("*.run.snap")), folder.with_name(f"{folder.name}.ambr")):
        if own and path.name.endswith(".run.snap") and not path.name.startswith(f"{naming.file_name(own)}."):
            continue
        if path.is_file():
            reader = extensions[path.suffix == ".ambr"]
            for snapshot in reader.read_snapshot_collection(snapshot_location=str(path)):
                if path.suffix != ".ambr" or _is_called(snapshot.name, own):
                    yield str(path), snapshot.name


def _is_called(snapshot: str, test: str) -> bool:
    return not test or snapshot == test or snapshot.startswith((f"{test}.", f"{test}["))


def _text(data: object) -> str | None:
    """Return what a snapshot holds as text; syrupy keeps text or bytes."""
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else None if data is None else str(data)


def _is_own(assertion: SnapshotAssertion, location: str) -> bool:
    matches = getattr(assertion.extension, "matches_test_location", None)  # which syrupy 5.0 does not have yet
    if matches is None:
        return assertion.test_location.matches_snapshot_location(location)
    return bool(matches(test_location=assertion.test_location, snapshot_location=location))


class _Watched:
    """syrupy's session as the assertions of one test see it: what they are to write waits for the test's verdict."""

    def __init__(self, session: Any, keeper: SnapshotKeeper) -> None:
        self._session = session
        self._keeper = keeper

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def register_request(self, assertion: SnapshotAssertion) -> None:
        self._keeper._assertions.append(assertion)  # noqa: SLF001 - two halves of one thing
        self._session.register_request(assertion)

    def queue_snapshot_write(self, extension: Any, test_location: Any, data: Any, index: Any) -> None:
        write = {"extension": extension, "test_location": test_location, "data": data, "index": index}
        self._keeper._held[_place(extension, test_location, index)] = write  # noqa: SLF001

    def recall_snapshot(self, extension: Any, test_location: Any, index: Any) -> Any:
        held = self._keeper._held.get(_place(extension, test_location, index))  # noqa: SLF001
        if held is not None:
            return held["data"]
        return self._session.recall_snapshot(extension, test_location, index)


def _place(extension: Any, test_location: Any, index: Any) -> tuple[str, str]:
    return (
        extension.get_location(test_location=test_location, index=index),
        extension.get_snapshot_name(test_location=test_location, index=index),
    )
