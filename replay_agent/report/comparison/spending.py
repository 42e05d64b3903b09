"""Tokens and money of a test on both sides, and what the growth of what is asked comes from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from replay_agent.calls import Exchange, ModelCall
from replay_agent.report.compare import items_of
from replay_agent.report.comparison.result.spent import Growth, Spent
from replay_agent.report.comparison.turns import Thread, Turn
from replay_agent.report.conversation.conversations import summed_usage
from replay_agent.report.conversation.cost import cost_of
from replay_agent.report.conversation.plain import plain

__all__ = "blame", "spent_by"

_ROLES = {
    "system prompt": "system prompt",
    "user prompt": "user prompts",
    "assistant's text": "earlier answers",
    "assistant's reasoning": "earlier answers",
}


def spent_by(exchanges: Sequence[Exchange]) -> Spent:
    """Return what calls took, by the counters of their answers and the price list."""
    usage = summed_usage(exchanges)
    answered = [exchange for exchange in exchanges if exchange.answer.response is not None]
    prices = [cost_of(exchange) for exchange in answered]
    known = [price for price in prices if price is not None]
    unpriced = len(prices) - len(known)
    cost = sum(known, Decimal(0)) if not unpriced and known else None
    return Spent(len(exchanges), usage.request_tokens, usage.response_tokens, cost, unpriced)


def blame(threads: Iterable[Thread]) -> list[Growth]:
    """Return what the growth in input tokens comes from, the most first; the numbers add up to the growth.

    What a provider counted for a call is shared out by how much longer each thing became. A call that only one side has
    counts as a whole.
    """
    growth: Counter[str] = Counter()
    for thread in threads:
        for turn in thread.turns:
            growth.update(dict(_growth(turn)))
    found = [Growth(what, tokens) for what, tokens in growth.items() if tokens]
    return sorted(found, key=lambda each: (-abs(each.tokens), each.what))


def _growth(turn: Turn) -> Iterator[tuple[str, int]]:
    before, after = _asked(turn.old), _asked(turn.new)
    if before == after:
        return
    if turn.old is None or turn.new is None:
        yield ("more calls" if turn.old is None else "fewer calls"), after - before
        return
    yield from _shares(_lengths(turn.old.call), _lengths(turn.new.call), before, after).items()


def _asked(exchange: Exchange | None) -> int:
    response = exchange.answer.response if exchange else None
    return (response.usage.request_tokens or 0) if response and response.usage else 0


def _shares(old: Counter[str], new: Counter[str], before: int, after: int) -> dict[str, int]:
    """Share a growth out by the lengths that changed; all of it is something's, in whole tokens."""
    growth = after - before
    longer = {what: new[what] - old[what] for what in {**old, **new} if new[what] != old[what]}
    if not longer or not before or not after:
        return {"something else": growth}
    rate = (before + after) / (old.total() + new.total() or 1)
    expected = {what: length * rate for what, length in longer.items()}
    stretch = growth / (sum(expected.values()) or 1)
    one_way = all((length > 0) == (growth > 0) for length in longer.values())
    if not (one_way or 1 / 3 <= stretch <= 3):  # lengths that partly cancel out do not explain it
        stretch = 1.0
    shares = {what: round(tokens * stretch) for what, tokens in expected.items()}
    rest = growth - sum(shares.values())
    if abs(rest) <= len(shares):
        most = max(shares, key=lambda what: abs(shares[what]))
        shares[most] += rest
    else:
        shares["something else"] = rest
    return shares


def _lengths(call: ModelCall) -> Counter[str]:
    """Return how long the things are that a call is made of, in characters."""
    lengths: Counter[str] = Counter()
    for item in items_of(call.messages):
        lengths[_thing(item.role)] += len(item.text)
    for tool in call.tools:
        told = json.dumps(tool.parameters_json_schema, ensure_ascii=False, default=repr)
        lengths[f"tool {tool.name}"] += len(tool.name) + len(tool.description or "") + len(told)
    if call.output_schema is not None:
        lengths["output schema"] += len(json.dumps(plain(call.output_schema), ensure_ascii=False))
    return lengths


def _thing(role: str) -> str:
    if role in _ROLES:
        return _ROLES[role]
    return "results of tools" if role.startswith(("result of", "retry prompt")) else "earlier answers"
