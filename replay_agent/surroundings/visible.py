"""Text that shows all it holds: no character of it steers a terminal, turns a line around or cannot be seen.

A cassette may come from a stranger, and what it says of tools, files and tests ends in a terminal and in a review.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ("visible",)

_PICTURES = {**{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}, 0x7F: "\u2421"}
"""The control characters of ASCII as the pictures that Unicode has of them."""
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_FORMATS = (
    r"\xad\u061c\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What has a meaning and no shape: marks of direction, joiners, the block of tags, in which whole sentences can hide."""
_BLANKS = r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
"""Letters and marks without ink, and the selectors of variants."""
_EMOJI = r"\xa9\xae\u203c-\u27ff\u2900-\u3299\U0001f000-\U0001faff"
_HIDDEN = (
    rf"(?<=[{_EMOJI}0-9#*])(\ufe0f)"
    rf"|(?<=[{_EMOJI}\ufe0f])(\u200d)(?=[{_EMOJI}])"
    rf"|[{_CONTROLS}{_FORMATS}{_BLANKS}]"
)
"""The first two alternatives stay: a heart is a letter and a selector, a family is faces and joiners between them."""


def visible(text: str) -> str:
    """Return a text with everything invisible shown, as a control picture or an escape; line breaks and tabs stay."""
    is_plain = text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()
    return text if is_plain else _hidden().sub(_shown, text)


@cache
def _hidden() -> re.Pattern[str]:
    return re.compile(_HIDDEN)


def _shown(hidden: re.Match[str]) -> str:
    if hidden.lastindex:
        return hidden[0]
    code = ord(hidden[0])
    return _PICTURES.get(code) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
