from __future__ import annotations

import json

import pytest

from replay_agent.recording.meaning.token_requests import MADE_UP_TOKEN, is_made_up, is_token_request
from replay_agent.traffic import Request

URL = "https://oauth2.googleapis.com/token"
FORM = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)


def asked(body, url=URL, headers=FORM, method="POST"):
    return Request(method, url, headers, body)


REFRESH = asked(b"grant_type=refresh_token&client_id=me&refresh_token=mine")
SIGNED = asked(b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=e30")


@pytest.mark.parametrize("request_", [REFRESH, SIGNED])
def test_a_form_with_a_grant_asks_for_a_token(request_):
    assert is_token_request(request_)


@pytest.mark.parametrize(
    "request_",
    [
        asked(b"a=1"),
        asked(b""),
        asked(b'{"grant_type": "refresh_token"}', headers=(("content-type", "application/json"),)),
        asked(b"grant_type=refresh_token", headers=()),
        asked(b"grant_type=refresh_token", method="PUT"),
        asked(b"\xff\xfe=1"),
    ],
)
def test_nothing_else_does(request_):
    assert not is_token_request(request_)
    assert not is_made_up(request_, [])


def test_a_grant_that_was_not_recorded_is_made_up():
    assert is_made_up(REFRESH, [SIGNED, asked(b"", "https://api.openai.com/v1/chat/completions")])
    assert is_made_up(REFRESH, [asked(REFRESH.body, "https://example.org/token")])


def test_a_recorded_grant_that_has_changed_is_not():
    assert not is_made_up(asked(b"grant_type=refresh_token&scope=other"), [SIGNED, REFRESH])


def test_placeholders_get_a_token_whatever_was_recorded():
    assert is_made_up(asked(b"grant_type=refresh_token&client_id=replay&refresh_token=replay"), [REFRESH])
    assert is_made_up(asked(b"grant_type=client_credentials&client_secret=replay"), [REFRESH])


def test_the_made_up_token_is_one_that_clients_take():
    assert json.loads(MADE_UP_TOKEN.body) == {"access_token": "replay", "expires_in": 3600, "token_type": "Bearer"}
