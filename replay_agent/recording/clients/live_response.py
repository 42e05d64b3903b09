"""Notes a live HTTP/1 response from the bytes of its connection, while they are passed on to the client."""

from __future__ import annotations

from collections.abc import Container
from http import HTTPStatus

from replay_agent.framing.http1 import INTERIM, NO_ANSWER, SHORT_BODY, ResponseReader
from replay_agent.recording.answers import Live
from replay_agent.recording.clients.tee import Tee
from replay_agent.traffic import Phase

__all__ = ("LiveResponse",)


class LiveResponse:
    """Takes the bytes of one response and what else becomes of its connection, and finishes its `Live` request.

    With no request to finish, or once the connection has become another protocol's, it notes nothing.
    """

    def __init__(self, live: Live | None, method: str, interim: Container[int] = INTERIM) -> None:
        """``interim`` are the statuses that the client passes over, waiting for the final response."""
        self._live = live
        self._reader = ResponseReader(method, interim)
        self._tee: Tee | None = None

    @property
    def has_head(self) -> bool:
        """Whether the head of the response has come."""
        return self._tee is not None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing more to be noted."""
        return self._live is None or (self._tee is not None and self._tee.done)

    def feed(self, data: bytes) -> None:
        """Take bytes that have come."""
        if self._live is None:
            return
        pieces = self._reader.feed(data)
        head = self._reader.head
        if self._tee is None and head is not None:
            if head.status == HTTPStatus.SWITCHING_PROTOCOLS or head.status < 100:
                self._live.drop()
                self._live = None
                return
            self._tee = Tee(self._live, head)
        if self._tee is not None:
            for piece in pieces:
                self._tee.piece(piece)
            if self._reader.complete:
                self._tee.complete()

    def ends_with(self, data: bytes) -> bool:
        """Take the next bytes, or none for the end of the connection; tell whether nothing but the end was to come."""
        return not self._reader.feed(data) and (self._reader.complete or (not data and self._reader.at_end()))

    def waits(self) -> None:
        """The client waits for what comes next."""
        if self._tee is not None:
            self._tee.waiting = True

    def complete(self) -> None:
        """The last byte has come."""
        if self._tee is not None:
            self._tee.complete()

    def hung_up(self) -> None:
        """The peer has closed the connection."""
        if self._reader.at_end():
            self.complete()
        else:
            self.failed("RemoteProtocolError", SHORT_BODY if self._tee else NO_ANSWER)

    def failed(self, kind: str, message: str) -> None:
        """The transport failed while the client waited."""
        if self._tee is not None:
            self._tee.failed(kind, message)
        elif self._live is not None:
            self._live.fail(kind, Phase.HEAD, message)

    def abandoned(self) -> None:
        """The client was cancelled, or gave up, while it waited."""
        if self._tee is not None:
            self._tee.abandoned()
        elif self._live is not None:
            self._live.give_up()

    def closed(self) -> None:
        """The client wants no more."""
        if self._tee is not None:
            self._tee.closed()
        elif self._live is not None:
            self._live.give_up()
