"""Today's date in what is sent to a model: tomorrow that will be another request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.traffic import Interaction, Request, Response

__all__ = ("dates_sent",)

_SPELLINGS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%B {day}, %Y",
    "%b {day}, %Y",
    "{day} %B %Y",
    "{day} %b %Y",
)


def dates_sent(interactions: Iterable[Interaction], now: datetime) -> list[str]:
    """Return the spellings of today's date in requests, but those that an answer held first: they come back in replay."""
    answered = b""
    found: dict[str, None] = {}
    for interaction in interactions:
        body = _body(interaction.request)
        found.update(
            dict.fromkeys(day for day in _spelled(now) if day.encode() in body and day.encode() not in answered)
        )
        if isinstance(interaction.outcome, Response):
            answered += _body(interaction.outcome)
    return list(found)


def _spelled(now: datetime) -> list[str]:
    """Return how today is written here and in UTC, where it may be another day for some hours."""
    days = {now.date(), now.astimezone(UTC).date(), (now - timedelta(seconds=30)).date()}
    return sorted({day.strftime(spelling.replace("{day}", str(day.day))) for day in days for spelling in _SPELLINGS})


def _body(message: Request | Response) -> bytes:
    try:
        return decode(message.headers, message.body, partial=True)
    except WireError:
        return message.body
