"""Turn: one call of a model on both sides; conversations and their calls, paired by what they ask."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replay_agent.report.compare import Item, Known, items_of
from replay_agent.report.comparison.alignment import Call, CallPair, Openings, aligned, with_openings_together
from replay_agent.report.comparison.histories import Asked, asked_anew, said_by

if TYPE_CHECKING:
    from replay_agent.calls import Exchange
    from replay_agent.report.conversation.transcript import Transcript

__all__ = "Thread", "Turn", "threads_of"

_MOST_OPENINGS = 200
"""Conversations whose beginnings are compared with each other, if none is the same."""


@dataclass(eq=False)
class Turn:
    """A call on both sides, or on one where the other has none."""

    number: int
    """Its place in the conversation, from 1: on the new side, or on the old one where the new has none."""
    old: Exchange | None
    new: Exchange | None
    previous: Turn | None = None
    """The call before it."""
    asked: tuple[Asked, Asked] = field(default_factory=lambda: (Asked(), Asked()))
    """What it asks anew on each side; the first of all has also what the conversation began with."""
    moved: bool = False
    """Whether it stands at another place of the conversation than it did."""
    openings: Openings | None = None
    """What each conversation began with, where their first calls are no pair and this is the first turn."""


@dataclass(eq=False)
class Thread:
    """A conversation on both sides, or on one where the other has none."""

    number: int
    turns: list[Turn]
    retries: tuple[int, int] = (0, 0)
    """Attempts that failed and were made again, on each side."""
    is_old: bool = True
    is_new: bool = True


@dataclass(eq=False)
class _Conversation:
    calls: list[Call]
    retries: int

    @property
    def opening(self) -> tuple[tuple[str, str], ...]:
        return tuple((item.role, item.text) for item in self.calls[0].asked.added)

    @property
    def question(self) -> tuple[tuple[str, str], ...]:
        return tuple(part for part in self.opening if part[0] != "system prompt")


def threads_of(old: Transcript, new: Transcript) -> list[Thread]:
    """Pair the conversations of two recordings of a test, and their calls, whatever order they were recorded in."""
    olds, news = _conversations(old), _conversations(new)
    pairs = _paired(olds, news)
    threads: list[tuple[_Conversation | None, _Conversation | None, list[CallPair]]] = [
        (one, other, aligned(one.calls, other.calls)) for one, other in pairs
    ]
    met = {id(each) for pair in pairs for each in pair}
    lone_old = [each for each in olds if id(each) not in met]
    lone_new = [each for each in news if id(each) not in met]
    _join(threads, lone_old, lone_new)
    threads += [(each, None, [CallPair(call, None) for call in each.calls]) for each in lone_old if each.calls]
    threads += [(None, each, [CallPair(None, call) for call in each.calls]) for each in lone_new if each.calls]
    threads.sort(key=_first)
    return [
        Thread(
            number,
            list(_turns(calls)),
            (one.retries if one else 0, other.retries if other else 0),
            is_old=one is not None,
            is_new=other is not None,
        )
        for number, (one, other, calls) in enumerate(threads, 1)
    ]


def _first(thread: tuple[object, object, list[CallPair]]) -> int:
    return min(call.exchange.interaction for pair in thread[2] for call in (pair.old, pair.new) if call is not None)


def _conversations(transcript: Transcript) -> list[_Conversation]:
    return [_Conversation(list(_calls(each.exchanges)), len(each.retries)) for each in transcript.conversations]


def _calls(exchanges: Iterable[Exchange]) -> Iterator[Call]:
    previous: Exchange | None = None
    said: list[Item] = []
    known: Known = {}
    for number, exchange in enumerate(exchanges, 1):
        items = items_of(exchange.call.messages, known)
        yield Call(exchange, previous, number, asked_anew(items, said))
        previous, said = exchange, said_by(exchange, items)


def _turns(pairs: Sequence[CallPair]) -> Iterator[Turn]:
    previous: Turn | None = None
    for pair in with_openings_together(pairs):
        old, new = pair.old, pair.new
        opening = pair.openings or ((), ())
        numbers = [call.number for call in (new, old) if call is not None]
        turn = Turn(
            min(numbers) if pair.moved else numbers[0],
            old.exchange if old else None,
            new.exchange if new else None,
            previous,
            (_asked(old, opening[0]), _asked(new, opening[1])),
            pair.moved,
            pair.openings,
        )
        yield turn
        previous = turn


def _asked(call: Call | None, opening: tuple[Item, ...]) -> Asked:
    asked = call.asked if call else Asked()
    return replace(asked, added=(*opening, *asked.added)) if opening else asked


# --- conversations ----------------------------------------------------------------------------------------------------


def _paired(olds: Sequence[_Conversation], news: Sequence[_Conversation]) -> list[tuple[_Conversation, _Conversation]]:
    left, right = list(olds), list(news)
    pairs: list[tuple[_Conversation, _Conversation]] = []
    ways: tuple[Callable[[_Conversation], Hashable], ...] = (
        lambda each: each.opening,
        lambda each: each.question,
    )
    for way in ways:
        found = list(_equal(left, right, way))
        pairs += found
        met = {id(each) for pair in found for each in pair}
        left = [each for each in left if id(each) not in met]
        right = [each for each in right if id(each) not in met]
    return [*pairs, *_nearest(left, right)]


def _equal(
    olds: Sequence[_Conversation], news: Sequence[_Conversation], key: Callable[[_Conversation], Hashable]
) -> Iterator[tuple[_Conversation, _Conversation]]:
    waiting: defaultdict[Hashable, deque[_Conversation]] = defaultdict(deque)
    for each in olds:
        waiting[key(each)].append(each)
    for each in news:
        found = waiting[key(each)]
        if found:
            yield found.popleft(), each


def _nearest(
    olds: Sequence[_Conversation], news: Sequence[_Conversation]
) -> Iterator[tuple[_Conversation, _Conversation]]:
    """Pair what begins with the most words in common; in order where there is nothing to choose, or too much."""
    if len(olds) == len(news) == 1 or max(len(olds), len(news)) > _MOST_OPENINGS:
        yield from zip(olds, news, strict=False)
        return
    words = [[_words(each) for each in side] for side in (olds, news)]
    scores = sorted(
        (-_likeness(one, other), abs(i - k), i, k) for i, one in enumerate(words[0]) for k, other in enumerate(words[1])
    )
    met: tuple[set[int], set[int]] = (set(), set())
    for _, _, i, k in scores:
        if i not in met[0] and k not in met[1]:
            met[0].add(i)
            met[1].add(k)
            yield olds[i], news[k]


def _words(conversation: _Conversation) -> frozenset[str]:
    return frozenset(word for _, text in conversation.opening for word in text[:4_000].split())


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


# --- calls whose history was cut --------------------------------------------------------------------------------------


def _last(exchange: Exchange) -> tuple[str, str] | None:
    messages = exchange.call.messages
    items = items_of(messages[-1:])
    return (items[-1].role, items[-1].text) if items else None


def _join(
    threads: Sequence[tuple[object, object, list[CallPair]]],
    lone_old: Sequence[_Conversation],
    lone_new: Sequence[_Conversation],
) -> None:
    """Give calls whose history was cut, so that they seemed to begin a conversation, their place in the one they go on."""
    for lone, is_new in ((lone_new, True), (lone_old, False)):
        waiting = {
            key: (pairs, place)
            for _, _, pairs in threads
            for place, pair in enumerate(pairs)
            if (call := _alone(pair, is_new=not is_new)) is not None and (key := _last(call.exchange)) is not None
        }
        for conversation in lone:
            for call in list(conversation.calls):
                found = waiting.pop(_last(call.exchange) or ("", ""), None) if waiting else None
                if found is not None:
                    _put(*found, call, is_new=is_new)
                    conversation.calls.remove(call)


def _side(pair: CallPair, *, is_new: bool) -> Call | None:
    return pair.new if is_new else pair.old


def _alone(pair: CallPair, *, is_new: bool) -> Call | None:
    """Return the call of a side where the other side has none."""
    return None if _side(pair, is_new=not is_new) is not None else _side(pair, is_new=is_new)


def _put(pairs: list[CallPair], place: int, call: Call, *, is_new: bool) -> None:
    pair = pairs[place]
    partner = _side(pair, is_new=not is_new)
    assert partner is not None
    before = _side(pairs[place - 1], is_new=is_new) if place else None
    call.previous = call.previous or (before.exchange if before else None)
    call.number = partner.number
    call.asked = asked_anew(items_of(call.exchange.call.messages), said_by(call.previous) if call.previous else [])
    pairs[place] = CallPair(partner, call) if is_new else CallPair(call, partner)
