"""What changed between two bodies of JSON-RPC: which tool or method, and which of its arguments."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from replay_agent.recording.meaning.json_rpc import forget_roles, messages_of
from replay_agent.report.compare import ArgumentChanged, Change, RemoteCallAdded, RemoteCallChanged, RemoteCallRemoved
from replay_agent.report.json_diff import json_diff

__all__ = "compare_remote_calls", "named_calls"

_NAMED = {"tools/call": "tool", "prompts/get": "prompt"}
"""Methods of MCP whose parameter ``name`` says what is called, and ``arguments`` with what."""


def named_calls(body: Any) -> str:
    """Return what a body calls, in a few words: ``tool `add```, ``method `tools/list```; nothing if it is no JSON-RPC."""
    return ", ".join(_title(message) for message in messages_of(body))


def compare_remote_calls(before: Any, after: Any) -> list[Change] | None:
    """Return what changed between two decoded bodies; None if they are not both JSON-RPC."""
    old, new = _messages(before), _messages(after)
    return list(_changes(old, new)) if old and new else None


def _messages(body: Any) -> list[dict[str, Any]]:
    # Forgetting works in place, and the caller's body is shown later.
    body = copy.deepcopy(body) if next(messages_of(body), None) is not None else None
    forget_roles(body)
    return list(messages_of(body))


def _changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[Change]:
    """Pair messages that call the same, in order; of the others, the first old one became the first new one."""
    waiting, strangers = list(old), []
    for message in new:
        partner = next((each for each in waiting if _title(each) == _title(message)), None)
        if partner is None:
            strangers.append(message)
            continue
        waiting.remove(partner)
        yield from _of_pair(partner, message)
    for one, other in zip(waiting, strangers, strict=False):
        yield RemoteCallChanged(_title(one), _title(other))
    yield from (RemoteCallAdded(_title(message)) for message in strangers[len(waiting) :])
    yield from (RemoteCallRemoved(_title(message)) for message in waiting[len(strangers) :])


def _of_pair(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    call = _title(after)
    for change in json_diff(before, after, ""):
        yield ArgumentChanged(call, _argument(change.path.removeprefix(".")), change.before, change.after)


def _argument(path: str) -> str:
    """``argument a.b`` of ``params.arguments.a.b``, ``parameter uri`` of ``params.uri``; any other member as it is."""
    for prefix, noun in (("params.arguments", "argument"), ("params", "parameter")):
        rest = path.removeprefix(prefix)
        if rest != path and rest[:1] in (".", "[", ""):
            return f"{noun} {rest.removeprefix('.')}" if rest else f"{noun}s"
    return path


def _title(message: dict[str, Any]) -> str:
    method, params = message.get("method"), message.get("params")
    if not isinstance(method, str):
        return "answer to the server"
    name = params.get("name") if isinstance(params, dict) else None
    noun = _NAMED.get(method) if isinstance(name, str) else None
    return f"{noun} `{name}`" if noun else f"method `{method}`"
