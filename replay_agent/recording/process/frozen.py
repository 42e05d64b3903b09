"""Sets clock, uuids and random numbers to what a cassette says, so that they are the same in recording and replay.

What they are set to stands in the cassette's header under ``frozen``: the time, in UTC, and the seeds.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from replay_agent.exceptions import UserError

__all__ = "SOURCES", "check", "frozen", "now", "seeds"


def check(sources: Sequence[str]) -> None:
    """Raise `UserError` for a source that there is none of."""
    unknown = [source for source in sources if source not in SOURCES]
    if unknown:
        raise UserError(f"freeze={unknown[0]!r}: what can be frozen is {', '.join(SOURCES)}")


def seeds(sources: Sequence[str], recorded: Mapping[str, object], recorded_at: str | None = None) -> dict[str, object]:
    """Return what each source is set to: as it was recorded, else anew.

    The clock of a cassette that was recorded without freezing it is set to ``recorded_at``: a prompt with a date in it
    then has the right one.
    """
    found: dict[str, object] = {}
    for source in sources:
        seed = recorded.get(source)
        if source == "clock":
            found[source] = seed if _is_time(seed) else recorded_at if _is_time(recorded_at) else now()
        else:
            found[source] = seed if isinstance(seed, int) else random.SystemRandom().getrandbits(31)
    return found


@contextmanager
def frozen(seeds: Mapping[str, object]) -> Iterator[None]:
    """Set the sources to their seeds until the end of the block, for the whole process.

    The clock stands: ``time.time``, ``datetime.now`` and the like give one answer; ``time.monotonic`` and event loops go
    on. ``uuid.uuid4`` and the functions of `random` give the same sequence each time. Raises `UserError` naming the extra
    where the clock is to stand and time-machine is not installed.
    """
    with ExitStack() as still:
        for source, seed in seeds.items():
            still.enter_context(SOURCES[source](seed))
        yield


def now() -> str:
    """Return the time as cassettes write it: ISO 8601, in UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _standing_clock(seed: object) -> AbstractContextManager[object]:
    try:
        import time_machine
    except ImportError as exc:
        raise UserError("freeze='clock' needs time-machine: pip install 'pytest-replay-agent[freeze]'") from exc
    travel: AbstractContextManager[object] = time_machine.travel(datetime.fromisoformat(str(seed)), tick=False)
    return travel


@contextmanager
def _seeded_uuids(seed: object) -> Iterator[None]:
    source = random.Random(f"uuid {seed}")  # noqa: S311 - they are to be foretold
    module: Any = uuid
    before = module.os
    # uuid4 takes its bytes from there, also where somebody has imported it by name.
    module.os = _SeededOs(before, source.randbytes)
    try:
        yield
    finally:
        module.os = before


class _SeededOs:
    """The module ``os`` with bytes that can be foretold."""

    def __init__(self, os: ModuleType, urandom: Callable[[int], bytes]) -> None:
        self._os = os
        self.urandom = urandom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._os, name)


@contextmanager
def _seeded_random(seed: object) -> Iterator[None]:
    state = random.getstate()
    random.seed(f"random {seed}")
    try:
        yield
    finally:
        random.setstate(state)


SOURCES: dict[str, Callable[[object], AbstractContextManager[object]]] = {
    "clock": _standing_clock,
    "uuid": _seeded_uuids,
    "random": _seeded_random,
}
"""What can be frozen."""
