"""Function tools and what their functions are told, under the names that code written for the seed imports."""

from __future__ import annotations

from replay_agent.agent import (
    AgentDepsT,
    DocstringFormat,
    ObjectJsonSchema,
    RunContext,
    SystemPromptFunc,
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
