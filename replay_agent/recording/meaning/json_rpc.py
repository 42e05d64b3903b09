"""JSON-RPC messages compared by role: what numbers a message or traces it is no part of what it asks for.

A client counts its requests: after one call fewer, every later request has another ``id``, and asks for the same. So do
MCP's ``progressToken`` and the ids of a trace in ``_meta`` (Model Context Protocol, basic/utilities/progress). The ``id``
of an answer that a client gives says which question of the server it answers, and counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = "forget_roles", "messages_of"

_NAMES_A_REQUEST = {"notifications/cancelled": "requestId", "$/cancelRequest": "id"}
"""Notifications whose parameter of that name is the id of a request that the client made."""
_TRACING = re.compile(
    r"trace|span[-_.]?id|baggage|correlation|x-datadog|request[-_.]?id|(?:^|[/.])b3(?:$|-)", re.IGNORECASE
)
"""Members of ``_meta`` that say which run it is: traceparent, x-b3-spanid, sentry-trace, example.com/requestId."""
_ASKED = "\0request"


def _is_message(value: Any) -> bool:
    """Tell whether a decoded JSON value is one message of JSON-RPC 2.0."""
    return (
        isinstance(value, dict)
        and value.get("jsonrpc") == "2.0"
        and (type(value.get("method")) is str or "result" in value or "error" in value)
    )


def messages_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the messages that a body is: one, those of a batch, or none."""
    yield from (each for each in (value if isinstance(value, list) else [value]) if _is_message(each))


def forget_roles(value: Any) -> None:
    """Take out of a body, in place, what tells its messages from equal ones; a body that is no JSON-RPC stays."""
    for message in messages_of(value):
        if type(message.get("method")) is not str:
            continue
        if "id" in message:  # a request still differs from a notification, which has none
            del message["id"]
            message[_ASKED] = True
        params = message.get("params")
        if isinstance(params, dict):
            _forget(message["method"], params)


def _forget(method: str, params: dict[str, Any]) -> None:
    params.pop(_NAMES_A_REQUEST.get(method, ""), None)
    if method == "notifications/progress":
        params.pop("progressToken", None)
    meta = params.get("_meta")
    if not isinstance(meta, dict):
        return
    for name in [name for name in meta if name == "progressToken" or _TRACING.search(name)]:
        del meta[name]
    # An empty ``_meta`` says as much as none; clients send it or not as their version pleases.
    if not meta:
        del params["_meta"]
