"""A fresh process of pytest that runs tests once more, in a scratch folder, and ends when this one is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from replay_agent.exceptions import UserError
from replay_agent.report.comparison.trials.notes import Note, NoteCount, read_notes
from replay_agent.report.comparison.trials.order import Order, give

__all__ = "Collected", "Told", "collect", "run", "scratch"

Told = Callable[[int], None]
"""Is told now and then how many tests are done."""

_EVERY = 0.3
"""Seconds between looks at how far the process is."""
_PATIENCE = 5.0
"""Seconds that a process has to end by itself when it is asked to."""
_MOST_LINES = 30
_NOTHING_COLLECTED = 5
_OVER = frozenset({0, 1, _NOTHING_COLLECTED})
"""Exit statuses of pytest after which there is nothing more to be said."""


@dataclass(frozen=True)
class Collected:
    """What was found under the names that were given."""

    tests: list[Note]
    fixtures: list[Note]
    unmarked: list[str]
    broken: list[Note]
    keys: frozenset[str]
    """The credential variables that are set once the project's conftests are imported."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone at the end of the block, also when the process is told to end."""
    with tempfile.TemporaryDirectory(prefix="replay-agent-", ignore_cleanup_errors=True) as folder:
        is_main = threading.current_thread() is threading.main_thread()  # no other may say what signals do
        before = {number: signal.signal(number, _stopped) for number in _ENDING if is_main}
        try:
            yield Path(folder)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


_ENDING = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]


def _stopped(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def collect(tests: Sequence[str], folder: Path) -> Collected:
    """Have pytest collect tests. Raises `UserError` where it cannot, or finds none that is recorded."""
    notes = _run(tests, Order("lenient"), folder, ["--collect-only"], {}, None)
    found = Collected(
        [note for note in notes if note.outcome == "collected" and not note.is_fixture],
        [note for note in notes if note.is_fixture],
        [note.test for note in notes if note.outcome == "unmarked"],
        [note for note in notes if note.outcome == "broken"],
        frozenset(_lines(folder / "keys")),
    )
    if not found.tests:
        raise UserError(_nothing(found))
    return found


def _nothing(found: Collected) -> str:
    if found.broken:
        said = "\n".join(f"  {note.test}: {note.reason}" for note in found.broken[:10])
        return f"No test could be collected:\n{said}\nMend the import, then ask again."
    if found.unmarked:
        return (
            f"None of the {len(found.unmarked)} tests there is recorded: they are marked neither replay nor vcr. "
            "Name tests that are."
        )
    return "There is no test there. Name tests as pytest does: a file, a folder, tests/test_geo.py::test_capital."


def run(
    tests: Sequence[str], order: Order, folder: Path, *, hash_seed: int | None = None, told: Told | None = None
) -> list[Note]:
    """Run tests in a fresh process and return what it tells of them. Raises `UserError` where pytest could not run."""
    seed = {} if hash_seed is None else {"PYTHONHASHSEED": str(hash_seed)}
    return _run(tests, order, folder, [], seed, told)


def _run(
    tests: Sequence[str],
    order: Order,
    folder: Path,
    more: Sequence[str],
    environment: Mapping[str, str],
    told: Told | None,
) -> list[Note]:
    folder.mkdir(exist_ok=True)
    give(folder, order)
    output = folder / "output"
    with output.open("wb") as file:
        status = _waited(
            _started([*_command(order, folder), *more, "--", *tests], environment, folder, file), folder, told
        )
    notes = read_notes(folder)
    if status not in _OVER and not notes:
        said = _lines(output)[-_MOST_LINES:]
        raise UserError("pytest could not run these tests. It said:\n" + "\n".join(f"  {line}" for line in said))
    return notes


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.is_file() else []


def _command(order: Order, folder: Path) -> list[str]:
    mode = "rewrite" if order.kind == "live" else "none"
    words = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--replay-trial={folder}", f"--replay-mode={mode}"]
    # All tests, whatever fails on the way; no report of the project's own is overwritten; marks vcr are ours to serve.
    words += ["--maxfail=0", "--continue-on-collection-errors", "--junit-xml=", "-p", "no:recording"]
    return (
        [*words, "--no-cov"]
        if find_spec("pytest_cov") and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
        else words
    )


def _started(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, output: BinaryIO
) -> subprocess.Popen[bytes]:
    # What other tools would leave in the project goes to the scratch folder, too.
    beside = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "COVERAGE_FILE": str(folder / "coverage"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
    }
    return subprocess.Popen(  # noqa: S603 - the tests that the user names
        command,
        env={**os.environ, **beside, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=os.name == "posix",  # so that ctrl-C is passed on once, and to all that it has started
    )


def _waited(process: subprocess.Popen[bytes], folder: Path, told: Told | None) -> int:
    count = NoteCount(folder)
    try:
        while True:
            try:
                return process.wait(_EVERY if told is not None else None)
            except subprocess.TimeoutExpired:
                if told is not None:
                    told(count.now())
    except BaseException:
        _stop(process)
        raise


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started: what it asks for costs money."""
    for number in (signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with suppress(OSError):
            os.killpg(process.pid, number) if os.name == "posix" else process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
