"""Colours of a terminal: text that was coloured, where there are none."""

from __future__ import annotations

import re

__all__ = ("without_colours",)

_SGR = re.compile(r"\x1b\[[0-9;]*m")
"""What switches a colour on or off: ``ESC [ 31 m`` (ECMA-48, "select graphic rendition")."""


def without_colours(text: str) -> str:
    """Return a text as it is where there are no colours."""
    return _SGR.sub("", text)
