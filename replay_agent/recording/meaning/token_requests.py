"""Requests for a token that a client sends with its calls and keeps for many of them (OAuth 2.0, RFC 6749, section 4).

Which test makes such a request depends on which one ran first with a client that they share: as this is no behaviour of
any of them, a recorded one may be left unplayed, and one that was not recorded is answered all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from replay_agent.surroundings.credentials import PLACEHOLDER
from replay_agent.traffic import Chunk, Request, Response, header

__all__ = "MADE_UP_TOKEN", "is_made_up", "is_token_request"

_BODY = b'{"access_token": "%s", "expires_in": 3600, "token_type": "Bearer"}' % PLACEHOLDER.encode()
MADE_UP_TOKEN = Response(
    200,
    (("content-type", "application/json"), ("content-length", str(len(_BODY)))),
    (Chunk(_BODY),),
    reason="OK",
)
"""What a token request gets in replay when it was not recorded (RFC 6749, section 5.1)."""


def is_token_request(request: Request) -> bool:
    """Tell whether a request asks for a token: a form with a grant."""
    return bool(_grant(request))


def is_made_up(request: Request, recorded: Iterable[Request]) -> bool:
    """Tell whether a token request that equals no recorded one gets a made-up token.

    It does where the placeholder stands in for the client's credentials, or where nothing was recorded of this grant at
    this address. Otherwise the test has changed what it asks for.
    """
    fields = _fields(request)
    grant = fields.get("grant_type")
    if grant is None:
        return False
    if PLACEHOLDER in (fields.get("refresh_token"), fields.get("client_secret")):
        return True
    return not any(other.url == request.url and _grant(other) == grant for other in recorded)


def _grant(request: Request) -> str | None:
    return _fields(request).get("grant_type")


def _fields(request: Request) -> dict[str, str]:
    kind = header(request.headers, "content-type") or ""
    if request.method != "POST" or not kind.startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))
