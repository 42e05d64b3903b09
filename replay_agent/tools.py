"""Function tools and what their functions are told, under the names that code written for the seed imports."""

from __future__ import annotations

from replay_agent.agent.context import AgentDepsT, RunContext
from replay_agent.agent.docstrings import DocstringFormat
from replay_agent.agent.prompts import SystemPromptFunc
from replay_agent.agent.schema import ObjectJsonSchema
from replay_agent.agent.tools import (
    Tool,
    ToolDefinition,
    ToolFuncContext,
    ToolFuncEither,
    ToolFuncPlain,
    ToolParams,
    ToolPrepareFunc,
)

__all__ = (
    "AgentDepsT",
    "DocstringFormat",
    "ObjectJsonSchema",
    "RunContext",
    "SystemPromptFunc",
    "Tool",
    "ToolDefinition",
    "ToolFuncContext",
    "ToolFuncEither",
    "ToolFuncPlain",
    "ToolParams",
    "ToolPrepareFunc",
)
