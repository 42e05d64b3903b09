"""Budget: what a test may spend, in tokens, requests and dollars, and how much more than what is committed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from replay_agent.calls import Exchange
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.messages import UserPromptPart
from replay_agent.report.compare import turn_of
from replay_agent.report.comparison.forms.wording import count, price
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.comparison.sources.git import Objects, Repository
from replay_agent.report.comparison.sources.runs import read_runs
from replay_agent.report.comparison.spending import spent_by
from replay_agent.report.conversation.cost import cost_of
from replay_agent.report.conversation.lines import short

__all__ = "Budget", "committed_spending", "overrun", "read_budget"

_WORDS = re.compile(r"[,\s]+")
_NAMES = ("tokens", "requests", "usd", "growth", "unknown")
_MOST_CALLS = 3


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a test may spend; None for what does not matter."""

    tokens: int | None = None
    """Of input and output together."""
    requests: int | None = None
    """Calls of a model."""
    usd: Decimal | None = None
    growth: Decimal | None = None
    """Percent of tokens, and of dollars, beyond what the committed cassette spent."""
    unknown_fails: bool = False
    """Whether a price that nobody knows is too much."""

    def __bool__(self) -> bool:
        return any(each is not None for each in (self.tokens, self.requests, self.usd, self.growth))


def read_budget(said: object) -> Budget:
    """Return the budget that a mark or an ini file says: a mapping, or the same as one text.

    ``{"tokens": 5000, "requests": 3, "usd": 0.05, "growth": "5%"}`` is ``"tokens=5000 requests=3 usd=0.05 growth=5%"``;
    ``unknown=fail`` has an unknown price fail. Raises `UserError` for anything else.
    """
    if said is None:
        return Budget()
    pairs = _pairs(said) if isinstance(said, str) else said
    if not isinstance(pairs, Mapping):
        raise UserError(f"budget={said!r} is none. {_EXAMPLE}")
    budget = Budget()
    for name, value in pairs.items():
        budget = replace(budget, **_field(name, value, said))
    return budget


_EXAMPLE = 'Write it like budget={"tokens": 5000, "requests": 3, "usd": 0.05, "growth": "5%"}, or what of it matters.'


def _pairs(text: str) -> dict[str, str]:
    words = [word.partition("=") for word in _WORDS.split(text.strip()) if word]
    return {name: value for name, _, value in words}


def _field(name: object, value: object, said: object) -> dict[str, Any]:
    if name not in _NAMES:
        raise UserError(f"budget={said!r}: there is no {name!r} in a budget. {_EXAMPLE}")
    if name == "unknown":
        if value not in ("fail", "pass"):
            raise UserError(f"budget={said!r}: unknown is either 'fail' or 'pass'.")
        return {"unknown_fails": value == "fail"}
    try:
        amount = Decimal(str(value).strip().removeprefix("+").removeprefix("$").removesuffix("%").replace("_", ""))
    except InvalidOperation:
        amount = Decimal(-1)
    whole = name in ("tokens", "requests")
    if not amount.is_finite() or amount < 0 or isinstance(value, bool) or (whole and amount != int(amount)):
        raise UserError(f"budget={said!r}: {value!r} is no number of {name}. {_EXAMPLE}")
    return {str(name): int(amount) if whole else amount}


def overrun(budget: Budget, exchanges: Sequence[Exchange], committed: Callable[[], Spent | None]) -> str:
    """Return what went beyond a budget, with the calls that took most; nothing if nothing did.

    ``committed`` is asked only if growth matters; None where nothing is committed.
    """
    spent = spent_by(exchanges)
    said = list(_beyond(budget, spent))
    if budget.growth is not None:
        said += _grown(budget.growth, committed(), spent)
    if not said:
        return ""
    return "\n".join([*said, "", "The calls that took most:", *_dearest(exchanges)])


def _beyond(budget: Budget, spent: Spent) -> Iterator[str]:
    if budget.requests is not None and spent.calls > budget.requests:
        yield f"This test made {count(spent.calls, 'call')} of a model; its budget is {budget.requests:,}."
    if budget.tokens is not None and (spent.tokens or 0) > budget.tokens:
        yield f"This test spent {spent.tokens:,} tokens; its budget is {budget.tokens:,}."
    if budget.usd is None:
        return
    if spent.cost is None and spent.calls and budget.unknown_fails:
        yield f"What this test spent is unknown ({count(spent.unpriced, 'answer')} without a known price); its budget is {price(budget.usd)}."
    if spent.cost is not None and spent.cost > budget.usd:
        yield f"This test spent {price(spent.cost)}; its budget is {price(budget.usd)}."


def _grown(growth: Decimal, before: Spent | None, after: Spent) -> Iterator[str]:
    if before is None:
        return
    if before.tokens and after.tokens and after.tokens > before.tokens * (100 + growth) / 100:
        yield f"This test spent {after.tokens:,} tokens, committed are {before.tokens:,}: {_percent(before.tokens, after.tokens)}; it may grow by {growth} %."
    if before.cost and after.cost and after.cost > before.cost * (100 + growth) / 100:
        yield f"This test spent {price(after.cost)}, committed is {price(before.cost)}: {_percent(before.cost, after.cost)}; it may grow by {growth} %."


def _percent(before: int | Decimal, after: int | Decimal) -> str:
    return f"{(Decimal(after) - before) / before * 100:+.1f} %"


def _dearest(exchanges: Sequence[Exchange]) -> list[str]:
    spent = [(spent_by([exchange]), exchange) for exchange in exchanges]
    spent.sort(key=lambda each: (each[0].cost or Decimal(0), each[0].tokens or 0), reverse=True)
    lines = [_line(each, exchange) for each, exchange in spent[:_MOST_CALLS]]
    return [*lines, f"  ... and {len(spent) - _MOST_CALLS} more"] if len(spent) > _MOST_CALLS else lines


def _line(spent: Spent, exchange: Exchange) -> str:
    cost = cost_of(exchange)
    priced = "" if cost is None else f", {price(cost)}"
    asked = [
        part.content for message in exchange.call.messages for part in message.parts if isinstance(part, UserPromptPart)
    ]
    prompt = asked[-1] if asked and isinstance(asked[-1], str) else ""
    gist = f' "{short(prompt, 60)}"' if prompt else ""
    tokens = f"{spent.input_tokens or 0:,} tokens in, {spent.output_tokens or 0:,} out"
    return (
        f"  turn {turn_of(exchange.call)}, {short(exchange.call.model or 'unnamed model', 60)}: {tokens}{priced}{gist}"
    )


def committed_spending(cassette: Path, test: str | None) -> Spent | None:
    """Return what a test spent by its cassette in the last commit, None where there is none or it cannot be read."""
    folder = next(each for each in cassette.absolute().parents if each.is_dir())
    repository = Repository.around(folder)
    head = repository.commit("HEAD") if repository is not None else None
    if repository is None or head is None:
        return None
    files = repository.files(head, cassette.absolute().relative_to(folder).as_posix())
    with Objects(repository) as objects:
        data = objects.read(next(iter(files.values()))) if files else None
    try:
        runs = read_runs(data, cassette) if data is not None else []
    except CassetteError:
        return None
    exchanges = [each for run in runs if run.test in (None, test) for each in run.transcript.exchanges]
    return spent_by(exchanges) if exchanges else None
