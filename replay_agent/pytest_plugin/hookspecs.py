"""Hooks that a project's ``conftest.py`` may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vcr import VCR

    from replay_agent.recording.options import RecordOptions

__all__ = "OfRecording", "pytest_replay_options"


class OfRecording:
    """The hook of pytest-recording, for projects where that is not installed."""

    @pytest.hookspec
    def pytest_recording_configure(self, config: pytest.Config, vcr: VCR) -> None:
        """Change the `VCR` object of one test before its cassette is loaded: serializers, matchers, persister, filters."""


@pytest.hookspec(firstresult=True)
def pytest_replay_options(item: pytest.Item, options: RecordOptions) -> RecordOptions | None:
    """Return other options for a test that is about to be recorded or replayed, None to leave them as they are.

    For what no mark can say: functions that see requests and responses before they are recorded, and functions that
    bring bodies to a common form. ``options`` are what command line, mark and ini file make together; change them with
    `dataclasses.replace`. The innermost ``conftest.py`` that returns something decides.
    """
