"""Verdicts: what a client made of a fault, judged by what the same run is without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

__all__ = "KINDS", "Cell", "Played", "Verdict", "judged", "table_of"

_SHOWN = 12
"""Reasons that are told; the table has the rest."""


class Verdict(str, Enum):
    """How a run with a fault came out."""

    RECOVERED = "recovered"
    """The same result, and the same side effects, as without the fault."""
    LOUD = "failed loudly"
    """An error that the caller sees."""
    WRONG = "silently wrong"
    """Another result, or a side effect twice, and no error."""
    HUNG = "hung"
    """It would wait, or try, for ever."""

    def __str__(self) -> str:
        return self.value


KINDS: dict[str, Verdict] = {
    "recovered": Verdict.RECOVERED,
    "loud": Verdict.LOUD,
    "wrong": Verdict.WRONG,
    "hung": Verdict.HUNG,
}
"""What a sweep may fail on, in short."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run of the test, as far as it can be seen from outside."""

    result: object = None
    """What it returned, in plain values."""
    error: BaseException | None = None
    effects: Counter[str] = field(default_factory=Counter)
    """How often each side effect came about."""
    hung: bool = False
    struck: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a call, and the verdict."""

    call: int
    fault: str
    verdict: Verdict
    note: str = ""


def judged(played: Played, without: Played) -> tuple[Verdict, str]:
    """Return the verdict on a run with a fault, and a word on why, compared with the run ``without``."""
    twice = _more(played.effects, without.effects)
    note = f"{', '.join(twice)} done again" if twice else ""
    if played.hung:
        return Verdict.HUNG, _first_line(played.error)
    if isinstance(played.error, AssertionError):
        return Verdict.WRONG, note or _first_line(played.error)
    if played.error is not None:
        return Verdict.LOUD, "; ".join(filter(None, [type(played.error).__name__, note]))
    if twice:
        return Verdict.WRONG, note
    if played.result != without.result:
        return Verdict.WRONG, f"{_short(repr(played.result))} instead of {_short(repr(without.result))}"
    return Verdict.RECOVERED, ""


def _more(effects: Counter[str], expected: Counter[str]) -> list[str]:
    """Return the effects that came about more often; others than expected are no repetition."""
    return [effect for effect, count in effects.items() if 0 < expected[effect] < count]


def _first_line(error: BaseException | None) -> str:
    return _short(str(error).strip().partition("\n")[0]) if error is not None else ""


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def table_of(cells: Sequence[Cell], calls: int) -> str:
    """Return the verdicts as text: a row for each fault, a column for each call; then the reasons for the bad ones."""
    faults = list(dict.fromkeys(cell.fault for cell in cells))
    by_place = {(cell.fault, cell.call): cell for cell in cells}
    width = max(map(len, faults), default=5)
    wide = max(len(verdict) for verdict in Verdict) + 2
    head = f"{'fault':{width}}  " + "".join(f"{f'call {call}':{wide}}" for call in range(1, calls + 1))
    rows = [
        f"{fault:{width}}  "
        + "".join(
            f"{by_place[fault, call].verdict if (fault, call) in by_place else '-':{wide}}"
            for call in range(1, calls + 1)
        )
        for fault in faults
    ]
    counts = Counter(cell.verdict for cell in cells)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    return "\n".join([line.rstrip() for line in (head, *rows)] + ["", total, *_reasons(cells)])


def _reasons(cells: Iterable[Cell]) -> list[str]:
    bad = [cell for cell in cells if cell.verdict in (Verdict.WRONG, Verdict.HUNG)]
    more = [f"  and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
    return [*(f"  {each.fault} at call {each.call}: {each.verdict}: {each.note}" for each in bad[:_SHOWN]), *more]
