"""Exchanges of which a recording has lost a part of the request, its body or its address, and the answer still tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from replay_agent.calls import Answer, Exchange, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import UnknownPart
from replay_agent.report.conversation.answers import REFUSED, read_answer
from replay_agent.traffic import Outcome, Request, Response
from replay_agent.wire.codec import Codec, is_stream
from replay_agent.wire.registry import possible_calls, read_lost_call

__all__ = "without_address", "without_body"


def without_body(number: int, request: Request, outcome: Outcome) -> Exchange | None:
    """Return the exchange of a request whose body is gone: its address and its answer say plainly what it was."""
    read = read_lost_call(request)
    found = _exchanges(number, request, outcome, () if read is None else (read,))
    return next((each for each in found if _has_words(each.answer) or _has_usage(each.answer)), None)


def without_address(number: int, request: Request, outcome: Outcome) -> Exchange | None:
    """Return the exchange of a request whose address is blotted out, or a gateway's own: what was asked and answered tell.

    Counters alone show no call here, since they are also told of what a provider stores. Formats resemble each other:
    of several that an answer can be read as, one that tells its usage goes first.
    """
    read = _exchanges(number, request, outcome, possible_calls(request))
    found = [each for each in read if _has_words(each.answer) or _has_finished(each.answer)]
    return max(found, key=lambda each: _has_usage(each.answer), default=None)


def _exchanges(
    number: int, request: Request, outcome: Outcome, calls: Iterable[tuple[Codec, ModelCall]]
) -> Iterator[Exchange]:
    """Yield what the calls and the answer are as exchanges, as far as the answer can be read in that format.

    Many documents can be read as an answer that says nothing.
    """
    if not isinstance(outcome, Response) or outcome.status >= REFUSED:
        return
    for codec, call in calls:
        call.stream = call.stream or is_stream(outcome.headers)
        try:
            answer, partial = read_answer(codec, call, outcome)
        except WireError:
            continue
        yield Exchange(number, codec.name, call, answer, partial, request.url)


def _has_words(answer: Answer) -> bool:
    said = answer.response
    return said is not None and any(not isinstance(part, UnknownPart) for part in said.parts)


def _has_finished(answer: Answer) -> bool:
    return answer.response is not None and answer.response.finish_reason is not None


def _has_usage(answer: Answer) -> bool:
    return answer.response is not None and bool(answer.response.usage)
