"""Cassettes of others: vcrpy's layout in all its ages, its cousin with ``parsed_body``, cassetter's, and LangChain's.

LangChain's tests keep ``requests`` and ``responses`` in two lists, which belong together by their order. The others hold a mapping with ``interactions`` (vcrpy before 1.0 a bare list), each of a ``request`` and a ``response``.
They differ in where the body is:

* vcrpy: ``body: text``, ``body: {string: text or bytes}``, ``body: {base64_string: ...}`` (its JSON files of 1.x), and
  ``content`` with ``status_code`` (its httpx recordings up to 4.x);
* pydantic-ai's test suite: ``parsed_body``, the JSON already parsed, in place of the body;
* cassetter: ``body: {type: json, text, binary (hexadecimal) or none, content: ...}``, in TOML ``body_type`` and
  ``body_content``.

None keeps pieces or times: a body comes back as one chunk.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from replay_agent.exceptions import CassetteUnreadable, CassetteVersionError, UserError
from replay_agent.recording.cassettes.items import MAX_HEADERS, MAX_HEADERS_SIZE
from replay_agent.recording.matching.hosts import DEFAULT_PORTS
from replay_agent.traffic import Chunk, Headers, Interaction, Request, Response, StreamEnd, header

__all__ = "dump_vcr", "read_foreign"

_VERSION = 1
_SHOWN = 60
_TWO_LISTS = {"requests", "responses"}

Fields: TypeAlias = Mapping[str, Any]


class _Bad(ValueError):
    """What is wrong with one interaction; the caller adds which one and the file."""


def read_foreign(document: object, path: Path) -> list[Interaction]:
    """Read the interactions of a parsed YAML, JSON or TOML document in any of the layouts above.

    Raises `CassetteVersionError` for a version other than 1, `CassetteUnreadable` for anything that is not such a
    document; both name the file, and the interaction (counted from 1) where one is at fault.
    """
    found: list[Interaction] = []
    for number, item in enumerate(_items(document, path), 1):
        try:
            found.append(_interaction(item))
        except _Bad as exc:
            raise CassetteUnreadable(
                f"{path}: interaction {number} {exc}. Restore the file, or delete it and record again.", path
            ) from exc
    return found


def _items(document: object, path: Path) -> list[Any]:
    if isinstance(document, list) and document and isinstance(document[0], dict) and "request" in document[0]:
        return document
    if isinstance(document, dict) and "interactions" not in document and document.keys() >= _TWO_LISTS:
        return _paired(document["requests"], document["responses"], path)
    if not isinstance(document, dict) or "interactions" not in document:
        raise CassetteUnreadable(
            f"{path} is not a cassette: {_described(document)}. "
            "A cassette is a mapping with `interactions`; restore the file, or delete it and record again.",
            path,
        )
    version = document.get("version", _VERSION)
    if version is True or str(version) != str(_VERSION):  # which equals 1
        raise CassetteVersionError(
            f"{path} says format version {_excerpt(version)}; this release reads version {_VERSION}. "
            "Update pytest-replay-agent, or record the cassette again.",
            path,
        )
    items = document["interactions"]
    if not isinstance(items, list):
        raise CassetteUnreadable(
            f"{path}: `interactions` must be a list, it is {_kind(items)}. "
            "Restore the file, or delete it and record again.",
            path,
        )
    return items


def _paired(requests: object, responses: object, path: Path) -> list[Any]:
    """Return interactions out of LangChain's two lists."""
    if not isinstance(requests, list) or not isinstance(responses, list) or len(requests) != len(responses):
        raise CassetteUnreadable(
            f"{path}: `requests` and `responses` must be lists of equal length. "
            "Restore the file, or delete it and record again.",
            path,
        )
    return [{"request": request, "response": response} for request, response in zip(requests, responses, strict=True)]


def _described(document: object) -> str:
    if isinstance(document, dict):
        return "it is a mapping without `interactions`"
    return f"it holds {_kind(document)}"


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bytes: "binary data", type(None): "nothing (null)"}
    return names.get(type(value), f"a {type(value).__name__}")


def _excerpt(value: object) -> str:
    """Return a value as a message shows it: a text in part, a collection by its kind."""
    if isinstance(value, dict | list):
        return _kind(value)
    return repr(value[:_SHOWN] if isinstance(value, str | bytes) else value)


