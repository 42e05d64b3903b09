"""Streams as models send them: a text of events, and behind it how it came in pieces."""

from __future__ import annotations

import re

from replay_agent.recording.cassettes.yaml_blocks import read_literal

__all__ = ("text_and_chunks",)

_COLUMN = 8
"""Where the text of a body stands."""
# What may stand behind the text, and nothing else: how many lines each piece has, and when it came.
#     chunks: |-
#       2@1 2 2 2 2 2 2 2 2 2
#       2 2 2@2 1
# or, in one line, ``chunks: '2@1 2 2'``, ``chunks: all@35``.
_CHUNKS = re.compile(
    r"      chunks: (?:\|-\n((?:        [0-9a-z@+ ]+\n)+)|'([0-9a-z@+ ]+)'\n|((?:all|\+)[0-9a-z@+ ]*)\n)\Z"
)


def text_and_chunks(text: str, begin: int) -> tuple[bytes, str | None]:
    """Return the bytes of a literal block below ``text: |``, that line ending before ``begin``, and what is said of its pieces.

    Raises ValueError where anything else follows.
    """
    body, after = read_literal(text, begin - 1, _COLUMN)
    return body.encode("utf-8", "surrogatepass"), _chunks(text, after) if after < len(text) else None


def _chunks(text: str, begin: int) -> str:
    found = _CHUNKS.match(text, begin)
    if found is None:
        raise ValueError("something else follows")
    lines, quoted, plain = found.groups()
    return str(quoted or plain) if lines is None else lines[_COLUMN:-1].replace("\n" + " " * _COLUMN, "\n")
