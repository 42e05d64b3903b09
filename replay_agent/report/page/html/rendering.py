"""A report as one HTML file: nothing in it is fetched, nothing in it runs but our script, nothing in it is invisible.

What models say is hostile. Jinja2 escapes it, the policy in the file lets no script and no style run but the two whose
digests it names, and nothing of what was said becomes an address but the data of pictures that we know by their bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from replay_agent.report.page.html.texts import BOUNDS, Texts, bounds_for
from replay_agent.report.page.html.view import View, dollars, facts, milliseconds, seconds, thousands
from replay_agent.report.page.report import Report
from replay_agent.surroundings.visible import visible

__all__ = "MOST", "render"

MOST = 11_700_000
"""Bytes of a page: what a browser opens at once, and a CI keeps."""
_HEIGHT = 16
"""Of the bar that shows the pace of a stream."""
_WIDTH = 158
_BETWEEN = re.compile(r"(?<=>)\n+(?=<|\{\{|\{%)|(?<=\}\})\n+(?=<)")
"""A line end that only lays out a template; one behind what is told, as in a list of lines, belongs to it."""


def render(report: Report, most: int = MOST) -> str:
    """Return the page. With more to tell than ``most`` bytes hold, long texts are cut, and how much was cut is said."""
    place = bounds_for(report, most)
    page = _rendered(report, place)
    while len(page.encode("utf-8")) > most and place + 1 < len(BOUNDS):
        place = bounds_for(report, most, place + 1)
        page = _rendered(report, place)
    return page


def _rendered(report: Report, place: int) -> str:
    texts = Texts.of_report(report, BOUNDS[place])
    return _environment().get_template("page.html").render(view=View(report), texts=texts)


def _bars(pace: Sequence[tuple[int, int]]) -> str:
    """Return the pieces of a stream as the path of a drawing: bars over the time in which they came, by their sizes."""
    last, largest = max(1, pace[-1][0]), max(size for _, size in pace) or 1
    heights = [max(3, round(_HEIGHT * (size / largest) ** 0.5)) for _, size in pace]
    return "".join(f"M{1 + _WIDTH * at // last} {_HEIGHT}v-{high}" for (at, _), high in zip(pace, heights, strict=True))


def _finalized(value: Any) -> Any:
    # What has this method is markup: a macro's, or what a template calls safe, which are our style and script alone.
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        finalize=_finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _file("page.css"), _file("page.js")
    environment.globals |= {
        "style": style,
        "script": script,
        "policy": (
            f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        ),
        "usd": dollars,
        "seconds": seconds,
        "ms": milliseconds,
        "count": thousands,
        "bars_of": _bars,
        "facts_of": facts,
    }
    return environment


def _template(name: str) -> str:
    """Return a template without the line ends between elements: on a page each would be a node more for the browser."""
    return _BETWEEN.sub("", _file(name))


def _file(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return what the policy names an element by: the digest of its text, as the browser will read it."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
