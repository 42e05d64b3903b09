"""A cassette in a merge conflict, as a failure that says how to get out of it."""

from __future__ import annotations

from replay_agent.exceptions import CassetteUnreadable
from replay_agent.recording.cassettes.store import IN_CONFLICT, KEEP_ONE_SIDE
from replay_agent.report.command import filled
from replay_agent.report.explanation import Explanation
from replay_agent.surroundings import naming
from replay_agent.surroundings.visible import visible

__all__ = ("explain_conflict",)

_MODE = "rewrite"
"""The mode that reads nothing of what is there."""


def explain_conflict(error: CassetteUnreadable, command: str) -> Explanation:
    """Return the explanation of a cassette that is in conflict; ``command`` is as for a miss, with ``{mode}`` in it."""
    file = naming.seen_from_here(error.path) if error.path is not None else ""
    blocks = [[f"{visible(file)}:{error.line}: {IN_CONFLICT}."]]
    explained = Explanation.of(
        blocks,
        blocks,
        cause="merge conflict",
        shared=[["The cassettes of these tests hold the marks of a merge conflict."]],
        purpose="To record anew, whatever stands in there",
        command=filled(command, _MODE),
        mode=_MODE,
        advice=[f"To keep one side instead: {KEEP_ONE_SIDE}"],
    )
    explained.kind, explained.summary = "unrecorded", "The cassette is in a merge conflict."
    return explained
