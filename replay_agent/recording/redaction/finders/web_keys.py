"""Finds the private members of JSON web keys (RFC 7517), whose names are single letters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replay_agent.recording.redaction.finders.clues import Clues, Rule
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.spans import Span

__all__ = "WEB_KEYS", "find_web_keys"

_KIND = re.compile(rb'"kty"\s{0,9}+:\s{0,9}+"(?:RSA|EC|OKP|oct)"')
_PRIVATE = re.compile(rb'"(d|p|q|dp|dq|qi|k)"\s{0,9}+:\s{0,9}+"([A-Za-z0-9_\-]{16,2000}+)"')
_EDGE = re.compile(rb"[{}]")
_AROUND = 6000


def find_web_keys(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find what of a key is private, in the object that says its type."""
    done = 0
    for kind in _KIND.finditer(text) if b'"kty"' in text else ():
        start = max(text.rfind(b"{", done, kind.start()), kind.start() - _AROUND, done)
        edge = _EDGE.search(text, kind.end(), kind.end() + _AROUND)
        done = edge.start() if edge is not None else min(kind.end() + _AROUND, len(text))
        for found in _PRIVATE.finditer(text, start, done):
            yield Span(*found.span(2), "private-key", found[2])


WEB_KEYS = Rule(find_web_keys, (anchored((b'"kty"', b""), needs=b'"'),))
