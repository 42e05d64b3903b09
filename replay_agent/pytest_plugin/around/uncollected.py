"""Modules that could not be collected: what their tests have is not to be taken for unused."""

from __future__ import annotations

import pytest

__all__ = ("Uncollected",)


class Uncollected:
    """Hooks around the collection of a session, before anybody knows what is in it."""

    NAME = "replay_agent_uncollected"

    def __init__(self) -> None:
        self.modules: list[str] = []
        """Their node ids, which are paths from the rootdir."""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take note of a module that failed."""
        if report.failed:
            self.modules.append(report.nodeid.partition("::")[0])
