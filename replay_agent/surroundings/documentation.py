"""Where the documentation is to be read by whoever has only the package."""

from __future__ import annotations

__all__ = ("ERRORS",)

_PAGES = "https://github.com/replay-agent/pytest-replay-agent/blob/main/docs"
ERRORS = f"{_PAGES}/errors.md"
"""What each message means, and what to do."""
