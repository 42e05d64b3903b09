"""Secrets that stand in a request before the run shows that they are any."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from replay_agent.recording.playing.supposed import supposed, without_supposed
from replay_agent.traffic import Request

ONE, TWO = b"opaqueTok3nAbCdEf12345678", b"another9Tok3nZyXwVu87654321"
URL = "https://a.example/v1"


def asked(body, url=URL, headers=(), method="POST"):
    return Request(method, url, headers, body)


PAIRS = {
    "prompt": (b'{"text":"use %b now"}' % ONE, b'{"text":"use REDACTED(authorization) now"}'),
    "end": (b"use " + ONE, b"use REDACTED(authorization)"),
    "start": (ONE + b" it is", b"REDACTED(authorization) it is"),
    "line of its own": (b'{"text":"key:\\n%b\\n"}' % ONE, b'{"text":"key:\\nREDACTED(authorization)\\n"}'),
    "other ids around": (
        b'{"id":"%b","text":"%b use %b now"}' % (b"7" * 40, b"word " * 9, ONE),
        b'{"id":"%b","text":"%b use REDACTED(authorization~3) now"}' % (b"8" * 40, b"word " * 9),
    ),
    "same words before": (b"my key, my key %b." % ONE, b"my key, my key REDACTED(authorization)."),
    "beside one that is known": (b"REDACTED(x) %b" % ONE, b"REDACTED(y) REDACTED(authorization)"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_value_in_the_place_of_a_placeholder(name):
    live, recorded = PAIRS[name]
    assert [(each.rule, each.value) for each in supposed(asked(live), asked(recorded))] == [("authorization", ONE)]


@pytest.mark.parametrize(
    "live",
    [
        b"use rook now",
        b"use a few words now",
        b"use documents/2024/report1 now",
        b"use 20241127 now",
        b"use sk-learn-intro-2024 now",
        b"take %b now" % ONE,
        b"use %b later" % ONE,
        b"",
    ],
)
def test_nothing_is_supposed_where_the_value_or_its_place_is_another(live):
    assert supposed(asked(live), asked(b"use REDACTED(authorization) now")) == []


def test_nothing_is_supposed_of_another_method():
    assert supposed(asked(ONE, method="GET"), asked(b"REDACTED(x)")) == []


def test_two_values_are_told_apart():
    found = supposed(asked(b"%b, %b" % (ONE, TWO)), asked(b"REDACTED(x), REDACTED(x~2)"))
    assert [each.value for each in found] == [ONE, TWO]


def test_value_in_an_address_and_in_a_packed_body():
    url = f"{URL}/files/{ONE.decode()}"
    packed = gzip.compress(json.dumps({"text": f"use {TWO.decode()}"}).encode())
    live = asked(packed, url, (("content-encoding", "gzip"), ("x", "y")))
    recorded = asked(b'{"text": "use REDACTED(b)"}', f"{URL}/files/REDACTED(a)", (("x", "y"),))
    found = supposed(live, recorded)
    assert [(each.rule, each.value) for each in found] == [("a", ONE), ("b", TWO)]
    assert without_supposed(live, found) == recorded


def test_value_is_known_without_its_escapes():
    found = supposed(asked(b'{"a":"Zm9v\\u002BYmFy0x9Qz7Lk9Wm3"}'), asked(b'{"a":"REDACTED(x)"}'))
    assert [each.value for each in found] == [b"Zm9v+YmFy0x9Qz7Lk9Wm3"]


def test_many_like_places_take_no_longer():
    start = time.perf_counter()
    assert supposed(asked(b"use " * 500_000), asked(b"use REDACTED(x) now " * 2000)) == []
    assert time.perf_counter() - start < 2
