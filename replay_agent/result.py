"""Results of runs, whole and streamed, under the names that code written for the seed imports."""

from __future__ import annotations

from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.output import FinalResult, ResultDataT, ResultValidatorFunc
from replay_agent.agent.stream import AgentStream, StreamedRunResult
from replay_agent.messages import AgentStreamEvent, FinalResultEvent
from replay_agent.usage import Usage, UsageLimits

__all__ = (
    "AgentDepsT",
    "AgentStream",
    "AgentStreamEvent",
    "FinalResult",
    "FinalResultEvent",
    "ResultDataT",
    "ResultValidatorFunc",
    "RunContext",
    "StreamedRunResult",
    "Usage",
    "UsageLimits",
)
