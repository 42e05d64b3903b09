"""Tests that fail for one cause, told once: on the terminal, in its colours and width, with one command for all of them.

What a test says of its failure travels with its report, also from the workers of pytest-xdist: plain lists and texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from replay_agent.surroundings.colours import without_colours
from replay_agent.surroundings.naming import by_number

__all__ = "GroupedFailures", "Told", "bounded", "tell", "tell_new_snapshots", "told_of"

_KINDS = "failed", "error"
_LISTED = 5
"""As many tests of a group have a line of their own in pytest's short summary, too; of more the group lists all."""
_NAMED = 2
"""As many tests are named in the command; of more their modules, where that comes to the same."""
_MANY_MODULES = 3
_MANY_CAUSES = 2
"""Of more each is told in short, so that all of them fit on a screen."""
_SOME = 3
"""Tests of a module that are named then."""
_MOST_LINES = 40
"""Of one message, unless ``-vv`` asks for all of it."""
_IN_FULL = 2
# "    pytest tests/test_a.py --replay-accept", in bold or not
_COMMAND = re.compile(r" {4}(?:\x1b\[1m)?(?:pytest|replay-agent|use_cassette)\b")
_TO_PASTE = re.compile(r"(?m)^ {4}((?:pytest|replay-agent)\b.*)$")
_WORDS = re.compile(r"\s+|\S+")


class Told(TypedDict):
    """What a report says of the misses of its test."""

    text: str
    """All of it, as plain text; empty where what pytest says of the failure says it."""
    coloured: str
    cause: str
    shared: str
    purpose: str
    mode: str
    advice: str
    command: str
    """Of this test alone."""
    program: list[str]
    test: str
    options: str


def tell(report: pytest.TestReport, item: pytest.Item, failure: BaseException) -> None:
    """Add to a report what its failure says of misses, if it says any that were explained."""
    from replay_agent.pytest_plugin.failures import explanations_of
    from replay_agent.pytest_plugin.settings import command_words
    from replay_agent.report.explanation import Explanation

    said = explanations_of(failure)
    explained = [each for each in said if isinstance(each, Explanation)]
    if not explained or len(explained) < len(said):
        return
    modes = {each.mode for each in explained}
    accepting = dict.fromkeys(each.accept for each in explained)
    told = {
        "text": str(failure),
        "coloured": "\n\n".join((*dict.fromkeys(each.coloured for each in explained), *map(_in_bold, accepting))),
        "cause": "\n\n".join(dict.fromkeys(each.cause for each in explained)),
        "shared": "\n\n".join(dict.fromkeys(each.shared for each in explained)),
        "purpose": explained[0].purpose,
        "mode": explained[0].mode if len(modes) == 1 else "refresh",
        "advice": explained[0].advice,
        "command": explained[0].command,
        **command_words(item),
    }
    report.__dict__["replay_agent_told"] = told


def tell_new_snapshots(report: pytest.TestReport, item: pytest.Item, *, recorded: bool) -> None:
    """Add to a report that its test failed for want of snapshots alone, which many do at once for one reason.

    ``recorded`` tells whether there is a recording of what the test was answered.
    """
    from replay_agent.pytest_plugin.settings import command_words

    answered = " What they were answered is recorded." if recorded else ""
    told = {
        "text": "",
        "coloured": "",
        "cause": f"no snapshots{answered}",
        "shared": f"These tests compare themselves with snapshots that are not there yet.{answered}",
        "purpose": "To write the snapshots",
        "mode": "refresh",
        "advice": "",
        "command": "",
        **command_words(item),
    }
    report.__dict__["replay_agent_told"] = told


def told_of(report: object) -> Told | None:
    """Return what `tell` added to a report."""
    told: Told | None = getattr(report, "replay_agent_told", None)
    return told


@dataclass(frozen=True)
class _Group:
    """Failures with one cause."""

    told: tuple[Told, ...]
    reports: tuple[Any, ...]

    @property
    def tests(self) -> list[str]:
        return sorted(dict.fromkeys(each["test"] for each in self.told), key=by_number)


