"""View: a report made ready for its templates: what it comes to, in which order, and what is to be done."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from replay_agent.report.command import filled
from replay_agent.report.page.report import Drift, Entry, Figures, Report, Table, Turn, total
from replay_agent.surroundings.visible import visible

__all__ = "Cause", "EntryView", "TableView", "View", "dollars", "facts", "milliseconds", "seconds", "thousands"

_STATES = {
    "drifted": "drifted",
    "unrecorded": "not recorded",
    "failed": "failed",
    "changed": "changed",
    "added": "added",
    "removed": "removed",
    "recorded": "recorded",
    "passed": "passed",
    "unexpected": "passed unexpectedly",
    "expected": "failed as expected",
    "skipped": "skipped",
    "read": "recording",
}
"""The states of tests, by which they are filtered, in the order in which they are listed."""
_NAMES = {"comparison": ("Before", "After"), "matrix": ("First variant", "This variant")}
_CAUSES = {"comparison": "Causes", "matrix": "What variants were asked otherwise than the first"}
_LISTS = {"cassettes": "Cassettes", "matrix": "Variants"}
_MOST_NAMED = 6
"""As many tests are named in a command; of more their modules."""
_LONGEST_ANCHOR = 400


@dataclass
class EntryView:
    """An entry as its template asks for it: what it does not know itself is the entry's."""

    entry: Entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self.entry, name)

    @property
    def state(self) -> str:
        """Its state, one of a few."""
        entry = self.entry
        if entry.has_failed:
            causes = {each.cause for each in entry.drifts if each.kind == "drift"}
            return "failed" if not causes else "unrecorded" if causes == {"no cassette"} else "drifted"
        if entry.outcome == "passed":
            return "recorded" if entry.live.calls else "passed"
        return {"xfailed": "expected", "xpassed": "unexpected", "recording": "read"}.get(entry.outcome, entry.outcome)

    @property
    def state_word(self) -> str:
        """How the state is called."""
        return "error" if self.entry.outcome == "error" and self.state == "failed" else _STATES[self.state]

    @property
    def name(self) -> str:
        """The name of the test within its module."""
        inner = self.entry.test.partition("::")[2].replace("::", " / ")
        return inner or self.entry.test.rpartition("/")[2] or self.entry.test

    @property
    def path(self) -> str:
        """The module of the test, or the folder of the cassette."""
        module, colons, _ = self.entry.test.partition("::")
        return module if colons else self.entry.test.rpartition("/")[0]

    @property
    def gist(self) -> str:
        """Why it is not fine, in one line."""
        if self.entry.drifts and self.state in ("drifted", "unrecorded", "changed"):
            more = len(self.entry.drifts) - 1
            return self.entry.drifts[0].headline + (f" And {more} more." if more else "")
        if self.entry.failure is not None and self.entry.outcome != "passed":
            lines = [line for line in self.entry.failure.text.split("\n") if line.strip()]
            # A traceback marks with an E what went wrong; its last line is a place.
            said = next((line[1:].strip() for line in lines if line.startswith("E ")), lines[-1] if lines else "")
            return said[:300]
        return ""

    @property
    def anchor(self) -> str:
        """The name by which the page's address leads to it: that of the test."""
        return _anchor(self.entry.test)

    @property
    def href(self) -> str:
        """The same as a part of an address."""
        return _href(self.entry.test)


def _anchor(test: str) -> str:
    return visible(test)[:_LONGEST_ANCHOR].replace(" ", "_").replace("\n", "_").replace("\t", "_")


def _href(test: str) -> str:
    return quote(_anchor(test), safe="/:.~-_[]")


@dataclass
class TableView:
    """A table as its template asks for it."""

    table: Table

    @property
    def title(self) -> str:
        """What it is of."""
        return self.table.title

    @property
    def rows(self) -> list[tuple[list[str], str]]:
        """The cells of each row, and the part of the page that it leads to, empty for none."""
        links = [*self.table.links, *[""] * len(self.table.rows)]
        return [(row, _href(link) if link else "") for row, link in zip(self.table.rows, links, strict=False)]


@dataclass
class Cause:
    """What several tests, or one, drifted for, with one command for all of them."""

    drift: Drift
    tests: list[EntryView]


