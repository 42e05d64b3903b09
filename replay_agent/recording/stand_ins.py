"""Stand-ins: responders, who answer what would go live, and how long a client may keep one busy."""

from __future__ import annotations

from typing import Protocol

from replay_agent.recording.answers import Replay
from replay_agent.traffic import Request

__all__ = "FOR_EVER", "PERSEVERANCE", "Responder"

PERSEVERANCE = 25
"""How often a client may ask for the same while a fault lasts. SDKs try three times, careful clients ten; one that is still
at it goes on for ever."""

FOR_EVER = (
    "The client would wait for ever: nothing comes, and it has no timeout.\n"
    "  Give it one: most SDKs take timeout= where they are made."
)


class Responder(Protocol):
    """Stands in for the servers. Hooks of clients see it as they see a recording."""

    @property
    def is_open(self) -> bool:
        """Whether it still answers."""

    def wants(self, url: str) -> bool:
        """Tell whether traffic with this address may be for it."""

    def begin(self, raw: Request) -> Replay | None:
        """Return the answer to a request, None for one that is not for it and may pass.

        What it raises goes to the client as it is.
        """

    def overhear(self, raw: Request) -> None:
        """Take note of a request that a recording has answered."""
