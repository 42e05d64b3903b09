"""Answers made from the schemas that a call offers, as a test model makes them: every tool once, then a fitting result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from replay_agent.models.schema_data import SchemaData

__all__ = ("AutoAnswers",)

_RESULT = "final_result"
"""How our agent, and pydantic-ai, begin the name of a tool that takes the result."""


@dataclass(frozen=True)
class AutoAnswers:
    """Says what fits: the same for the same call and seed."""

    seed: int = 0

    def answer(self, call: ModelCall) -> Any:
        """Return the parts that answer a call: function tools that were not called yet, else the result."""
        results = [tool for tool in call.tools if tool.name.startswith(_RESULT)]
        called = _called(call)
        due = [tool for tool in call.tools if tool not in results and tool.name not in called]
        if due and call.tool_choice != "none":
            return [self._call(tool) for tool in due if _is_allowed(call, tool)] or self._result(call, results)
        return self._result(call, results)

    def _result(self, call: ModelCall, results: list[ToolDefinition]) -> Any:
        if results:
            return self._call(results[self.seed % len(results)])
        if isinstance(call.tool_choice, tuple) or call.tool_choice == "required":
            forced = [tool for tool in call.tools if _is_allowed(call, tool)]
            if forced:
                return self._call(forced[self.seed % len(forced)])
        if call.output_schema is not None:
            schema = call.output_schema.schema
            return TextPart(json.dumps(SchemaData(schema, self.seed).generate() if schema else {}))
        return TextPart(_returned(call) or "success (no tool calls)")

    def _call(self, tool: ToolDefinition) -> ToolCallPart:
        return ToolCallPart(tool.name, SchemaData(tool.parameters_json_schema, self.seed).generate())


def _is_allowed(call: ModelCall, tool: ToolDefinition) -> bool:
    return not isinstance(call.tool_choice, tuple) or tool.name in call.tool_choice


def _called(call: ModelCall) -> set[str]:
    """Return the tools that were called already, but for those whose call is to be made again."""
    names = {
        part.tool_name
        for message in call.messages
        if isinstance(message, ModelResponse)
        for part in message.parts
        if isinstance(part, ToolCallPart)
    }
    last = call.messages[-1] if call.messages else None
    retried = {
        part.tool_name
        for part in (last.parts if isinstance(last, ModelRequest) else ())
        if isinstance(part, RetryPromptPart) and part.tool_name
    }
    return names - retried


def _returned(call: ModelCall) -> str:
    returned = {
        part.tool_name: part.content
        for message in call.messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    }
    return json.dumps(returned, default=str, ensure_ascii=False) if returned else ""
