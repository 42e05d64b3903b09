"""replay-agent sweep: recorded tests, played with every fault at every call."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

__all__ = ("sweep",)

_CLEAN, _FINDINGS, _MISUSE = 0, 1, 2
_ENDS = {0: _CLEAN, 1: _FINDINGS}
"""What pytest's exit codes for "all passed" and "some failed" mean here; every other is a use that makes no sense."""


def sweep(tests: Sequence[str], faults: str = "all") -> int:
    """Run pytest on these tests in a fresh process, sweeping them, and return 0 (clean), 1 (findings) or 2 (misuse)."""
    command = [sys.executable, "-m", "pytest", "-q", f"--replay-sweep={faults}", "--", *tests]
    return _ENDS.get(subprocess.run(command, check=False).returncode, _MISUSE)  # noqa: S603 - what the user names
