"""Processes that ``multiprocessing`` starts afresh (spawn, forkserver): they take part in the recording they began in.

A forked process has the recording, being a copy. Any other is sent the `multiprocessing.Process` object, and with it, as
an attribute of that, an invitation which is accepted by being unpickled.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from replay_agent.recording import dispatch
from replay_agent.recording.process.patching import Patch
from replay_agent.recording.recorder import Recording
from replay_agent.surroundings import lingering

__all__ = ("process_patches",)

_ATTRIBUTE = "replay_agent_invitation"


class Invitation:
    """Stands for an open recording in a process object; what it is unpickled to has joined that."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __reduce__(self) -> tuple[Any, ...]:
        invitation = self._recording.invitation
        return invitation() if invitation is not None else (Invitation.none, ())

    @staticmethod
    def none() -> None:
        """Stand for no recording."""


def process_patches(module: ModuleType) -> list[Patch]:
    """Return the patches for ``multiprocessing.process``."""
    return [Patch(module.BaseProcess, "start", _inviting)]


def _inviting(original: Any) -> Any:
    def start(self: Any) -> None:
        lingering.take_back()  # no audit event tells of a process that is spawned
        recording = dispatch.current()
        if recording is not None:
            setattr(self, _ATTRIBUTE, Invitation(recording))
        original(self)

    return start
