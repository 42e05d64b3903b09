"""Has a forked process obey a network that its parent shuts later, though the guard was not loaded before the fork.

Light, as the plugin reads it at start: most sessions never shut the network, and their workers pay for one audit hook.
"""

from __future__ import annotations

import sys
from typing import Any

from replay_agent.recording.process import forked
from replay_agent.surroundings import audit_events

__all__ = "OUTWARD", "watch"

OUTWARD = frozenset(
    f"socket.{name}"
    for name in ("connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")
)
"""The audit events (PEP 578) of what may leave the machine."""

_GUARD = "replay_agent.recording.process.network"


def watch() -> None:
    """Let processes that are forked from now on know when the network is shut. Does nothing where there is no fork."""
    forked.at_fork(_begin)
    forked.watch()


def _begin() -> None:
    if _GUARD not in sys.modules:  # it sees to its own children
        audit_events.listen(OUTWARD, _audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if forked.heard():
        from replay_agent.recording.process import network

        network.audit(event, args)
