"""Snapshots of a run: message history, typed result and usage in one readable file for each assertion."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import AssertionResult, SnapshotAssertion
from syrupy.data import Snapshot, SnapshotCollection
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import PropertyFilter, PropertyMatcher, SerializableData, SerializedData, SnapshotIndex

from replay_agent.recording.dispatch import redacted
from replay_agent.report.conversation.text import render_run, render_transcript
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.conversation.view import EVERYTHING, View
from replay_agent.surroundings import naming
from replay_agent.surroundings.visible import visible

__all__ = "NAME", "AssertionResult", "RunSnapshot", "RunSnapshotExtension", "describe"

_FORMER_EXTENSION = "run.txt"  # pytest took test*.txt for doctests

NAME = pytest.StashKey[str]()
"""Where the plugin leaves the file name of a test, without extension."""


_YOUNGER = ("update_new_snapshots_only",)
"""What assertions of syrupy 5.0 do not have yet."""


class RunSnapshot(SnapshotAssertion):  # noqa: PLW1641 - has none, as syrupy's
    """The fixture ``run_snapshot``: compares a run with its file.

    ``run_snapshot(messages=False)`` leaves a section out, ``run_snapshot(mask=["$.messages[*].content"])`` masks what differs
    from run to run, ``run_snapshot(name="second")`` is another snapshot of the same test; of one comparison each.
    """

    defaults = EVERYTHING
    """What the ini file says."""
    _view: View | None = None

    def __call__(
        self,
        *,
        messages: bool | None = None,
        result: bool | None = None,
        usage: bool | None = None,
        mask: str | Sequence[str] = (),
        **more: Any,
    ) -> RunSnapshot:
        """Return itself with other words for the next comparison; the further ones are syrupy's, ``name`` among them.

        Masks come to those of the ini file, sections replace what it says. Raises `UserError` for a path that is none.
        """
        said = {"messages": messages, "result": result, "usage": usage}
        without = {
            name for name, shown in said.items() if (name in self.defaults.without if shown is None else not shown)
        }
        asked = View.of(without, [mask] if isinstance(mask, str) else mask)
        self._view = View(asked.without, (*self.defaults.masks, *asked.masks))
        super().__call__(**more)
        return self

    def __eq__(self, other: object) -> bool:
        """Compare a run as syrupy does, seen as was asked for."""
        view, self._view = self._view or self.defaults, None
        return super().__eq__(Viewed(other, view))

    def __repr__(self) -> str:
        """Name the fixture; pytest shows it above a failure, where the text of the snapshot would hide it."""
        return f"<run_snapshot of {self.test_location.snapshot_name}>"

    @property
    def last(self) -> AssertionResult | None:
        """What became of the last comparison, None before the first."""
        return self.executions.get(self.num_executions - 1)

    @classmethod
    def of(cls, snapshot: SnapshotAssertion, defaults: View = EVERYTHING) -> RunSnapshot:
        """Make one of syrupy's fixture ``snapshot``."""
        younger = [name for name in _YOUNGER if hasattr(snapshot, name)]
        made = cls(
            session=snapshot.session,
            extension_class=RunSnapshotExtension,
            test_location=snapshot.test_location,
            update_snapshots=snapshot.update_snapshots,
            **{name: getattr(snapshot, name) for name in younger},
        )
        made.defaults = defaults
        return made


@dataclass(frozen=True)
class Viewed:
    """A run, and how it is looked at."""

    run: Any
    view: View


