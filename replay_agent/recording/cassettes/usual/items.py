"""Interactions as they nearly always are with models: some headers and one JSON body in each direction, or a stream back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from replay_agent.recording.cassettes.bodies import read_chunks, spelling_of
from replay_agent.recording.cassettes.json_spelling import Spelling
from replay_agent.recording.cassettes.usual.json_lines import LONG, JSONLines
from replay_agent.recording.cassettes.usual.one_line import OneLine, reading
from replay_agent.recording.cassettes.usual.streams import text_and_chunks
from replay_agent.traffic import Chunk, Headers, Request, Response

__all__ = "outcome_start", "usual_exchange", "usual_response"

# The lines of an item from ``  response:`` on, up to the first of the JSON body:
#     status: 200
#     reason: OK
#     headers:
#     - content-type: application/json
#     - content-length: '325'
#     body:
#       json:
# or, of a stream, up to the first of its text: ``      text: |+``.
_START = re.compile(r"  response:\n    status: ([1-9][0-9]{2})(?:\n    reason: ([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)*))?")
_HEADERS = "\n    headers:\n"
_HEADER = re.compile(r"    - ([A-Za-z][A-Za-z0-9_-]*): ([^\n]+)")
_BODY = "\n    body:\n      "
_JSON, _TEXT = "json:\n", re.compile(r"text: \|2?[-+]?\n")
_MOST_HEADERS = 100
# The same of a request:
#   request:
#     method: POST
#     uri: https://api.openai.com/v1/chat/completions
_REQUEST_HEAD = re.compile(
    r"  request:\n    method: ([A-Z]{3,10})\n    uri: (https?://[^\n]+)\n"
    r"(?:    headers:\n((?:    - [A-Za-z][A-Za-z0-9_-]*: [^\n]+\n){1,100}))?    body:\n      json:\n"
)
_RESPONSE = "\n  response:\n"
_REASONS_IN_QUOTES = frozenset({"True", "False", "Null", "Yes", "No", "On", "Off", "Y", "N"})
# What may stand behind the body: ``spelling: spaced ascii`` and ``chunks: all@35``, either or neither.
_REST = re.compile(r"\n(?:      spelling: ([a-z0-9 ]{1,60})\n)?(?:      chunks: (all@[0-9]{1,12})\n)?\Z")
_WHOLE = re.compile("all@([0-9]{1,12})")
_LONGEST_REST = 120
_ODD_VALUE = frozenset('"|[{')
_CONSTANTS = frozenset({"null", "true", "false"})
_LONGEST = 1 << 20
"""Characters. What is longer is left to the reader that counts lines and values."""
_COLUMN = 6
"""Where ``json:`` stands."""


def usual_response(text: str) -> Response | None:
    """Read the lines of a usual response, that nobody has touched, from ``response:`` on; None for any other.

    None says nothing of the lines: whoever asked reads them the long way, and finds what is wrong with them.
    """
    end = text.find(_BODY) if len(text) <= _LONGEST else -1
    if end < 0:
        return None
    # What stands before the body, line by line: most have been seen before, and are not read again.
    start, _, lines = text[:end].partition(_HEADERS)
    begun, headers = _first_lines(start), _headers(lines) if lines else ()
    if begun is None or headers is None:
        return None
    status, reason = begun
    begin = end + len(_BODY)
    try:
        if text.startswith(_JSON, begin):
            body, chunks = _body(text, begin + len(_JSON))
        elif (as_text := _TEXT.match(text, begin)) is not None:
            body, chunks = text_and_chunks(text, as_text.end())
        else:
            return None
        pieces: Sequence[Chunk]
        if chunks is None:
            pieces = (Chunk(body),) if body else ()
        else:
            whole = _WHOLE.fullmatch(chunks) if body else None
            pieces = (Chunk(body, int(whole[1])),) if whole else read_chunks(chunks, body)
        return Response(status, headers, pieces, reason)
    except (ValueError, IndexError, RecursionError):
        return None


def usual_exchange(text: str) -> tuple[Request, Response] | None:
    """Read the lines of a usual request and its usual response, from ``request:`` on; None for any other."""
    end = outcome_start(text)
    head = _REQUEST_HEAD.match(text) if end and len(text) <= _LONGEST else None
    response = usual_response(text[end:]) if head is not None else None
    if head is None or response is None:
        return None
    method, url, lines = head.groups()
    headers = _headers(lines[:-1]) if lines else ()
    if headers is None:
        return None
    try:
        body, chunks = _body(text[:end], head.end())
    except (ValueError, IndexError, RecursionError):
        return None
    return None if chunks is not None else (Request(method, url, headers, body), response)


def outcome_start(text: str) -> int:
    """Return where ``response:`` begins in the lines of an item, 0 where there is none."""
    # In column 2 it is a field of the item; in a body it would stand further right.
    return text.find(_RESPONSE) + 1


@lru_cache(maxsize=256)
def _first_lines(start: str) -> tuple[int, str | None] | None:
    """Read status and reason."""
    found = _START.fullmatch(start)
    if found is None or found[2] in _REASONS_IN_QUOTES:
        return None
    return int(found[1]), found[2]


def _headers(lines: str) -> Headers | None:
    found = tuple(map(_header, lines.split("\n")))
    return None if None in found or len(found) > _MOST_HEADERS else cast(Headers, found)


@lru_cache(maxsize=1024)
def _header(line: str) -> tuple[str, str] | None:
    """Read a header; most have the same value in all answers of a provider."""
    found = _HEADER.fullmatch(line)
    if found is None:
        return None
    name, value = found.groups()
    first = value[0]
    if first == "'":
        return name, value[1:-1].replace("''", "'")
    return None if first in _ODD_VALUE or value in _CONSTANTS else (name, value)


@lru_cache(maxsize=64)
def _spelled(words: str) -> tuple[Spelling, OneLine | None]:
    """Return what words say of the spelling of a body, and what reads one of that spelling that was on one line."""
    spelling = spelling_of(words)
    return spelling, reading(spelling)


def _body(text: str, begin: int) -> tuple[bytes, str | None]:
    """Return the bytes of a JSON body, and what is said of its pieces."""
    rest = _REST.search(text, max(begin, len(text) - _LONGEST_REST))
    if rest is None:
        raise ValueError("the last line does not end")
    spelling, chunks = rest.groups()
    said, one_line = _spelled(spelling or "compact")
    lines = text[begin : rest.start() + 1]
    body = one_line.read(lines) if one_line is not None and len(lines) < LONG else None
    if body is None:
        body = JSONLines(lines, said).below(_COLUMN)
    return body.encode("utf-8", "surrogatepass"), chunks
