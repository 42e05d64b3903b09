"""Codes that are traded for a token."""

from __future__ import annotations

import json

import pytest

from replay_agent.recording.redaction.finders.grants import find_grants

CODE = "Qz7Lk9Wm3PvXt5Rb2Ny8"


def codes(text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find_grants(data)]


@pytest.mark.parametrize(
    "document",
    [
        {"grant_type": "authorization_code", "code": CODE, "redirect_uri": "https://a.example/cb"},
        {"code": CODE, "client_id": "a", "grant_type": "authorization_code"},
        [
            {"x": 1},
            {"body": {"code": CODE, "state": "s", "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}},
        ],
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_code_beside_its_grant(document, indent):
    assert codes(json.dumps(document, indent=indent)) == [CODE]


@pytest.mark.parametrize(
    "document",
    [
        {"code": CODE, "message": "grant_type is missing"},
        {"grant_type": "client_credentials", "code": CODE},
        [{"grant_type": "authorization_code", "client_id": "a"}, {"code": CODE}],
        {"grant_type": "authorization_code", "code": "invalid"},
    ],
)
def test_other_codes_are_none(document):
    assert not codes(json.dumps(document))