class RunSnapshotExtension(SingleFileSnapshotExtension):
    """Keeps runs as ``__snapshots__/<module>/<test>[.<name>].run.snap``.

    Takes the result of our agent, a pydantic-ai ``AgentRunResult``, the fixture ``replay`` or a `Transcript`. Ids and
    times are written by order of appearance, so that a run recorded anew compares equal unless it differs in meaning.
    What is a secret in a cassette is one here: an agent's own messages still hold what was sent.
    """

    _write_mode = WriteMode.TEXT
    file_extension = "run.snap"

    def serialize(
        self,
        data: SerializableData,
        *,
        exclude: PropertyFilter | None = None,  # noqa: ARG002
        include: PropertyFilter | None = None,  # noqa: ARG002
        matcher: PropertyMatcher | None = None,  # noqa: ARG002
    ) -> SerializedData:
        """Return the text of a run without secrets; raises `TypeError` for what is no run."""
        viewed = data if isinstance(data, Viewed) else Viewed(data, EVERYTHING)
        return redacted(describe(viewed.run, viewed.view))

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """Return what syrupy calls a snapshot: the name of its file, with brackets around the assertion's own part."""
        return _syrupys_name(cls.get_file_basename(test_location=test_location, index=index))

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        """Return the test's file name, followed by the assertion's name or number unless it is the first."""
        name = _test_name(test_location)
        return f"{name}.{naming.file_name(str(index))}" if index else name

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """Return the one snapshot that a file holds."""
        basename = Path(snapshot_location).name.removesuffix(f".{self.file_extension}")
        collection = SnapshotCollection(location=snapshot_location)
        collection.add(Snapshot(name=_syrupys_name(basename)))
        return collection

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> SerializableData | None:
        """Return the text of a file, else of the one that an earlier version wrote; None if there is neither."""
        found = super().read_snapshot_data_from_location(
            snapshot_location=snapshot_location, snapshot_name=snapshot_name, session_id=session_id
        )
        former = Path(snapshot_location.removesuffix(self.file_extension) + _FORMER_EXTENSION)
        return former.read_text("utf-8") if found is None and former.is_file() else found

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Tell whether a file belongs to a test, so that only its own unused snapshots are reported."""
        location = Path(snapshot_location)
        name = _test_name(test_location)
        own = location.name == f"{name}.{cls.file_extension}" or location.name.startswith(f"{name}.")
        return own and location.parent.name == test_location.basename


def _syrupys_name(basename: str) -> str:
    """Return a name that syrupy relates to its test, which it reads as far as it has dots and identifiers.

    Where the name of the test ends can only be guessed from that of a file: at the last part that begins as tests do, else
    at the first that does not begin as classes do. ``TestGeo.test_capital.second`` is ``TestGeo.test_capital[second]``.
    """
    path, bracket, rest = basename.partition("[")
    parts = path.split(".")
    tests = [number for number, part in enumerate(parts) if part.startswith("test")]
    others = [number for number, part in enumerate(parts) if not part[:1].isupper()]
    end = tests[-1] if tests else others[0] if others else len(parts)
    own = ".".join(parts[end + 1 :])
    return f"{'.'.join(parts[: end + 1])}[{own}{bracket}{rest}]" if own else basename


def _test_name(location: PyTestLocation) -> str:
    """Return the file name that the plugin found; what syrupy rebuilds of another worker's test has none, only its id."""
    known = getattr(location.item, "stash", {}).get(NAME, None)
    if known is not None:
        return str(known)
    name = location.snapshot_name
    for backend in ("asyncio", "trio"):
        name = naming.without_backend(name, backend)
    return naming.file_name(name)


def describe(run: Any, view: View = EVERYTHING) -> str:
    """Return the stable text of a run, as far as the view shows it; raises `TypeError` for what is no run.

    A run is a `Transcript`, anything with a ``transcript`` (the fixture ``replay``), or an agent's result: anything with
    ``all_messages_json()``, ``usage`` and ``data`` or ``output``.
    """
    if isinstance(run, Transcript):
        return visible(render_transcript(run, view=view))
    transcript = getattr(run, "transcript", None)
    if isinstance(transcript, Transcript):
        return visible(render_transcript(transcript, view=view))
    if not hasattr(run, "all_messages_json"):
        raise TypeError(
            f"run_snapshot cannot take a {type(run).__name__}: it takes an agent's result, the fixture replay, or a "
            "transcript; for other values use syrupy's own fixture snapshot"
        )
    messages = run.all_messages_json()
    text = messages if isinstance(messages, str) else messages.decode()
    return visible(render_run(json.loads(redacted(text)), _result(run), _usage(run), view))


def _result(run: Any) -> Any:
    return run.output if hasattr(run, "output") else run.data


def _usage(run: Any) -> Any:
    usage = run.usage
    return usage() if inspect.ismethod(usage) else usage
