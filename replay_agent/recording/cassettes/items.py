"""One interaction as the lines of an item, and the other way round."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from replay_agent.recording.cassettes.bodies import View, read_body, read_chunks, write_body, write_chunks
from replay_agent.recording.cassettes.frames import read_frames, write_frames
from replay_agent.recording.cassettes.safe_documents import BadDocument, read_yaml
from replay_agent.recording.cassettes.usual.items import outcome_start, usual_exchange, usual_response
from replay_agent.recording.cassettes.yaml_blocks import Unwritable, is_ordinary, read_block, write_block
from replay_agent.traffic import (
    Chunk,
    Failure,
    Frame,
    Headers,
    Interaction,
    Outcome,
    Phase,
    Request,
    Response,
    StreamEnd,
)

__all__ = "MARGIN", "BadItem", "item_from_fields", "read_item", "read_outcome", "write_item"

MARGIN = "  "
"""The column in which the fields of an item begin."""
_MEMBERS = MARGIN * 4
"""That of the members of a JSON body: the item, its request, that one's body, ``json:``."""

_VIEWS: tuple[View, ...] = ("json", "text", "base64")
_KNOWN = frozenset({"test", "recorded_at", "request", "response", "failure"})
# Characters, for which libyaml takes some tenths of a second: after each of several megabytes a test would feel it.
_CHECKED_BY_YAML = 1 << 18
_SHOWN = 60
_CONSTANTS = frozenset({"null", "true", "false"})
_MOST = 10**12
"""No number of an item is larger: thirty years in milliseconds, which a clock's wait still takes."""
MAX_HEADERS = 10_000
MAX_HEADERS_SIZE = 1 << 20
"""Headers of a message, and their characters; clients refuse far smaller heads."""


class BadItem(ValueError):
    """What is wrong with one item, to be read behind "interaction 3"; ``line`` is the line in the item, from 1."""

    def __init__(self, cause: str, line: int | None = None) -> None:
        self.cause = cause
        self.line = line
        super().__init__(cause)


def write_item(interaction: Interaction) -> str:
    """Return the lines of an interaction. They are checked to read back equal, to the byte.

    Raises `Unwritable` if that fails in every form, which only fields in ``extra`` can cause.
    """
    # From the most readable form to the one that can hold everything: what one form cannot hold, the next may.
    for view in _VIEWS:
        try:
            text = write_block(_fields(interaction, view), MARGIN)
        except Unwritable:
            continue
        if _reads_back(text, interaction):
            return text
    raise Unwritable(
        f"the interaction {interaction.request.method} {interaction.request.url} cannot be written as YAML"
    )


def _reads_back(text: str, interaction: Interaction) -> bool:
    """Tell whether our reader finds the very same interaction, and libyaml, which others read with.

    That one is asked where there are texts that it might take otherwise, and not of what is huge.
    """
    try:
        usual = _usual_item(text)
        if (usual or item_from_fields(read_block(text), edited=False)) != interaction:
            return False
        start = outcome_start(text)
        if usual is None and start and (usual_response(text[start:]) or interaction.outcome) != interaction.outcome:
            return False
        trusted = len(text) > _CHECKED_BY_YAML or is_ordinary(text)
        return trusted or _by_yaml(text, edited=False) == interaction
    except (ValueError, IndexError):
        return False


def _by_yaml(text: str, *, edited: bool) -> Interaction:
    try:
        fields = read_yaml(text, exact=True)
    except BadDocument as exc:
        raise BadItem(f"cannot be read: {exc.cause}", exc.line) from exc
    return item_from_fields(fields, edited=edited)


def _fields(interaction: Interaction, view: View) -> dict[str, Any]:
    outcome = interaction.outcome
    fields: dict[str, Any] = {}
    _add(fields, test=interaction.test, recorded_at=interaction.recorded_at)
    fields["request"] = _request_fields(interaction.request, view)
    if isinstance(outcome, Response):
        fields["response"] = _response_fields(outcome, view)
    else:
        fields["failure"] = _failure_fields(outcome)
    return {**fields, **interaction.extra}


def _request_fields(request: Request, view: View) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    _add(fields, method=request.method, uri=request.url, headers=_header_fields(request.headers))
    _add(fields, body=write_body(request.body, request.headers, view, _MEMBERS) or None)
    return fields


