"""What recorded traffic says: exchanges with models, the conversations they add up to, and what else was on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

from replay_agent.calls import Exchange
from replay_agent.exceptions import UserError, WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.messages import ModelMessage, ToolCallPart
from replay_agent.report.conversation.answers import read_answer
from replay_agent.report.conversation.conversations import Conversation, conversations_of, summed_usage
from replay_agent.report.conversation.cost import total_cost
from replay_agent.report.conversation.lost_requests import without_address, without_body
from replay_agent.report.conversation.stable import stable_exchange, stable_outcome, stable_request
from replay_agent.report.conversation.volatile import EVERYTHING, Placeholders
from replay_agent.traffic import Interaction, Outcome, Request
from replay_agent.usage import Usage
from replay_agent.wire.registry import kind_of, read_call, read_lost_call
from replay_agent.wire.shapes.history import sharing

__all__ = "Transcript", "UnknownTraffic"


@dataclass(frozen=True)
class UnknownTraffic:
    """An interaction that is no call of a model as far as we know; ``reason`` says why a call could not be read."""

    interaction: int
    request: Request
    outcome: Outcome
    reason: str | None = None
    kind: str | None = None
    """What it is to a provider, where path and body tell: ``openai_embeddings``, ``cohere_v1_chat``."""


@dataclass
class Transcript:
    """A recording, decoded. Every interaction is in ``exchanges`` or in ``unknown``, in the order of the requests."""

    exchanges: list[Exchange] = field(default_factory=list)
    unknown: list[UnknownTraffic] = field(default_factory=list)

    @classmethod
    def from_interactions(cls, interactions: Sequence[Interaction]) -> Transcript:
        """Decode traffic. Never raises for what is in it: a call that cannot be read is unknown, with the reason."""
        transcript = cls()
        with sharing():
            for number, interaction in enumerate(interactions):
                read = _read(number, interaction)
                if isinstance(read, Exchange):
                    transcript.exchanges.append(read)
                else:
                    transcript.unknown.append(read)
        return transcript

    def __len__(self) -> int:
        return len(self.exchanges) + len(self.unknown)

    # A transcript of no traffic is a transcript: ``if replay.transcript`` must not depend on what was recorded.
    def __bool__(self) -> bool:
        return True

    @cached_property
    def conversations(self) -> list[Conversation]:
        """The runs that the exchanges add up to, in the order of their first calls."""
        return conversations_of(self.exchanges)

    @property
    def messages(self) -> list[ModelMessage]:
        """The message history, empty if no model was called; `UserError` where there are several conversations."""
        if len(self.conversations) > 1:
            raise UserError(
                f"This recording holds {len(self.conversations)} conversations, so there is no one message history: "
                "use `.transcript.conversations` and the `.messages` of each."
            )
        return self.conversations[0].messages if self.conversations else []

    @property
    def tool_calls(self) -> list[ToolCallPart]:
        """The calls that clients had to execute, over all answers in order."""
        responses = [exchange.answer.response for exchange in self.exchanges]
        return [part for response in responses if response for part in response.parts if isinstance(part, ToolCallPart)]

    @property
    def usage(self) -> Usage:
        """The sum over all answers, one request each."""
        return summed_usage(self.exchanges)

    @property
    def cost(self) -> Decimal | None:
        """The price of all answers in USD, None where the price of any is not known."""
        return total_cost(self.exchanges)

    def stable(self) -> Transcript:
        """Return a copy in which ids, times, dates and uuids are named by their order of appearance.

        Two recordings of the same run compare equal then.
        """
        names = Placeholders(EVERYTHING)
        return Transcript(
            [stable_exchange(exchange, names) for exchange in self.exchanges],
            [_stable_traffic(traffic, names) for traffic in self.unknown],
        )


def _stable_traffic(traffic: UnknownTraffic, names: Placeholders) -> UnknownTraffic:
    request, outcome = stable_request(traffic.request, names), stable_outcome(traffic.outcome, names)
    return replace(traffic, request=request, outcome=outcome)


def _read(number: int, interaction: Interaction) -> Exchange | UnknownTraffic:
    request, outcome = interaction.request, interaction.outcome
    try:
        plain = replace(request, body=decode(request.headers, request.body))
        read = read_call(plain)
        if read is None:
            return without_body(number, plain, outcome) or _unread(number, request, plain, outcome)
        codec, call = read
        answer, partial = read_answer(codec, call, outcome)
    except WireError as exc:
        return UnknownTraffic(number, request, outcome, str(exc))
    return Exchange(number, codec.name, call, answer, partial, request.url)


def _unread(number: int, request: Request, plain: Request, outcome: Outcome) -> Exchange | UnknownTraffic:
    kind, lost = kind_of(plain), read_lost_call(plain)
    if kind is not None:
        return UnknownTraffic(number, request, outcome, kind=kind)
    if lost is None:
        return without_address(number, plain, outcome) or UnknownTraffic(number, request, outcome)
    reason = f"the body of the request is no call of {lost[0].name}, which its address is one of"
    return UnknownTraffic(number, request, outcome, reason)