def _interaction(item: object) -> Interaction:
    fields = _mapping(item, "")
    raw_request, raw_response = _mapping(fields.get("request"), "request"), _mapping(fields.get("response"), "response")
    recorded_at = fields.get("recorded_at")
    request = _request(raw_request)
    return Interaction(
        request,
        _response(raw_response, request.method),
        recorded_at=None if recorded_at is None else str(recorded_at),
    )


def _mapping(value: object, name: str) -> Fields:
    if isinstance(value, dict):
        return value
    if not name:
        raise _Bad(f"must be a mapping, it is {_kind(value)}")
    raise _Bad(f"has no {name}" if value is None else f"has a {name} that is {_kind(value)}, not a mapping")


def _request(fields: Fields) -> Request:
    return Request(
        _text(fields, "method").upper(),
        _text(fields, "uri") if "uri" in fields else _joined_uri(fields),
        _headers(fields.get("headers"), "request"),
        _body(fields, "request"),
    )


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise _Bad(f"has a request without `{name}`" if value is None else f"has a `{name}` that is {_kind(value)}")
    return value


def _joined_uri(fields: Fields) -> str:
    """Put together the address of a request of vcrpy before 1.0, which kept its parts."""
    if not {"protocol", "host", "path"} <= fields.keys():
        raise _Bad("has a request without `uri`")
    protocol, port = str(fields["protocol"]), fields.get("port")
    shown = "" if port is None or port == DEFAULT_PORTS.get(protocol) else f":{port}"
    return f"{protocol}://{fields['host']}{shown}{fields['path']}"


def _response(fields: Fields, method: str) -> Response:
    status, reason = _status(fields)
    body = _body(fields, "response")
    headers = _headers(fields.get("headers"), "response")
    return Response(
        status,
        _agreeing(headers, body) if body and method != "HEAD" else headers,
        (Chunk(body),) if body else (),
        reason=reason,
    )


def _status(fields: Fields) -> tuple[int, str | None]:
    status = fields.get("status", fields.get("status_code"))
    code, reason = (status.get("code"), status.get("message")) if isinstance(status, dict) else (status, None)
    if isinstance(code, str) and len(code) <= len("999") and code.isascii() and code.isdigit():
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool) or not 100 <= code <= 999:
        raise _Bad(
            "has a response without status" if code is None else f"has a status that is no number: {_excerpt(code)}"
        )
    return code, str(reason) if reason else None


def _headers(value: object, where: str) -> Headers:
    if value is None:
        return ()
    if isinstance(value, dict):
        pairs: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        pairs = map(_pair, value)
    else:
        raise _Bad(f"has {where} headers that are {_kind(value)}, not a mapping")
    each = ((_header_text(name), _header_text(text)) for name, texts in pairs for text in _each(texts))
    headers = tuple(islice(each, MAX_HEADERS + 1))
    if len(headers) > MAX_HEADERS or sum(len(name) + len(text) for name, text in headers) > MAX_HEADERS_SIZE:
        raise _Bad(f"has {where} headers that are too many or too long ({MAX_HEADERS}, {MAX_HEADERS_SIZE} characters)")
    return headers


def _pair(value: object) -> tuple[Any, Any]:
    """Read a header of a list: a pair, or, from vcrpy before 1.0, a whole line."""
    if isinstance(value, str):
        name, colon, text = value.partition(":")
        if colon:
            return name, text.strip()
    elif isinstance(value, list | tuple) and len(value) == 2:
        return value[0], value[1]
    raise _Bad(f"has a header that is {_kind(value)}, not a name with its value")


