"""Deterministic record/replay testing of LLM agents.

Names are imported when they are first used, so that a project which installs the plugin and does not use it pays
nothing for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from replay_agent.surroundings.version import __version__

if TYPE_CHECKING:
    from replay_agent.agent import (
        Agent,
        CallToolsNode,
        EndStrategy,
        ModelRequestNode,
        RunContext,
        Tool,
        UserPromptNode,
        capture_run_messages,
    )
    from replay_agent.calls import Exchange
    from replay_agent.exceptions import (
        AgentRunError,
        CassetteError,
        CassetteMiss,
        CassetteMissError,
        CassetteNotFound,
        CassetteUnreadable,
        CassetteUnreplayable,
        CassetteUnwritable,
        CassetteVersionError,
        CredentialMissing,
        FallbackExceptionGroup,
        ModelHTTPError,
        ModelRetry,
        NetworkBlocked,
        RecordingConflict,
        UnexpectedModelBehavior,
        UsageLimitExceeded,
        UserError,
        WireError,
    )
    from replay_agent.harness import Run, load_transcript, use_cassette
    from replay_agent.messages import AudioUrl, BinaryContent, DocumentUrl, ImageUrl
    from replay_agent.provider.replies import tool_call
    from replay_agent.recording.options import RecordMode, RecordOptions
    from replay_agent.report.conversation.conversations import Conversation
    from replay_agent.report.conversation.transcript import Transcript

__all__ = (
    "Agent",
    "AgentRunError",
    "AudioUrl",
    "BinaryContent",
    "CallToolsNode",
    "CassetteError",
    "CassetteMiss",
    "CassetteMissError",
    "CassetteNotFound",
    "CassetteUnreadable",
    "CassetteUnreplayable",
    "CassetteUnwritable",
    "CassetteVersionError",
    "Conversation",
    "CredentialMissing",
    "DocumentUrl",
    "EndStrategy",
    "Exchange",
    "FallbackExceptionGroup",
    "ImageUrl",
    "ModelHTTPError",
    "ModelRequestNode",
    "ModelRetry",
    "NetworkBlocked",
    "RecordMode",
    "RecordOptions",
    "RecordingConflict",
    "Run",
    "RunContext",
    "Tool",
    "Transcript",
    "UnexpectedModelBehavior",
    "UsageLimitExceeded",
    "UserError",
    "UserPromptNode",
    "WireError",
    "__version__",
    "capture_run_messages",
    "load_transcript",
    "tool_call",
    "use_cassette",
)

_HOMES = {
    "replay_agent.agent": (
        "Agent",
        "CallToolsNode",
        "EndStrategy",
        "ModelRequestNode",
        "RunContext",
        "Tool",
        "UserPromptNode",
        "capture_run_messages",
    ),
    "replay_agent.calls": ("Exchange",),
    "replay_agent.report.conversation.conversations": ("Conversation",),
    "replay_agent.report.conversation.transcript": ("Transcript",),
    "replay_agent.harness": ("Run", "load_transcript", "use_cassette"),
    "replay_agent.messages": ("AudioUrl", "BinaryContent", "DocumentUrl", "ImageUrl"),
    "replay_agent.provider.replies": ("tool_call",),
    "replay_agent.recording.options": ("RecordMode", "RecordOptions"),
}
_ERRORS = "replay_agent.exceptions"
_HOME_OF = dict.fromkeys(__all__, _ERRORS) | {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