class GroupedFailures:
    """Stands around pytest's summary: failures with one cause are left out there, and told once."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._groups: list[_Group] = []
        self._hidden: dict[str, list[Any]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
        """Hide what will be told once, and colour what will not."""
        with self._hiding(terminalreporter):
            return (yield)

    def _shorten(self, reports: Iterable[Any], width: int) -> None:
        for report in reports:
            told = told_of(report)
            if told is not None and told["text"]:
                report.longrepr = _Told(told, width, in_full=self._config.get_verbosity() >= _IN_FULL)

    @contextmanager
    def _hiding(self, terminal: pytest.TerminalReporter) -> Iterator[None]:
        stats = terminal.stats
        kept = {kind: stats[kind] for kind in _KINDS if kind in stats}
        self._groups = _grouped([report for kind in _KINDS for report in stats.get(kind, ())])
        if self._config.getoption("tbstyle") == "no":
            self._groups = []
        grouped = {id(report) for group in self._groups for report in group.reports}
        alone = (report for reports in kept.values() for report in reports if id(report) not in grouped)
        self._shorten(alone, _width(terminal) if _is_screen(terminal) else 0)
        self._leave(stats, kept, grouped)
        try:
            yield
        finally:
            stats.update(kept)

    def _leave(self, stats: dict[str, list[Any]], kept: dict[str, list[Any]], grouped: set[int]) -> None:
        for kind, reports in kept.items():
            left = [report for report in reports if id(report) not in grouped]
            if left:
                stats[kind] = left
            else:
                stats.pop(kind, None)
        self._hidden = kept

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Write the groups: what is the same for all of their tests, the tests, and the command."""
        width = _width(terminal)
        in_full = self._config.get_verbosity() >= _IN_FULL
        short = len(self._groups) > _MANY_CAUSES and not in_full
        for group in self._groups:
            count = len(group.tests)
            terminal.write_sep("=", f"{count} tests, one cause", red=True, bold=True)
            lines = list(self._lines(terminal, group, width - 1, short=short))
            for line in lines if in_full else bounded(lines):
                terminal.write_line(line if terminal.hasmarkup else without_colours(line))
        self._list_small_groups(terminal)

    def _list_small_groups(self, terminal: pytest.TerminalReporter) -> None:
        """Have pytest's short summary list the tests of small groups as it lists all others."""
        large = {id(report) for group in self._groups if len(group.tests) > _LISTED for report in group.reports}
        self._leave(terminal.stats, self._hidden, large)

    def _lines(self, terminal: pytest.TerminalReporter, group: _Group, width: int, *, short: bool) -> Iterator[str]:
        """Yield what there is to say of a group; ``short`` if it is one of many."""
        first = group.told[0]
        wrap = width if _is_screen(terminal) else 0
        blank = () if short else ("",)
        for line in first["shared"].split("\n"):
            yield from wrapped(line, wrap) if line or not short else ()
        yield from blank
        for module, names in _by_module(group.tests).items():
            named = _some(names) if short else ", ".join(names)
            yield from wrapped(f"  {module}: {named}" if names else f"  {module}", width)
        yield from blank
        yield from () if short else (f"{first['purpose']}:",)
        yield _in_bold(f"    {self._command(terminal, group)}")
        yield from wrapped(self._advice(terminal, group), wrap) if first["advice"] and not short else ()

    def _advice(self, terminal: pytest.TerminalReporter, group: _Group) -> str:
        """Return what else helps, of all of the tests where it names the first."""
        from replay_agent.pytest_plugin.settings import quoted

        first = group.told[0]
        one, all_of_them = ([*first["program"], *tests] for tests in ([first["test"]], self._named(terminal, group)))
        return first["advice"].replace(quoted(one), quoted(all_of_them))

    def _command(self, terminal: pytest.TerminalReporter, group: _Group) -> str:
        from replay_agent.pytest_plugin.settings import quoted
        from replay_agent.report.command import filled

        first = group.told[0]
        if not first["mode"]:
            return first["command"]  # which records nothing
        options = next(
            (each["options"] for each in group.told if "--replay-accept" in each["options"]), first["options"]
        )
        return filled(f"{quoted([*first['program'], *self._named(terminal, group)])} {options}", first["mode"])

    def _named(self, terminal: pytest.TerminalReporter, group: _Group) -> list[str]:
        """Return what to name on the command line: modules, functions or tests, whatever of it failed for this cause only."""
        if len(group.tests) <= _NAMED or not self._ran_whole_modules(terminal):
            return group.tests
        failed = [report for kind in _KINDS for report in self._hidden.get(kind, ())]
        others = [report for report in failed if not any(report is each for each in group.reports)]
        modules = _by_module(group.tests)
        if not others and len(modules) > _MANY_MODULES:
            return [str(place) for place in self._config.getoption("file_or_dir") or ()]
        elsewhere = {name for report in others for name in _names_of(report)}
        return [word for module, names in modules.items() for word in _fewest(module, names, elsewhere)]

    def _ran_whole_modules(self, terminal: pytest.TerminalReporter) -> bool:
        option = self._config.getoption
        narrowed = (option(name, None) for name in ("keyword", "markexpr", "lf", "maxfail", "deselect", "stepwise"))
        places = [str(place) for place in option("file_or_dir") or ()]
        return not any((*narrowed, terminal.stats.get("deselected"), *("::" in place for place in places)))


