"""Requests that are no calls of a model, on both sides: searches, embeddings, tools over MCP."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.recording.meaning.address import canonical_url
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.meaning.token_requests import is_token_request
from replay_agent.report.compare import ArgumentChanged, Change, MessageChanged, SettingChanged
from replay_agent.report.comparison.causes import is_made_up
from replay_agent.report.comparison.result.difference import Difference, Gist, gist, lean
from replay_agent.report.conversation.answers import failure_text
from replay_agent.report.conversation.transcript import UnknownTraffic
from replay_agent.report.decoded_request import compare_requests, read_request
from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff
from replay_agent.report.render import render_change
from replay_agent.report.words import Span, word_diff
from replay_agent.traffic import Response

__all__ = ("differences_of",)

_Pair = tuple[UnknownTraffic | None, UnknownTraffic | None]
_MOST_TEXT = 200_000
"""Characters of an answer that are compared by words."""


def differences_of(old: Sequence[UnknownTraffic], new: Sequence[UnknownTraffic]) -> list[Difference]:
    """Return what is asked and answered otherwise, each once; turn 0 says that no model was asked.

    Requests for a token do not count: which test makes one depends on which ran first, and every answer is another one.
    """
    found: dict[Gist, Difference] = {}
    for pair in _pairs(_telling(old), _telling(new)):
        for difference in _differences(*pair):
            if not is_made_up(difference):
                found.setdefault(gist(difference), replace(difference, spans=lean(difference.spans)))
    return list(found.values())


def _telling(traffic: Sequence[UnknownTraffic]) -> list[UnknownTraffic]:
    return [each for each in traffic if not is_token_request(each.request)]


def _pairs(old: Sequence[UnknownTraffic], new: Sequence[UnknownTraffic]) -> Iterator[_Pair]:
    """Pair equal requests in order, then those to the same place."""
    key = meaning()
    digests = [{id(each): key(each.request).digest for each in side} for side in (old, new)]
    waiting: defaultdict[str, deque[UnknownTraffic]] = defaultdict(deque)
    for each in old:
        waiting[digests[0][id(each)]].append(each)
    lone_new: list[UnknownTraffic] = []
    for each in new:
        found = waiting[digests[1][id(each)]]
        if found:
            yield found.popleft(), each
        else:
            lone_new.append(each)
    left: defaultdict[str, deque[UnknownTraffic]] = defaultdict(deque)
    unmatched = [each for same in waiting.values() for each in same]
    for each in sorted(unmatched, key=lambda each: each.interaction):
        left[_place(each)].append(each)
    for each in lone_new:
        places = left[_place(each)]
        yield (places.popleft() if places else None), each
    yield from ((each, None) for same in left.values() for each in same)


def _place(traffic: UnknownTraffic) -> str:
    url = canonical_url(traffic.request.url).partition("?")[0].partition("://")[2]
    return f"{traffic.request.method} {url}"


def _differences(old: UnknownTraffic | None, new: UnknownTraffic | None) -> Iterator[Difference]:
    if old is None or new is None:
        only = new or old
        assert only is not None
        yield Difference("request_added" if old is None else "request_removed", 0, _place(only))
        return
    if old.request != new.request:
        yield from _of_requests(old, new)
    yield from _of_outcomes(old, new)


def _of_requests(old: UnknownTraffic, new: UnknownTraffic) -> Iterator[Difference]:
    key = meaning()
    if key(replace(old.request, headers=())).digest == key(replace(new.request, headers=())).digest:
        return
    for change in compare_requests(read_request(old.request), read_request(new.request)):
        if isinstance(change, MessageChanged):
            yield Difference("request_changed", 0, _place(new), change.spans)
        else:
            yield Difference("request_changed", 0, _place(new), values=(_value(change),))


def _value(change: Change) -> ValueChange:
    if isinstance(change, SettingChanged):
        return ValueChange(change.name, change.before, change.after)
    if isinstance(change, ArgumentChanged):
        return ValueChange(f"{change.call}: {change.name}", change.before, change.after)
    return ValueChange("call", ABSENT, "; ".join(render_change(change)))


def _of_outcomes(old: UnknownTraffic, new: UnknownTraffic) -> Iterator[Difference]:
    if _status(old) != _status(new):
        status = ValueChange("status", _status(old), _status(new))
        yield Difference("failure_changed", 0, _place(new), values=(status,))
    yield from _of_bodies(old, new)


def _of_bodies(old: UnknownTraffic, new: UnknownTraffic) -> Iterator[Difference]:
    texts = _body(old), _body(new)
    if texts[0] == texts[1]:
        return
    try:
        one, other = (_without_number(json.loads(text)) for text in texts)
        values = tuple(json_diff(one, other))
    except (ValueError, RecursionError):
        short = max(map(len, texts)) <= _MOST_TEXT
        spans = word_diff(*texts) if short else (Span("removed", texts[0][:200]), Span("added", texts[1][:200]))
        yield Difference("response_changed", 0, _place(new), spans)
    else:
        if values:
            yield Difference("response_changed", 0, _place(new), values=values)


def _without_number(value: object) -> object:
    """Return an answer over JSON-RPC without the number of its request, which a client counts as it likes."""
    if isinstance(value, dict) and "jsonrpc" in value:
        return {name: each for name, each in value.items() if name != "id"}
    return value


def _status(traffic: UnknownTraffic) -> str | int:
    outcome = traffic.outcome
    return outcome.status if isinstance(outcome, Response) else failure_text(outcome)


def _body(traffic: UnknownTraffic) -> str:
    outcome = traffic.outcome
    if not isinstance(outcome, Response):
        return ""
    try:
        body = decode(outcome.headers, outcome.body, partial=True)
    except WireError:
        body = outcome.body
    return body.decode("utf-8", "replace")
