"""Draws the flow of a request, for both grounds: ``python docs/pictures/flow.py``."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from ansi_svg import THEMES

IMAGES = Path(__file__).parents[1] / "images"
TITLE = "The flow of a request: test, agent, client, recorder, then cassette or model, and what is read from both"
WIDTH, HEIGHT = 720, 300

BOXES = [
    # place, size, title, what it does, the colour of its frame
    (10, 60, 110, 54, "your test", "pytest", "34"),
    (150, 60, 110, 54, "your agent", "tools run", "34"),
    (290, 60, 110, 54, "its client", "any SDK", "34"),
    (430, 60, 120, 54, "recorder", "secrets out, key", "35"),
    (590, 10, 120, 54, "cassette", "replaying", "32"),
    (590, 110, 120, 54, "the model", "recording", "33"),
    (430, 210, 120, 54, "conversation", "read by codecs", "36"),
]
ARROWS = [
    ((120, 87), (150, 87), ""),
    ((260, 87), (290, 87), ""),
    ((400, 87), (430, 87), ""),
    ((550, 78), (590, 42), ""),
    ((550, 96), (590, 132), ""),
    ((490, 114), (490, 210), "what both said"),
    ((430, 237), (400, 237), ""),
]
SHOWN = [
    "failure: which words changed",
    "snapshot, report, diff, review",
    "a request without an answer",
    "fails the test at once",
]


def drawn(theme: str) -> str:
    """Return the picture for one ground."""
    colours = THEMES[theme]
    parts = [part for box in BOXES for part in _box(*box, colours=colours)]
    parts += [part for start, end, said in ARROWS for part in _arrow(start, end, said, colours)]
    parts += [_text(395, 222 + 17 * number, line, colours["text"], "end") for number, line in enumerate(SHOWN[:2])]
    parts += [
        _text(650, 88 + 0 * number, line, colours["90"], "middle") for number, line in enumerate(["or, with a key,"])
    ]
    parts += [_text(180, 150 + 17 * number, line, colours["31"], "middle") for number, line in enumerate(SHOWN[2:])]
    parts.append(
        f'<path d="M 440 114 C 430 165 360 160 275 155" fill="none" stroke="{colours["31"]}" stroke-width="1.5" stroke-dasharray="4 3" marker-end="url(#r)"/>'
    )
    marks = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{colours[colour]}"/></marker>'
        for name, colour in (("a", "90"), ("r", "31"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT - 20}" role="img" aria-label="{escape(TITLE)}" '
        f'font-family="system-ui,-apple-system,Segoe UI,DejaVu Sans,sans-serif" font-size="13">'
        f"<title>{escape(TITLE)}</title><defs>{marks}</defs>"
        f'<rect width="100%" height="100%" rx="8" fill="{colours["ground"]}"/>{"".join(parts)}</svg>\n'
    )


def _box(
    x: int, y: int, width: int, height: int, title: str, does: str, colour: str, *, colours: dict[str, str]
) -> list[str]:
    middle = x + width // 2
    return [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="none" stroke="{colours[colour]}" stroke-width="2"/>',
        _text(middle, y + 23, title, colours["text"], "middle", bold=True),
        _text(middle, y + 42, does, colours["90"], "middle"),
    ]


def _arrow(start: tuple[int, int], end: tuple[int, int], said: str, colours: dict[str, str]) -> list[str]:
    (x, y), (to_x, to_y) = start, end
    line = f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="{colours["90"]}" stroke-width="1.5" marker-end="url(#a)"/>'
    return [line, _text(x + 8, (y + to_y) // 2 + 26, said, colours["90"], "start")] if said else [line]


def _text(x: int, y: int, text: str, colour: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


if __name__ == "__main__":
    for theme in THEMES:
        (IMAGES / f"flow-{theme}.svg").write_text(drawn(theme), "utf-8")
