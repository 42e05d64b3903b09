"""Tools in the shape that OpenAI introduced and others took over: ``{type: function, function: {...}}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from replay_agent.calls import ToolDefinition
from replay_agent.wire.shapes.json_text import Fields

__all__ = "read_function_tools", "read_tools", "write_function_tools"


def read_tools(
    raw_tools: object, read: Callable[[object], ToolDefinition | None]
) -> tuple[list[ToolDefinition], list[Any]]:
    """Return the tools of a body that ``read`` knows, and the others as they came."""
    found = [(read(tool), tool) for tool in (raw_tools if isinstance(raw_tools, list) else [])]
    definitions = [definition for definition, _ in found if definition is not None]
    return definitions, [tool for definition, tool in found if definition is None]


def read_function_tools(raw_tools: object) -> tuple[list[ToolDefinition], list[Any]]:
    """Return the tools of a body, and those entries that are something else."""
    return read_tools(raw_tools, _read_tool)


def _read_tool(tool: object) -> ToolDefinition | None:
    function = tool.get("function") if isinstance(tool, dict) and tool.keys() <= {"type", "function"} else None
    if not isinstance(function, dict) or not function.keys() <= {"name", "description", "parameters"}:
        return None
    name, schema = function.get("name"), function.get("parameters")
    if not isinstance(name, str) or not isinstance(schema, dict | None):
        return None
    return ToolDefinition(name, function.get("description"), schema or {"type": "object", "properties": {}})


def write_function_tools(tools: Iterable[ToolDefinition]) -> list[Fields]:
    """Return the tools as a body has them."""
    return [{"type": "function", "function": _write_function(tool)} for tool in tools]


def _write_function(tool: ToolDefinition) -> Fields:
    described = {} if tool.description is None else {"description": tool.description}
    return {"name": tool.name, **described, "parameters": tool.parameters_json_schema}
