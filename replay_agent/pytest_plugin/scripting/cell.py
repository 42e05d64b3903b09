"""One run of a test that is swept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from replay_agent.faults import Fault

__all__ = "CELL", "CellOfTest"


class CellOfTest:
    """One run of a test that is swept: with a fault or none; what its function returned."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.returned: object = None


CELL: pytest.StashKey[CellOfTest] = pytest.StashKey()
"""Set on the copy of a test that is one cell of a sweep."""
