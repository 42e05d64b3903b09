"""A cassette in a merge conflict, as a failure that says how to get out of it."""

from __future__ import annotations

from replay_agent.exceptions import CassetteUnreadable
from replay_agent.report.command import filled
from replay_agent.report.explanation import Explanation
from replay_agent.surroundings import naming

__all__ = ("explain_conflict",)

_MODE = "rewrite"
"""The mode that reads nothing of what is there."""
_CHOOSE = "To keep one side instead: git checkout --ours (or --theirs) and the file, then record what is missing."


def explain_conflict(error: CassetteUnreadable, command: str) -> Explanation:
    """Return the explanation of a cassette that is in conflict; ``command`` is as for a miss, with ``{mode}`` in it."""
    file = naming.seen_from_here(error.path) if error.path is not None else ""
    said = str(error).replace(str(error.path), file).partition(". ")[0]
    blocks = [[f"{said}."]]
    explained = Explanation.of(
        blocks,
        blocks,
        cause="merge conflict",
        shared=[["The cassettes of these tests hold the marks of a merge conflict."]],
        purpose="To record anew, whatever stands in there",
        command=filled(command, _MODE),
        mode=_MODE,
        advice=[_CHOOSE],
    )
    explained.kind, explained.summary = "unrecorded", "The cassette is in a merge conflict."
    return explained
