"""The headers of recorded requests as vcrpy holds them, made at once instead of header by header."""

from __future__ import annotations

from typing import Any

from vcr.request import HeadersDict

__all__ = "headers_of", "with_headers"


def _seen() -> list[dict[str, Any]]:
    """Return the attributes of vcrpy's classes, without what Python adds when it copies one or is asked for annotations."""
    found = [vars(kind).copy() for kind in HeadersDict.__mro__[:2]]
    for attributes in found:
        for added in ("__annotations__", "__annotations_cache__", "__slotnames__"):
            attributes.pop(added, None)
    return found


_MADE = _seen()


def with_headers(document: Any) -> Any:
    """Return what was read of a cassette, the headers of its requests as `Request` would make them of what is there."""
    if not (_AGREES and _seen() == _MADE):
        return document
    interactions = document.get("interactions") if type(document) is dict else None
    for each in interactions if type(interactions) is list else ():
        request = each.get("request") if type(each) is dict else None
        if type(request) is dict and type(request.get("headers")) is dict:
            request["headers"] = headers_of(request["headers"])
    return document


def headers_of(read: dict[Any, Any]) -> Any:
    """Return vcrpy's headers; what was read itself if it is for vcrpy to say what they are."""
    for name, values in read.items():
        if type(name) is not str or type(values) is not list or not values:
            return read
    store = {name.lower(): (name, values[0]) for name, values in read.items()}
    if len(store) != len(read):
        return read
    made: Any = object.__new__(HeadersDict)
    made._store = store  # noqa: SLF001 - which `_AGREES` knows to be all that they consist of
    return made


_SAMPLE = {"Accept": ["*/*"], "x-Y": ["1", "2"], "z": [None]}
_AGREES = list(vars(headers_of(_SAMPLE)).items()) == list(vars(HeadersDict(_SAMPLE)).items())
"""Whether this vcrpy's headers are what they are made to be here."""
