"""The agent and its run: everything that people who build or step through one need to name."""

from __future__ import annotations

from replay_agent.agent.agent import Agent
from replay_agent.agent.capture import capture_run_messages
from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.docstrings import DocstringFormat
from replay_agent.agent.graph import AgentNode, CallToolsNode, End, ModelRequestNode, UserPromptNode
from replay_agent.agent.output import FinalResult, ResultDataT, ResultValidatorFunc, RunResultDataT
from replay_agent.agent.prompts import SystemPromptFunc
from replay_agent.agent.run import AgentRun, AgentRunResult
from replay_agent.agent.schema import ObjectJsonSchema
from replay_agent.agent.state import EndStrategy, GraphRunContext
from replay_agent.agent.stream import AgentStream, StreamedRunResult
from replay_agent.agent.tools import (
    Tool,
    ToolFuncContext,
    ToolFuncEither,
    ToolFuncPlain,
    ToolParams,
    ToolPrepareFunc,
)
from replay_agent.calls import ToolDefinition
from replay_agent.models.instrumented import InstrumentationSettings

__all__ = (
    "Agent",
    "AgentDepsT",
    "AgentNode",
    "AgentRun",
    "AgentRunResult",
    "AgentStream",
    "CallToolsNode",
    "DocstringFormat",
    "End",
    "EndStrategy",
    "FinalResult",
    "GraphRunContext",
    "InstrumentationSettings",
    "ModelRequestNode",
    "ObjectJsonSchema",
    "ResultDataT",
    "ResultValidatorFunc",
    "RunContext",
    "RunResultDataT",
    "StreamedRunResult",
    "SystemPromptFunc",
    "Tool",
    "ToolDefinition",
    "ToolFuncContext",
    "ToolFuncEither",
    "ToolFuncPlain",
    "ToolParams",
    "ToolPrepareFunc",
    "UserPromptNode",
    "capture_run_messages",
)
