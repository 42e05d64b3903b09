"""Private keys in JSON."""

from __future__ import annotations

import json

from replay_agent.recording.redaction.finders.web_keys import find_web_keys

D = "Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0"


def values(value):
    text = json.dumps(value).encode()
    return [text[span.start : span.end].decode() for span in find_web_keys(text)]


def test_private_members():
    assert values({"kty": "RSA", "n": D + "n", "e": "AQAB", "d": D, "p": D + "p"}) == [D, D + "p"]
    assert values({"keys": [{"k": D, "kid": "1", "kty": "oct"}, {"crv": "P-256", "kty": "EC", "d": D + "d"}]}) == [
        D,
        D + "d",
    ]


def test_public_keys_and_other_objects():
    assert values({"keys": [{"kty": "RSA", "n": D, "e": "AQAB", "kid": D}]}) == []
    assert values([{"kty": "RSA", "n": D}, {"d": D, "k": D}]) == []
    assert values({"d": D}) == []
