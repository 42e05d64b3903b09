"""Answers of JSON-RPC 2.0 given to another request than the one they were made for: under that one's id.

A client drops an answer whose ``id`` is not its request's, so a recorded answer needs the live request's. Nothing else
of the body changes, be it JSON or a stream of events; its pieces stay where they were.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.traffic import Chunk, Headers, Response, header

__all__ = "may_be_json_rpc", "readdressed"

_BLANKS = re.compile(r"[ \t\r\n]*")
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_PROGRESS = "notifications/progress"


class _Edit(NamedTuple):
    """A place in a body, and what comes there."""

    start: int
    end: int
    text: str


class _Value(NamedTuple):
    """A JSON value and where it stands in a text."""

    value: Any
    start: int
    end: int


def may_be_json_rpc(body: bytes) -> bool:
    """Tell, by a fast look, whether a request may be one of JSON-RPC."""
    return b'"jsonrpc"' in body


def readdressed(response: Response, asked: bytes, recorded: bytes) -> Response:
    """Return a recorded response as the answer to ``asked``, a request that means the same as the ``recorded`` one.

    Ids and progress tokens of the recorded request become those of the asked one. What cannot be read stays as it is.
    """
    new_ids = _new_ids(asked.decode("latin-1"), recorded.decode("latin-1"))
    if not new_ids:
        return response
    try:
        plain = _plain(response)
        # As latin-1, so that characters are bytes: what is compared and replaced is one as the other.
        text = plain.body.decode("latin-1")
        edits = list(_edits(text, new_ids, streamed=_is_stream(response.headers)))
    except (WireError, ValueError, RecursionError):
        return response
    return _edited(plain, edits) if edits else response


def _plain(response: Response) -> Response:
    body = decode(response.headers, response.body, partial=True)
    if header(response.headers, "content-encoding") is None:
        return response
    # A compressed body has no places to edit. It is given as one piece: where the client saw pieces of it, nobody
    # knows.
    headers = tuple(field for field in response.headers if field[0].lower() != "content-encoding")
    last = response.chunks[-1].offset_ms if response.chunks else 0
    return replace(response, headers=headers, chunks=(Chunk(body, last),))


def _is_stream(headers: Headers) -> bool:
    return (header(headers, "content-type") or "").lower().startswith("text/event-stream")


# --- which ids --------------------------------------------------------------------------------------------------------


def _new_ids(asked: str, recorded: str) -> dict[tuple[str, str], str]:
    """Return what stands in the asked request for each id and token of the recorded one, spelled as it is there."""
    try:
        # The requests mean the same, so their messages and ids stand in the same order.
        pairs = list(zip(_addresses(recorded), _addresses(asked), strict=True))
    except (ValueError, RecursionError):
        return {}
    changed = [(kind, old, new) for (kind, old), (_, new) in pairs if _plainly(old.value) != _plainly(new.value)]
    return {(kind, _plainly(old.value)): asked[new.start : new.end] for kind, old, new in changed}


def _addresses(text: str) -> Iterator[tuple[str, _Value]]:
    """Yield the ids and the progress tokens by which a client's messages are answered."""
    for message in _messages(text, 0):
        members = dict(_members(text, message))
        if "method" in members and "id" in members:
            yield "id", members["id"]
            token = _member(text, members.get("params"), "_meta", "progressToken")
            if token is not None:
                yield "token", token


def _plainly(value: Any) -> str:
    """Return an id so that 1 and "1", which are two, stay apart."""
    return json.dumps(value)


# --- where in an answer -----------------------------------------------------------------------------------------------


def _edits(text: str, new_ids: Mapping[tuple[str, str], str], *, streamed: bool) -> Iterator[_Edit]:
    if not streamed:
        yield from _edits_in(text, new_ids)  # the whole body is the document
        return
    for data, starts, places in _events(text):
        try:
            found = list(_edits_in(data, new_ids))
        except (ValueError, RecursionError):  # an event that is no JSON is none of ours
            continue
        for edit in found:
            line = bisect_right(starts, edit.start) - 1
            # An id stands on one line, whatever the provider breaks between its lines.
            shift = places[line] - starts[line]
            yield _Edit(edit.start + shift, edit.end + shift, edit.text)


