"""Keeps the messages of a run for whoever asked before it began."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from replay_agent.messages import ModelMessage

__all__ = "capture_run_messages", "new_history"


@dataclass
class _Captured:
    messages: list[ModelMessage] = field(default_factory=list)
    used: bool = False


_captured: ContextVar[_Captured | None] = ContextVar("replay_agent_captured_messages", default=None)


@contextmanager
def capture_run_messages() -> Iterator[list[ModelMessage]]:
    """Give a list that becomes the message list of the first run inside the block, also if that run raises.

    Later runs in the block leave the list alone, and a block inside another one gives the same list.
    """
    outer = _captured.get()
    if outer is not None:
        yield outer.messages
        return
    captured = _Captured()
    token = _captured.set(captured)
    try:
        yield captured.messages
    finally:
        _captured.reset(token)


def new_history() -> list[ModelMessage]:
    """Return the list in which a run is to keep its messages."""
    captured = _captured.get()
    if captured is None or captured.used:
        return []
    captured.used = True
    return captured.messages