def _response_fields(response: Response, view: View) -> dict[str, Any]:
    fields: dict[str, Any] = {"status": response.status}
    _add(fields, reason=response.reason)
    if response.http_version != "HTTP/1.1":
        _add(fields, http_version=response.http_version)
    _add(fields, headers=_header_fields(response.headers))
    body = write_body(response.body, response.headers, view, _MEMBERS)
    _add(body, chunks=write_chunks(response.chunks))
    _add(fields, body=body or None)
    if response.frames:
        fields["frames"] = write_frames(response.frames, view)
    if response.end is not StreamEnd.COMPLETE:
        fields["end"] = response.end.value
    if response.waited_ms:
        fields["waited_ms"] = response.waited_ms
    if response.failure is not None:
        fields["failure"] = _failure_fields(response.failure)
    if response.redacted:
        fields["redacted"] = True
    return fields


def _failure_fields(failure: Failure) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    _add(fields, kind=failure.kind, phase=failure.phase.value, message=failure.message or None)
    if failure.after_ms:
        fields["after_ms"] = failure.after_ms
    return fields


def _add(fields: dict[str, Any], **values: Any) -> None:
    for name, value in values.items():
        if value is not None:
            fields[name] = _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> Any:
    """Return a text, or, if it holds a lone surrogate, its JSON, which is ASCII."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return {"json": json.dumps(text)}
    return text


def _header_fields(headers: Headers) -> list[dict[str, Any]] | None:
    return [_header_field(name, value) for name, value in headers] or None


def _header_field(name: str, value: str) -> dict[str, Any]:
    storable = _storable(name)
    if isinstance(storable, str) and len(name) < 100:
        return {name: _storable(value)}  # as people read headers; a name may be as odd as its value
    return {"name": storable, "value": _storable(value)}


def read_item(text: str, *, edited: bool = False) -> Interaction:
    """Read the lines of an interaction; ``edited`` for lines that may have been touched since they were written.

    Raises `BadItem`.
    """
    if not edited:
        usual = _usual_item(text)
        if usual is not None:
            return usual
        try:
            return item_from_fields(read_block(text), edited=False)
        except (ValueError, IndexError, RecursionError):
            pass  # written by nobody's `write_item`, whatever its checksum says: libyaml tells what is wrong with it
    return _by_yaml(text, edited=True)


# What may stand before the request: ``test: tests/test_a.py::test_b`` and ``recorded_at: '2026-11-27T10:00:00Z'``.
_BEFORE = re.compile(r"(?:  test: ([A-Za-z/_][^\n\"']*)\n)?(?:  recorded_at: '([0-9TZ:.+-]+)'\n)?(?=  request:\n)")


def _usual_item(text: str) -> Interaction | None:
    """Read the lines of a usual interaction that nobody has touched, None for any other."""
    before = _BEFORE.match(text)
    exchange = usual_exchange(text[before.end() :]) if before is not None else None
    if before is None or exchange is None or before[1] in _CONSTANTS:
        return None
    return Interaction(*exchange, test=before[1], recorded_at=before[2])


def read_outcome(text: str) -> Outcome:
    """Read what became of a request from the end of an item, that begins with ``response:`` or ``failure:``.

    For lines that nobody has touched. Raises `BadItem`.
    """
    usual = usual_response(text)
    if usual is not None:
        return usual
    try:
        return _outcome(read_block(text), "", edited=False)
    except (ValueError, IndexError, RecursionError) as exc:
        raise BadItem(f"cannot be read: {exc}") from exc


def item_from_fields(fields: object, *, edited: bool) -> Interaction:
    """Read an interaction from the fields of its item. Raises `BadItem`."""
    item = _mapping(fields, "")
    request = _request(_mapping(item.get("request"), "request"), edited=edited)
    return Interaction(
        request,
        _outcome(item, request.method, edited=edited),
        test=_optional_text(item, "test"),
        recorded_at=_optional_text(item, "recorded_at"),
        extra={name: value for name, value in item.items() if name not in _KNOWN},
    )


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    if not name:
        raise BadItem("is not a mapping")
    raise BadItem(f"has no `{name}`" if value is None else f"has a `{name}` that is not a mapping")


def _request(fields: Mapping[str, Any], *, edited: bool) -> Request:
    headers = _headers(fields.get("headers"))
    body = fields.get("body")
    return Request(
        _text(fields, "method"),
        _text(fields, "uri"),
        headers,
        b"" if body is None else _body(_mapping(body, "body"), headers, edited=edited),
    )


def _body(fields: Mapping[str, Any], headers: Headers, *, edited: bool) -> bytes:
    try:
        return read_body(fields, headers, edited=edited)
    except (ValueError, TypeError, RecursionError) as exc:
        raise BadItem(f"has a body that cannot be read: {exc}") from exc


def _outcome(item: Mapping[str, Any], method: str, *, edited: bool) -> Outcome:
    if "failure" in item:
        return _failure(_mapping(item["failure"], "failure"))
    if "response" not in item:
        raise BadItem("has neither `response` nor `failure`")
    return _response(_mapping(item["response"], "response"), method, edited=edited)


def _response(fields: Mapping[str, Any], method: str, *, edited: bool) -> Response:
    headers = _headers(fields.get("headers"))
    chunks = _chunks(fields.get("body"), headers, edited=edited)
    failure = fields.get("failure")
    end = _member(StreamEnd, fields.get("end", "complete"), "end")
    # Who shortens an answer by hand does not count its bytes. An answer to HEAD announces the length of a body it does
    # not have, and one that broke off that of a body which never came.
    if edited and end is StreamEnd.COMPLETE and method != "HEAD":
        headers = _with_length(headers, sum(len(chunk.data) for chunk in chunks))
    return Response(
        _status(fields),
        headers,
        chunks,
        reason=_optional_text(fields, "reason"),
        http_version=_optional_text(fields, "http_version") or "HTTP/1.1",
        end=end,
        waited_ms=_int(fields, "waited_ms"),
        failure=None if failure is None else _failure(_mapping(failure, "failure")),
        redacted=fields.get("redacted") is True,
        frames=_frames(fields.get("frames"), edited=edited),
    )


def _frames(value: object, *, edited: bool) -> tuple[Frame, ...]:
    try:
        return read_frames(value, edited=edited)
    except (ValueError, TypeError, RecursionError) as exc:
        raise BadItem(f"has frames that cannot be read: {exc}") from exc


def _chunks(body: object, headers: Headers, *, edited: bool) -> Sequence[Chunk]:
    if body is None:
        return ()
    fields = _mapping(body, "body")
    try:
        return read_chunks(_optional_text(fields, "chunks"), _body(fields, headers, edited=edited))
    except BadItem:
        raise
    except ValueError as exc:
        raise BadItem(str(exc)) from exc


def _with_length(headers: Headers, length: int) -> Headers:
    """Let the head agree with a body that may have been edited; an empty body says nothing of what a 304 announces."""
    if not length:
        return headers
    return tuple((name, str(length) if name.lower() == "content-length" else value) for name, value in headers)


def _status(fields: Mapping[str, Any]) -> int:
    status = _int(fields, "status")
    if not 100 <= status <= 999:
        raise BadItem("has a response without `status`" if "status" not in fields else f"has the status {status}")
    return status


def _failure(fields: Mapping[str, Any]) -> Failure:
    return Failure(
        _text(fields, "kind"),
        _member(Phase, fields.get("phase"), "phase"),
        _optional_text(fields, "message") or "",
        _int(fields, "after_ms"),
    )


def _headers(value: object) -> Headers:
    if value is None:
        return ()
    if isinstance(value, dict):
        value = [{name: each} for name, each in value.items()]
    if not isinstance(value, list):
        raise BadItem("has `headers` that are no list")
    if len(value) > MAX_HEADERS:
        raise BadItem(f"has {len(value)} headers; a message may have {MAX_HEADERS}")
    headers = tuple(_header(each) for each in value)
    if sum(len(name) + len(text) for name, text in headers) > MAX_HEADERS_SIZE:
        raise BadItem(f"has headers of more than {MAX_HEADERS_SIZE} characters")
    return headers


def _header(field: object) -> tuple[str, str]:
    fields = _mapping(field, "header")
    # The long form, for names that are no YAML key; one header cannot have two names otherwise.
    if len(fields) == 2 and {"name", "value"} == fields.keys():
        return _text(fields, "name"), _text(fields, "value")
    if len(fields) != 1:
        raise BadItem("has a header that is not one name with its value")
    ((name, value),) = fields.items()
    return name, value if type(value) is str else _text(fields, name)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = _optional_text(fields, name)
    if value is None:
        raise BadItem(f"has no `{name}`")
    return value


def _optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if isinstance(value, dict) and value.keys() == {"json"}:
        value = _from_json(value["json"], name)
    if value is None or isinstance(value, str):
        # A `Number` is a str too, which would be a number again when it is written.
        return value if type(value) is str or value is None else str(value)
    if isinstance(value, bool | int | float):
        return str(value)
    raise BadItem(f"has a `{name}` that is no text")


def _from_json(text: object, name: str) -> object:
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError) as exc:
        raise BadItem(f"has a `{name}` that is no JSON: {exc}") from exc


def _int(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    try:
        number = int(value)
        if abs(number) > _MOST:
            raise OverflowError
        return number
    except (ValueError, TypeError, OverflowError) as exc:
        raise BadItem(f"has a `{name}` that is no number: {repr(value)[:_SHOWN]}") from exc


def _member(kind: Any, value: object, name: str) -> Any:
    try:
        return kind(value)
    except ValueError as exc:
        known = ", ".join(each.value for each in kind)
        raise BadItem(f"has {repr(value)[:_SHOWN]} as `{name}`; it can be: {known}") from exc
