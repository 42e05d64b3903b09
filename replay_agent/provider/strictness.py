"""What a script must not do unless it is allowed by name: answers left over, calls beyond it, calls no model would make."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.exceptions import UserError
from replay_agent.messages import ModelResponse, ToolCallPart
from replay_agent.provider.schema_check import misfits

__all__ = "RULES", "checked_names", "unfit_calls"

RULES = {
    "unused_answers": "an answer that is never asked for",
    "unscripted_calls": "a call that there is no answer for",
    "unoffered_tools": "an answer that calls a tool which the request does not offer",
    "invalid_arguments": "an answer that calls a tool with arguments off its schema",
    "unstruck_faults": "a fault that strikes nothing",
}
"""What fails a test, by the name under which it is allowed."""

_SHOWN = 3
"""Places of one call's arguments that are told; the rest mostly comes of these."""


def checked_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names of rules. Raises `UserError` for one that is none."""
    asked = frozenset((names,) if isinstance(names, str) else names)
    for name in asked - RULES.keys():
        close = get_close_matches(name, RULES, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UserError(f"There is nothing named {name!r} to allow.{hint} What can be allowed: {', '.join(RULES)}")
    return asked


def unfit_calls(call: ModelCall, response: ModelResponse, allowed: frozenset[str]) -> str | None:
    """Return what to say of the first tool call in a response that the request has no place for, None if there is none."""
    offered = {tool.name: tool for tool in call.tools}
    for part in response.parts:
        if not isinstance(part, ToolCallPart):
            continue
        if part.tool_name not in offered:
            if "unoffered_tools" not in allowed:
                return _unoffered(part, list(offered))
        elif "invalid_arguments" not in allowed and (wrong := _misfits(part, offered[part.tool_name])):
            return _off_schema(part, offered[part.tool_name], wrong)
    return None


def _unoffered(part: ToolCallPart, offered: list[str]) -> str:
    close = get_close_matches(part.tool_name, offered, 1)
    nearest = f"; the nearest name is {close[0]}" if close else ""
    return (
        f"The answer calls the tool {part.tool_name!r}, which the request does not offer.\n"
        f"  Offered: {', '.join(offered) or 'no tools at all'}{nearest}.\n"
        "  Script a call of a tool that is there, or say that this is meant: allow='unoffered_tools'."
    )


def _off_schema(part: ToolCallPart, tool: ToolDefinition, wrong: list[str]) -> str:
    lines = [f"    {line}" for line in wrong[:_SHOWN]]
    more = [f"    and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    fields = ", ".join(_field(name, tool) for name in tool.parameters_json_schema.get("properties") or ())
    return "\n".join(
        [
            f"The answer calls {part.tool_name} with arguments off its schema:",
            *lines,
            *more,
            f"  The tool takes: {fields or 'nothing'}.",
            "  Script arguments that fit, or say that this is meant: allow='invalid_arguments'.",
        ]
    )


def _field(name: str, tool: ToolDefinition) -> str:
    return name if name in (tool.parameters_json_schema.get("required") or ()) else f"{name} (optional)"


def _misfits(part: ToolCallPart, tool: ToolDefinition) -> list[str]:
    try:
        arguments = json.loads(part.args or "{}") if isinstance(part.args, str) else part.args or {}
    except ValueError as error:
        return [f"they are no JSON: {error}"]
    # What is not an object no schema of a tool takes, even one that names no type.
    return misfits(arguments, {"type": "object", **tool.parameters_json_schema})
