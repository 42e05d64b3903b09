"""The interactions of a cassette as a sequence that reads an item only when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from replay_agent.traffic import Interaction

if TYPE_CHECKING:
    from replay_agent.recording.cassettes.document import Cassette

__all__ = ("LazyInteractions",)

# The fields of an item stand in column 2, the lines of a body further right.
_OUTCOME = re.compile(rb"\n  (?:response|failure):\n")


class LazyInteractions(Sequence[Interaction]):
    """Every interaction of a cassette, each read at most once.

    Reading an item costs a thousand times what a look at its lines does; `request_lines` gives these.
    """

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette
        self._read: dict[int, Interaction] = {}

    def __len__(self) -> int:
        return len(self._cassette)

    @overload
    def __getitem__(self, index: int) -> Interaction: ...

    @overload
    def __getitem__(self, index: slice) -> list[Interaction]: ...

    def __getitem__(self, index: int | slice) -> Interaction | list[Interaction]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index if index >= 0 else len(self) + index
        if not 0 <= place < len(self):
            raise IndexError(index)
        if place not in self._read:
            self._read[place] = self._cassette.interaction(place)
        return self._read[place]

    def request_lines(self, index: int) -> bytes:
        """Return what the file says of a request, as a text whose words are those of the request."""
        if self._cassette.layout != "replay-agent":
            request = self[index].request
            return b" ".join((request.method.encode(), request.url.encode("utf-8", "replace"), request.body))
        source = self._cassette.item(index).source
        outcome = _OUTCOME.search(source)
        return source[: outcome.start()] if outcome else source
