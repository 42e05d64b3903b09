"""Calls of Ollama's chat: the body of a request, read and written."""

from __future__ import annotations

from typing import cast

from replay_agent.calls import ModelCall, OutputSchema
from replay_agent.settings import ModelSettings
from replay_agent.wire.ollama.content import read_messages, write_history
from replay_agent.wire.shapes.function_tools import read_function_tools, write_function_tools
from replay_agent.wire.shapes.json_text import Fields
from replay_agent.wire.shapes.scalars import is_number

__all__ = "read_call", "write_call"

_FORMAT = "ollama"

_BODY_FIELDS = {"model", "messages", "tools", "stream", "options", "format"}
_OPTIONS = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}


# --- reading ----------------------------------------------------------------------------------------------------------


def read_call(body: Fields) -> ModelCall:
    """Read a body. Raises `WireError` where its messages are none."""
    extras = {key: value for key, value in body.items() if key not in _BODY_FIELDS}
    tools, others = read_function_tools(body.get("tools"))
    if others:
        extras["tools"] = others
    model = body.get("model")
    return ModelCall(
        read_messages(body.get("messages")),
        model=model if isinstance(model, str) else None,
        tools=tools,
        settings=_read_options(body.get("options"), extras),
        output_schema=_read_format(body.get("format"), extras),
        stream=body.get("stream") is not False,  # the server streams unless told otherwise
        extras=extras,
    )


def _read_options(options: object, extras: Fields) -> ModelSettings:
    if not isinstance(options, dict):
        return {}
    known = {_OPTIONS[key]: value for key, value in options.items() if key in _OPTIONS and is_number(value)}
    rest = {key: value for key, value in options.items() if not (key in _OPTIONS and is_number(value))}
    if rest:
        extras["options"] = rest
    return cast("ModelSettings", known)


def _read_format(wanted: object, extras: Fields) -> OutputSchema | None:
    if wanted == "json":
        return OutputSchema()
    if isinstance(wanted, dict):
        return OutputSchema(wanted)
    if wanted:
        extras["format"] = wanted
    return None


# --- writing ----------------------------------------------------------------------------------------------------------


def write_call(call: ModelCall) -> Fields:
    """Write the body of a call. Raises `NotImplementedError` for media other than images as data."""
    settings: Fields = dict(call.settings)
    options = {key: settings[name] for key, name in _OPTIONS.items() if settings.get(name) is not None}
    options |= call.extras.get("options", {})
    tools = [*write_function_tools(call.tools), *call.extras.get("tools", [])]
    wanted = call.output_schema
    body: Fields = {
        "model": call.model,
        "messages": [fields for message in call.messages for fields in write_history(message)],
        "stream": call.stream,
    }
    optional = {
        "tools": tools,
        "options": options,
        "format": None if wanted is None else "json" if wanted.schema is None else wanted.schema,
    }
    body |= {key: value for key, value in optional.items() if value}
    return body | {key: value for key, value in call.extras.items() if key not in body}
