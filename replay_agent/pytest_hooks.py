"""Hooks that a project's ``conftest.py`` may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay_agent.recording.options import RecordOptions

__all__ = ("pytest_replay_options",)


@pytest.hookspec(firstresult=True)
def pytest_replay_options(item: pytest.Item, options: RecordOptions) -> RecordOptions | None:
    """Return other options for a test that is about to be recorded or replayed, None to leave them as they are.

    For what no mark can say: functions that see requests and responses before they are recorded, and functions that
    bring bodies to a common form. ``options`` are what command line, mark and ini file make together; change them with
    `dataclasses.replace`. The innermost ``conftest.py`` that returns something decides.
    """
