"""replay-agent pending: what the last runs left open, as lines and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from replay_agent.report.review.change import Change
from replay_agent.report.review.price import Prices
from replay_agent.report.review.wording import WORDS, dumped, plain, where

__all__ = "pending_json", "pending_lines"

_SHOWN = 6
"""Lines of a difference; the review shows all of them."""


def pending_lines(changes: Sequence[Change]) -> Iterator[str]:
    """Yield a line for each thing that is open, and what to do with them."""
    if not changes:
        yield "nothing is open"
        return
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault(change.group, []).append(change)
    for group in groups.values():
        yield f"{WORDS[group[0].kind]}: {group[0].title}"
        yield from (f"  {line}" for line in plain(group[0].lines[:_SHOWN]))
        yield from (f"{each.id}  {where(each)}" for each in group)
        yield ""
    price = Prices().of_all(changes)
    yield f"{len(changes)} open. To accept all of them: {price}."
    yield "replay-agent review shows them one by one; replay-agent accept ID... and reject ID... decide."


def pending_json(changes: Sequence[Change]) -> str:
    """Return one array of objects, the same ones in the same order."""
    prices, causes = Prices(), Counter(each.group for each in changes)
    found = [dumped(each, prices.of(each), plain(each.lines), causes[each.group] - 1) for each in changes]
    return json.dumps(found, indent=2)
