"""Deterministic record/replay testing of LLM agents.

Names are imported when they are first used, so that a project which installs the plugin and does not use it pays
nothing for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

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
    "replay_agent.exceptions": (
        "AgentRunError",
        "CassetteError",
        "CassetteMiss",
        "CassetteMissError",
        "CassetteNotFound",
        "CassetteUnreadable",
        "CassetteUnwritable",
        "CassetteVersionError",
        "CredentialMissing",
        "FallbackExceptionGroup",
        "ModelHTTPError",
        "ModelRetry",
        "NetworkBlocked",
        "RecordingConflict",
        "UnexpectedModelBehavior",
        "UsageLimitExceeded",
        "UserError",
        "WireError",
    ),
    "replay_agent.harness": ("load_transcript", "use_cassette"),
    "replay_agent.messages": ("AudioUrl", "BinaryContent", "DocumentUrl", "ImageUrl"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ("__version__", *sorted(_HOME_OF))  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
