"""Accepting and rejecting: by pytest in a process of its own, for exactly the tests that are meant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from replay_agent.recording.cassettes.store import replace_file
from replay_agent.report.review.change import Change
from replay_agent.report.review.kept import Altered, Kept
from replay_agent.report.review.plan import Ended, Plan, TestPlan, read_ends
from replay_agent.report.review.queue import Queue, updating

__all__ = "Judge", "Judged"

_TAIL = 12
"""Lines of a failure that say why something was not accepted."""
_NOT_OPEN = "it is not open any more: pytest has run since this was shown"
_GRACE = 10.0
"""Seconds for a run to end that was told to: its fixtures are torn down meanwhile."""


@dataclass
class Judged:
    """What became of changes that were to be accepted or rejected."""

    kept: Kept
    done: list[Change] = field(default_factory=list)
    failed: list[tuple[Change, str]] = field(default_factory=list)
    """What stays open, and why."""
    altered: list[Altered] = field(default_factory=list)
    live: int = 0
    """How many requests went live."""


class Judge:
    """Does what somebody decided, one decision at a time."""

    def __init__(self, state: Path) -> None:
        """``state`` is the folder of the queue."""
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def accept(self, changes: Sequence[Change]) -> Judged:
        """Make these changes what is expected: record, update, drop, or take note of having looked."""
        queue = Queue.load(self._state)
        judged = Judged(Kept.take(self._state, _label("accept", changes), changes, queue))
        still = _still_open(changes, queue, judged)
        judged.done += [each for each in still if each.kind == "recording"]
        judged.failed += [(each, f"do it by yourself: {each.command}") for each in still if _is_by_hand(each)]
        with_snapshots = [each for each in still if each.kind == "snapshot"]
        recorded = [each for each in still if each.kind in ("drift", "unrecorded", "leftover") and each.mode]
        for mode, wanted in (("refresh", recorded), ("none", with_snapshots)):
            if wanted:
                self._run(mode, wanted, queue, judged)
        judged.altered = judged.kept.settle()
        with updating(self._state) as left:
            left.without(each.id for each in judged.done)
        return judged

    def reject(self, changes: Sequence[Change]) -> Judged:
        """Leave these changes out: files stay as they are; of a new recording the file becomes what it was before."""
        queue = Queue.load(self._state)
        files = [Path(each.file) for each in changes if each.kind == "recording"]  # nothing else is touched
        judged = Judged(Kept.take(self._state, _label("reject", changes), changes, queue, files=files))
        for change in _still_open(changes, queue, judged):
            trouble = _unrecord(change) if change.kind == "recording" else ""
            if trouble:
                judged.failed.append((change, trouble))
            else:
                judged.done.append(change)
        judged.altered = judged.kept.settle()
        with updating(self._state) as left:
            left.without(each.id for each in judged.done)
        return judged

    def stop(self) -> None:
        """End a run of pytest that is going on. What it has not saved by then is not accepted."""
        self._stopped = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(OSError):
            process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()

    def _run(self, mode: str, wanted: Sequence[Change], queue: Queue, judged: Judged) -> None:
        everything = [each for found in queue.tests.values() for each in found]
        ids = {each.id for each in wanted}
        twins = [each for each in everything if each.id in ids]
        runs = list(dict.fromkeys(each.run for each in twins))
        others = [each for each in everything if each.run in runs and each.id not in ids]
        plans = {run: _plan(mode, _of(run, twins), _of(run, others)) for run in runs}
        ends, printed = self._pytest(mode, plans, queue)
        judged.live += sum(end.live for end in ends.values())
        settled = {str(each.path) for each in judged.kept.altered()}
        for change in wanted:
            trouble = _trouble(change, ends, settled, printed, stopped=self._stopped)
            if trouble:
                judged.failed.append((change, trouble))
            else:
                judged.done.append(change)
        self._open_again(queue, [*others, *(each for each, _ in judged.failed)])

    def _open_again(self, before: Queue, changes: Iterable[Change]) -> None:
        """Keep open what a run did not see, because it was answered as before, or what failed for another reason."""
        wanted = {each.id for each in changes if each.kind not in ("recording", "snapshot")}
        with updating(self._state) as queue:
            for test, found in before.tests.items():
                known = {each.id for each in queue.tests.get(test, ())}
                again = [each for each in found if each.id in wanted - known]
                if again:
                    queue.tests[test] = [*queue.tests.get(test, []), *again]

    def _pytest(self, mode: str, plans: Mapping[str, TestPlan], queue: Queue) -> tuple[dict[str, Ended], str]:
        with tempfile.TemporaryDirectory(prefix="replay-agent-") as scratch:
            plan, ends, tests = (Path(scratch) / name for name in ("plan.json", "ends.json", "tests"))
            Plan(plans, str(ends)).write(plan)
            tests.write_text("\n".join(plans), "utf-8")
            command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short", "--color=no", *queue.options]
            command += [f"--replay-mode={mode}", f"--replay-plan={plan}", f"@{tests}"]
            printed = Path(scratch) / "printed"
            self._wait_for(command, queue.cwd, printed)
            return read_ends(ends), printed.read_text("utf-8", "replace")

    def _wait_for(self, command: Sequence[str], folder: str, printed: Path) -> None:
        with printed.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the project's own tests
                command,
                cwd=folder or None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=os.name == "posix",  # ctrl-C is for whoever waits, who passes it on
            )
            try:
                self._process.wait()
            except BaseException:
                self.stop()
                raise
            finally:
                self._process = None


def _still_open(changes: Sequence[Change], queue: Queue, judged: Judged) -> list[Change]:
    """Return what of these is still in the queue; of the rest, note why nothing is done."""
    known = {each.id for each in queue.changes}
    judged.failed += [(each, _NOT_OPEN) for each in changes if each.id not in known]
    return [each for each in changes if each.id in known]


def _of(run: str, changes: Iterable[Change]) -> list[Change]:
    return [each for each in changes if each.run == run]


def _plan(mode: str, wanted: Sequence[Change], others: Sequence[Change]) -> TestPlan:
    """Return what a test may change: what is wanted, and of the rest nothing."""
    if mode == "none":
        return TestPlan(tuple((each.file, each.name) for each in wanted))
    live = any(each.kind in ("drift", "unrecorded") for each in wanted)
    drifted = [each for each in others if each.kind == "drift" and each.key]
    held = {each.key: each.giving_way[0] for each in drifted if each.giving_way}
    barred = tuple(each.key for each in drifted if not each.giving_way)
    return TestPlan(None if live else (), live, held, barred)


def _trouble(change: Change, ends: Mapping[str, Ended], altered: set[str], printed: str, *, stopped: bool) -> str:
    """Return why a change is not accepted, nothing if it is."""
    end = ends.get(change.run)
    if end is not None and (end.passed or change.file in altered):
        return ""
    if stopped:
        return "it was stopped"
    said = end.text if end is not None else printed
    lines = [line for line in said.strip().split("\n") if line.strip()]
    lines = [line[1:].strip() for line in lines if line.startswith("E  ")] or lines  # as pytest marks what went wrong
    return "\n".join(lines[-_TAIL:]) or "pytest said nothing of it"


def _is_by_hand(change: Change) -> bool:
    return change.kind in ("drift", "unrecorded") and not change.mode


def _unrecord(change: Change) -> str:
    """Take a recording back, and return what is against it."""
    path = Path(change.file)
    if change.before is None:
        return f"what {path} was before is not kept; version control has it: git checkout -- {path}"
    if change.before:
        try:
            replace_file(path, Path(change.before).read_bytes())
        except OSError as exc:
            return f"what {path} was before cannot be put back: {exc}"
    else:
        path.unlink(missing_ok=True)
    return ""


def _label(verb: str, changes: Sequence[Change]) -> str:
    tests = list(dict.fromkeys(each.test for each in changes))
    return f"{verb} {tests[0] if len(tests) == 1 else f'{len(changes)} changes'}"
