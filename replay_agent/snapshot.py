"""Snapshots of a run: message history, typed result and usage in one readable file for each assertion."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import PropertyFilter, PropertyMatcher, SerializableData, SerializedData, SnapshotIndex

from replay_agent import naming
from replay_agent.conversation.text import render_run, render_transcript
from replay_agent.conversation.transcript import Transcript
from replay_agent.recording.dispatch import redacted
from replay_agent.visible import visible

__all__ = "NAME", "RunSnapshotExtension", "SnapshotAssertion", "describe"

NAME = pytest.StashKey[str]()
"""Where the plugin leaves the file name of a test, without extension."""


class RunSnapshotExtension(SingleFileSnapshotExtension):
    """Keeps runs as ``__snapshots__/<module>/<test>[.<name>].run.txt``.

    Takes the result of our agent, a pydantic-ai ``AgentRunResult``, the fixture ``replay`` or a `Transcript`. Ids and
    times are written by order of appearance, so that a run recorded anew compares equal unless it differs in meaning.
    What is a secret in a cassette is one here: an agent's own messages still hold what was sent.
    """

    _write_mode = WriteMode.TEXT
    file_extension = "run.txt"

    def serialize(
        self,
        data: SerializableData,
        *,
        exclude: PropertyFilter | None = None,  # noqa: ARG002
        include: PropertyFilter | None = None,  # noqa: ARG002
        matcher: PropertyMatcher | None = None,  # noqa: ARG002
    ) -> SerializedData:
        """Return the text of a run without secrets; raises `TypeError` for what is no run."""
        return redacted(describe(data))

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        """Return the test's file name, followed by the assertion's name or number unless it is the first."""
        name = _test_name(test_location)
        return f"{name}.{naming.file_name(str(index))}" if index else name

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Tell whether a file belongs to a test, so that only its own unused snapshots are reported."""
        location = Path(snapshot_location)
        name = _test_name(test_location)
        own = location.name == f"{name}.{cls.file_extension}" or location.name.startswith(f"{name}.")
        return own and location.parent.name == test_location.basename


def _test_name(location: PyTestLocation) -> str:
    """Return the file name that the plugin found; what syrupy rebuilds of another worker's test has none, only its id."""
    known = getattr(location.item, "stash", {}).get(NAME, None)
    if known is not None:
        return str(known)
    name = location.snapshot_name
    for backend in ("asyncio", "trio"):
        name = naming.without_backend(name, backend)
    return naming.file_name(name)


def describe(run: Any) -> str:
    """Return the stable text of a run; raises `TypeError` for what is no run.

    A run is a `Transcript`, anything with a ``transcript`` (the fixture ``replay``), or an agent's result: anything with
    ``all_messages_json()``, ``usage`` and ``data`` or ``output``.
    """
    if isinstance(run, Transcript):
        return visible(render_transcript(run))
    transcript = getattr(run, "transcript", None)
    if isinstance(transcript, Transcript):
        return visible(render_transcript(transcript))
    if not hasattr(run, "all_messages_json"):
        raise TypeError(
            f"run_snapshot cannot take a {type(run).__name__}: it takes an agent's result, the fixture replay, or a "
            "transcript; for other values use syrupy's own fixture snapshot"
        )
    messages = run.all_messages_json()
    text = messages if isinstance(messages, str) else messages.decode()
    return visible(render_run(json.loads(redacted(text)), _result(run), _usage(run)))


def _result(run: Any) -> Any:
    return run.output if hasattr(run, "output") else run.data


def _usage(run: Any) -> Any:
    usage = run.usage
    return usage() if inspect.ismethod(usage) else usage
