"""What a suite's cassettes hold: calls, tokens, cost, models, formats, ages, sizes, the slowest calls."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay_agent.calls import Exchange
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.recording.cassettes import store
from replay_agent.report.comparison.forms.wording import count, price
from replay_agent.report.comparison.result.spent import NOTHING, Spent, total
from replay_agent.report.comparison.sources.sides import is_cassette_name
from replay_agent.report.comparison.spending import spent_by
from replay_agent.report.conversation.lines import short
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.traffic import Interaction, Response

__all__ = "FolderStats", "Slow", "Stats", "read_stats"

_SLOWEST = 5
_NO_CASSETTES = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "__snapshots__"})


@dataclass(frozen=True, slots=True, order=True)
class Slow:
    """A recorded call that took its time, as far as the pieces of its answer tell."""

    milliseconds: int
    path: str
    interaction: int
    """Its place in the file, from 1."""


@dataclass
class FolderStats:
    """Sums over the cassettes of one folder."""

    folder: str
    files: int = 0
    bytes: int = 0
    spent: Spent = NOTHING
    other_requests: int = 0
    """Requests that are no call of a model."""
    models: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    oldest: str | None = None
    newest: str | None = None
    slowest: list[Slow] = field(default_factory=list)

    def add(self, other: FolderStats) -> None:
        """Add the sums of another."""
        self.files += other.files
        self.bytes += other.bytes
        self.spent = total([self.spent, other.spent]) if self.spent is not NOTHING else other.spent
        self.other_requests += other.other_requests
        self.models += other.models
        self.formats += other.formats
        times = [time for time in (self.oldest, self.newest, other.oldest, other.newest) if time]
        self.oldest, self.newest = (min(times), max(times)) if times else (None, None)
        self.slowest = sorted([*self.slowest, *other.slowest], reverse=True)[:_SLOWEST]

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "folder": self.folder,
            "files": self.files,
            "bytes": self.bytes,
            "calls": self.spent.calls,
            "other_requests": self.other_requests,
            "input_tokens": self.spent.input_tokens,
            "output_tokens": self.spent.output_tokens,
            "cost_usd": None if self.spent.cost is None else float(self.spent.cost),
            "unpriced": self.spent.unpriced,
            "models": dict(self.models.most_common()),
            "formats": dict(self.formats.most_common()),
            "oldest": self.oldest,
            "newest": self.newest,
            "slowest": [
                {"ms": each.milliseconds, "file": each.path, "interaction": each.interaction} for each in self.slowest
            ],
        }

    def lines(self) -> Iterator[str]:
        """Say it for people."""
        spent = self.spent
        yield f"{self.folder}: {count(self.files, 'cassette')}, {_size(self.bytes)}"
        unpriced = f", {count(spent.unpriced, 'answer')} without a known price" if spent.unpriced else ""
        yield f"  {count(spent.calls, 'call')} of models, {count(self.other_requests, 'other request')}"
        yield f"  tokens in {_figure(spent.input_tokens)}, out {_figure(spent.output_tokens)}; cost {price(spent.cost)}{unpriced}"
        for name, counted in (("models", self.models), ("formats", self.formats)):
            if counted:
                yield f"  {name} {_named(counted)}"
        if self.oldest is not None:
            yield f"  recorded {self.oldest} to {self.newest}"
        for each in self.slowest:
            yield f"  slowest {each.milliseconds:,} ms: {short(each.path, 200)}, interaction {each.interaction}"


@dataclass
class Stats:
    """Sums for each folder, and of all; what could not be read."""

    folders: list[FolderStats]
    total: FolderStats
    unreadable: list[str]

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "schema": 1,
            "folders": [each.dump() for each in self.folders],
            "total": self.total.dump(),
            "unreadable": self.unreadable,
        }

    def __str__(self) -> str:
        shown = [*self.folders, self.total] if len(self.folders) > 1 else self.folders
        return "\n".join(line for each in shown for line in each.lines())


def read_stats(paths: Iterable[Path], *, progress: Callable[[int, int], None] | None = None) -> Stats:
    """Read cassettes, one after the other, and return what they add up to.

    What cannot be read is said, and the rest is counted all the same. Raises `UserError` for a path that is not there, or where no cassette is.
    """
    files = list(_files(paths))
    if not files:
        raise UserError("There is no cassette there. Name files, or folders that hold some.")
    folders: dict[str, FolderStats] = {}
    unreadable: list[str] = []
    for number, path in enumerate(files, 1):
        try:
            found = _of_file(path)
        except CassetteError as exc:
            unreadable.append(str(exc))
        else:
            folder = path.parent.as_posix()
            folders.setdefault(folder, FolderStats(folder)).add(found)
        if progress is not None:
            progress(number, len(files))
    whole = FolderStats("total")
    for each in folders.values():
        whole.add(each)
    return Stats([folders[name] for name in sorted(folders)], whole, unreadable)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UserError(f"There is no file or folder {path}. Name one that is there.")
        if not path.is_dir():
            yield path
            continue
        for above, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NO_CASSETTES)
            yield from (Path(above, name) for name in sorted(names) if is_cassette_name(name))


def _of_file(path: Path) -> FolderStats:
    data = store.read_file(path)
    interactions = store.parse(data, path).interactions()
    transcript = Transcript.from_interactions(interactions)
    times = [each.recorded_at for each in interactions if each.recorded_at]
    slow = [Slow(_milliseconds(each), str(path), number) for number, each in enumerate(interactions, 1)]
    return FolderStats(
        str(path),
        1,
        len(data),
        spent_by(transcript.exchanges),
        len(transcript.unknown),
        Counter(_model(exchange) for exchange in transcript.exchanges),
        Counter(exchange.format for exchange in transcript.exchanges),
        min(times, default=None),
        max(times, default=None),
        sorted((each for each in slow if each.milliseconds), reverse=True)[:_SLOWEST],
    )


def _model(exchange: Exchange) -> str:
    response = exchange.answer.response
    return exchange.call.model or (response.model_name if response else None) or "unnamed"


def _milliseconds(interaction: Interaction) -> int:
    outcome = interaction.outcome
    if not isinstance(outcome, Response):
        return outcome.after_ms
    return max((chunk.offset_ms for chunk in outcome.chunks), default=0) + outcome.waited_ms


def _size(number: int) -> str:
    return f"{number:,} bytes" if number < 10_000 else f"{number / 1000:,.0f} kB"


def _figure(tokens: int | None) -> str:
    return "unknown" if tokens is None else f"{tokens:,}"


def _named(counted: Counter[str]) -> str:
    shown = [f"{short(name, 80)} ({number:,})" for name, number in counted.most_common(8)]
    return ", ".join([*shown, *([f"and {len(counted) - 8} more"] if len(counted) > 8 else [])])