class View:
    """A report, ready."""

    def __init__(self, report: Report) -> None:
        views = [EntryView(entry) for entry in report.entries]
        order = list(_STATES)
        self.entries = sorted(views, key=lambda view: order.index(view.state)) if report.kind == "session" else views
        self.report = report
        self.title, self.tables = report.title, [TableView(table) for table in report.tables]
        self.made_by = report.made_by
        self.made = report.made_at.replace("T", " ").partition(".")[0].removesuffix("Z")
        self.names = _NAMES.get(report.kind, ("Recorded", "Now"))
        self.causes_title = _CAUSES.get(report.kind, "What changed, and what to do")
        self.list_title = _LISTS.get(report.kind, "Tests")

    @property
    def states(self) -> list[tuple[str, str, int]]:
        """The states that there are: name, word, how many tests."""
        counts = Counter(view.state for view in self.entries)
        return [(state, word, counts[state]) for state, word in _STATES.items() if counts[state]]

    @property
    def models(self) -> list[str]:
        """The models that were asked, as they are called."""
        return sorted({model for view in self.entries for model in view.entry.models})

    @property
    def notes(self) -> list[str]:
        """What else there is to say of the whole."""
        again = sum(bool(view.entry.earlier) for view in self.entries)
        return [
            *self.report.notes,
            *([f"{_counted(again, 'test')} ran more than once; the last outcome counts."] if again else []),
        ]

    @property
    def mood(self) -> str:
        """Whether it is good, bad, or a drift."""
        states = {view.state for view in self.entries}
        if self.report.kind != "session":
            return "plain"
        return "bad" if "failed" in states else "drifting" if states & {"drifted", "unrecorded"} else "good"

    @property
    def verdict(self) -> str:
        """What it all comes to, in a sentence."""
        if self.report.headline:
            return self.report.headline
        counts = Counter(view.state for view in self.entries)
        if self.report.kind == "cassettes":
            return f"{_counted(len(self.entries), 'cassette')}, {_counted(total(self._figures).calls, 'call')}"
        if not self.entries:
            return "No test ran"
        states = ("failed", "drifted", "unrecorded", "recorded")
        said = [(counts[state], _STATES[state]) for state in states if counts[state]]
        if said:
            (first, word), *rest = said
            more = "".join(f", {number} {other}" for number, other in rest)
            return f"{first} of {_counted(len(self.entries), 'test')} {word}{more}"
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        ran = len(self.entries) - counts["skipped"]
        return f"{'All ' if ran > 1 else ''}{_counted(ran, 'test')} passed{skipped}"

    @property
    def _figures(self) -> list[Figures]:
        return [view.entry.figures for view in self.entries]

    @property
    def facts(self) -> list[tuple[str, str, str]]:
        """The sums: what they are called, the value, what else."""
        return list(self._session_facts() if self.report.kind == "session" else self._sums("", self._figures))

    def _session_facts(self) -> Iterator[tuple[str, str, str]]:
        replayed, live = (
            total(view.entry.replayed for view in self.entries),
            total(view.entry.live for view in self.entries),
        )
        took = sum(view.entry.seconds or 0 for view in self.entries)
        yield "time in tests", seconds(took), ""
        if live.calls:
            yield "asked live", _counted(live.calls, "call"), _spent(live, "spent")
        if replayed.calls:
            yield "replayed", _counted(replayed.calls, "call"), "offline, without a key" if not live.calls else ""
            yield from self._sums("not spent: ", [replayed])

    def _sums(self, prefix: str, figures: Iterable[Figures]) -> Iterator[tuple[str, str, str]]:
        whole = total(figures)
        if not prefix and whole.calls:
            yield "calls", thousands(whole.calls), ""
        if whole.input_tokens is not None or whole.output_tokens is not None:
            tokens = (whole.input_tokens or 0) + (whole.output_tokens or 0)
            split = f"{thousands(whole.input_tokens)} in, {thousands(whole.output_tokens)} out"
            yield f"{prefix}tokens", thousands(tokens), split
        if whole.usd is not None:
            unknown = f"and {_counted(whole.unpriced, 'answer')} of unknown price" if whole.unpriced else ""
            yield f"{prefix}money", dollars(whole.usd), unknown
        if whole.took_ms >= 100:
            yield f"{prefix}waiting", milliseconds(whole.took_ms), "for recorded streams"

    @property
    def causes(self) -> list[Cause]:
        """The causes of all drifts, that of most tests first; a test that drifted for two is named by both."""
        groups: dict[str, list[tuple[EntryView, Drift]]] = {}
        for view in self.entries:
            for drift in view.entry.drifts:
                if drift.kind == "cause" or (drift.kind == "drift" and view.entry.has_failed):
                    found = groups.setdefault(drift.cause or drift.headline, [])
                    if not found or found[-1][0] is not view:
                        found.append((view, drift))
        made = [Cause(_shared(pairs), [view for view, _ in pairs]) for pairs in groups.values()]
        return sorted(made, key=lambda cause: -len(cause.tests))


def _shared(pairs: Sequence[tuple[EntryView, Drift]]) -> Drift:
    """Return a drift of several tests as one: what they have in common, and one command that accepts all of them."""
    first = pairs[0][1]
    if len(pairs) == 1:
        return first
    command = _command([drift for _, drift in pairs])
    return replace(first, headline=first.shared or first.headline, lines=[], command=command)


def _command(drifts: Sequence[Drift]) -> str:
    first = drifts[0]
    if not first.program:
        return first.command
    options = next((each.options for each in drifts if "--replay-accept" in each.options), first.options)
    named = list(dict.fromkeys(each.test for each in drifts))
    if len(named) > _MOST_NAMED:
        named = list(dict.fromkeys(test.partition("::")[0] for test in named))
    return filled(f"{shlex.join([*first.program, *named])} {options}", "refresh")


# --- words ------------------------------------------------------------------------------------------------------------


def _spent(figures: Figures, what: str) -> str:
    return f"{dollars(figures.usd)} {what}" if figures.usd is not None else ""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def facts(turn: Turn) -> str:
    """Return what is known of a call of a model in one line."""
    counted = turn.input_tokens is not None or turn.output_tokens is not None
    tokens = f"{thousands(turn.input_tokens)} in, {thousands(turn.output_tokens)} out" if counted else ""
    return " \u00b7 ".join(said for said in (turn.model, tokens, "" if turn.usd is None else dollars(turn.usd)) if said)


def thousands(number: int | None) -> str:
    """Return a number with its thousands apart; ``unknown`` where nobody counted."""
    return "unknown" if number is None else f"{number:,}"


def dollars(usd: str) -> str:
    """Return a price in USD to the cent, one below ten cents to two digits that count."""
    cost = Decimal(usd)
    return f"${cost:,.2f}" if cost >= Decimal("0.1") or not cost else f"${cost:.{min(12, 1 - cost.adjusted())}f}"


def seconds(number: float) -> str:
    """Return a time in the unit that suits it."""
    if number < 0.9995:
        return f"{number * 1000:.0f} ms"
    if number < 100:
        return f"{number:.1f} s"
    return f"{int(number) // 60:,} min {int(number) % 60} s"


def milliseconds(number: int) -> str:
    """The same for milliseconds."""
    return seconds(number / 1000)
