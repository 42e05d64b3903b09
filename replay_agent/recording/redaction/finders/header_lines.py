"""Finds credentials in headers that a text shows: a request that was logged, a command that sends one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replay_agent.recording.redaction import looks
from replay_agent.recording.redaction.finders.clues import Clues, Rule
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.spans import Span

__all__ = "COOKIE_ATTRIBUTES", "HEADER_LINES", "find_in_header_lines"

_BEFORE_COOKIE = rb"""[ \t=]{1,4}+["']?+"""
_BEHIND_NAME = rb"""["']?+(?::[ \t=]{0,4}+|[ \t]{0,4}+=[ \t]{0,4}+)["'`]?+"""
_PAIR = rb"""[^\s=;,"'`<>{}()]{1,100}+="""
_COOKIES = re.compile(
    rb"""(?:ookie%b|(?:--cookie|[ \t]-b)%b)((?:%b[^\s;,"'`<>\\]{0,4096}+(?:;[ \t]{0,4}+)?+){1,100}+)"""
    % (_BEHIND_NAME, _BEFORE_COOKIE, _PAIR)
)
"""``Set-Cookie: sid=...; Path=/``, ``document.cookie = 'sid=...'``, ``curl -b 'sid=...'``"""
_COOKIE = re.compile(rb"([^\s=;]++)=([^\s;]++)")
_FILE = rb"\t[^\t\r\n]{0,400}+\t(?:TRUE|FALSE)\t[0-9]{1,20}+\t([^\t\r\n]{1,400}+)\t([^\s,]{1,4096}+)"
_COOKIES_OF_FILES = re.compile(rb"\t(?:TRUE|FALSE)" + _FILE)
"""A line of a file of cookies, as Netscape, curl and wget have it: columns without names."""
_AUTHORIZATION_FOLLOWS = (
    rb"""["']?+:(?:[ \t]*+\r?\n[ \t]{0,40}+-)?+[ \t]{0,4}+["']?+"""  # in YAML, on the next line
    rb"""(?:[A-Za-z][A-Za-z0-9\-]{1,20}+[ \t]{1,4}+)?+([^\s"'<>\\,;]{8,4000}+)"""
)
_AUTHORIZATION_SHOWS = rb"""["']?+:[ \t]*+(?:\r?\n|[^\r\n])"""
"""In one line: what follows may be on the next one."""
_AUTHORIZATION = re.compile(rb"(?:uthorization|UTHORIZATION)" + _AUTHORIZATION_FOLLOWS)
_SIGNATURE = re.compile(rb"Signature=([0-9a-f]{64})(?![0-9A-Za-z])")
"""Of a request to AWS."""
COOKIE_ATTRIBUTES = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority", "version", "comment"})
"""What is said of a cookie in a line with it, and is none itself."""


def find_in_header_lines(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find the values of cookies, and what a line of authorization holds."""
    for found in _COOKIES.finditer(text) if b"ookie" in text or b" -b" in text else ():
        for cookie in _COOKIE.finditer(text, *found.span(1)):
            yield from _of_cookie(cookie)
    for found in _COOKIES_OF_FILES.finditer(text):
        yield from _of_cookie(found)
    for found in _SIGNATURE.finditer(text):
        yield Span(*found.span(1), "signature", found[1])
    for found in _AUTHORIZATION.finditer(text):
        if looks.is_random(found[1].decode("utf-8", "replace")):
            yield Span(*found.span(1), "authorization", found[1])


def _of_cookie(found: re.Match[bytes]) -> Iterator[Span]:
    name, value = found[1].decode("utf-8", "replace"), found[2].decode("utf-8", "replace")
    if name.lower() not in COOKIE_ATTRIBUTES and looks.is_random(value):
        yield Span(*found.span(2), name, found[2])


HEADER_LINES = Rule(
    find_in_header_lines,
    (
        anchored(
            (b"ookie", _BEHIND_NAME + _PAIR),
            (b"--cookie", _BEFORE_COOKIE + _PAIR),
            (b"-b", rb"(?<=[ \t]-b)" + _BEFORE_COOKIE + _PAIR),
            needs=b"=",
        ),
        anchored((b"TRUE", _FILE), (b"FALSE", _FILE), needs=b"\t"),
        anchored((b"uthorization", _AUTHORIZATION_SHOWS), (b"UTHORIZATION", _AUTHORIZATION_SHOWS), needs=b":"),
    ),
    of_words=(anchored((b"Signature=", b""), needs=b"="),),
)
