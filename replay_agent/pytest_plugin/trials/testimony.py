"""Testimony: what a watched test has asked, and what was recorded of it before and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from replay_agent.recording.cassettes import store
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.recorder import Recording
from replay_agent.report.comparison.trials.notes import Sent
from replay_agent.traffic import Interaction, Request

__all__ = "Testimony", "testimony_of"


@dataclass
class Testimony:
    """One test's traffic, once it is over."""

    cassette: Path
    """Where what it recorded is in the project."""
    sent: list[Sent] = field(default_factory=list)
    interactions: Sequence[Interaction] = ()
    """What it has asked and got now."""
    recorded: Sequence[Interaction] | None = None
    """What it had recorded, where only this process could read that."""
    ignored: Sequence[str] = ()


def testimony_of(recording: Recording, cassette: Path) -> Testimony:
    """Return what a recording of ours tells, after it was closed."""
    return Testimony(
        cassette, list(_sent(recording)), recording.interactions, ignored=list(recording.options.ignore_body)
    )


def _sent(recording: Recording) -> Iterator[Sent]:
    options = recording.options
    key = meaning(options.ignore_body, options.match_headers, options.normalize, options.same_hosts)
    for request, interaction in zip(recording.requests, recording.interactions, strict=True):
        digest, recorded = key(request).digest, interaction.request
        yield Sent(request, digest, recorded, key(recorded).digest == digest)
    missed = (getattr(miss, "request", None) for miss in recording.misses)
    yield from (Sent(each, key(each).digest) for each in missed if isinstance(each, Request))
    left = recording.leftovers()
    if left:
        cassette = store.load(recording.cassette_path)
        yield from (Sent(None, recorded=cassette.interaction(index).request) for index in left)
