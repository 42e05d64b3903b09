"""Parts of a report, one for each job of a CI, as one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from replay_agent.exceptions import UserError
from replay_agent.report.page.html.rendering import render
from replay_agent.report.page.parts import Part, dumped, merged, read_part
from replay_agent.report.page.report import Report
from replay_agent.report.page.writing import write_whole

__all__ = "Merged", "merge_parts", "write_page"


@dataclass(frozen=True)
class Merged:
    """What became of the parts."""

    report: Report | None
    """None if there was none that could be read."""
    complaints: list[str]
    parts: int


def merge_parts(paths: Sequence[Path], progress: Callable[[int, int], None] | None = None) -> Merged:
    """Read parts and join them; what cannot be read is complained about, on the page too."""
    parts: list[Part] = []
    complaints: list[str] = []
    wanted = list(dict.fromkeys(paths))
    for number, path in enumerate(wanted, 1):
        try:
            parts.append(Part(path.stem, read_part(path)))
        except UserError as exc:
            complaints.append(str(exc))
        if progress is not None:
            progress(number, len(wanted))
    return Merged(merged(parts, complaints) if parts else None, complaints, len(parts))


def write_page(report: Report, path: Path) -> None:
    """Write a report as a page, or as a part where the name ends in ``.json``. Raises `UserError` where that cannot be."""
    write_whole(path, dumped(report) if path.suffix.lower() == ".json" else render(report))
