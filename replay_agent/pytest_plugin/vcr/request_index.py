"""Finds the recorded requests that a request matches, as vcrpy's own matchers say, without asking them of every pair.

vcrpy compares a request with each recorded one in turn, and words an assertion for every pair that differs (of bodies
a diff), which nobody reads while there is an answer. Here each request has a key for each of vcrpy's matchers, and two
requests match if their keys are equal. What has no such key is left to the matchers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias
from xml.parsers.expat import ExpatError

from vcr import matchers
from vcr.request import Request

__all__ = "KEYED", "RequestIndex", "Undecided", "is_known"

Matcher: TypeAlias = Callable[[Any, Any], Any]
Interactions: TypeAlias = Sequence[tuple[Any, Any]]
Keys: TypeAlias = tuple[Hashable, Hashable, Hashable]


class Undecided(Exception):
    """Keys cannot tell what a request matches."""


class RequestIndex:
    """The recorded requests of one cassette, by their keys for some of vcrpy's matchers."""

    def __init__(self, asked: Iterable[Matcher]) -> None:
        """``asked`` are those of `KEYED` by which a request and a recorded one have to agree."""
        asked = set(asked)
        self._plain_keys = [key for matcher, key in _PLAIN.items() if matcher in asked]
        self._raw, self._parsed = matchers.raw_body in asked, matchers.body in asked
        self._meanings: dict[Hashable, Hashable] = {}
        self._plain: dict[Hashable, Hashable] = {}
        self._asked: Any = None
        self._found: list[int] = []
        self._forget()

    def _forget(self) -> None:
        self._read: list[dict[str, Any]] = []
        self._by_body: dict[Hashable, list[int]] = defaultdict(list)
        self._by_meaning: dict[Hashable, list[int]] = defaultdict(list)

    def places(self, request: Any, interactions: Interactions) -> list[int]:
        """Return where among the interactions the recorded requests are that match, in order.

        Raises `Undecided` where the matchers themselves have to be asked.
        """
        try:
            has_grown = self._keep_up(interactions)
            asked = request.method, request.uri, request.body, dict(request.headers._store)  # noqa: SLF001 - compared fast
            if has_grown or asked != self._asked or not isinstance(asked[2], bytes | None):
                self._asked, self._found = asked, self._search(request)
            return self._found
        except Undecided:
            raise
        except Exception as failure:  # what a matcher fails for, it is to fail for itself
            raise Undecided from failure

    def _search(self, request: Any) -> list[int]:
        plain, body, meaning = self._keys(request)
        by_body, by_meaning = self._by_body.get((plain, body), []), self._by_meaning.get((plain, meaning), [])
        return sorted({*by_body, *by_meaning}) if by_meaning and by_body != by_meaning else by_body

    def _keep_up(self, interactions: Interactions) -> bool:
        """Read the interactions that are new, all of them if one that was read has changed; tell whether any was."""
        states = [vars(request).copy() for request, _ in interactions]
        if states == self._read:
            return False
        if states[: len(self._read)] != self._read:
            self._forget()
        for place in range(len(self._read), len(states)):
            plain, body, meaning = self._keys(interactions[place][0])
            self._by_body[plain, body].append(place)
            if meaning is not None:
                self._by_meaning[plain, meaning].append(place)
        self._read = states
        return True

    def _keys(self, request: Any) -> Keys:
        """Return the keys of all but the body, of the body, and of what its headers make of it, None if nothing."""
        if type(request) is not Request:
            raise Undecided
        plain = self._plain_of(request)
        if not (self._raw or self._parsed):
            return plain, None, None
        body = request.body
        key = body if body is None or type(body) is bytes else _key_of(body)
        meaning = self._meaning(request, key) if self._parsed else None
        return plain, key, None if self._raw else meaning

    def _plain_of(self, request: Request) -> Hashable:
        """Return the keys of what a line of a request says, which most requests of a cassette have in common."""
        line = _text(request.method), _text(request.uri), request.parsed_uri
        if line not in self._plain:
            self._plain[line] = tuple([key(request) for key in self._plain_keys])
        return self._plain[line]

    def _meaning(self, request: Request, body: Hashable) -> Hashable:
        transformers = tuple(matchers._get_transformers(request))  # noqa: SLF001 - which apply is for vcrpy to say
        if not transformers:
            return None
        found = transformers, body
        if found not in self._meanings:
            self._meanings[found] = _transformed(transformers, body)
        return self._meanings[found]


def _transformed(transformers: Sequence[Callable[[Any], Any]], body: Hashable) -> Hashable:
    """Return the key of a body that was read as its headers say; None for one that cannot be, which is what it is."""
    if body is not None and type(body) is not bytes:
        raise Undecided
    value: Any = body
    try:
        for transform in transformers:
            value = transform(value)
    except (ValueError, ExpatError):
        return None
    return transformers, _key_of(value)


def _key_of(value: Any) -> Hashable:
    """Return what is equal for equal values, and only for those: of JSON, forms, bytes."""
    kind = type(value)
    if kind is dict:
        return frozenset(
            [(_key_of(name), each if type(each) is str else _key_of(each)) for name, each in value.items()]
        )
    if kind is list:
        return tuple([each if type(each) is str else _key_of(each) for each in value])
    if kind not in _HASHED or value != value:  # NaN, which equals nothing
        raise Undecided
    key: Hashable = value
    return key


_HASHED = frozenset({str, int, float, bool, type(None), bytes})


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


_PLAIN: dict[Matcher, Callable[[Request], Hashable]] = {
    matchers.method: _of_method,
    matchers.uri: _of_uri,
    matchers.scheme: lambda request: request.scheme,
    matchers.host: lambda request: request.host,
    matchers.port: lambda request: request.port,
    matchers.path: lambda request: request.path or "/",
    matchers.query: lambda request: tuple(request.query),
}

KEYED = frozenset({*_PLAIN, matchers.raw_body, matchers.body})
"""vcrpy's matchers that a request has keys for."""


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
    )
]
"""Requests whose addresses, and whose bodies, tell one way of comparing from another: each beside the next."""


@cache
def is_known() -> bool:
    """Tell whether this vcrpy compares requests as the keys do; one to come may do it in another way."""
    return all(_agrees(matcher, _BODIES if matcher is matchers.body else _ADDRESSES) for matcher in KEYED)


def _agrees(matcher: Matcher, requests: Sequence[Request]) -> bool:
    return all(
        bool(RequestIndex([matcher]).places(one, [(other, None)])) == matchers.requests_match(one, other, [matcher])
        for one, other in pairwise(requests)
    )
