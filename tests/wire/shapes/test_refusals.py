from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.calls import AnswerError
from replay_agent.wire.shapes.refusals import error_in, refusal
from tests.wire import generated as g


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"error": {"message": "m", "code": 404}}, 404, "m"),
        ({"error": {"message": "m", "code": "invalid_api_key"}}, None, "m"),
        ({"error": {"message": "m", "status_code": 429}}, 429, "m"),
        ({"error": "m", "status": 503}, 503, "m"),
        ({"message": "m"}, None, "m"),
        ({"Message": "m"}, None, "m"),
        ({"detail": "m"}, None, "m"),
        ({"detail": [{"msg": "m"}]}, None, '[{"msg":"m"}]'),
        ({"code": 200, "message": "m"}, None, "m"),
        ({"code": True, "message": "m"}, None, "m"),
        ([{"error": {"message": "m", "code": 400}}], 400, "m"),
        (["m"], None, '["m"]'),
        ({}, None, "{}"),
        ({"error": None}, None, '{"error":null}'),
        ("m", None, "m"),
        (1, None, "1"),
        ([], None, "[]"),
    ],
)
def test_json_of_any_shape(body, status, message):
    assert error_in(body) == AnswerError(status, message)
    assert refusal(None, json.dumps(body).encode()) == AnswerError(status, message)
    assert refusal(418, json.dumps(body).encode()) == AnswerError(418, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>", "502 Bad Gateway"),
        (b"<html><title> </title><style>p {}</style><body><h1>A &amp; B</h1><script>x()</script></body>", "A & B"),
        (b"<html><script>never closed", "status 502 without a message"),
        (b"  upstream   connect error\n", "upstream connect error"),
        (b"", "status 502 without a message"),
        (b'""', "status 502 without a message"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_pages_and_texts(body, message):
    assert refusal(502, body) == AnswerError(502, message)


@pytest.mark.parametrize("piece", [b"<", b"<title>", b"<title", b"<a ", b"<script>", b"</", b"&amp;"])
def test_hostile_pages_take_no_time(piece):
    assert refusal(500, b"<" + piece * (10**6 // len(piece))).status == 500


@pytest.mark.parametrize("body", [b"x" * 10**6, json.dumps({"message": "x" * 10**6}).encode(), b"<p>" + b"x" * 10**6])
def test_a_long_message_is_cut(body):
    assert len(refusal(500, body).message) == 2003


def test_deep_json_is_read_as_text():
    assert refusal(500, b"[" * 100_000).message.startswith("[[[")


@given(st.binary(max_size=80) | g.json_values.map(lambda value: json.dumps(value).encode()))
def test_any_body_has_a_message(body):
    assert refusal(500, body).message