def _edits_in(text: str, new_ids: Mapping[tuple[str, str], str]) -> Iterator[_Edit]:
    for message in _messages(text, 0):
        members = dict(_members(text, message))
        kind, place = "id", members.get("id")
        if "method" in members:  # the server's own: only its reports of progress answer something
            kind, place = "token", None
            if members["method"].value == _PROGRESS:
                place = _member(text, members.get("params"), "progressToken")
        new = new_ids.get((kind, _plainly(place.value))) if place else None
        if place and new is not None:
            yield _Edit(place.start, place.end, new)


def _events(text: str) -> Iterator[tuple[str, list[int], list[int]]]:
    """Yield the data of each event: its lines joined, where each begins in that, and where in the text."""
    lines: list[tuple[int, str]] = []
    for line in _LINE.finditer(text):
        name, colon, value = line[1].partition(":")
        if name == "data" and colon:
            said = value.removeprefix(" ")
            lines.append((line.end(1) - len(said), said))
        if not line[1] and lines:
            starts = [0, *accumulate(len(said) + 1 for _, said in lines)]
            yield "\n".join(said for _, said in lines), starts[:-1], [place for place, _ in lines]
            lines = []


# --- reading JSON by place --------------------------------------------------------------------------------------------

_read = json.JSONDecoder().raw_decode


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> _Value:
    at = _skip(text, at)
    value, end = _read(text, at)
    return _Value(value, at, end)


def _messages(text: str, at: int) -> Iterator[_Value]:
    """Yield the JSON-RPC messages of a document: itself, or the elements of a batch."""
    whole = _value(text, at)
    for each in _elements(text, whole) if isinstance(whole.value, list) else [whole]:
        if isinstance(each.value, dict) and each.value.get("jsonrpc") == "2.0":
            yield each


def _elements(text: str, holder: _Value) -> Iterator[_Value]:
    at = _skip(text, holder.start + 1)
    while text[at] != "]":
        element = _value(text, at)
        yield element
        at = _skip(text, element.end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _members(text: str, holder: _Value) -> Iterator[tuple[str, _Value]]:
    """Yield the members of an object, which is known to be well-formed."""
    at = _skip(text, holder.start + 1)
    while text[at] != "}":
        name = _value(text, at)
        member = _value(text, _skip(text, name.end) + 1)  # behind the colon
        yield name.value, member
        at = _skip(text, member.end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _member(text: str, holder: _Value | None, *names: str) -> _Value | None:
    for name in names:
        if holder is None or not isinstance(holder.value, dict):
            return None
        holder = dict(_members(text, holder)).get(name)
    return holder


# --- writing ----------------------------------------------------------------------------------------------------------


def _edited(response: Response, edits: Sequence[_Edit]) -> Response:
    """Return a response with these places of its body replaced, each in the piece in which it begins."""
    chunks: list[Chunk] = []
    begin = 0
    for chunk in response.chunks:
        chunks.append(replace(chunk, data=_edited_piece(chunk.data, begin, edits)))
        begin += len(chunk.data)
    length = str(sum(len(chunk.data) for chunk in chunks))
    headers = tuple((name, length if name.lower() == "content-length" else value) for name, value in response.headers)
    return replace(response, headers=headers, chunks=tuple(chunks))


def _edited_piece(data: bytes, begin: int, edits: Sequence[_Edit]) -> bytes:
    pieces: list[bytes] = []
    at, end = begin, begin + len(data)
    for edit in edits:
        if edit.end <= begin or edit.start >= end:
            continue
        pieces.append(data[at - begin : max(edit.start, begin) - begin])
        if edit.start >= begin:
            pieces.append(edit.text.encode("latin-1"))
        at = min(edit.end, end)
    return b"".join((*pieces, data[at - begin :]))
