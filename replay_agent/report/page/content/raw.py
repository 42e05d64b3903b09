"""Raw: a request and its answer as a cassette holds them, in bounds, for who does not believe what was read of them."""

from __future__ import annotations

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.report.conversation.answers import failure_text
from replay_agent.report.page.content.words import words
from replay_agent.report.page.report import Raw, Words
from replay_agent.traffic import Failure, Headers, Interaction, Response, StreamEnd

__all__ = "body_bound", "pace_of", "raw_of", "took_ms"

_LONGEST_BODY, _SHORTEST_BODY = 16_000, 500
_MOST_OF_ONE_TEST = 160_000
"""Characters of all raw bodies of a test: they carry the history again and again."""
_LONGEST_HEADER = 1_000
_MOST_HEADERS = 60
_DUMPED = 512
"""Bytes of what is no text."""
_MOST_BARS = 60
"""Pieces of a stream that are told one by one: a bar of more is no wider than its gaps."""
_ENDS = {
    StreamEnd.CLOSED: ", closed by the client",
    StreamEnd.ABANDONED: ", given up by the client",
    StreamEnd.FAILED: ", cut off",
}


def body_bound(interactions: int) -> int:
    """Return how many characters a raw body of a test may have that made so many requests."""
    return max(_SHORTEST_BODY, min(_LONGEST_BODY, _MOST_OF_ONE_TEST // (2 * max(1, interactions))))


def raw_of(interaction: Interaction, longest: int = _LONGEST_BODY) -> Raw:
    """Return what was on the wire, secrets taken out as they are in the cassette; of a body so many characters."""
    request, outcome = interaction.request, interaction.outcome
    raw = Raw(
        f"{request.method} {request.url}"[:2_000],
        _headers(request.headers),
        _body(request.headers, request.body, longest),
    )
    if isinstance(outcome, Failure):
        raw.answered = failure_text(outcome)
        return raw
    raw.answered = f"{outcome.status} {outcome.reason or ''}".rstrip() + _ENDS.get(outcome.end, "")
    raw.answered_headers = _headers(outcome.headers)
    raw.answered_body = _frames(outcome, longest) if outcome.frames else _body(outcome.headers, outcome.body, longest)
    return raw


def pace_of(interaction: Interaction) -> list[tuple[int, int]]:
    """Return when the pieces of an answer came and how large they were; of many, those that came together as one."""
    outcome = interaction.outcome
    if not isinstance(outcome, Response) or len(outcome.chunks) < 2:
        return []
    last = max(1, *(chunk.offset_ms for chunk in outcome.chunks))
    sizes: dict[int, int] = {}
    for chunk in outcome.chunks:
        place = min(max(chunk.offset_ms, 0) * _MOST_BARS // (last + 1), _MOST_BARS - 1)
        sizes[place] = sizes.get(place, 0) + len(chunk.data)
    return [(place * last // _MOST_BARS, size) for place, size in sorted(sizes.items())]


def took_ms(interaction: Interaction) -> int:
    """Return how long an answer took to come, as far as the cassette says: from its head, or to its failure."""
    outcome = interaction.outcome
    if isinstance(outcome, Failure):
        return max(0, outcome.after_ms)
    return max(0, max((chunk.offset_ms for chunk in outcome.chunks), default=0) + outcome.waited_ms)


def _headers(headers: Headers) -> list[tuple[str, str]]:
    shown = [(name[:_LONGEST_HEADER], value[:_LONGEST_HEADER]) for name, value in headers[:_MOST_HEADERS]]
    left = len(headers) - len(shown)
    return [*shown, ("...", f"{left} more")] if left else shown


def _body(headers: Headers, body: bytes, longest: int) -> Words | None:
    if not body:
        return None
    try:
        body = decode(headers, body, partial=True)
    except WireError:
        return _dump(body)
    try:
        return words(body.decode("utf-8"), longest)
    except UnicodeDecodeError as exc:
        # A stream that was cut off may end within a character.
        readable = exc.start >= len(body) - 3
        return words(body[: exc.start].decode("utf-8"), longest) if readable and exc.start else _dump(body)


def _dump(body: bytes) -> Words:
    return Words(body[:_DUMPED].hex(" ", 1), max(0, len(body) - _DUMPED))


def _frames(response: Response, longest: int) -> Words:
    lines = (
        f"{'>' if frame.sender.value == 'client' else '<'} {frame.data.decode('utf-8', 'replace')}"
        for frame in response.frames
    )
    return words("\n".join(lines), longest)
