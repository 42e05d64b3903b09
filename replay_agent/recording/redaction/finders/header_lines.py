"""Finds credentials in headers that a text shows: a request that was logged, a command that sends one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replay_agent.recording.redaction import looks
from replay_agent.recording.redaction.finders.clues import Clues, Rule
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.spans import Span

__all__ = "COOKIE_ATTRIBUTES", "HEADER_LINES", "find_in_header_lines"

_COOKIES = re.compile(
    rb"""(?:ookie["']?+:|--cookie|[ \t]-b)[ \t=]{1,4}+["']?+((?:[^\s=;,"'<>{}()]{1,100}+=[^\s;,"'<>\\]{0,4096}+(?:;[ \t]{0,4}+)?+){1,100}+)"""
)
"""``Set-Cookie: sid=...; Path=/``, ``curl -b 'sid=...'``"""
_COOKIE = re.compile(rb"([^\s=;]++)=([^\s;]++)")
_AUTHORIZATION = re.compile(
    rb"""uthorization["']?+:[ \t]{0,4}+["']?+(?:[A-Za-z][A-Za-z0-9\-]{1,20}+[ \t]{1,4}+)?+([^\s"'<>\\,;]{8,4000}+)"""
)
_SIGNATURE = re.compile(rb"Signature=([0-9a-f]{64})(?![0-9A-Za-z])")
"""Of a request to AWS."""
COOKIE_ATTRIBUTES = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority", "version", "comment"})
"""What is said of a cookie in a line with it, and is none itself."""


def find_in_header_lines(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find the values of cookies, and what a line of authorization holds."""
    for found in _COOKIES.finditer(text) if b"ookie" in text or b" -b" in text else ():
        for cookie in _COOKIE.finditer(found[1]):
            name, value = cookie[1].decode("utf-8", "replace"), cookie[2].decode("utf-8", "replace")
            if name.lower() not in COOKIE_ATTRIBUTES and looks.is_random(value):
                start = found.start(1) + cookie.start(2)
                yield Span(start, start + len(cookie[2]), name, cookie[2])
    for found in _SIGNATURE.finditer(text):
        yield Span(*found.span(1), "signature", found[1])
    for found in _AUTHORIZATION.finditer(text):
        if looks.is_random(found[1].decode("utf-8", "replace")):
            yield Span(*found.span(1), "authorization", found[1])


_BEFORE_COOKIE = rb"""[ \t=]{1,4}+["']?+[^\s=;,"'<>{}()]{1,100}+="""
HEADER_LINES = Rule(
    find_in_header_lines,
    (
        anchored(
            (b"ookie", rb"""["']?+:""" + _BEFORE_COOKIE),
            (b"--cookie", _BEFORE_COOKIE),
            (b"-b", rb"(?<=[ \t]-b)" + _BEFORE_COOKIE),
            (b"Signature=", b""),
            needs=b"=",
        ),
        anchored(
            (b"uthorization", _AUTHORIZATION.pattern.removeprefix(b"uthorization")),
            needs=b":",
        ),
    ),
)
