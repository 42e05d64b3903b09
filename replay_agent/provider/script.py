"""Scripted answers: what a provider says, written once and spoken in whatever format the client asks in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from pydantic import BaseModel

from replay_agent.calls import AnswerError, ModelCall
from replay_agent.exceptions import UserError
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolCallPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import Codec, EncodedAnswer
from replay_agent.wire.registry import codec_for

__all__ = "Script", "ScriptedAnswer", "ScriptedCall"

ScriptedAnswer: TypeAlias = str | BaseModel | ModelResponsePart | list[ModelResponsePart] | ModelResponse | AnswerError
"""A text, a typed result (sent as a call of the only tool whose arguments it fits), one part, several, a whole
response, or a refusal."""

_FOUR_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A call that the script answered: the request as it came and what it means."""

    request: Request
    call: ModelCall


class Script:
    """Answers requests of any known wire format, one scripted answer after the other.

    An answer may be a function of the decoded `ModelCall` that returns one. When the answers are used up the script
    refuses with status 500 and says so. ``calls`` lists what was asked. Safe to use from several threads.
    """

    def __init__(self, answers: Iterable[ScriptedAnswer | Callable[[ModelCall], ScriptedAnswer]] = ()) -> None:
        self.calls: list[ScriptedCall] = []
        self._answers = list(answers)
        self._next = 0
        self._lock = threading.Lock()

    def add(self, *answers: ScriptedAnswer | Callable[[ModelCall], ScriptedAnswer]) -> None:
        """Append answers to the script."""
        with self._lock:
            self._answers.extend(answers)

    @property
    def left(self) -> int:
        """How many answers have not been given yet."""
        return len(self._answers) - self._next

    def answer(self, request: Request) -> EncodedAnswer:
        """Return the next answer in the format of the request; traffic that no codec claims gets a 404."""
        codec = codec_for(request)
        if codec is None:
            text = f"no wire format is known for {request.method} {request.url}".encode()
            return EncodedAnswer(404, (("content-type", "text/plain"),), (text,))
        call = codec.decode_call(request)
        scripted = self._take(ScriptedCall(request, call))
        return _encoded(codec, call, scripted(call) if callable(scripted) else scripted)

    def _take(self, asked: ScriptedCall) -> ScriptedAnswer | Callable[[ModelCall], ScriptedAnswer]:
        with self._lock:
            self.calls.append(asked)
            if self._next == len(self._answers):
                return AnswerError(500, f"the script has {len(self._answers)} answers and all are used up")
            self._next += 1
            return self._answers[self._next - 1]


def _encoded(codec: Codec, call: ModelCall, answer: ScriptedAnswer) -> EncodedAnswer:
    if isinstance(answer, AnswerError):
        return codec.encode_error(call, answer.status or 500, answer.message)
    return codec.encode_answer(call, _response(call, answer))


def _response(call: ModelCall, answer: ScriptedAnswer) -> ModelResponse:
    if isinstance(answer, ModelResponse):
        return answer
    parts = _with_ids(call, _parts(call, answer))
    calls_tools = any(isinstance(part, ToolCallPart) for part in parts)
    return ModelResponse(
        parts,
        model_name=call.model,
        timestamp=NO_TIMESTAMP,
        finish_reason="tool_call" if calls_tools else "stop",
        usage=_estimate(call, parts),
    )


def _parts(call: ModelCall, answer: ScriptedAnswer) -> list[ModelResponsePart]:
    if isinstance(answer, str):
        return [TextPart(answer)]
    if isinstance(answer, BaseModel):
        return [ToolCallPart(_result_tool(call, answer), answer.model_dump_json())]
    assert not isinstance(answer, ModelResponse | AnswerError)
    return answer if isinstance(answer, list) else [answer]


def _result_tool(call: ModelCall, result: BaseModel) -> str:
    fields = set(result.model_dump())
    fitting = [tool.name for tool in call.tools if set(tool.parameters_json_schema.get("properties", ())) == fields]
    if len(fitting) != 1:
        names = ", ".join(tool.name for tool in call.tools) or "none"
        raise UserError(
            f"{type(result).__name__} fits {len(fitting)} of the tools that the request offers ({names}); "
            "script a ToolCallPart to say which tool is meant"
        )
    return fitting[0]


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
