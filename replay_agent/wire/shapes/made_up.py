"""Ids, and the pieces of a stream, for answers that we write: made of the content, the same on every run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from replay_agent.wire.shapes.json_text import dump_json

__all__ = "cut_into", "made_up_id", "pieces"

_PIECE = re.compile(r"\s*\S{1,24}|\s+")


def made_up_id(prefix: str, *content: object) -> str:
    """Return an id that depends on nothing but the content: the same answer has the same ids on every run."""
    digest = hashlib.sha256(b"\0".join(dump_json(value).encode() for value in content)).hexdigest()
    return prefix + digest[:24]


_cuts: ContextVar[dict[str, list[str]] | None] = ContextVar("replay_agent_cuts", default=None)


@contextmanager
def cut_into(texts: Sequence[str]) -> Iterator[None]:
    """Have `pieces` cut the text that these make together into just these, for a block."""
    token = _cuts.set({"".join(texts): list(texts)})
    try:
        yield
    finally:
        _cuts.reset(token)


def pieces(text: str) -> list[str]:
    """Cut a text into the pieces in which a provider might stream it: about a word each."""
    asked = (_cuts.get() or {}).get(text)
    return _PIECE.findall(text) if asked is None else asked
