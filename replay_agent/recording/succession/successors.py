"""New interactions in the place of old ones: what means the same stays as it was, to the letter.

A provider gives every answer another id, date and request id. Where a changed request was asked anew, the file should differ
in what was changed and in what the model says now, and in nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.framing.sse import SSEDecoder
from replay_agent.traffic import Chunk, Headers, Interaction, Outcome, Request, Response, StreamEnd

__all__ = "Successor", "pairs", "renamed", "successors", "without_noise"

_NOISE = frozenset(
    {
        "alt-svc",
        "cf-cache-status",
        "cf-ray",
        "nel",
        "openai-processing-ms",
        "report-to",
        "reporting-endpoints",
        "server-timing",
        "x-amz-cf-id",
        "x-amz-cf-pop",
        "x-cache",
        "x-cache-hits",
        "x-cloud-trace-context",
        "x-envoy-decorator-operation",
        "x-envoy-upstream-service-time",
        "x-served-by",
        "x-timer",
    }
)
"""Headers of proxies on the way and of their clocks: other ones in every answer, and read by no client."""
_OF_ONE_ANSWER = frozenset(
    {
        "age",
        "anthropic-request-id",
        "apim-request-id",
        "date",
        "expires",
        "request-id",
        "x-amzn-requestid",
        "x-amzn-trace-id",
        "x-correlation-id",
        "x-groq-request-id",
        "x-ms-request-id",
        "x-request-id",
        "x-trace-id",
    }
)
_COUNTING = re.compile(r"(?:x|anthropic)-ratelimit-")
"""Headers that clients do read, and that say nothing of the answer: ``x-ratelimit-remaining-tokens``."""
_COOKIES_OF_PROXIES = frozenset({"__cf_bm", "__cflb", "_cfuvid", "awsalb", "awsalbcors", "awsalbtg", "gclb"})
"""They count visitors and spread load; no answer hangs on them."""
_ABOUT_AGE = frozenset({"age", "expires"})
"""Of other traffic than models' these may decide whether a client asks again."""
_MADE_UP = frozenset(
    {
        "call_id",
        "completed_at",
        "created",
        "created_at",
        "createTime",
        "id",
        "item_id",
        "obfuscation",
        "request_id",
        "responseId",
        "response_id",
        "system_fingerprint",
        "toolUseId",
        "tool_call_id",
        "tool_use_id",
    }
)
"""Members of a model's answer that its provider makes up anew, or reads off a clock."""
_SAID = frozenset({"args", "arguments", "input", "metadata"})
"""Members that hold what a model says: an ``id`` in there means something."""
_SHORTEST_ID = 8
"""Characters; what is shorter may stand in a text by chance."""


def without_noise(outcome: Outcome) -> Outcome:
    """Return what came back without the headers that nobody reads."""
    if not isinstance(outcome, Response):
        return outcome
    kept = tuple((name, value) for name, value in outcome.headers if name.lower() not in _NOISE)
    return outcome if len(kept) == len(outcome.headers) else replace(outcome, headers=kept)


@dataclass(frozen=True, slots=True)
class Successor:
    """An interaction and the one whose place it takes, None for one that was not there before."""

    interaction: Interaction
    before: Interaction | None = None


def pairs(old: Iterable[Interaction], new: Sequence[Interaction]) -> list[Successor]:
    """Return new interactions, each with the first old one of its address that none before it has taken.

    Of the old ones no more are asked for than it takes: a cassette that grows with every test is not read whole by each.
    """
    unread = iter(old)
    left: list[Interaction] = []
    found = []
    for interaction in new:
        place = _place(interaction.request)
        before = next((each for each in left if _place(each.request) == place), None)
        if before is not None:
            left.remove(before)
        else:
            before = _next_at(place, unread, left)
        found.append(Successor(interaction, before))
    return found


def _next_at(place: tuple[str, str], unread: Iterator[Interaction], left: list[Interaction]) -> Interaction | None:
    """Return the next interaction of an address; those of others that come first go to ``left``."""
    for each in unread:
        if _place(each.request) == place:
            return each
        left.append(each)
    return None


def _place(request: Request) -> tuple[str, str]:
    return request.method, urlsplit(request.url).path


def successors(
    found: Sequence[Successor], is_answer: Callable[[Interaction], bool]
) -> tuple[list[Interaction], dict[str, str]]:
    """Return new interactions with all that means nothing as it was before, and what ids were renamed to what.

    ``is_answer`` tells whether something is the answer of a model; in no other traffic does anybody know what an id means, and
    bodies stay as they came. An answer that means the same is kept as it was recorded first. Of another one the ids are, where they are as long, and
    the headers of one answer. An id that a later request hands back is renamed there too.
    """
    names: dict[str, str] = {}
    result = []
    for each in found:
        interaction = replace(each.interaction, request=renamed(each.interaction.request, names))
        follows = each.before is not None and is_answer(each.before) and is_answer(interaction)
        if each.before is None:
            result.append(interaction)
        else:
            result.append(
                _following(interaction, each.before, names) if follows else _of_other_traffic(interaction, each.before)
            )
    return result, names


def renamed(request: Request, names: Mapping[str, str]) -> Request:
    """Return a request with other ids."""
    if not names:
        return request
    body, url = request.body, request.url
    for new, old in names.items():
        body = body.replace(new.encode(), old.encode())
        url = url.replace(new, old)
    return replace(request, body=body, url=url)


