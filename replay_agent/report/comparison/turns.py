"""Turn: one call of a model on both sides; conversations and their calls, paired by what they ask."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from replay_agent.calls import Exchange
from replay_agent.conversation.transcript import Transcript
from replay_agent.report.compare import Item, items_of
from replay_agent.report.comparison.histories import Asked, asked_anew, said_by

__all__ = "Thread", "Turn", "threads_of"

_MOST_PAIRS = 400_000
"""Calls of one conversation times those of the other that are matched by what they ask; longer ones are paired in order."""
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
    """What it asks anew on each side."""


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
class _Call:
    """A call on one side, and its place in its conversation."""

    exchange: Exchange
    previous: Exchange | None
    number: int
    asked: Asked


@dataclass(eq=False)
class _Conversation:
    calls: list[_Call]
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
    threads: list[tuple[_Conversation | None, _Conversation | None, list[tuple[_Call | None, _Call | None]]]] = [
        (one, other, _aligned(one.calls, other.calls)) for one, other in pairs
    ]
    met = {id(each) for pair in pairs for each in pair}
    lone_old = [each for each in olds if id(each) not in met]
    lone_new = [each for each in news if id(each) not in met]
    _join(threads, lone_old, lone_new)
    threads += [(each, None, [(call, None) for call in each.calls]) for each in lone_old if each.calls]
    threads += [(None, each, [(None, call) for call in each.calls]) for each in lone_new if each.calls]
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


def _first(thread: tuple[object, object, list[tuple[_Call | None, _Call | None]]]) -> int:
    return min(call.exchange.interaction for pair in thread[2] for call in pair if call is not None)


def _conversations(transcript: Transcript) -> list[_Conversation]:
    return [_Conversation(list(_calls(each.exchanges)), len(each.retries)) for each in transcript.conversations]


def _calls(exchanges: Iterable[Exchange]) -> Iterator[_Call]:
    previous: Exchange | None = None
    said: list[Item] = []
    for number, exchange in enumerate(exchanges, 1):
        items = items_of(exchange.call.messages)
        yield _Call(exchange, previous, number, asked_anew(items, said))
        previous, said = exchange, said_by(exchange, items)


def _turns(pairs: Sequence[tuple[_Call | None, _Call | None]]) -> Iterator[Turn]:
    previous: Turn | None = None
    for old, new in pairs:
        call = new or old
        assert call is not None
        turn = Turn(
            call.number,
            old.exchange if old else None,
            new.exchange if new else None,
            previous,
            (old.asked if old else Asked(), new.asked if new else Asked()),
        )
        yield turn
        previous = turn


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


# --- calls ------------------------------------------------------------------------------------------------------------


def _aligned(old: Sequence[_Call], new: Sequence[_Call]) -> list[tuple[_Call | None, _Call | None]]:
    """Pair the calls of two conversations by what they ask anew; those between in order."""
    keys = [[_key(call) for call in side] for side in (old, new)]
    if keys[0] == keys[1] or len(old) * len(new) > _MOST_PAIRS:
        return list(_in_order(old, new))
    pairs: list[tuple[_Call | None, _Call | None]] = []
    for tag, i, j, k, m in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += zip(old[i:j], new[k:m], strict=True)
        else:
            pairs += _in_order(old[i:j], new[k:m])
    return pairs


def _in_order(old: Sequence[_Call], new: Sequence[_Call]) -> Iterator[tuple[_Call | None, _Call | None]]:
    common = min(len(old), len(new))
    yield from zip(old[:common], new[:common], strict=True)
    yield from ((call, None) for call in old[common:])
    yield from ((None, call) for call in new[common:])


def _key(call: _Call) -> tuple[tuple[str, str], ...]:
    return tuple((item.role, item.text) for item in call.asked.added if item.role != "system prompt")


def _last(exchange: Exchange) -> tuple[str, str] | None:
    messages = exchange.call.messages
    items = items_of(messages[-1:])
    return (items[-1].role, items[-1].text) if items else None


def _join(
    threads: Sequence[tuple[object, object, list[tuple[_Call | None, _Call | None]]]],
    lone_old: Sequence[_Conversation],
    lone_new: Sequence[_Conversation],
) -> None:
    """Give calls whose history was cut, so that they seemed to begin a conversation, their place in the one they go on."""
    for lone, side in ((lone_new, 1), (lone_old, 0)):
        waiting = {
            key: (pairs, place)
            for _, _, pairs in threads
            for place, pair in enumerate(pairs)
            if pair[side] is None and (call := pair[1 - side]) is not None and (key := _last(call.exchange)) is not None
        }
        for conversation in lone:
            for call in list(conversation.calls):
                found = waiting.pop(_last(call.exchange) or ("", ""), None) if waiting else None
                if found is not None:
                    _put(*found, call, side)
                    conversation.calls.remove(call)


def _put(pairs: list[tuple[_Call | None, _Call | None]], place: int, call: _Call, side: int) -> None:
    partner = pairs[place][1 - side]
    assert partner is not None
    before = pairs[place - 1][side] if place else None
    call.previous = call.previous or (before.exchange if before else None)
    call.number = partner.number
    call.asked = asked_anew(items_of(call.exchange.call.messages), said_by(call.previous) if call.previous else [])
    pairs[place] = (partner, call) if side else (call, partner)
