"""What accepting something did: the new answers against the old, tools, tokens, cost; the snapshots line by line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from replay_agent.report.comparison.forms.wrapping import wrapped
from replay_agent.report.review.kept import Altered
from replay_agent.surroundings.visible import visible

if TYPE_CHECKING:
    from replay_agent.report.comparison.result.change import TestChange

__all__ = "effect_lines", "recording_lines"

_MOST_LINES = 60
"""Of one snapshot."""
_NAMED = 6
"""Tests that are named of those whose answers are the same."""
_CASSETTES = (".yaml", ".yml", ".json", ".gz", ".toml")


@dataclass
class _Contents:
    """Files in memory, as one side of a comparison."""

    name: str
    files: Mapping[str, bytes]
    is_explicit: bool = True
    ids: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = {
            path: hashlib.sha256(content, usedforsecurity=False).hexdigest() for path, content in self.files.items()
        }

    def read(self, path: str) -> bytes:
        return self.files[path]

    def place(self, path: str) -> Path:
        return Path(path)


def effect_lines(altered: Sequence[Altered], *, root: Path, colour: bool, width: int = 80) -> list[str]:
    """Return what differs between the files before and after, cassettes as conversations."""
    cassettes = [each for each in altered if each.path.name.endswith(_CASSETTES)]
    lines = list(_compared(cassettes, root, colour, width)) if cassettes else []
    for each in altered:
        if each not in cassettes:
            lines += [*_differing(each, root, colour), ""]
    return lines


def _compared(altered: Sequence[Altered], root: Path, colour: bool, width: int) -> Iterator[str]:
    from replay_agent.report.comparison.comparison import compare_sides

    old = {_named(each.path, root): each.old for each in altered if each.old is not None}
    new = {_named(each.path, root): each.new for each in altered if each.new is not None}
    comparison = compare_sides(_Contents("before", old), _Contents("now", new))
    changed = [change for change in comparison.changes if change.state == "changed"]
    same = [change for change in changed if not change.effects]
    for change in (change for change in changed if change.effects or len(same) == 1):
        yield from _effects(change, colour, width)
        yield ""
    if len(same) > 1:
        yield from (*_all_the_same(same, width), "")
    if comparison.recorded_anew:
        yield f"{comparison.recorded_anew} recorded anew, and the same in all that counts"
    for each in altered:
        if each.old is None and each.new is not None:
            yield from (f"{_named(each.path, root)} is new:", *recording_lines(each.new, each.path))


def _effects(change: TestChange, colour: bool, width: int) -> Iterator[str]:
    """Say what a test gets for an answer now, and what that takes."""
    from replay_agent.report.comparison.forms.wording import cost_line, label, lines_of, place, tokens_line

    yield from wrapped(f"{change.name}:", width)
    if not change.effects:
        yield "  The answers are the same as before."
    for effect in change.effects:
        where = place(effect, change.conversations)
        yield from wrapped(f"{where}{': ' if where else ''}{label(effect)}", width, "  ")
        for line in lines_of(effect, colour=colour):
            yield from wrapped(line, width, "    ")
    if change.old.calls != change.new.calls:
        yield f"  calls {change.old.calls} -> {change.new.calls}"
    figures = tokens_line(change.old, change.new, change.growth) if change.old.tokens != change.new.tokens else []
    yield from (f"  tokens {figure}" for figure in figures)
    if change.old.cost != change.new.cost:
        yield f"  cost {cost_line(change.old, change.new)}"


def _all_the_same(changes: Sequence[TestChange], width: int) -> Iterator[str]:
    """Say of several tests at once that their answers are the same, and what these take by now."""
    from replay_agent.report.comparison.forms.wording import cost_line, tokens_line
    from replay_agent.report.comparison.result.spent import total

    old, new = (total(getattr(each, side) for each in changes) for side in ("old", "new"))
    yield f"{len(changes)} tests: the answers are the same as before."
    names = [change.name for change in changes]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    yield from wrapped(f"{', '.join(names[:_NAMED])}{more}", width, "  ")
    yield from (f"  tokens {figure}" for figure in (tokens_line(old, new) if old.tokens != new.tokens else []))
    if old.cost != new.cost:
        yield f"  cost {cost_line(old, new)}"


def _differing(altered: Altered, root: Path, colour: bool) -> Iterator[str]:
    from replay_agent.report.render import render_spans
    from replay_agent.report.words import word_diff

    old, new = ("" if each is None else each.decode("utf-8", "replace") for each in (altered.old, altered.new))
    gone, made = altered.new is None, altered.old is None
    yield f"{_named(altered.path, root)}{' is deleted' if gone else ' is new' if made else ''}:"
    lines = render_spans(word_diff(old, new), colour=colour)
    yield from (f"  {line}" for line in lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield f"  ... and {len(lines) - _MOST_LINES} more lines"


def recording_lines(content: bytes, path: Path) -> list[str]:
    """Return the conversations in a cassette, long messages in part. Raises `CassetteError` for what is none."""
    from replay_agent.recording.cassettes import store
    from replay_agent.report.conversation.lines import Bounds
    from replay_agent.report.conversation.text import render_transcript
    from replay_agent.report.conversation.transcript import Transcript

    transcript = Transcript.from_interactions(store.parse(content, path).interactions())
    return visible(render_transcript(transcript, Bounds(lines=12, width=240))).split("\n")


def _named(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return str(path)
