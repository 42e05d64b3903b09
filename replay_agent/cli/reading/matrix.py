"""One test over several models, prompts or providers: what each variant did, side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from replay_agent.cli.reading.variants import by_model, parted
from replay_agent.exceptions import CassetteError, UserError
from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
from replay_agent.recording.cassettes import store
from replay_agent.report.comparison.forms.wording import count, price
from replay_agent.report.comparison.result.spent import Spent, total
from replay_agent.report.comparison.sources.runs import Run, read_runs
from replay_agent.report.comparison.sources.sides import is_cassette_name
from replay_agent.report.comparison.spending import spent_by
from replay_agent.report.conversation.lines import short

__all__ = "Cell", "Matrix", "Row", "read_matrix"

Block = TypeVar("Block")

_OUTCOMES = Path(".pytest_cache") / "v" / "cache"
_HEAD = ("variant", "passed", "turns", "tokens", "cost", "tools", "answer")
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Cell:
    """What one variant of a test did."""

    variant: str
    passed: bool | None
    """By the last run of pytest; None where it does not say."""
    turns: int
    spent: Spent
    tools: tuple[str, ...]
    """The tools that were called, in order."""
    answer: str
    """What the model said last."""
    model: str = ""
    """The model that was asked first."""
    test: str = ""
    """The test and its parameters, or the file that names none."""
    run: Run | None = None
    """All that was recorded, where a page is to show it."""


@dataclass
class Row:
    """A test and its variants, the first of which the others are compared with."""

    test: str
    cells: list[Cell] = field(default_factory=list)

    def answer_of(self, cell: Cell) -> str:
        """Say how the answer of a variant stands to that of the first one."""
        if cell is self.cells[0]:
            return "(first)"
        return "same" if cell.answer == self.cells[0].answer else "changed"

    def tools_of(self, cell: Cell) -> str:
        """Name the tools that a variant called, and whether the first one called others."""
        path = " > ".join(cell.tools) or "none"
        return path if cell.tools == self.cells[0].tools else f"{path} (other)"


@dataclass
class Matrix:
    """The tests that have variants; what could not be read."""

    rows: list[Row]
    unreadable: list[str]

    @property
    def variants(self) -> dict[str, list[Cell]]:
        """The cells of each variant, over all tests."""
        found: dict[str, list[Cell]] = {}
        for row in self.rows:
            for cell in row.cells:
                found.setdefault(cell.variant, []).append(cell)
        return found

    def __str__(self) -> str:
        return "\n\n".join("\n".join(block) for block in self._blocks(_aligned))

    @property
    def markdown(self) -> str:
        """The same as tables for a review."""
        return "\n\n".join("\n".join(block) for block in self._blocks(_piped))

    @property
    def html(self) -> str:
        """The same as a page, in which a variant opens to its conversation, and to what it has otherwise than the first."""
        from replay_agent.report.page.html.rendering import render
        from replay_agent.report.page.sources.matrices import Variant, report_of_matrix

        tests = [[cell.test for cell in row.cells] for row in self.rows]
        variants = [
            Variant(cell.test, cell.passed, cell.run, None if cell is row.cells[0] else row.cells[0].run)
            for row in self.rows
            for cell in row.cells
            if cell.run is not None
        ]
        return render(report_of_matrix(self._blocks(_titled), tests, variants, self.unreadable))

    @property
    def json(self) -> str:
        """The same for programs, as one object."""
        return json.dumps({"schema": 1, "tests": list(map(_dump, self.rows)), "unreadable": self.unreadable})

    def _blocks(self, table: Callable[[str, Sequence[Sequence[str]]], Block]) -> Iterator[Block]:
        for row in self.rows:
            yield table(row.test, [_HEAD, *(_words(row, cell) for cell in row.cells)])
        shared = {variant: cells for variant, cells in self.variants.items() if len(cells) > 1}
        if shared:  # a sum over one test says what stands above already
            head = ("variant", "tests", "passed", "turns", "tokens", "cost")
            yield table("all tests", [head, *map(_sum_words, shared.items())])


def read_matrix(
    words: Sequence[str],
    *,
    folder: str,
    whole: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Matrix:
    """Read the cassettes of tests that are parametrised. ``words`` are files, folders, or node ids to choose from.

    Without a file or folder it is ``folder``. ``whole`` keeps what was said, for a page. Raises `UserError` for a path
    that is not there, and where no test has variants. ``progress`` is told how many files are done, of how many.
    """
    wanted = [word for word in words if "::" in word]
    paths = [Path(word) for word in words if "::" not in word] or [Path(folder)]
    outcomes = _outcomes()
    tests: dict[str, Row] = {}
    unreadable: list[str] = []
    files = list(_files(paths))
    for number, path in enumerate(files, 1):
        if progress is not None:
            progress(number, len(files))
        try:
            runs = read_runs(store.read_file(path), path)
        except CassetteError as exc:
            unreadable.append(str(exc))
            continue
        for run in runs:
            test = run.test or path.with_suffix("").as_posix()
            name, variant = parted(test)
            if variant and _is_wanted(run.test or name, wanted):
                tests.setdefault(name, Row(name)).cells.append(_cell(test, variant, run, outcomes, whole=whole))
    rows = [row for name in sorted(tests) for row in _by_model(tests[name])]
    found = [row for row in rows if len(row.cells) > 1]
    if not found and not unreadable:
        raise UserError(
            "There is no test of several variants there: a matrix is of tests that are parametrised, each variant with "
            "a cassette of its own."
        )
    return Matrix(found, unreadable)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UserError(f"There is no file or folder {path}. Name one that is there, or a node id with two colons.")
        if not path.is_dir():
            yield path
            continue
        for above, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(above, name) for name in sorted(names) if is_cassette_name(name))


def _by_model(row: Row) -> Iterator[Row]:
    """Make a row of each question where a test is parametrised over questions and models."""
    split = by_model({cell.variant: cell.model for cell in row.cells})
    if not split:
        yield Row(row.test, sorted(row.cells, key=lambda cell: cell.variant))
        return
    rows: dict[str, Row] = {}
    for cell in row.cells:
        rest, model = split[cell.variant]
        rows.setdefault(rest, Row(f"{row.test}[{rest}]")).cells.append(replace(cell, variant=model))
    yield from (Row(each.test, sorted(each.cells, key=lambda cell: cell.variant)) for each in rows.values())


def _is_wanted(test: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(test == each or test.startswith((f"{each}[", f"{each}::")) for each in wanted)


def _said(answer: ModelResponse) -> str:
    """Return the texts of an answer, then the arguments of its calls."""
    texts = [part.content for part in answer.parts if isinstance(part, TextPart)]
    return "\n".join([*texts, *(str(part.args) for part in answer.parts if isinstance(part, ToolCallPart))])


def _cell(test: str, variant: str, run: Run, outcomes: Mapping[str, bool], *, whole: bool) -> Cell:
    exchanges = run.transcript.exchanges
    responses = [exchange.answer.response for exchange in exchanges if exchange.answer.response is not None]
    tools = [part.tool_name for each in responses for part in each.parts if isinstance(part, ToolCallPart)]
    return Cell(
        variant,
        outcomes.get(run.test or ""),
        len(exchanges),
        spent_by(exchanges),
        tuple(tools),
        _said(responses[-1]) if responses else "",
        next((exchange.call.model for exchange in exchanges if exchange.call.model), ""),
        test,
        run if whole else None,
    )


def _outcomes() -> dict[str, bool]:
    """Return which tests passed when pytest ran last, as far as its cache says."""
    ran, failed = _cached("nodeids", list), _cached("lastfailed", dict)
    return {test: test not in failed for test in [*ran, *failed] if isinstance(test, str)}


def _cached(name: str, kind: type[Any]) -> Any:
    try:
        value = json.loads((_OUTCOMES / name).read_text("utf-8"))
    except (OSError, ValueError):
        return kind()
    return value if isinstance(value, kind) else kind()


# --- tables -----------------------------------------------------------------------------------------------------------


def _words(row: Row, cell: Cell) -> tuple[str, ...]:
    return (
        cell.variant,
        _passed(cell.passed),
        f"{cell.turns:,}",
        _tokens(cell.spent),
        price(cell.spent.cost),
        row.tools_of(cell),
        row.answer_of(cell),
    )


def _sum_words(variant: tuple[str, list[Cell]]) -> tuple[str, ...]:
    name, cells = variant
    spent = total(cell.spent for cell in cells)
    known = [cell.passed for cell in cells if cell.passed is not None]
    passed = f"{sum(known)} of {len(known)}" if known else "unknown"
    unpriced = f" ({count(spent.unpriced, 'answer')} unknown)" if spent.unpriced and spent.cost is not None else ""
    turns = f"{sum(cell.turns for cell in cells):,}"
    return name, f"{len(cells):,}", passed, turns, _tokens(spent), f"{price(spent.cost)}{unpriced}"


def _passed(passed: bool | None) -> str:
    return "unknown" if passed is None else "yes" if passed else "no"


def _tokens(spent: Spent) -> str:
    return "unknown" if spent.tokens is None else f"{spent.tokens:,}"


def _titled(title: str, rows: Sequence[Sequence[str]]) -> tuple[str, Sequence[Sequence[str]]]:
    return title, rows


def _aligned(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    shown = [[short(cell, _LONGEST) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    return [
        short(title, 200),
        *(
            f"  {'  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))}".rstrip()
            for row in shown
        ),
    ]


def _piped(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(_code(cell) for cell in row)} |" for row in rows]
    return [f"**{_code(title)}**", "", lines[0].replace("`", ""), f"|{'---|' * len(rows[0])}", *lines[1:]]


def _code(cell: str) -> str:
    text = short(cell, 200).replace("`", "'").replace("|", "\\|")
    return f"`{text}`"


def _dump(row: Row) -> dict[str, Any]:
    return {
        "test": row.test,
        "variants": [
            {
                "variant": cell.variant,
                "passed": cell.passed,
                "turns": cell.turns,
                "input_tokens": cell.spent.input_tokens,
                "output_tokens": cell.spent.output_tokens,
                "cost_usd": None if cell.spent.cost is None else float(cell.spent.cost),
                "tools": list(cell.tools),
                "same_tools": cell.tools == row.cells[0].tools,
                "same_answer": cell.answer == row.cells[0].answer,
            }
            for cell in row.cells
        ],
    }
