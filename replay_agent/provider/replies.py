"""Replies: what a script says, in any of its spellings, made into the response of a model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import pydantic_core
from pydantic import BaseModel

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.exceptions import UserError
from replay_agent.messages import (
    NO_TIMESTAMP,
    FilePart,
    FinishReason,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.provider.schema_check import misfits
from replay_agent.usage import Usage

__all__ = "Reply", "ReplyFunction", "ScriptedAnswer", "prompt_text", "response_of", "tool_call"

ScriptedAnswer: TypeAlias = Any
"""A text; a part of a response, or a list of parts and texts; a whole `ModelResponse`; an `AnswerError`, which refuses;
anything else is a typed result: a pydantic model, a dataclass, what JSON can hold."""

ReplyFunction: TypeAlias = Callable[[ModelCall], ScriptedAnswer]
"""Makes an answer for a call, which it sees decoded."""

_FOUR_CHARACTERS = 4
_RESULT = "final_result"
"""How our agent, and pydantic-ai, begin the name of a tool that takes the result."""


def tool_call(tool_name: str, /, **arguments: Any) -> ToolCallPart:
    """Return a call of a tool with these arguments; its id is made up when it is sent."""
    return ToolCallPart(tool_name, pydantic_core.to_jsonable_python(arguments))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how it is given. What is None or empty is left to the format."""

    answer: ScriptedAnswer
    stream: tuple[str, ...] = ()
    """The pieces in which the text is streamed to a client that asks for a stream."""
    pace: float = 0
    """Seconds from one piece to the next."""
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer, in addition."""


def response_of(call: ModelCall, reply: Reply) -> ModelResponse:
    """Return the response that a reply is to a call. Raises `UserError` for a result that has no place in it."""
    answer = reply.answer
    response = answer if isinstance(answer, ModelResponse) else _made(call, answer)
    changes = {"usage": reply.usage, "finish_reason": reply.finish_reason, "model_name": reply.model}
    wanted: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(response, **wanted) if wanted else response


def _made(call: ModelCall, answer: ScriptedAnswer) -> ModelResponse:
    parts = _with_ids(call, _parts(call, answer))
    calls_tools = any(isinstance(part, ToolCallPart) for part in parts)
    return ModelResponse(
        parts,
        model_name=call.model,
        timestamp=NO_TIMESTAMP,
        finish_reason="tool_call" if calls_tools else "stop",
        usage=_estimate(call, parts),
    )


_PARTS = (TextPart, ToolCallPart, ThinkingPart, NativeToolCallPart, NativeToolReturnPart, FilePart, UnknownPart)


def _parts(call: ModelCall, answer: ScriptedAnswer) -> list[ModelResponsePart]:
    if isinstance(answer, str):
        return [TextPart(answer)]
    if isinstance(answer, _PARTS):
        return [answer]
    if _is_list_of_parts(answer):
        return [TextPart(part) if isinstance(part, str) else part for part in answer]
    return [_result(call, answer)]


def _is_list_of_parts(answer: ScriptedAnswer) -> bool:
    """Tell parts, texts among them, from a typed result that is a list of texts."""
    if not isinstance(answer, list | tuple) or not all(isinstance(part, (str, *_PARTS)) for part in answer):
        return False
    return any(isinstance(part, _PARTS) for part in answer)


def _result(call: ModelCall, result: Any) -> ModelResponsePart:
    """Return how a typed result is said: as the call of a tool that it fits, else as JSON where that was asked for."""
    value = _plain(result)
    fitting = [(tool, args) for tool in call.tools if (args := _arguments(value, tool)) is not None]
    named = [pair for pair in fitting if pair[0].name.startswith(_RESULT)]
    if len(fitting) == 1 or len(named) == 1:
        tool, args = (named or fitting)[0]
        return ToolCallPart(tool.name, args)
    if not fitting and call.output_schema is not None:
        return TextPart(json.dumps(value, ensure_ascii=False))
    names = ", ".join(tool.name for tool in call.tools) or "none"
    raise UserError(
        f"{type(result).__name__} fits {len(fitting)} of the tools that the request offers ({names}); "
        "script a ToolCallPart to say which tool is meant, or TextPart for a text"
    )


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return json.loads(result.model_dump_json(by_alias=True))
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return pydantic_core.to_jsonable_python(dataclasses.asdict(result))
    return pydantic_core.to_jsonable_python(result)


def _arguments(value: Any, tool: ToolDefinition) -> dict[str, Any] | None:
    """Return the arguments by which a tool takes a result: its fields, or the whole under the tool's only name."""
    schema = tool.parameters_json_schema
    properties: Sequence[str] = list(schema.get("properties") or ())
    if isinstance(value, dict) and value.keys() <= set(properties) and not misfits(value, schema):
        return value
    if len(properties) == 1 and not misfits({properties[0]: value}, schema) and not isinstance(value, str):
        return {properties[0]: value}
    return None


def _with_ids(call: ModelCall, parts: list[ModelResponsePart]) -> list[ModelResponsePart]:
    """Give every tool call without an id one that tells turn and place, so that a script repeats exactly."""
    turn = sum(isinstance(message, ModelResponse) for message in call.messages) + 1
    return [
        replace(part, tool_call_id=f"call_{turn}_{number}")
        if isinstance(part, ToolCallPart) and part.tool_call_id is None
        else part
        for number, part in enumerate(parts, 1)
    ]


def _estimate(call: ModelCall, parts: list[ModelResponsePart]) -> Usage:
    """Count a token for four characters: a stand-in for a provider's counter that is the same on every run."""
    asked = sum(len(str(getattr(part, "content", ""))) for message in call.messages for part in message.parts)
    said = sum(len(str(getattr(part, "content", getattr(part, "args", "")))) for part in parts)
    request_tokens, response_tokens = asked // _FOUR_CHARACTERS + 1, said // _FOUR_CHARACTERS + 1
    return Usage(
        request_tokens=request_tokens, response_tokens=response_tokens, total_tokens=request_tokens + response_tokens
    )


def prompt_text(call: ModelCall) -> str:
    """Return all that the user has said in a conversation, a paragraph for each prompt."""
    prompts = [
        part.content
        for message in call.messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]
    return "\n\n".join(_text(prompt) for prompt in prompts)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(item for item in content if isinstance(item, str))
