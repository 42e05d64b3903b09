"""What a change did: two sides compared, judged and put into the form that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from replay_agent.cli.project import cassette_folder
from replay_agent.exceptions import UserError
from replay_agent.report.comparison.comparison import compare_sides
from replay_agent.report.comparison.forms.as_json import render_json
from replay_agent.report.comparison.forms.markdown import render_markdown
from replay_agent.report.comparison.forms.terminal import render_terminal
from replay_agent.report.comparison.limits import Breach, Limit, breaches_of, read_limit
from replay_agent.report.comparison.result.change import IGNORABLE
from replay_agent.report.comparison.result.comparison import Comparison
from replay_agent.report.comparison.sources.sides import open_sides

__all__ = "Done", "Wanted", "diff"

Form: TypeAlias = Literal["terminal", "markdown", "json", "html"]


@dataclass(frozen=True)
class Wanted:
    """How two sides are judged and shown, in the words of the command line."""

    form: Form = "terminal"
    ignore: tuple[str, ...] = ()
    """What is no reason to fail; each may name several, with commas."""
    max_cost: str | None = None
    max_tokens: str | None = None
    fail_unknown: bool = False
    verbose: bool = False


@dataclass(frozen=True)
class Done:
    """The comparison as text, and how it is judged."""

    text: str
    changed: bool
    nothing_compared: bool
    """Whether there was something to compare, and none of it could be."""
    complaints: tuple[str, ...]
    """What could not be compared, and limits that were passed, where the text does not say it."""


def diff(
    old: str,
    new: str | None = None,
    wanted: Wanted | None = None,
    *,
    folder: Path | None = None,
    colour: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Done:
    """Compare two sides, each a file, a folder or a git revision; without ``new`` it is the work tree.

    Nothing is written and no network is asked. Raises `UserError` for a side that is none, or a limit that is none.
    """
    wanted, root = wanted or Wanted(), folder or Path()
    ignored = _ignored(wanted.ignore)
    limits = list(_limits(wanted))
    cassettes = cassette_folder(root)
    with ExitStack() as closing:
        sides = open_sides(old, new, closing, folder=root, cassettes=cassettes)
        comparison = compare_sides(*sides, cassettes=cassettes, with_unchanged=bool(limits), progress=progress)
    breaches = breaches_of(comparison, limits, unknown_fails=wanted.fail_unknown)
    changed = comparison.counts(ignored) or bool(breaches)
    nothing = bool(comparison.unreadable) and not comparison.files
    return Done(_text(comparison, breaches, wanted, colour, changed), changed, nothing, _complaints(breaches, wanted))


def _text(comparison: Comparison, breaches: list[Breach], wanted: Wanted, colour: bool, changed: bool) -> str:
    if wanted.form == "json":
        return render_json(comparison, breaches, changed=changed)
    if wanted.form == "html":
        from replay_agent.report.page.html.rendering import render
        from replay_agent.report.page.sources.comparisons import report_of_comparison

        return render(report_of_comparison(comparison, breaches))
    if wanted.form == "markdown":
        return render_markdown(comparison, breaches)
    return render_terminal(comparison, colour=colour, verbose=wanted.verbose)


def _complaints(breaches: Iterable[Breach], wanted: Wanted) -> tuple[str, ...]:
    return tuple(map(str, breaches)) if wanted.form == "terminal" else ()


def _limits(wanted: Wanted) -> Iterable[Limit]:
    if wanted.max_cost is not None:
        yield read_limit(wanted.max_cost, "cost")
    if wanted.max_tokens is not None:
        yield read_limit(wanted.max_tokens, "tokens")


def _ignored(words: Iterable[str]) -> frozenset[str]:
    named = [name.strip() for word in words for name in word.split(",") if name.strip()]
    unknown = [name for name in named if name not in IGNORABLE]
    if unknown:
        raise UserError(f"{unknown[0]!r} is nothing that can be ignored. What can: {', '.join(IGNORABLE)}.")
    return frozenset(named)
