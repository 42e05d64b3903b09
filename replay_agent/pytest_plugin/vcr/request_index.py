"""Tells which recorded requests a request matches, as vcrpy's own matchers say, without asking them of every pair.

vcrpy compares a request with each recorded one in turn, and words an assertion for every pair that differs (of bodies
a diff), which nobody reads while there is an answer. Here each request is read once for what vcrpy's matchers go by, and
two requests match if that is equal. What cannot be told so is left to the matchers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

from vcr import matchers
from vcr.request import Request

from replay_agent.pytest_plugin.vcr.read_bodies import Body, body_of, looks_at_what_is_known

__all__ = "KEYED", "Reading", "RequestIndex", "Undecided", "is_known"

Matcher: TypeAlias = Callable[[Any, Any], Any]
Interactions: TypeAlias = Sequence[tuple[Any, Any]]


class Undecided(Exception):
    """What was read cannot tell whether two requests match."""


class Reading:
    """What the matchers go by in a request, as it was when it was read."""

    __slots__ = ("_headers", "_state", "body", "is_safe", "line", "request")

    def __init__(self, request: Any) -> None:
        self.request = request
        self.line: Hashable = None
        self.body: Body | None = None
        self.is_safe = False
        """Whether to ask the matchers could not raise anything."""
        self._state: dict[str, Any] | None = None
        self._headers: dict[str, tuple[str, Any]] = {}

    def note(self) -> dict[str, tuple[str, Any]]:
        """Note what the request is like now, and return its headers."""
        if type(self.request) is not Request:
            raise Undecided
        state = vars(self.request).copy()
        self._headers = state["_headers"]._store.copy()  # noqa: SLF001 - its public methods are slow
        self._state = state
        return self._headers

    def is_of(self, request: Any) -> bool:
        """Tell whether it is of this request, which is as it was."""
        if self.request is not request or self._state is None:
            return False
        state = vars(request)
        is_same = state == self._state and state["_body"] is self._state["_body"]
        return bool(is_same and state["_headers"]._store == self._headers)  # noqa: SLF001


class RequestIndex:
    """The recorded requests of one cassette, by what some of vcrpy's matchers go by."""

    def __init__(self, asked: Iterable[Matcher]) -> None:
        """``asked`` are those of `KEYED` by which a request and a recorded one have to agree."""
        asked = set(asked)
        self._kinds = tuple([kind for matcher, kind in _LINES.items() if matcher in asked])
        self._lines = _known_lines.setdefault(self._kinds, {})
        self._raw, self._parsed = matchers.raw_body in asked, matchers.body in asked
        self._by_body = self._raw or self._parsed
        self._recorded: dict[int, Reading] = {}
        self._asked: Reading | None = None

    def places(self, request: Any, interactions: Interactions) -> list[int]:
        """Return where among the interactions the recorded requests are that match, in order.

        Raises `Undecided` where the matchers themselves have to be asked.
        """
        asked = self.asked(request)
        return [place for place, (recorded, _) in enumerate(interactions) if self.matches(asked, place, recorded)]

    def asked(self, request: Any) -> Reading:
        """Read a request. The last one is known still: it is asked for whether there is an answer, and then for that."""
        asked = self._asked
        if asked is None or not asked.is_of(request):
            asked = self._asked = self._read(request)
        return asked

    def matches(self, asked: Reading, place: int, recorded: Any) -> bool:
        """Tell whether a request matches the one that is recorded at a place, which may have been changed or replaced.

        Raises `Undecided` where the matchers themselves have to be asked.
        """
        known = self._recorded.get(place)
        if known is None or not known.is_of(recorded):
            known = self._recorded[place] = self._read(recorded)
        if not (asked.is_safe and known.is_safe):
            raise Undecided
        if asked.line != known.line:
            return False
        if asked.body is None or known.body is None:
            return True
        try:
            is_same = not self._raw or asked.body.is_same(known.body)
            return is_same and (not self._parsed or asked.body.means_same(known.body))
        except Exception as failure:  # what a matcher fails for, it is to fail for itself
            raise Undecided from failure

    def _read(self, request: Any) -> Reading:
        reading = Reading(request)
        try:
            headers = reading.note()
            reading.line = self._line_of(request)
            if self._by_body:
                reading.body = body_of(request, headers, parsed=self._parsed)
        except Exception:  # noqa: BLE001 - what a matcher fails for, it is to fail for itself
            return reading
        reading.is_safe = not self._by_body or reading.body is not None
        return reading

    def _line_of(self, request: Request) -> Hashable:
        """Return what some matchers go by in the line of a request, which most requests of a session have in common."""
        line = _text(request.method), _text(request.uri), request.parsed_uri
        known = self._lines.get(line)
        if known is None:
            known = tuple([kind(request) for kind in self._kinds])
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            self._lines[line] = known
        return known


def _of_method(request: Request) -> Hashable:
    return _text(request.method)


def _of_uri(request: Request) -> Hashable:
    uri = _text(request.uri)
    bare = f"{request.parsed_uri.scheme}://{request.parsed_uri.netloc}"
    return f"{bare}/{uri[len(bare) :]}" if not request.parsed_uri.path and uri.startswith(bare) else uri


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Undecided
    return value


_LINES: dict[Matcher, Callable[[Request], Hashable]] = {
    matchers.method: _of_method,
    matchers.uri: _of_uri,
    matchers.scheme: lambda request: request.scheme,
    matchers.host: lambda request: request.host,
    matchers.port: lambda request: request.port,
    matchers.path: lambda request: request.path or "/",
    matchers.query: lambda request: tuple(request.query),
}

_known_lines: dict[tuple[Callable[[Request], Hashable], ...], dict[Hashable, Hashable]] = {}
"""By what is asked of lines, those that were seen, with the answers."""
_MOST_LINES = 1000

KEYED = frozenset({*_LINES, matchers.raw_body, matchers.body})
"""vcrpy's matchers that a request is read for."""


_ADDRESSES = [
    Request("GET", uri, None, {})
    for uri in ("http://a", "http://a/", "http://a:80/?b=1&a=2", "https://a/?a=2&b=1", "https://a:80/b?a=2&b=1")
]
_JSON, _FORM = {"content-type": "application/json"}, {"content-type": "application/x-www-form-urlencoded"}
_BODIES = [
    Request("POST", "", body, headers)
    for body, headers in (
        (b"", _JSON),
        (None, _JSON),
        (b'{"a": [1, true]}', _JSON),
        (b'{"a": [1.0, 1]}', _JSON),
        (b'{"a": [1.0, 1]}', {}),
        (b'{"a": [1', _JSON),
        (b"b=2&a=1&c=", _FORM),
        (b"a=1&b=2", _FORM),
        (b"1\r\na\r\n0\r\n\r\n", {"transfer-encoding": "chunked"}),
        (b"a", {}),
        (b'{"a": NaN}', _JSON),
        (b'{"a": NaN}', _JSON),
    )
]
"""Requests whose addresses, and whose bodies, tell one way of comparing from another: each beside the next."""


@cache
def is_known() -> bool:
    """Tell whether this vcrpy compares requests as is done here; one to come may do it in another way."""
    return looks_at_what_is_known() and all(
        _agrees(matcher, _BODIES if matcher is matchers.body else _ADDRESSES) for matcher in KEYED
    )


def _agrees(matcher: Matcher, requests: Sequence[Request]) -> bool:
    return all(
        bool(RequestIndex([matcher]).places(one, [(other, None)])) == matchers.requests_match(one, other, [matcher])
        for one, other in pairwise(requests)
    )
