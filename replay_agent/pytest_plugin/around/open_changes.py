"""What a test leaves open: drift, changed snapshots, leftovers, new recordings. Travels with its last report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay_agent.exceptions import CassetteMissError
from replay_agent.harness import Run
from replay_agent.pytest_plugin.around.compared import KEEPER, differences_of
from replay_agent.pytest_plugin.around.planned import run_name
from replay_agent.pytest_plugin.failures import explanations_of, leaves_of
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.places import nodeid
from replay_agent.pytest_plugin.settings import command_of
from replay_agent.report.review.change import Change

if TYPE_CHECKING:
    from replay_agent.pytest_plugin.around.snapshot_keeper import Difference
    from replay_agent.pytest_plugin.watched import WatchedTest
    from replay_agent.recording.recorder import Recording
    from replay_agent.report.explanation import Explanation

__all__ = ("OpenChanges",)

_BEFORE = pytest.StashKey["bytes | None"]()


class OpenChanges:
    """Stands by around tests, in a session that has some to replay."""

    def __init__(self, folder: Path | None, *, follow_plan: bool) -> None:
        """``folder`` is where the former files of new recordings are kept, None for nowhere.

        ``follow_plan``: the session follows a plan, which knows tests by what to call them on the command line.
        """
        self._folder = folder
        self._follow_plan = follow_plan

    def tearing_down(self, item: pytest.Item) -> None:
        """Hold the cassette of a test that is recorded as it is before it is replaced."""
        test = item.stash.get(TEST, None) if self._folder is not None else None
        if test is not None and not test.is_scripted and test.records:
            path = getattr(test.run, "cassette_path", None)
            item.stash[_BEFORE] = _content(path) if path is not None else None

    def reported(self, test: WatchedTest, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Collect what the phases of a test say, and add all of it to the last report."""
        if test.is_scripted:
            return
        if call.excinfo is not None:
            test.said.update(_said_by(call.excinfo.value))
        if call.when == "teardown":
            self._tell(report, test)

    def _tell(self, report: pytest.TestReport, test: WatchedTest) -> None:
        said, item = test.said, test.item
        if said:
            said.update(pair for miss in test.keeper.misses for pair in _said_by(miss).items())
        nothing = not said and not test.records and KEEPER not in item.stash
        report.__dict__["replay_agent_open"] = [] if nothing else [each.dump() for each in self._changes(item, test)]
        if self._follow_plan:
            report.__dict__["replay_agent_run"] = run_name(item)

    def _changes(self, item: pytest.Item, test: WatchedTest) -> Iterator[Change]:
        yield from _told(item, test)
        for difference in differences_of(item):
            yield _changed_snapshot(item, difference)
        if not test.said:
            yield from self._recorded(item, test)

    def _recorded(self, item: pytest.Item, test: WatchedTest) -> Iterator[Change]:
        recording: Recording | None = getattr(test.run, "recording", None)
        if recording is None or not test.records or self._folder is None:
            return
        tally = recording.tally()
        if not tally.saved:
            return
        from replay_agent.report.recorded.answers import changed_answers
        from replay_agent.report.review.queue import digest_of

        path = recording.cassette_path
        before = item.stash.get(_BEFORE, None)
        pairs = [(each.before, each.interaction) for each in tally.successors if each.before is not None]
        lines = tuple(line for old, new in pairs for line in changed_answers(old, new, colour=True))
        changed = f"changed: {tally.live} asked live, {tally.dropped} dropped"
        yield Change(
            "recording",
            nodeid(item),
            run_name(item),
            f"The recording is {'new' if before is None else changed}.",
            cause="recorded anew" if before is not None else "recorded",
            file=str(path),
            lines=lines,
            before="" if before is None else self._kept(before),
            digest=digest_of(path),
        )

    def _kept(self, content: bytes) -> str | None:
        import hashlib

        assert self._folder is not None
        path = self._folder / hashlib.sha256(content).hexdigest()[:32]
        path.write_bytes(content)
        return str(path)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _said_by(error: BaseException) -> dict[str, str]:
    """Return what an error explains, by text, and which cassette it is about."""
    misses = [error] if isinstance(error, CassetteMissError) else leaves_of(error)
    said = {each.explanation: str(each.path or "") for each in misses}
    return {**said, **{text: said.get(text, "") for text in explanations_of(error)}}


def _told(item: pytest.Item, test: WatchedTest) -> Iterator[Change]:
    """Yield what explanations leave open. Those that only quote others are parts of them already."""
    from replay_agent.report.explanation import Explanation

    said = test.said
    explained = [each for each in said if isinstance(each, Explanation)]
    found: dict[str, Change] = {}
    again = test.run.explained_again() if explained and isinstance(test.run, Run) else {}
    for each in explained:
        if each.kind == "unrecorded" and any(other.kind == "unrecorded" for other in found.values()):
            continue  # what the test asks for first is recorded with all the rest
        change = _explained(item, again.get(each.key, each), said[each])
        found.setdefault(change.id, change)
    if not explained:
        others = (_unexplained(item, text, path) for text, path in said.items() if path)
        found.update((other.id, other) for other in others)
    yield from found.values()


def _explained(item: pytest.Item, said: Explanation, path: str) -> Change:
    title, *_ = said.body.split("\n", 1)
    return Change(
        said.kind,
        nodeid(item),
        run_name(item),
        said.summary or title,
        said.cause,
        file=said.cassette or path,
        lines=tuple(said.difference),
        asked=said.asked,
        command=said.command,
        mode=said.mode,
        turn=said.turn,
        giving_way=said.giving_way,
        key=said.key,
    )


def _unexplained(item: pytest.Item, text: str, path: str) -> Change:
    """Return what a miss leaves open that has no parts to be told apart: one of vcrpy's."""
    from replay_agent.report.command import filled
    from replay_agent.surroundings.visible import visible

    title, *lines = visible(text).split("\n")
    command = filled(command_of(item), "refresh")
    return Change(
        "drift",
        nodeid(item),
        run_name(item),
        title,
        "\n".join(lines),
        path,
        tuple(lines[:40]),
        command=command,
        mode="refresh",
    )


def _changed_snapshot(item: pytest.Item, difference: Difference) -> Change:
    from replay_agent.report.command import filled
    from replay_agent.report.render import render_spans
    from replay_agent.report.words import word_diff

    new = difference.old is None
    spans = word_diff(difference.old or "", difference.new)
    cause = "\n".join(f"{span.kind} {span.text}" for span in spans if span.kind != "same")
    return Change(
        "snapshot",
        nodeid(item),
        run_name(item),
        f"The snapshot {difference.name} {'is new' if new else 'differs'}.",
        cause[:4_000],
        str(difference.path),
        tuple(render_spans(spans, colour=True)[:60]),
        command=filled(command_of(item), "refresh"),
        mode="none",
        name=difference.name,
    )
