"""A transcript as the conversations of a page: tool calls joined with what they gave back, answers with their figures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replay_agent.messages import ModelMessage, ModelRequest, ModelResponse
from replay_agent.report.conversation.cost import cost_of
from replay_agent.report.conversation.text import traffic_line
from replay_agent.report.page.content.pieces import Pictures, pieces_of, returned_by
from replay_agent.report.page.content.raw import body_bound, pace_of, raw_of, took_ms
from replay_agent.report.page.report import Conversation, Message, Piece, Raw, Turn

if TYPE_CHECKING:
    from replay_agent.calls import Exchange
    from replay_agent.report.conversation.conversations import Conversation as Recorded
    from replay_agent.report.conversation.transcript import Transcript
    from replay_agent.traffic import Interaction

__all__ = "conversations_of", "models_of", "other_traffic"

_MOST_MESSAGES = 200
"""Of one conversation; in a longer one the beginning and the end are told, and how much is between them."""
_MOST_CONVERSATIONS = 60
_MOST_OTHER = 60
_MOST_TOOLS = 60
_USUAL = (None, "stop", "tool_call")


def conversations_of(
    transcript: Transcript, interactions: Sequence[Interaction], live: Collection[int] = ()
) -> list[Conversation]:
    """Return the conversations; ``live`` are the places of interactions that this very run asked live."""
    pictures = Pictures()
    return [
        _Telling(recorded, interactions, live, pictures).told()
        for recorded in transcript.conversations[:_MOST_CONVERSATIONS]
    ]


def other_traffic(transcript: Transcript, interactions: Sequence[Interaction]) -> list[tuple[str, Raw | None]]:
    """Return a line for each interaction that is no call of a model, with what was on the wire."""
    told, longest = transcript.unknown[:_MOST_OTHER], body_bound(len(interactions))
    lines: list[tuple[str, Raw | None]] = [
        (traffic_line(each), raw_of(interactions[each.interaction], longest)) for each in told
    ]
    left = len(transcript.unknown) - len(told)
    return [*lines, (f"and {left:,} more", None)] if left else lines


def models_of(transcript: Transcript) -> list[str]:
    """Return the names of the models, as they were asked for."""
    named = (
        each.call.model or (each.answer.response.model_name if each.answer.response else None)
        for each in transcript.exchanges
    )
    return list(dict.fromkeys(name for name in named if name))


@dataclass
class _Telling:
    """Tells one conversation."""

    recorded: Recorded
    interactions: Sequence[Interaction]
    live: Collection[int]
    pictures: Pictures
    open_calls: list[tuple[str | None, Piece]] = field(default_factory=list)
    """Calls of tools that nothing has come back for yet, with their ids."""

    def told(self) -> Conversation:
        messages = list(self._messages())
        left = len(messages) - _MOST_MESSAGES
        if left > 0:
            half = _MOST_MESSAGES // 2
            messages = [*messages[:half], *messages[-half:]]
        tools = {tool.name: tool.description or "" for each in self.recorded.exchanges for tool in each.call.tools}
        return Conversation(
            messages, [(name, said[:400]) for name, said in [*tools.items()][:_MOST_TOOLS]], max(0, left)
        )

    def _messages(self) -> Iterator[Message]:
        answers = {id(each.answer.response): each for each in self.recorded.exchanges if each.answer.response}
        retries = list(self.recorded.retries)
        number = 1
        for message in self.recorded.messages:
            if isinstance(message, ModelRequest):
                yield from self._asked(message)
                continue
            while retries and _number(retries[0]) <= number:
                yield self._failed(retries.pop(0), retried=True)
            yield self._answered(message, answers.get(id(message)), number)
            number += 1
        yield from (self._failed(each, retried=True) for each in retries)
        last = self.recorded.exchanges[-1:]
        yield from (self._failed(each) for each in last if each.answer.response is None)

    def _asked(self, message: ModelRequest) -> Iterator[Message]:
        pieces = [piece for part in message.parts if not self._joined(part) for piece in pieces_of(part, self.pictures)]
        system, rest = ([piece for piece in pieces if (piece.kind == "system") is wanted] for wanted in (True, False))
        if system:
            yield Message("system", system)
        if rest:
            yield Message("user", rest)

    def _joined(self, part: object) -> bool:
        """Put what a tool gave back beside its call, and tell whether there was one."""
        returned = returned_by(part)
        if returned is None:
            return False
        call_id, name, answer, failed = returned
        for place, (known, piece) in enumerate(self.open_calls):
            if known == call_id if call_id else piece.name == name:
                piece.answer, piece.failed = answer, failed
                piece.pictures += self.pictures.of(part)
                del self.open_calls[place]
                return True
        return False

    def _answered(self, message: ModelResponse, exchange: Exchange | None, number: int) -> Message:
        pieces: list[Piece] = []
        for part in message.parts:
            if self._joined(part):
                continue
            told = pieces_of(part, self.pictures)
            pieces += told
            self.open_calls += [(getattr(part, "tool_call_id", None), piece) for piece in told if piece.kind == "call"]
        return Message("assistant", pieces, None if exchange is None else self._turn(exchange, number))

    def _failed(self, exchange: Exchange, *, retried: bool = False) -> Message:
        response = exchange.answer.response
        pieces = [piece for part in (response.parts if response else ()) for piece in pieces_of(part, self.pictures)]
        turn = self._turn(exchange, _number(exchange))
        turn.retried = retried
        return Message("assistant", pieces, turn)

    def _turn(self, exchange: Exchange, number: int) -> Turn:
        response, error = exchange.answer.response, exchange.answer.error
        usage, cost = response.usage if response else None, cost_of(exchange)
        interaction = self.interactions[exchange.interaction]
        chunks = getattr(interaction.outcome, "chunks", ())
        return Turn(
            number,
            (response.model_name if response else None) or exchange.call.model or "",
            usage.request_tokens if usage else None,
            usage.response_tokens if usage else None,
            None if cost is None else str(cost),
            "" if response is None or response.finish_reason in _USUAL else response.finish_reason,
            ""
            if error is None
            else f"{'' if error.status is None else f'status {error.status}: '}{error.message}"[:2_000],
            exchange.partial,
            took_ms=took_ms(interaction),
            chunks=len(chunks) if exchange.call.stream else 0,
            pace=pace_of(interaction) if exchange.call.stream else [],
            live=exchange.interaction in self.live,
            raw=raw_of(interaction, body_bound(len(self.interactions))),
        )


def _number(exchange: Exchange) -> int:
    """Return which answer of its conversation a call asked for, from 1."""
    return 1 + sum(_is_answer(message) for message in exchange.call.messages)


def _is_answer(message: ModelMessage) -> bool:
    return isinstance(message, ModelResponse)
