"""Finds the code that a client trades for a token (RFC 6749, 4.1.3) where it sends JSON: ``code`` tells nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replay_agent.recording.redaction.finders.clues import Clues, Rule
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.looks import is_key
from replay_agent.recording.redaction.spans import Span

__all__ = "GRANTS", "find_grants"

_GRANT = re.compile(rb'"grant_type"\s{0,9}+:\s{0,9}+"[^"\\]{0,60}code"')
_CODE = re.compile(rb'"code"\s{0,9}+:\s{0,9}+"([^"\\]{8,2000}+)"')
_EDGE = re.compile(rb"[{}]")
_AROUND = 6000


def find_grants(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find the code of a grant, in the object that says which one it is."""
    done = 0
    for grant in _GRANT.finditer(text) if b'"grant_type"' in text else ():
        start = max(text.rfind(b"{", done, grant.start()), grant.start() - _AROUND, done)
        edge = _EDGE.search(text, grant.end(), grant.end() + _AROUND)
        done = edge.start() if edge is not None else min(grant.end() + _AROUND, len(text))
        for found in _CODE.finditer(text, start, done):
            if is_key(found[1].decode("utf-8", "replace")):
                yield Span(*found.span(1), "code", found[1])


GRANTS = Rule(find_grants, (anchored((b'"grant_type"', b""), needs=b'"'),))