def _following(new: Interaction, old: Interaction, names: dict[str, str]) -> Interaction:
    before, after = old.outcome, new.outcome
    if not isinstance(before, Response) or not isinstance(after, Response):
        return new
    comparison = _Comparison(dict(names))
    same = (before.status, before.end) == (after.status, after.end) and comparison.same(_read(before), _read(after))
    if same and _is_plain(before):
        names.update(comparison.ids)
        return replace(new, outcome=before, recorded_at=old.recorded_at)
    body = _with_old_values(_at_old_times(after, before), comparison, names)
    return replace(new, outcome=replace(body, headers=_with_old_headers(body.headers, before.headers)))


def _of_other_traffic(new: Interaction, old: Interaction) -> Interaction:
    """Return an interaction with the old date and request id; all of it is the old one's if the answer is, byte by byte."""
    before, after = old.outcome, new.outcome
    if not isinstance(before, Response) or not isinstance(after, Response):
        return new
    after = replace(after, headers=_with_old_headers(after.headers, before.headers, but=_ABOUT_AGE))
    same = (before.status, before.end, before.headers, before.body) == (
        after.status,
        after.end,
        after.headers,
        after.body,
    )
    if same and _is_plain(before) and _is_plain(after):
        return replace(new, outcome=before, recorded_at=old.recorded_at)
    return replace(new, outcome=_at_old_times(after, before))


def _at_old_times(after: Response, before: Response) -> Response:
    """Return an answer whose pieces come when those of the old one came, if they are as many."""
    if len(after.chunks) != len(before.chunks):
        return after
    pairs = zip(after.chunks, before.chunks, strict=True)
    return replace(after, chunks=tuple(replace(chunk, offset_ms=old.offset_ms) for chunk, old in pairs))


def _is_plain(response: Response) -> bool:
    return response.end is StreamEnd.COMPLETE and not response.frames


def _read(response: Response) -> Any:
    """Return what a body says: JSON, the JSON of its events, or its bytes."""
    try:
        body = decode(response.headers, response.body, partial=True)
    except WireError:
        return response.body
    document = _json(body)
    if document is not None:
        return document
    decoder = SSEDecoder()
    events = [*decoder.feed(body), *decoder.close()]
    read = [_json(event.data.encode()) or event.data for event in events]
    return read if any(isinstance(each, dict) for each in read) else body


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


class _Comparison:
    """Two answers side by side: whether they mean the same, and which made-up values stand for each other."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids = ids
        self.numbers: dict[tuple[str, int], int] = {}

    def same(self, before: Any, after: Any, name: str = "") -> bool:
        """Tell whether two values mean the same. All of both is looked at, to find what stands for what."""
        if name in _SAID:
            return bool(before == after)
        if isinstance(before, dict) and isinstance(after, dict):
            alike = [self.same(before[key], after[key], key) for key in before if key in after]
            return all(alike) and before.keys() == after.keys()
        if isinstance(before, list) and isinstance(after, list):
            alike = [self.same(one, other, name) for one, other in zip(before, after, strict=False)]
            return all(alike) and len(before) == len(after)
        if before == after:
            return type(before) is type(after)
        return name in _MADE_UP and self._stand_for_each_other(name, before, after)

    def _stand_for_each_other(self, name: str, before: Any, after: Any) -> bool:
        if isinstance(before, str) and isinstance(after, str):
            if min(len(before), len(after)) >= _SHORTEST_ID and before not in self.ids.values():
                self.ids.setdefault(after, before)
            return self.ids.get(after) == before or name == "obfuscation"
        if isinstance(before, int) and isinstance(after, int):
            self.numbers[name, after] = before
            return True
        return False


def _with_old_values(after: Response, comparison: _Comparison, names: dict[str, str]) -> Response:
    """Return an answer with the ids and times of the old one, where that changes no length and no piece of it cuts one."""
    chunks = list(after.chunks)
    for new, old in comparison.ids.items():
        if new in names or (len(new) == len(old) and _replace(chunks, new.encode(), old.encode())):
            names[new] = old
    for (name, number), was in comparison.numbers.items():
        for spelled in (b'"%s":%d', b'"%s": %d'):
            member, before = (spelled % (name.encode(), value) for value in (number, was))
            if len(member) == len(before):
                _replace(chunks, member, before)
    return replace(after, chunks=tuple(chunks))


def _replace(chunks: list[Chunk], value: bytes, by: bytes) -> bool:
    """Replace something in the pieces of a body; nothing if it is in none of them, is part of more, or is cut by two."""
    found = re.compile(rb"(?<![\w-])%s(?![\w-])" % re.escape(value))
    within = sum(len(found.findall(chunk.data)) for chunk in chunks)
    if not within or within != b"".join(chunk.data for chunk in chunks).count(value):
        return False
    chunks[:] = [replace(chunk, data=chunk.data.replace(value, by)) for chunk in chunks]
    return True


def _with_old_headers(after: Headers, before: Headers, but: AbstractSet[str] = frozenset()) -> Headers:
    old = {key: value for name, value in before if (key := _volatile(name, value)) and key not in but}
    return tuple((name, old.get(_volatile(name, value), value)) for name, value in after)


def _volatile(name: str, value: str) -> str:
    """Return by what a header of one answer is known in another, nothing for one that says something."""
    lowered = name.lower()
    if lowered in _OF_ONE_ANSWER or _COUNTING.match(lowered):
        return lowered
    if lowered == "set-cookie":
        cookie = value.partition("=")[0].strip()
        return f"{lowered} {cookie}" if cookie.lower() in _COOKIES_OF_PROXIES else ""
    return ""
