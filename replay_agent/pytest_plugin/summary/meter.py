"""Meter: what a recording session has spent so far, shown behind the progress on a terminal, and gone again at its end."""

from __future__ import annotations

import sys
from collections.abc import Generator
from decimal import Decimal
from typing import Any

import pytest

from replay_agent.surroundings.visible import visible

__all__ = "Meter", "note_spent", "spent_of"

_ERASE = "\x1b[K"
"""To the end of the line; the cursor stands where the progress goes on."""
_LEAST_WIDTH = 24


def note_spent(report: pytest.TestReport, spent: dict[str, Any]) -> None:
    """Add to the last report of a test what was spent on it; it travels with the report as plain values."""
    report.__dict__["replay_agent_spent"] = spent


def spent_of(report: object) -> dict[str, Any] | None:
    """Return what `note_spent` added to a report."""
    spent: dict[str, Any] | None = getattr(report, "replay_agent_spent", None)
    return spent


class Meter:
    """Hooks around everything that writes to the terminal while tests run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._calls = self._tokens = 0
        self._usd = Decimal(0)
        self._most = "", Decimal(0)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None]:
        self._erase()
        yield
        self._show()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        self._erase()
        yield
        self._add(report)
        self._show()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None]:
        self._erase()
        yield
        self._show()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Leave the line as the progress wants it."""
        self._erase()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """The same."""
        self._erase()

    def _add(self, report: pytest.TestReport) -> None:
        spent = spent_of(report)
        if spent is None:
            return
        usd = Decimal(spent["usd"])
        self._calls += spent["calls"]
        self._tokens += spent["tokens"]
        self._usd += usd
        if usd > self._most[1]:
            self._most = report.nodeid, usd

    def text(self) -> str:
        """Say it in one line: ``12 calls, 4,100 tokens, $0.0123 spent, most by test_x``."""
        if not self._calls:
            return ""
        calls = f"{self._calls:,} call{'' if self._calls == 1 else 's'}"
        most = f", most by {self._most[0].rpartition('::')[2]}" if self._most[0] else ""
        usd = f", ${self._usd:.4f}" if self._usd else ""
        return visible(f"  {calls}, {self._tokens:,} tokens{usd} spent{most}").replace("\n", " ")

    def _show(self) -> None:
        terminal = self._config.get_terminal_writer()  # which there is not yet when sessions are configured
        room = terminal.fullwidth - terminal.width_of_current_line - 1
        text = self.text()[: max(0, room)]
        if len(text) >= _LEAST_WIDTH:
            sys.stdout.write(f"{text}\x1b[{len(text)}D")
            sys.stdout.flush()

    def _erase(self) -> None:
        if self._calls:
            sys.stdout.write(_ERASE)
            sys.stdout.flush()
