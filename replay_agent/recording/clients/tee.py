"""Collects the pieces of a live response while the client reads them, and says how the reading ended."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from replay_agent.recording.answers import Live
from replay_agent.traffic import Chunk, Failure, Phase, Response, StreamEnd

__all__ = "GRACE", "Tee"

GRACE = 0.05
"""Seconds to wait for the end of a body whose client has closed it. Most clients have read the last word (``[DONE]``) and only
not the end of the framing, which comes in the same packet or the next; a stream that is cut on purpose waits this long."""


class Tee:
    """Collects the pieces of one response's body and finishes its `Live` request when it is known how that ended."""

    def __init__(self, live: Live, head: Response) -> None:
        self._live = live
        self._head = head
        self._chunks: list[Chunk] = []
        self._began = self._last = monotonic()
        self.waiting = False
        """Whether the client waits for the next piece right now."""
        self.done = False
        live.so_far = self._so_far

    def piece(self, data: bytes) -> None:
        """Note a piece that has just come."""
        self._last = monotonic()
        self.waiting = False
        if data:
            self._chunks.append(Chunk(bytes(data), round((self._last - self._began) * 1000)))

    def complete(self) -> None:
        """The provider's last byte was read."""
        self._finish(StreamEnd.COMPLETE)

    def closed(self) -> None:
        """The client wants no more."""
        self._finish(StreamEnd.CLOSED)

    def abandoned(self) -> None:
        """The client was cancelled, or gave up, while it waited for the next piece."""
        self._finish(StreamEnd.ABANDONED)

    def failed(self, kind: str, message: str) -> None:
        """The transport failed while the client waited for the next piece."""
        after = round((monotonic() - self._began) * 1000)
        self._finish(StreamEnd.FAILED, Failure(kind, Phase.BODY, message, after))

    def drop(self) -> None:
        """Record nothing of this exchange."""
        self.done = True
        self._live.drop()

    def _finish(self, end: StreamEnd, failure: Failure | None = None) -> None:
        if not self.done:
            self.done = True
            self._live.finish(self._response(end, failure))

    def _so_far(self) -> Response:
        return self._response(StreamEnd.ABANDONED if self.waiting else StreamEnd.CLOSED)

    def _response(self, end: StreamEnd, failure: Failure | None = None) -> Response:
        waited = round((monotonic() - self._last) * 1000) if end is StreamEnd.ABANDONED else 0
        return replace(self._head, chunks=tuple(self._chunks), end=end, waited_ms=waited, failure=failure)