def _each(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _header_text(value: object) -> str:
    """Return a header as the characters of its bytes (latin-1), however the file spells it."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if value is None or isinstance(value, dict | list):
        raise _Bad(f"has a header whose value is {_kind(value)}")
    text = str(value)
    if text.isascii():
        return text
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")  # clients send such characters as UTF-8
    return text


def _body(fields: Fields, where: str) -> bytes:
    """Return a body wherever the layout keeps it; an absent one is damage, an empty or null one is empty."""
    if "body_type" in fields:
        return _typed_body(fields["body_type"], fields.get("body_content"), as_json_text=True)
    body = fields.get("body", fields.get("content"))
    if not body and "parsed_body" in fields:
        # As json.dumps has it; the wire's spelling is lost.
        return _json(fields["parsed_body"], (", ", ": "), ascii_only=True)
    if "body" not in fields and "content" not in fields:
        raise _Bad(f"has a {where} without body")
    if isinstance(body, dict):
        return _nested_body(body)
    if isinstance(body, list):
        return b"".join(map(_bytes, body))
    return _bytes(body)


def _nested_body(body: Fields) -> bytes:
    if "type" in body:
        return _typed_body(body["type"], body.get("content"))
    if "string" in body:
        return _bytes(body["string"])
    for name in ("base64_string", "base64"):
        if name in body:
            return _undone(base64.b64decode, body[name], "base64")
    raise _Bad("has a body without `string`")


def _typed_body(kind: object, content: object, *, as_json_text: bool = False) -> bytes:
    if kind == "none":
        return b""
    if kind == "json":
        return _bytes(content) if as_json_text else _json(content, (",", ":"), ascii_only=False)
    if kind == "text":
        return _bytes(content)
    if kind == "binary":
        return _undone(binascii.unhexlify, content, "hexadecimal")
    raise _Bad(f"has a body of unknown type {_excerpt(kind)}")


def _bytes(value: object) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    raise _Bad(f"has a body that is {_kind(value)}, not text or binary data")


def _json(value: object, separators: tuple[str, str], *, ascii_only: bool) -> bytes:
    try:
        text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    except (TypeError, ValueError, RecursionError) as exc:
        raise _Bad(f"has a body that cannot be written as JSON: {exc}") from exc
    return text.encode("utf-8", "surrogatepass")


def _undone(decode: Callable[[bytes], bytes], value: object, name: str) -> bytes:
    try:
        return decode(_bytes(value))
    except binascii.Error as exc:
        raise _Bad(f"has a body that is no {name}: {exc}") from exc


def _agreeing(headers: Headers, body: bytes) -> Headers:
    """Take back what the headers say of a body that was stored decoded or written anew.

    Recorders that store decoded bodies leave the head as it was; a client would try to decode again, or wait for
    bytes that never come.
    """
    encoding = header(headers, "content-encoding")
    decoded = encoding is not None and not _may_be(encoding.strip().lower(), body)
    length = str(len(body))
    return tuple(
        (name, length if name.lower() == "content-length" else value)
        for name, value in headers
        if not (decoded and name.lower() == "content-encoding")
    )


def _may_be(encoding: str, body: bytes) -> bool:
    """Tell whether bytes can be in a content encoding, broken or not: by their first bytes, or not being text."""
    if encoding in ("gzip", "x-gzip"):
        return body.startswith(b"\x1f\x8b")
    if encoding == "zstd":
        return body.startswith(b"\x28\xb5\x2f\xfd")
    if encoding == "deflate":
        return _may_be_deflate(body)
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return encoding == "identity"


def _may_be_deflate(body: bytes) -> bool:
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            zlib.decompressobj(window).decompress(body, 1)
        except zlib.error:
            continue
        return True
    return False


def dump_vcr(interactions: Iterable[Interaction], *, as_json: bool = False) -> str:
    """Write interactions as a vcrpy cassette, in YAML or as its serializer for JSON does.

    Raises `UserError` for what that layout has no place for: a failure, an answer that was not read to its end, and in
    JSON a body that is no text.
    """
    document = {
        "version": _VERSION,
        "interactions": [_vcr_interaction(number, each) for number, each in enumerate(interactions, 1)],
    }
    if as_json:
        try:
            return json.dumps(document, indent=4) + "\n"
        except TypeError as exc:
            raise UserError("a body is no text, which vcrpy's JSON cannot hold; its YAML can") from exc
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(document, Dumper=dumper, allow_unicode=True)


def _vcr_interaction(number: int, interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.outcome
    if not isinstance(response, Response) or response.end is not StreamEnd.COMPLETE:
        raise UserError(f"interaction {number} ({request.method} {request.url}) did not end well: vcrpy cannot hold it")
    return {
        "request": {
            "body": _vcr_body(request.body) if request.body else None,
            "headers": _vcr_headers(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": {"string": _vcr_body(response.body)},
            "headers": _vcr_headers(response.headers),
            "status": {"code": response.status, "message": response.reason or ""},
        },
    }


def _vcr_body(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _vcr_headers(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped
