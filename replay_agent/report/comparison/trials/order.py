"""Order: what a fresh process of pytest is to do with the recorded tests that it runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = "Kind", "Order", "give", "received"

Kind: TypeAlias = Literal["live", "lenient"]
"""Asked live into scratch cassettes; or replayed, with an answer also to a request that is not quite the recorded one."""

_FILE = "order.json"


@dataclass(frozen=True, slots=True)
class Order:
    """How tests are run. Nothing of the project is written either way."""

    kind: Kind
    only: tuple[str, ...] | None = None
    """The names of the tests that are run, of those that are found; None for all."""
    clock_shift: int = 0
    """Seconds by which the clock goes ahead, where time-machine is installed."""


def give(folder: Path, order: Order) -> None:
    """Put an order where the process looks for it."""
    (folder / _FILE).write_text(json.dumps(asdict(order)), "utf-8")


def received(folder: Path) -> Order:
    """Return the order that lies in a folder."""
    said = json.loads((folder / _FILE).read_text("utf-8"))
    return Order(said["kind"], None if said["only"] is None else tuple(said["only"]), said["clock_shift"])
