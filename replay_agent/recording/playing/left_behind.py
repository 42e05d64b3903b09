"""What a journal that was left behind can be played from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from replay_agent.recording.answers import has_failed
from replay_agent.recording.playing.source import Source

if TYPE_CHECKING:
    from replay_agent.recording.cassettes.journal import LeftJournal
    from replay_agent.recording.matching.keys import Keying
    from replay_agent.traffic import Interaction

__all__ = ("source_of",)


def source_of(left: LeftJournal, keying: Keying, refused: Callable[[Interaction], bool]) -> Source | None:
    """Return what to play from a journal. What failed or was ``refused`` in a run that failed is asked again."""
    if left.cassette is None:
        return None
    read = left.cassette.interactions()
    left.unwanted = frozenset(index for index, each in enumerate(read) if has_failed(each.outcome) or refused(each))
    source = Source(left.cassette, keying)
    for index in left.unwanted:
        source.mark_played(index)
    return source