class _Told(str):
    """What a test says of its misses, as pytest writes it: in the colours and the width of the terminal."""

    def __new__(cls, told: Told, width: int, *, in_full: bool) -> _Told:
        made = super().__new__(cls, told["text"])
        coloured, plain = told["coloured"].split("\n"), told["text"].split("\n")
        made._lines = (coloured, plain) if in_full else (bounded(coloured), bounded(plain))
        made._width = width
        return made

    _lines: tuple[list[str], list[str]]
    _width: int

    def toterminal(self, writer: Any) -> None:
        """Write it to pytest's `TerminalWriter`."""
        for line in self._lines[0 if writer.hasmarkup else 1]:
            for part in wrapped(line, self._width):
                writer.line(part)


def _grouped(reports: Sequence[Any]) -> list[_Group]:
    groups: dict[str, list[tuple[Told, Any]]] = {}
    for report in reports:
        told = told_of(report)
        if told is not None:
            groups.setdefault(told["cause"], []).append((told, report))
    made = (_Group(tuple(told for told, _ in pairs), tuple(report for _, report in pairs)) for pairs in groups.values())
    return [group for group in made if len(group.tests) > 1]


def _by_module(tests: Sequence[str]) -> dict[str, list[str]]:
    modules: dict[str, list[str]] = {}
    for test in tests:
        module, _, name = test.partition("::")
        modules.setdefault(module, []).append(name)
    return modules


def _in_bold(text: str) -> str:
    """Return a text with the command in it in bold: what to do is what a reader looks for."""
    return _TO_PASTE.sub("    \x1b[1m\\1\x1b[0m", text)


def _names_of(report: Any) -> set[str]:
    """Return the modules and functions that a report is of, as pytest names it and as the command line does."""
    told = told_of(report)
    tests = {report.nodeid} if told is None else {report.nodeid, told["test"]}
    return {name for test in tests for name in (test.partition("::")[0], _function(test))}


def _function(test: str) -> str:
    module, separator, name = test.partition("::")
    return f"{module}{separator}{name.partition('[')[0]}"


def _fewest(module: str, names: Sequence[str], elsewhere: Collection[str]) -> list[str]:
    """Return the fewest words that name these tests of a module and none that failed otherwise."""
    if module not in elsewhere:
        return [module]
    tests = [f"{module}::{name}" if name else module for name in names]
    functions = Counter(map(_function, tests))
    whole = {function for function, count in functions.items() if count > 1 and function not in elsewhere}
    return list(dict.fromkeys(_function(test) if _function(test) in whole else test for test in tests))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SOME} more" if len(names) > _SOME else ""
    return f"{', '.join(names[:_SOME])}{more}"


def bounded(lines: Sequence[str]) -> list[str]:
    """Return lines that fit on a screen: of more the beginning, which says what it is, and the end, which says what to do."""
    if len(lines) <= _MOST_LINES:
        return list(lines)
    head = _MOST_LINES * 2 // 3
    tail = _MOST_LINES - head - 1
    return [*lines[:head], f"... {len(lines) - head - tail} more lines (-vv shows all) ...", *lines[-tail:]]


def _is_screen(terminal: pytest.TerminalReporter) -> bool:
    """Tell whether pytest writes to a terminal: until pytest 9 it says so by an attribute, then by a method."""
    isatty: object = terminal.isatty
    return bool(isatty() if callable(isatty) else isatty)


def _width(terminal: pytest.TerminalReporter) -> int:
    return terminal.config.get_terminal_writer().fullwidth


def wrapped(line: str, width: int) -> list[str]:
    """Return a line as several of at most so many columns, broken at blanks; 0 for no bound, and never a command."""
    if not width or _columns(line) <= width or _COMMAND.match(line):
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")))
    lines, current = [], indent
    for word in _WORDS.findall(line[len(indent) :]):
        if _columns(current + word.rstrip()) > width and current.strip():
            lines.append(current.rstrip(" "))
            current = indent + word.lstrip()
        else:
            current += word
    return [*lines, current.rstrip(" ")] if current.strip() else lines


def _columns(text: str) -> int:
    return len(without_colours(text))
