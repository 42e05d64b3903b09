"""Secrets that stand in a request before the run shows that they are any.

A recording run cleans such a request afterwards, when a header, a token service or a variable has told. A replay gets the
request first. What stands there where the recorded request has a placeholder is supposed to be that secret, if it looks
like nothing else and the requests are equal then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from replay_agent.recording.matching.keys import Keying
from replay_agent.recording.matching.placeholders import PLACEHOLDER, placeholder
from replay_agent.recording.redaction.layers.containers import decoded
from replay_agent.recording.redaction.layers.escapes import plain
from replay_agent.recording.redaction.looks import is_opaque, is_searchable
from replay_agent.traffic import Request

__all__ = "Supposed", "supposed", "supposed_among", "without_supposed"

_CONTEXT = 32
"""How many bytes before and behind a placeholder say where it stands; what lies farther off may differ from run to run."""
_MOST_PLACES = 64
"""Places with the same bytes before them that are looked at."""
_LONGEST = 4096


class Supposed(NamedTuple):
    """What may be a secret: the rule by which the recorded one was found, and the value as it is spelled there."""

    rule: str
    spelled: bytes

    @property
    def value(self) -> bytes:
        """The secret in plain."""
        return plain(self.spelled)


def supposed_among(live: Request, recorded: Iterable[tuple[str, Request]], keying: Keying) -> list[Supposed]:
    """Return what are secrets in a request if it is one of those that were recorded, given with the digests of their keys.

    Nothing if it is none of them.
    """
    for digest, request in recorded:
        found = supposed(live, request)
        if found and keying(without_supposed(live, found)).digest == digest:
            return found
    return []


def supposed(live: Request, recorded: Request) -> list[Supposed]:
    """Return what a request has in the places of a recorded one's placeholders: nothing where it has no such places.

    Both are redacted; what ``live`` has a placeholder for already is not in the result.
    """
    if live.method != recorded.method:
        return []
    text, found, position = _text(live), [], 0
    for name, before, behind in _contexts(_text(recorded)):
        place = _place(text, position, before, behind)
        if place is None:
            return []
        position = place[1]
        spelled = text[place[0] : position]
        if not PLACEHOLDER.fullmatch(spelled):
            found.append(Supposed(name.partition("~")[0], spelled))
    return found


def _text(request: Request) -> bytes:
    body = decoded(request.headers, request.body)
    return b"%b\n%b" % (request.url.encode("utf-8", "surrogateescape"), request.body if body is None else body)


def _contexts(text: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the name of each placeholder, and what stands at once before it and behind it."""
    places = [(found[1].decode(), *found.span()) for found in PLACEHOLDER.finditer(text)]
    ends = [0, *(end for _, _, end in places)]
    starts = [*(start for _, start, _ in places), len(text)]
    for (name, start, end), last_end, next_start in zip(places, ends, starts[1:], strict=False):
        yield name, text[max(last_end, start - _CONTEXT) : start], text[end : min(next_start, end + _CONTEXT)]


def _place(text: bytes, start: int, before: bytes, behind: bytes) -> tuple[int, int] | None:
    """Return where the first value stands, from ``start`` on, that is between these and looks like a secret."""
    for _ in range(_MOST_PLACES):
        mark = text.find(before, start)
        if mark < 0:
            return None
        first = mark + len(before)
        last = text.find(behind, first + 1, first + _LONGEST) if behind else min(len(text), first + _LONGEST)
        if last > first and _can_be_one(text[first:last]):
            return first, last
        start = mark + 1
    return None


def _can_be_one(spelled: bytes) -> bool:
    if PLACEHOLDER.fullmatch(spelled):
        return True
    value = plain(spelled).decode("utf-8", "replace")
    return is_opaque(value) and is_searchable(value)


def without_supposed(request: Request, found: Sequence[Supposed]) -> Request:
    """Return the request with placeholders for what is supposed to be a secret: what it would mean if it were one."""
    body = decoded(request.headers, request.body)
    url, body = request.url.encode("utf-8", "surrogateescape"), request.body if body is None else body
    for each in found:
        made = placeholder(each.rule)
        url, body = url.replace(each.spelled, made), body.replace(each.spelled, made)
    headers = tuple(field for field in request.headers if field[0].lower() != "content-encoding")
    return Request(request.method, url.decode("utf-8", "surrogateescape"), headers, body)
