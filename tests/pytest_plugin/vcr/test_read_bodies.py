from __future__ import annotations

import pytest
from vcr import matchers
from vcr.request import Request

from replay_agent.pytest_plugin.vcr import read_bodies
from replay_agent.pytest_plugin.vcr.read_bodies import body_of, looks_at_what_is_known
from tests.pytest_plugin.vcr.older import on_known_vcrpy

pytestmark = on_known_vcrpy

JSON, FORM = {"Content-Type": "application/json"}, {"Content-Type": "application/x-www-form-urlencoded"}
CHUNKED = {"Transfer-Encoding": "chunked"}
XML = {"Content-Type": "text/xml", "User-Agent": "xmlrpc"}


def body(raw, headers=JSON, *, parsed=True):
    request = Request("POST", "http://a/", raw, headers)
    return body_of(request, request.headers._store, parsed=parsed)


@pytest.mark.parametrize(
    ("one", "other", "same", "means_same"),
    [
        (body(b"[1]"), body(b"[1]"), True, True),
        (body(b"[1]"), body(b"[1.0]"), False, True),
        (body(b"[1]"), body(b"[2]"), False, False),
        (body(b"[1]"), body(b"[1.0]", {}), False, False),
        (body(b"{"), body(b"{ "), False, False),
        (body(b"NaN"), body(b"NaN"), True, False),
        (body(b"a=1&b=2", FORM), body(b"b=2&a=1", FORM), False, True),
        (body(None), body(b""), False, True),
        (body({"a": 1}, {}), body({"a": 1.0}, {}), True, True),
    ],
)
def test_bodies_are_compared_as_sent_and_as_read(one, other, same, means_same):
    assert one.is_same(other) is other.is_same(one) is same
    assert one.means_same(other) is other.means_same(one) is means_same


@pytest.mark.parametrize(
    ("raw", "headers"), [(b"", CHUNKED), (None, FORM), ({"a": 1}, JSON), (bytearray(b"a"), {}), (b"<a/>", XML)]
)
def test_what_may_fail_is_not_read_here(raw, headers):
    assert body(raw, headers) is None


def test_what_is_nested_too_deep_fails_at_once():
    with pytest.raises(RecursionError):
        body(b"[" * 100_000)
    assert body(b"[" * 100_000, parsed=False)


def test_how_to_read_is_asked_once_of_headers_that_are_alike(calls_of, monkeypatch):
    monkeypatch.setattr(read_bodies, "_known", {})
    monkeypatch.setattr(read_bodies, "_MOST_KNOWN", 2)
    body(b"[1]")
    asked = calls_of(matchers, "_get_transformers")
    body(b"[2]", {**JSON, "X": "1"})
    assert not asked
    for kind in "abc":
        body(b"[1]", {"Content-Type": kind})
    assert len(asked) == 3
    assert len(read_bodies._known) <= 2


def test_a_vcrpy_that_looks_at_another_header_is_not_known(monkeypatch):
    assert looks_at_what_is_known()
    pairs = *matchers._checker_transformer_pairs, (lambda headers: "x" in headers, bytes.lower)
    monkeypatch.setattr(matchers, "_checker_transformer_pairs", pairs)
    assert not looks_at_what_is_known()
