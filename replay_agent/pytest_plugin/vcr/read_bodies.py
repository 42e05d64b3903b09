"""Bodies of requests, compared as vcrpy's matcher compares them, but read as JSON or a form only where bytes do not tell.

That matcher reads both bodies for each pair of requests. Here a body is read once, and not at all where another one is
the same to the byte, and could not be read as anything that differs from itself, as NaN does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeAlias
from xml.parsers.expat import ExpatError

from vcr import matchers
from vcr.request import Request

__all__ = "Body", "body_of", "looks_at_what_is_known"

Transformers: TypeAlias = tuple[Callable[[Any], Any], ...]
Headers: TypeAlias = Mapping[str, tuple[str, Any]]
"""By its name in lower case, a header as it was spelled, and its value."""

_UNREAD, _UNREADABLE = object(), object()
_DEEPEST = 200
"""How many objects and arrays a text may begin, which none of them then is nested deeper than Python can follow."""
_LOOKED_AT = "content-type", "transfer-encoding", "user-agent"
"""The headers by which vcrpy's matcher knows how to read a body."""


class Body:
    """What one request says."""

    __slots__ = ("_raw", "_transformers", "_value")

    def __init__(self, raw: Any, transformers: Transformers) -> None:
        self._raw = raw
        self._transformers = transformers
        self._value: Any = _UNREAD

    def is_same(self, other: Body) -> bool:
        """Tell whether it is the other, as it was sent."""
        return bool(self._raw == other._raw)

    def means_same(self, other: Body) -> bool:
        """Tell whether it is the other, read as the headers say if those of both say the same and it can be read so."""
        same = bool(self._raw == other._raw)
        if not self._transformers or self._transformers != other._transformers or (same and _equals_itself(self._raw)):
            return same
        mine, others = self.read(), other.read()
        return same if mine is _UNREADABLE or others is _UNREADABLE else bool(mine == others)

    def read(self) -> Any:
        """Return what the transformers make of it."""
        if self._value is _UNREAD:
            value = self._raw
            try:
                for transform in self._transformers:
                    value = transform(value)
            except (ValueError, ExpatError):
                value = _UNREADABLE
            self._value = value
        return self._value


def _equals_itself(raw: Any) -> bool:
    """Tell whether a body that can be read is equal to itself, however it is read: no NaN, no call of a method in XML."""
    return type(raw) is bytes and raw[:1] in (b"{", b"[") and b"NaN" not in raw and b"\0" not in raw


def body_of(request: Request, headers: Headers, *, parsed: bool) -> Body | None:
    """Return the body of a request, to be read by its headers or not; None if to compare it may fail.

    Of what is no text, or neither JSON nor a form, vcrpy is to say itself what comes of it. What Python cannot follow, for
    it is nested too deep, raises here what it raises there.
    """
    raw = request.body
    transformers = _transformers(request, headers) if parsed else ()
    if type(raw) is bytes:
        if transformers and transformers not in _safe(is_empty=not raw):
            return None
        body = Body(raw, transformers)
        if transformers and raw.count(b"[") + raw.count(b"{") > _DEEPEST:
            body.read()
        return body
    is_safe = transformers in ((), _named()[_JSON]) if raw is None else not transformers and type(raw) in (dict, list)
    return Body(raw, transformers) if is_safe else None


_known: dict[Any, Transformers] = {}
_MOST_KNOWN = 256


def _transformers(request: Any, headers: Headers) -> Transformers:
    looked_at = tuple(map(headers.get, _LOOKED_AT))
    known = _known.get(looked_at)
    if known is None:
        known = tuple(matchers._get_transformers(request))  # noqa: SLF001 - which apply is for vcrpy to say
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[looked_at] = known
    return known


_JSON, _FORM, _CHUNKED = "application/json", "application/x-www-form-urlencoded", "chunked"


@cache
def _named() -> dict[str, Transformers]:
    """Return what vcrpy does with bodies of one kind."""
    sent = {
        _JSON: {"Content-Type": _JSON},
        _FORM: {"Content-Type": _FORM},
        _CHUNKED: {"Transfer-Encoding": _CHUNKED},
    }
    return {
        kind: tuple(matchers._get_transformers(Request("POST", "", None, headers)))  # noqa: SLF001
        for kind, headers in sent.items()
    }


@cache
def _safe(*, is_empty: bool) -> frozenset[Transformers]:
    """Return what may be done with bytes, one thing after the other, and raise nothing unforeseen."""
    json, form, chunked = _named().values()
    return frozenset({json, form} if is_empty else {json, form, chunked, chunked + json, chunked + form})


class _Noting(Mapping[str, str]):
    """Headers that note which of them are looked at."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self._sent = sent
        self.looked_at = set[str]()

    def __getitem__(self, name: str) -> str:
        self.looked_at.add(name.lower())
        return self._sent[name.lower()]

    def __iter__(self) -> Iterator[str]:
        self.looked_at.add("*")
        return iter(self._sent)

    def __len__(self) -> int:
        return len(self._sent)


def looks_at_what_is_known() -> bool:
    """Tell whether vcrpy knows how to read a body by the headers that are known here, and by no other."""
    all_sent = [{}, {"content-type": _JSON}, {"content-type": "text/xml"}, {"transfer-encoding": _CHUNKED}]
    for sent in (*all_sent, {"content-type": "text/xml", "user-agent": "xmlrpc"}):
        headers = _Noting(sent)
        list(matchers._get_transformers(SimpleNamespace(headers=headers)))  # noqa: SLF001
        if not headers.looked_at <= set(_LOOKED_AT):
            return False
    return True
