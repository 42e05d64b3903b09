"""A page of cassettes: each an entry, with what was said in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.page.content.entries import entry_of
from replay_agent.report.page.report import Report
from replay_agent.surroundings.version import __version__
from replay_agent.traffic import Interaction

__all__ = "MADE_BY", "report_of_cassettes"

MADE_BY = f"replay-agent {__version__}"


def report_of_cassettes(
    cassettes: Sequence[tuple[Path, Sequence[Interaction]]], complaints: Sequence[str] = ()
) -> Report:
    """Return a page of cassettes that were read; ``complaints`` say what could not be."""
    entries = [
        entry_of(path.as_posix(), Transcript.from_interactions(interactions), interactions)
        for path, interactions in cassettes
    ]
    title = cassettes[0][0].name if len(cassettes) == 1 else "Cassettes"
    return Report(title, "cassettes", made_by=MADE_BY, notes=list(complaints), entries=entries)
