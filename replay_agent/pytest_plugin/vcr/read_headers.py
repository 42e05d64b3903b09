"""The headers of requests, recorded and sent, as vcrpy holds them, made at once instead of header by header."""

from __future__ import annotations

import sys
from typing import Any

from vcr.request import HeadersDict, Request

__all__ = "STUBS", "asked_of", "headers_of", "makes_requests", "with_headers"

STUBS = "vcr.stubs.httpx_stubs"
"""The module of vcrpy that makes requests of what httpx, or a library like it, sends."""
_CLIENTS = "httpx", "httpx2"
_MAKER = ("VcrRequest", "method", "str", "url", "headers"), ("real_request", "real_request_body")
"""The names that its function for it goes by: what `asked_of` does."""


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
    if not _are_as_known():
        return document
    interactions = document.get("interactions") if type(document) is dict else None
    for each in interactions if type(interactions) is list else ():
        request = each.get("request") if type(each) is dict else None
        if type(request) is dict and type(request.get("headers")) is dict:
            request["headers"] = headers_of(request["headers"])
    return document


def _are_as_known() -> bool:
    return _AGREES and _seen() == _MADE


def makes_requests(stubs: Any) -> bool:
    """Tell whether the function ``_make_vcr_request`` of the stubs does what `asked_of` does."""
    code = getattr(getattr(stubs, "_make_vcr_request", None), "__code__", None)
    return (
        code is not None
        and (code.co_names, code.co_varnames) == _MAKER
        and getattr(stubs, "VcrRequest", None) is Request
        and _are_as_known()
    )


def asked_of(real_request: Any, real_request_body: Any) -> Any:
    """Return vcrpy's request for one of httpx."""
    return Request(real_request.method, str(real_request.url), real_request_body, _sent(real_request.headers))


def _sent(headers: Any) -> Any:
    """Return vcrpy's headers for those of a client; themselves if vcrpy is to look at them one by one."""
    kind = type(headers)
    if not any(getattr(sys.modules.get(name), "Headers", None) is kind for name in _CLIENTS):
        return headers
    sent, encoding = headers.raw, headers.encoding
    store = {}
    for spelled, value in sent:
        name = spelled.lower().decode(encoding)
        store[name.lower()] = name, value.decode(encoding)
    return _holding(store) if len(store) == len(sent) else headers


def headers_of(read: dict[Any, Any]) -> Any:
    """Return vcrpy's headers; what was read itself if it is for vcrpy to say what they are."""
    for name, values in read.items():
        if type(name) is not str or type(values) is not list or not values:
            return read
    store = {name.lower(): (name, values[0]) for name, values in read.items()}
    if len(store) != len(read):
        return read
    return _holding(store)


def _holding(store: dict[str, tuple[str, Any]]) -> Any:
    made: Any = object.__new__(HeadersDict)
    made._store = store  # noqa: SLF001 - which `_AGREES` knows to be all that they consist of
    return made


_SAMPLE = {"Accept": ["*/*"], "x-Y": ["1", "2"], "z": [None]}
_AGREES = list(vars(headers_of(_SAMPLE)).items()) == list(vars(HeadersDict(_SAMPLE)).items())
"""Whether this vcrpy's headers are what they are made to be here."""
