"""Finds the recorded interaction that a request without an answer is most like, and what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from urllib.parse import urlsplit

from replay_agent.recording.cassettes.lazy_interactions import LazyInteractions
from replay_agent.recording.meaning.json_path import JSONPath
from replay_agent.report.compare import Change, distance
from replay_agent.report.decoded_request import DecodedRequest, compare_requests, read_request
from replay_agent.traffic import Interaction, Request

__all__ = "Nearest", "find_nearest"

_READ_IN_FULL = 6
"""That many are compared in full, a word diff each: some milliseconds for a long prompt, and the miss is one of many."""
_READ = 40
"""Of a cassette whose items are not read yet: that many are, chosen by the words of their lines."""
_FAR_NEARER = 4
"""A played interaction has had its request, so one that is left is more likely meant, unless it differs so many times as
much: then the agent asks the played one's question again, slightly changed."""
_MOST_BYTES = 10_000_000
"""Of all bodies together that are looked at for their words."""
_LEAST_BYTES, _MOST_OF_ONE = 1_024, 65_536
"""Of one body: enough for a question in a crowd, not more than a long prompt."""
# What JSON, forms and escapes have between words, made blanks: splitting at blanks is many times faster than a pattern.
_BETWEEN_WORDS = bytes.maketrans(b'"{}[]():,;=&\\/', b" " * 14)


@dataclass(frozen=True, slots=True)
class Nearest:
    """A recorded interaction, by its place in the recording, and what a request changes of it."""

    index: int
    recorded: DecodedRequest
    changes: list[Change]
    played: bool = False


def find_nearest(
    asked: DecodedRequest,
    interactions: Sequence[Interaction],
    played: Collection[int] = frozenset(),
    *,
    test: str | None = None,
    ignored: Sequence[JSONPath] = (),
) -> Nearest | None:
    """Return the nearest interaction; None if nothing goes to the same place.

    One that is played already is returned only if it is far nearer than any that is not. Every request is compared by
    the words it uses; only the best few are read and compared in full.
    """
    groups = [index for index in range(len(interactions)) if index not in played], sorted(played)
    found = [_nearest_of(asked, interactions, group, test, ignored) for group in groups]
    left, gone = found[0], found[1] and replace(found[1], played=True)
    if left is None or gone is None:
        return left or gone
    return gone if _FAR_NEARER * distance(gone.changes) < distance(left.changes) else left


def _nearest_of(
    asked: DecodedRequest,
    interactions: Sequence[Interaction],
    indexes: Sequence[int],
    test: str | None,
    ignored: Sequence[JSONPath],
) -> Nearest | None:
    best = _best(asked.request, interactions, _promising(asked.request, interactions, indexes), test)
    found = [_compared(asked, index, interactions[index].request, ignored) for index in best]
    alike = [nearest for nearest in found if (nearest.recorded.call is None) == (asked.call is None)]
    return min(alike, key=lambda nearest: distance(nearest.changes), default=None)


def _compared(asked: DecodedRequest, index: int, request: Request, ignored: Sequence[JSONPath]) -> Nearest:
    recorded = read_request(request, ignored)
    return Nearest(index, recorded, compare_requests(recorded, asked))


def _promising(request: Request, interactions: Sequence[Interaction], indexes: Sequence[int]) -> Sequence[int]:
    """The interactions that are worth reading, in order."""
    if not isinstance(interactions, LazyInteractions) or len(indexes) <= _READ:
        return indexes
    share = _share(len(indexes))
    words = _words(b" ".join((request.method.encode(), request.url.encode("utf-8", "replace"), request.body)), share)
    scores = {index: _likeness(words, _words(interactions.request_lines(index), share)) for index in indexes}
    return sorted(nlargest(_READ, scores, key=lambda index: scores[index]))


def _share(count: int) -> int:
    """How many bytes of each of so many bodies are looked at."""
    return min(_MOST_OF_ONE, max(_LEAST_BYTES, _MOST_BYTES // count))


def _best(request: Request, interactions: Sequence[Interaction], indexes: Sequence[int], test: str | None) -> list[int]:
    """The most similar interactions, those first that go to the same place; the earlier one of equals."""
    if not indexes:
        return []
    share = _share(len(indexes))
    words = _words(request.body, share)
    scores: dict[int, float] = {}
    for index in indexes:
        recorded = interactions[index]
        place = _same_place(request, recorded.request)
        if place:
            # Decides between equals only: tests that share a cassette often ask the same first question.
            own = 0.01 if recorded.test == test else 0.0
            scores[index] = place + own + _likeness(words, _words(recorded.request.body, share))
    return sorted(nlargest(_READ_IN_FULL, scores, key=lambda index: scores[index]))


def _same_place(request: Request, recorded: Request) -> float:
    """How near two addresses are: 0 if neither host nor path is the same; the path says more than the host."""
    one, other = urlsplit(request.url), urlsplit(recorded.url)
    host = one.netloc.lower() == other.netloc.lower()
    path = 2.0 if one.path == other.path else 1.0 if _tail(one.path) == _tail(other.path) else 0.0
    # The path says what is asked, the host often who serves it: a gateway, another region. Likeness is at most 1, so
    # the place outweighs the words.
    return path + host if request.method == recorded.method else 0.0


def _tail(path: str) -> list[str]:
    """Return the end of a path, which is the same behind every base URL: ``chat/completions``."""
    return path.rsplit("/", 2)[1:]


def _words(body: bytes, share: int) -> frozenset[bytes]:
    if len(body) > share:
        body = body[: share // 2] + body[-share // 2 :]  # who it is stands at the beginning, what is new at the end
    return frozenset(body.translate(_BETWEEN_WORDS).split())


def _likeness(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common or 1)
