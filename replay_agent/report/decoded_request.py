"""DecodedRequest: a request with its body read and the model call it makes; what changed from one to another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from replay_agent.calls import ModelCall
from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.recording.meaning.address import SameHosts, canonical_url
from replay_agent.recording.meaning.json_path import JSONPath
from replay_agent.report.bodies.parts import compare_parts
from replay_agent.report.bodies.texts import body_texts
from replay_agent.report.compare import Change, MessageChanged, SettingChanged, compare_calls
from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff
from replay_agent.report.remote_calls import compare_remote_calls
from replay_agent.report.words import word_diff
from replay_agent.traffic import Request
from replay_agent.wire.registry import read_call

__all__ = "DecodedRequest", "compare_addresses", "compare_requests", "read_request"


@dataclass(frozen=True, slots=True)
class DecodedRequest:
    """A request, read: its body as JSON where it is that, and the call of a model that it makes, if it makes one."""

    request: Request
    body: Any = ABSENT
    call: ModelCall | None = None
    format: str | None = None
    same_hosts: SameHosts | None = None

    @property
    def address(self) -> SplitResult:
        """The URL in its one spelling, in parts."""
        return urlsplit(canonical_url(self.request.url))

    def place_of(self, url: str) -> SplitResult:
        """Return a URL in parts, its host and base as one for all that stand for the same service."""
        url = canonical_url(url)
        return urlsplit(url if self.same_hosts is None else self.same_hosts(url))


def read_request(
    request: Request, ignored: Sequence[JSONPath] = (), same_hosts: SameHosts | None = None
) -> DecodedRequest:
    """Read a request, without what ``ignored`` names in a JSON body; ``same_hosts`` are no difference. Never raises."""
    return replace(_read(request, ignored), same_hosts=same_hosts)


def _without(ignored: Sequence[JSONPath], request: Request, body: Any) -> tuple[Request, Any]:
    """Return a request without the fields that do not count, and its body as JSON."""
    if not ignored or body is ABSENT:
        return request, body
    for path in ignored:
        body = path.remove_from(body)
    return replace(request, body=json.dumps(body).encode()), body


def _read(request: Request, ignored: Sequence[JSONPath]) -> DecodedRequest:
    try:
        request = replace(request, body=decode(request.headers, request.body))
    except WireError:
        return DecodedRequest(request)
    request, body = _without(ignored, request, _json(request.body))
    try:
        read = read_call(request)
    except WireError:
        read = None
    if read is None:
        return DecodedRequest(request, body)
    codec, call = read
    return DecodedRequest(request, body, call, codec.name)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return ABSENT


def compare_requests(before: DecodedRequest, after: DecodedRequest) -> list[Change]:
    """Return what changed, the address first."""
    changes = compare_addresses(before, after)
    if before.call is not None and after.call is not None:
        said = _as_in_bodies(compare_calls(before.call, after.call), before, after)
        if before.format != after.format:
            changes.append(SettingChanged("format", before.format, after.format))
        # A model's name stands in the path of some formats, and is a change of the model then, not of the path.
        if any(isinstance(change, SettingChanged) and change.name == "model" for change in said):
            changes = [change for change in changes if not _is(change, "path")]
        changes += said
        return changes or _bodies(before, after)
    return [*changes, *_bodies(before, after)]


def _as_in_bodies(changes: Sequence[Change], before: DecodedRequest, after: DecodedRequest) -> Sequence[Change]:
    """Return changes with those fields as the bodies have them of which a call says otherwise.

    A codec keeps a value of an unusual type beside the settings, and notes there what it would have written and is not there.
    """
    if (
        before.call is None
        or after.call is None
        or not isinstance(before.body, dict)
        or not isinstance(after.body, dict)
    ):
        return changes
    beside = {*before.call.extras, *after.call.extras}
    told = [
        _as_in(change, before.body, after.body)
        if isinstance(change, SettingChanged) and change.name in beside
        else change
        for change in changes
    ]
    return [change for place, change in enumerate(told) if change is not None and change not in told[:place]]


def _as_in(change: SettingChanged, before: dict[str, Any], after: dict[str, Any]) -> SettingChanged | None:
    """Return a change of a field as two bodies have it; None if neither has the field."""
    if not (_contradicts(change.name, change.before, before) or _contradicts(change.name, change.after, after)):
        return change
    one, other = before.get(change.name, ABSENT), after.get(change.name, ABSENT)
    return None if one is other is ABSENT else SettingChanged(change.name, one, other)


def _contradicts(name: str, said: Any, body: dict[str, Any]) -> bool:
    """Tell whether a field is said to be absent that is there, or to be null that is not; lists are told by their parts."""
    held = body.get(name, ABSENT)
    return (said is ABSENT and held is not ABSENT and not isinstance(held, list)) or (said is None and held is ABSENT)


def _is(change: Change, name: str) -> bool:
    return isinstance(change, SettingChanged) and change.name == name


def compare_addresses(before: DecodedRequest, after: DecodedRequest) -> list[Change]:
    """Return what changed of method, host, path and query."""
    old, new = before.address, after.address
    places = after.place_of(before.request.url), after.place_of(after.request.url)
    if places[0][:2] == places[1][:2]:  # the same service: what is left to compare is behind its base
        old, new = places
    pairs = [
        ("method", before.request.method, after.request.method),
        ("host", f"{old.scheme}://{old.netloc}", f"{new.scheme}://{new.netloc}"),
        ("path", old.path, new.path),
    ]
    changes: list[Change] = [SettingChanged(name, one, other) for name, one, other in pairs if one != other]
    if old.query != new.query:
        changes += _query(old.query, new.query)
    return changes


def _query(before: str, after: str) -> list[SettingChanged]:
    fields = json_diff(_fields(before), _fields(after), "query")
    return [SettingChanged(change.path, change.before, change.after) for change in fields]


def _fields(query: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _bodies(before: DecodedRequest, after: DecodedRequest) -> list[Change]:
    if before.body is not ABSENT and after.body is not ABSENT:
        called = compare_remote_calls(before.body, after.body)
        if called is not None:
            return called
        changes: list[ValueChange] = json_diff(before.body, after.body)
        return [SettingChanged(change.path, change.before, change.after) for change in changes]
    one, other = before.request.body, after.request.body
    if one == other:
        return []
    return compare_parts(before.request, after.request) or [
        MessageChanged(0, "body", word_diff(*body_texts(one, other)))
    ]
