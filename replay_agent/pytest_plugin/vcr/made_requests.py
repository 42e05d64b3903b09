"""Requests, recorded and sent, as vcrpy holds them, made at once instead of header by header."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from types import CodeType
from typing import Any
from urllib.parse import ParseResult, urlparse

import vcr.request
from vcr import serialize
from vcr.request import HeadersDict, Request
from vcr.serializers import compat

__all__ = "STUBS", "asked_of", "headers_of", "loaded", "makes_requests", "request_of"

STUBS = "vcr.stubs.httpx_stubs"
"""The module of vcrpy that makes requests of what httpx, or a library like it, sends."""
_CLIENTS = "httpx", "httpx2"
_MAKER = ("VcrRequest", "method", "str", "url", "headers"), ("real_request", "real_request_body")
"""The names that its function for it goes by: what `asked_of` does."""
_LOADER = {
    *("_from_dict", "_looks_like_an_old_cassette", "_warn_about_old_cassette_format", "compat", "constructor"),
    *("convert_to_bytes", "deserialize", "get", "yaml", "ConstructorError", "ImportError", "Request", "ValueError"),
}
"""The names that its function for what was read of a cassette goes by: what `loaded` does."""
_KINDS = *HeadersDict.__mro__[:2], Request
_UNCHANGEABLE = frozenset({bytes, str, type(None)})


def _seen() -> list[dict[str, Any]]:
    """Return the attributes of vcrpy's classes, without what Python adds when it copies one or is asked for annotations."""
    found = [vars(kind).copy() for kind in _KINDS]
    for attributes in found:
        for added in ("__annotations__", "__annotations_cache__", "__slotnames__"):
            attributes.pop(added, None)
    return found


_MADE = _seen()


def loaded(document: Any) -> tuple[Any, ...] | None:
    """Return what vcrpy makes of what was read of a cassette; None if it is to make it itself.

    It consists of the requests, the responses, and what else the cassette holds, if anything.
    """
    interactions = document.get("interactions") if type(document) is dict else None
    if type(interactions) is not list or not (_LOADS and _are_as_known()):
        return None
    found = []
    for each in interactions:
        if type(each) is not dict or type(each.get("request")) is not dict or "response" not in each:
            return None
        request = each["request"]
        if request.keys() != _PARTS or type(request["headers"]) is not dict:
            return None
        found.append(request)
    requests = [request_of(one["method"], one["uri"], one["body"], headers_of(one["headers"])) for one in found]
    responses = [compat.convert_to_bytes(each["response"]) for each in interactions]
    metadata = document.get("metadata")
    return (requests, responses, metadata) if metadata else (requests, responses)


_PARTS = {"method", "uri", "body", "headers"}


def _names_in(code: CodeType) -> frozenset[str]:
    """Return the names that a function goes by, those of the functions in it too."""
    inner = [_names_in(each) for each in code.co_consts if isinstance(each, CodeType)]
    return frozenset(code.co_names).union(*inner)


_LOADS = _names_in(serialize.deserialize.__code__) == _LOADER


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
    return request_of(real_request.method, str(real_request.url), real_request_body, _sent(real_request.headers))


def request_of(method: Any, uri: Any, body: Any, headers: Any) -> Any:
    """Return vcrpy's request, where vcrpy is as known."""
    is_usual = type(uri) is str and type(body) in _UNCHANGEABLE and type(headers) is HeadersDict
    if not is_usual or vcr.request.log.isEnabledFor(logging.DEBUG):
        return Request(method, uri, body, headers)
    return _made(method, uri, body, headers)


def _made(method: Any, uri: str, body: Any, headers: Any) -> Any:
    made: Any = object.__new__(Request)
    vars(made).update(
        method=method,
        _uri=uri,
        parsed_uri=_parsed(uri),
        _was_file=False,
        _was_iter=False,
        _body=body.encode("utf-8") if type(body) is str else body,
        _headers=headers,
    )
    return made


@lru_cache(maxsize=256)
def _parsed(uri: str) -> ParseResult:
    return urlparse(uri)


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
_AGREES = list(vars(headers_of(_SAMPLE)).items()) == list(vars(HeadersDict(_SAMPLE)).items()) and all(
    list(vars(_made("GET", uri, body, headers)).items()) == list(vars(Request("GET", uri, body, headers)).items())
    for uri, body, headers in [("http://a/b?c", "d", HeadersDict(_SAMPLE)), ("", None, HeadersDict())]
)
"""Whether this vcrpy's headers and requests are what they are made to be here."""
