"""A recording and the processes forked from the one that opened it: who answers to whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from replay_agent.exceptions import CassetteUnwritable
from replay_agent.recording.cassettes.items import read_item, write_item
from replay_agent.recording.process.spool import Message, Spool
from replay_agent.traffic import Failure, Interaction, Phase, Request

__all__ = "Kinship", "asked_by", "asked_for", "interaction_of", "orphaned"

_ALONE = nullcontext()


class Kinship:
    """How the processes of one recording know of each other. Not locked: the caller holds its lock.

    As long as nothing was forked there is nobody to talk to, and nothing is done.
    """

    def __init__(self) -> None:
        self._opener = os.getpid()
        self.spool: Spool | None = None
        self._deep = 0

    def is_child(self) -> bool:
        """Tell whether this process is another than the one that opened the recording."""
        return os.getpid() != self._opener

    @property
    def is_lost(self) -> bool:
        """Whether this is a child that cannot tell anybody anything."""
        return self.is_child() and self.spool is None

    def join(self, spool: Spool) -> None:
        """Count this process among the children of the one that made the spool."""
        self._opener, self.spool = 0, spool  # no process has this number

    def expect(self) -> None:
        """Make ready for a child. Raises OSError."""
        if self.spool is None and not self.is_child():
            self.spool = Spool.made()

    def turn(self) -> AbstractContextManager[None]:
        """Keep the others from giving an answer away at the same time."""
        return _ALONE if self.spool is None or self._deep else self._taken(self.spool)

    @contextmanager
    def _taken(self, spool: Spool) -> Iterator[None]:
        lock = spool.lock()
        with _reachable(spool):
            lock.acquire()
        self._deep += 1
        try:
            yield
        finally:
            self._deep -= 1
            lock.release()

    def news(self) -> list[Message]:
        """Return what the others have said. Raises `CassetteUnwritable`."""
        if self.spool is None:
            return []
        with _reachable(self.spool):
            return self.spool.news()

    def say_played(self, index: int, *, source: int) -> None:
        """Say which recorded interaction is used up, of the cassette or of a journal left behind."""
        self._say(played=index, source=source)

    def say_recorded(self, interaction: Interaction) -> None:
        """Hand an interaction to the process that keeps the cassette."""
        self._say(recorded=write_item(interaction))

    def say_missed(self, error: BaseException) -> None:
        """Hand trouble to the process that is to fail for it."""
        if self.spool is not None and self.is_child():
            request = getattr(error, "request", None)
            asked = write_item(Interaction(request, Failure("missed", Phase.HEAD))) if request is not None else None
            self._say(missed=str(error), asked=asked, path=str(getattr(error, "path", "") or ""))

    def say_over(self) -> None:
        """Say that the recording is closed."""
        self._say(over=True)

    def _say(self, **message: Any) -> None:
        if self.spool is not None:
            with _reachable(self.spool):
                self.spool.say(**message)


@contextmanager
def _reachable(spool: Spool) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise CassetteUnwritable(
            f"{spool.path} cannot be used: {exc.strerror or exc}. There the processes of one recording tell each other what they "
            "play, record and miss. Make room in the folder for temporary files.",
            spool.path,
        ) from exc


def interaction_of(message: Message) -> Interaction:
    """Return the interaction that was recorded by another process."""
    return read_item(message["recorded"])


def asked_by(message: Message) -> Request | None:
    """Return the request that was missed in another process, None for other trouble."""
    return read_item(message["asked"]).request if message["asked"] else None


def asked_for(message: Message) -> str:
    """Return in a few words what was recorded by another process."""
    request = interaction_of(message).request
    return f"{request.method} {request.url}"


def orphaned(of: object, request: Request) -> str:
    """Return why a request is refused that this process makes after the end of what it was started in."""
    return (
        f"This process ({os.getpid()}) was started while {of} was recorded or replayed, and that is over: what "
        f"it asks belongs to no recording.\n  {request.method} {request.url}\n\n"
        "Start the process, or the pool of processes, anew in each test that asks something in it."
    )
