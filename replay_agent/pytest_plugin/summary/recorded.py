"""What a session recorded, told at its end: how many answers, from where, and what changed in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

import pytest

from replay_agent.surroundings.colours import without_colours

if TYPE_CHECKING:
    from replay_agent.recording.succession.tally import Tally

__all__ = "Recorded", "note_recorded", "note_shared", "recorded_of", "show_recorded"

_MOST_LINES = 40
"""Of changed answers; who accepts a hundred of them reads the diff of the files."""


_NAMED = 3
"""Of the tests that one thing is said of."""


class Recorded(TypedDict):
    """What a report says of the recording of its test; travels with it as plain values."""

    live: int
    replayed: int
    dropped: int
    saved: bool
    taken_up: dict[str, int]
    replaced: int
    changes: list[str]
    dates: list[str]
    """Spellings of today in what was sent; empty where the clock stands still."""


def note_recorded(report: pytest.TestReport, tally: Tally, *, frozen: bool = False) -> None:
    """Add to a report what became of its test's recording, if anything did; ``frozen`` tells that the clock stood still."""
    recorded = _recorded(tally, frozen=frozen)
    if recorded is not None:
        report.__dict__[_OWN] = recorded


def note_shared(report: pytest.TestReport, owner: str, tally: Tally, *, frozen: bool = False) -> None:
    """Add to a report what became of the recording of a fixture that was torn down after its test."""
    recorded = _recorded(tally, frozen=frozen)
    if recorded is not None:
        report.__dict__.setdefault(_SHARED, []).append([owner, recorded])


_OWN, _SHARED = "replay_agent_recorded", "replay_agent_recorded_shared"
"""Attributes of a report, which xdist hands on."""


def _recorded(tally: Tally, *, frozen: bool) -> Recorded | None:
    if not (tally.live or tally.saved or tally.taken_up):
        return None
    from replay_agent.report.recorded.answers import changed_answers
    from replay_agent.report.recorded.dates import dates_sent

    replaced = [each for each in tally.successors if each.before is not None]
    changes = [
        line
        for each in replaced
        if each.before is not None and each.before.outcome != each.interaction.outcome
        for line in changed_answers(each.before, each.interaction, colour=True)
    ]
    return {
        "live": tally.live,
        "replayed": tally.replayed,
        "dropped": tally.dropped,
        "saved": tally.saved,
        "taken_up": tally.taken_up,
        "replaced": len(replaced),
        "changes": changes,
        "dates": []
        if frozen
        else dates_sent((each.interaction for each in tally.successors), datetime.now().astimezone()),
    }


def recorded_of(report: object) -> Recorded | None:
    """Return what `note_recorded` added to a report."""
    recorded: Recorded | None = getattr(report, _OWN, None)
    return recorded


def show_recorded(terminal: pytest.TerminalReporter) -> None:
    """Write what the session recorded, nothing if it did not."""
    found = [each for reports in terminal.stats.values() for report in reports for each in _told_by(report)]
    if not found:
        return
    terminal.write_sep("=", "recorded")
    for line in _lines(found):
        terminal.write_line(line if terminal.hasmarkup else without_colours(line))


def _told_by(report: object) -> Iterator[tuple[str, Recorded]]:
    """Yield who recorded what, of all that a report knows of: fixtures, then the test."""
    yield from getattr(report, _SHARED, ())
    own = recorded_of(report)
    if own is not None:
        yield str(getattr(report, "nodeid", "")), own


def _unfinished(told: Sequence[Recorded]) -> Iterator[str]:
    unfinished = sum(bool(each["live"]) and not each["saved"] for each in told)
    if unfinished:
        yield (
            f"{_counted(unfinished, 'recording')} unfinished, for the test failed: the next one goes on from there, and asks "
            "again for what was refused (replay-agent journals)"
        )


def _lines(found: Sequence[tuple[str, Recorded]]) -> Iterator[str]:
    told = [recorded for _, recorded in found]
    saved = sum(each["saved"] for each in told)
    live, replayed, dropped = (sum(each[name] for each in told) for name in ("live", "replayed", "dropped"))
    rest = ", ".join(f"{count} {what}" for count, what in ((replayed, "replayed"), (dropped, "dropped")) if count)
    yield f"{_counted(live, 'answer')} recorded, {_counted(saved, 'cassette')} written{f' ({rest})' if rest else ''}"
    yield from _unfinished(told)
    yield from _taken_up(told)
    changed = [(owner, recorded["changes"]) for owner, recorded in found if recorded["changes"]]
    yield from _dated((owner, recorded["dates"]) for owner, recorded in found if recorded["dates"])
    same = sum(bool(each["replaced"]) and not each["changes"] for each in told)
    if same:
        yield f"{_counted(same, 'test')} asked anew: what the model answers means the same as before"
    yield from _bounded(_changes(changed))


def _taken_up(told: Iterable[Recorded]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for each in told:
        for when, count in each["taken_up"].items():
            counts[_time(when)] += count
    for when, count in sorted(counts.items()):
        yield (
            f"{_counted(count, 'answer')} taken up from an unfinished recording of {when}, not asked again "
            "(replay-agent journals shows those that are left)"
        )


def _dated(sent: Iterable[tuple[str, list[str]]]) -> Iterator[str]:
    for dates, tests in _by_what(sent):
        verbs = "send" if len(tests) > 1 else "sends"
        yield (
            f"{_named(tests)} {verbs} today's date ({', '.join(dates)}), and will not replay tomorrow: "
            "freeze=('clock',) on the mark keeps it the same"
        )


def _changes(changed: Iterable[tuple[str, list[str]]]) -> Iterator[str]:
    for lines, tests in _by_what(changed):
        yield f"{_named(tests)} get{'' if len(tests) > 1 else 's'} another answer:"
        yield from (f"  {line}" if line else "" for line in lines)


def _by_what(said: Iterable[tuple[str, list[str]]]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return what is said of tests, each once with the tests that it is said of."""
    tests: dict[tuple[str, ...], list[str]] = {}
    for test, lines in said:
        tests.setdefault(tuple(lines), []).append(test)
    return list(tests.items())


def _named(tests: Sequence[str]) -> str:
    more = f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else ""
    counted = f"{len(tests)} tests ({{}})" if len(tests) > 1 else "{}"
    return counted.format(f"{', '.join(tests[:_NAMED])}{more}")


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    yield from found[:_MOST_LINES]
    if len(found) > _MOST_LINES:
        yield f"... and {len(found) - _MOST_LINES} more lines: git diff shows them"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _time(when: str) -> str:
    """Return a time of day, with the day if that is another one."""
    try:
        moment = datetime.fromisoformat(when).astimezone()
    except ValueError:
        return when or "unknown time"
    today = moment.date() == datetime.now(moment.tzinfo).date()
    return moment.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")
