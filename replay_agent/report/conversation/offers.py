"""What a call offers the model to use: its tools with all that their formats say of them, and those that a provider runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay_agent.calls import ModelCall, ToolDefinition

__all__ = "Offer", "offers", "settings_beside"

_MARK = re.compile(r"tools\[(?P<tool>.+)\]\.(?P<field>[^\]]+)\Z", re.DOTALL)
"""What a format says of one tool beyond its schema, as codecs name it: ``tools[search].cache_control``."""
_PROVIDERS = "tools"
_FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool: what it is called, and what the model is told of it."""

    name: str
    definition: ToolDefinition | None
    """None for one that the provider runs."""
    more: dict[str, Any] = field(default_factory=dict)
    """Fields that only some formats have."""


def offers(call: ModelCall) -> list[Offer]:
    """Return the tools of a call in their order, those that the provider runs last."""
    marks = _marks(call)
    own = [Offer(tool.name, tool, marks.get(tool.name, {})) for tool in call.tools]
    return [*own, *(Offer(name, None, fields) for name, fields in _run_by_the_provider(call).items())]


def settings_beside(call: ModelCall) -> dict[str, Any]:
    """Return the further fields of a call that say nothing of a tool."""
    known = {tool.name for tool in call.tools}
    lifted = {_PROVIDERS} if _run_by_the_provider(call) else set()
    return {
        name: value
        for name, value in call.extras.items()
        if name not in lifted and not ((mark := _MARK.match(name)) and mark["tool"] in known)
    }


def _marks(call: ModelCall) -> dict[str, dict[str, Any]]:
    marks: dict[str, dict[str, Any]] = {}
    for name, value in call.extras.items():
        mark = _MARK.match(name)
        if mark is not None:
            marks.setdefault(mark["tool"], {})[mark["field"]] = value
    return marks


def _run_by_the_provider(call: ModelCall) -> dict[str, dict[str, Any]]:
    """Return the tools that the provider runs by their names; nothing where one has none, or shares it."""
    raw = call.extras.get(_PROVIDERS)
    tools = [each for each in raw if isinstance(each, dict)] if isinstance(raw, list) else []
    names = [_name_of(tool) for tool in tools]
    found = {name: tool for name, tool in zip(names, tools, strict=True) if name is not None}
    is_whole = isinstance(raw, list) and len(found) == len(raw)
    return found if is_whole and found.keys().isdisjoint(tool.name for tool in call.tools) else {}


def _name_of(tool: dict[str, Any]) -> str | None:
    """Return how a provider's tool is called: by a name of its own, a server's, or that of its kind."""
    kind = tool.get("type")
    inner = tool.get(kind) if isinstance(kind, str) else None
    named = (tool.get("name"), tool.get("server_label"), inner.get("name") if isinstance(inner, dict) else None)
    name = next((each for each in named if isinstance(each, str) and each), None)
    if name is not None or isinstance(kind, str):
        return name or (None if kind == _FUNCTION else kind)
    # Gemini's have the name of their kind as the only key: {"googleSearch": {}}.
    return next(iter(tool)) if len(tool) == 1 and isinstance(next(iter(tool.values())), dict) else None
