"""Terminal output, colours included, as an SVG of 80 columns that asks for nothing from anywhere."""

from __future__ import annotations

import re
from html import escape
from unicodedata import east_asian_width

COLUMNS = 80
_SIZE = 14
_WIDTH, _HEIGHT = _SIZE * 0.6, _SIZE * 1.35
_MARGIN = 14
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_OTHER = re.compile(r"\x1b\[[\d;?]*[A-Za-ln-z]|\r")
THEMES = {
    "dark": {
        "ground": "#14171d",
        "text": "#d6dae2",
        "31": "#ff8078",
        "32": "#7fd68a",
        "33": "#e8c26a",
        "34": "#7fb4ff",
        "35": "#d99bf0",
        "36": "#66d0d6",
        "90": "#858c9a",
    },
    "light": {
        "ground": "#ffffff",
        "text": "#24292f",
        "31": "#b3261e",
        "32": "#17722c",
        "33": "#7d5800",
        "34": "#0b57c4",
        "35": "#8a2fa8",
        "36": "#0d6f78",
        "90": "#667080",
    },
}
"""Of each colour, what has a contrast of 4.5 to 1 at least with the ground."""


def svg(text: str, theme: str, title: str) -> str:
    """Return the picture of a text with escape sequences."""
    colours = THEMES[theme]
    lines = [line for whole in _OTHER.sub("", text).rstrip("\n").split("\n") for line in _folded(whole)]
    width, height = COLUMNS * _WIDTH + 2 * _MARGIN, len(lines) * _HEIGHT + 2 * _MARGIN
    rows = "".join(_row(line, number, colours) for number, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'
        f'\'DejaVu Sans Mono\',monospace" font-size="{_SIZE}" fill="{colours["text"]}">'
        f"<title>{escape(title)}</title>"
        f'<rect width="100%" height="100%" rx="8" fill="{colours["ground"]}"/>{rows}</svg>\n'
    )


def _folded(line: str) -> list[str]:
    """Break a line where a terminal of 80 columns does; its colour goes on."""
    lines, current, used, colour = [], "", 0, ""
    for piece in re.findall(r"\x1b\[[\d;]*m|.", line):
        if piece.startswith("\x1b"):
            colour = piece
            current += piece
            continue
        room = 2 if east_asian_width(piece) in "WF" else 1
        if used + room > COLUMNS:
            lines.append(current)
            current, used = colour, 0
        current += piece
        used += room
    return [*lines, current]


def _row(line: str, number: int, colours: dict[str, str]) -> str:
    """Return one line: a text for each stretch of one colour, as wide as its columns whatever the font."""
    pieces, column, style = [], 0, ""
    for place, piece in enumerate(_SGR.split(line)):
        if place % 2:
            style = _style(piece, style, colours)
            continue
        blanks = len(piece) - len(piece.lstrip(" "))
        shown = piece.strip(" ")
        if shown:
            x, y = _MARGIN + (column + blanks) * _WIDTH, _MARGIN + (number + 0.78) * _HEIGHT
            pieces.append(
                f'<text x="{x:.1f}" y="{y:.1f}" textLength="{len(shown) * _WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
                f' xml:space="preserve"{style}>{escape(shown, quote=False)}</text>'
            )
        column += len(piece)
    return "".join(pieces)


def _style(codes: str, style: str, colours: dict[str, str]) -> str:
    """Return the attributes that are in force behind an escape sequence."""
    for code in codes.split(";"):
        if code in ("", "0"):
            style = ""
        elif code == "1":
            style += ' font-weight="700"' if "font-weight" not in style else ""
        elif code in ("39", "22"):
            style = re.sub(' fill="[^"]*"', "", style) if code == "39" else style.replace(' font-weight="700"', "")
        else:
            colour = colours.get(str(int(code) - 60) if code.startswith("9") and code != "90" else code)
            if colour:
                style = re.sub(' fill="[^"]*"', "", style) + f' fill="{colour}"'
    return style
