"""Traffic in and out of cassettes, for any provider and any HTTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay_agent.recording.cassettes import store

__all__ = (
    "answers",
    "cassettes",
    "clients",
    "dispatch",
    "matching",
    "meaning",
    "miss_type",
    "misses",
    "options",
    "process",
    "recorder",
    "redaction",
    "stand_ins",
    "store",
    "succession",
)


def __getattr__(name: str) -> Any:
    """Return the door to cassette files, where those who looked for it before there were rooms will look."""
    if name == "store":
        from replay_agent.recording.cassettes import store

        return store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
