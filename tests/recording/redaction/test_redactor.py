"""No secret reaches the disk, and the same request still matches with another key."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import brotli
import pytest
import zstandard

from replay_agent.exceptions import UserError
from replay_agent.framing.raw_frames import Frame, join_frames, split_frames
from replay_agent.recording.matching.index import Index
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.surroundings.credentials import credential_variables
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response, StreamEnd

KEY = "sk-" + "proj-Qz7Lk9Wm3PvXt5Rb2Ny8"
CANARY = "canary-Qz7Lk9Wm3PvXt5"
JSON_TYPE = ("content-type", "application/json")


def redactor(rules=(), **environ):
    return Redactor(rules, environ=environ)


def request(body=b"", *headers, url="https://a.example/v1", method="POST"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, url, (JSON_TYPE, *headers), content)


def matches(live, recorded):
    index = Index([meaning()(recorded)])
    return index.find(meaning()(live)) == 0


def answered(body, *headers, asked=None, **response):
    chunks = body if isinstance(body, tuple) else (Chunk(body),)
    return Interaction(asked or request(), Response(200, headers, chunks, **response))


SIGNED = (
    f"AWS4-HMAC-SHA256 Credential=AKIDx{CANARY}/20261122/us-east-1/bedrock/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={CANARY}f00"
)
BASIC = base64.b64encode(f"user:{CANARY}".encode()).decode()

PLACES = {
    "bearer": request(b"", ("Authorization", f"Bearer {CANARY}")),
    "x-api-key": request(b"", ("x-api-key", CANARY)),
    "cookie": request(b"", ("Cookie", f"session={CANARY}")),
    "signature v4": request(b"", ("Authorization", SIGNED)),
    "x-goog-api-key": request(b"", ("x-goog-api-key", CANARY)),
    "api-key": request(b"", ("api-key", CANARY)),
    "proxy": request(b"", ("Proxy-Authorization", f"Basic {BASIC}")),
    "x-auth-token": request(b"", ("X-Auth-Token", CANARY)),
    "own header": request(b"", ("X-Mine", CANARY)),
    "x-amz-security-token": request(b"", ("X-Amz-Security-Token", CANARY)),
    "?key=": request(url=f"https://a.example/v1?key={CANARY}"),
    "?api_key=": request(url=f"https://a.example/v1?api_key={CANARY}&b=c"),
    "?X-Amz-Signature=": request(url=f"https://a.example/v1?X-Amz-Signature={CANARY}"),
    "user:password@": request(url=f"https://user:{CANARY}@a.example/"),
    "api_key field": request({"api_key": CANARY}),
    "nested password": request({"a": [{"b": {"password": CANARY}}]}),
    "mcp authorization": request({"tools": [{"type": "mcp", "authorization": CANARY}]}),
    "mcp header": request({"tools": [{"type": "mcp", "server_url": "https://x", "headers": {"X-Mine": CANARY}}]}),
    "key in the prompt": request({"messages": [{"content": f"use {KEY} please"}]}),
    "tool arguments": request({"arguments": json.dumps({"client_secret": CANARY})}),
    "form": Request(
        "POST",
        "https://a.example/token",
        (("Content-Type", "application/x-www-form-urlencoded"),),
        f"grant_type=refresh_token&client_secret={CANARY}&refresh_token=1%2F{CANARY}".encode(),
    ),
    "multipart": Request(
        "POST",
        "https://a.example/files",
        (("content-type", "multipart/form-data; boundary=b"),),
        f'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{CANARY}\r\n--b--\r\n'.encode(),
    ),
    "gzip": Request(
        "POST",
        "https://a",
        (JSON_TYPE, ("Content-Encoding", "gzip")),
        gzip.compress(b'{"api_key":"%b"}' % CANARY.encode()),
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_secret_in_a_request(name):
    found = redactor().request(PLACES[name])
    assert CANARY not in repr(found)
    assert KEY not in repr(found)
    assert CANARY.encode() not in found.body
    if name != "gzip":
        assert found.body.count(b"\n") == PLACES[name].body.count(b"\n")


def test_request_keeps_what_is_no_secret():
    asked = request({"model": "m", "max_tokens": 5, "messages": [{"content": "hello", "token": "hi"}]})
    assert redactor(HOME="/home/me").request(asked) == asked


def test_encoded_request_that_holds_no_secret_stays():
    asked = Request("POST", "https://a", (("content-encoding", "gzip"),), gzip.compress(b'{"a":1}'))
    assert redactor().request(asked) == asked


def test_redacted_request_is_json_still():
    asked = request({"api_key": 'with"quotes"\\9', "prompt": f"key {KEY}", "n": 1})
    assert json.loads(redactor().request(asked).body) == {
        "api_key": "REDACTED(api_key)",
        "prompt": "key REDACTED(openai-key)",
        "n": 1,
    }


def test_redaction_is_done_once():
    once = redactor(MY_SECRET=CANARY).interaction(answered(f"it is {CANARY}".encode(), asked=PLACES["nested password"]))
    assert redactor(MY_SECRET=CANARY).interaction(once) == once


PAIRS = [
    (lambda key: request({"prompt": f"my key is {key}"}, ("Authorization", f"Bearer {key}")), {}),
    (lambda key: request({"prompt": f"my key is {key}"}), {"variable": True}),
    (lambda key: request(url=f"https://generativelanguage.googleapis.com/v1beta/x?key={key}"), {}),
    (lambda key: request({"api_key": key}, ("x-api-key", key)), {}),
]


@pytest.mark.parametrize(("make", "options"), PAIRS)
def test_another_key_gives_the_same_request(make, options):
    keys = ("first-Qz7Lk9Wm3PvXt5", "other-Rb2Ny8Hc4Jd6Gf")
    first, other = (redactor(**({"MY_SECRET": key} if options else {})).request(make(key)) for key in keys)
    assert first == other


def test_keyless_replay_gives_the_same_request():
    url = "https://generativelanguage.googleapis.com/v1beta/x?key="
    recorded = redactor(GEMINI_API_KEY=CANARY).request(request(url=url + CANARY, method="GET"))
    for placed in ("replay", "test", credential_variables()["GOOGLE_API_KEY"]):
        live = redactor(GEMINI_API_KEY=placed).request(request(url=url + placed, method="GET"))
        assert matches(live, recorded)


def test_different_keys_of_a_store_stay_apart():
    first, second = (redactor().request(request(url=f"https://kv.example?key={key}")) for key in ("blue", "green"))
    assert first != second


def test_key_that_an_answer_repeats():
    asked = request({"client_secret": "field-Qz7Lk9Wm"}, ("x-api-key", CANARY), ("Authorization", f"Basic {BASIC}"))
    body = f'{{"error":"Incorrect key {CANARY} or field-Qz7Lk9Wm","status":401}}'.encode()
    found = redactor().interaction(answered(body, ("content-length", str(len(body))), asked=asked)).outcome
    assert json.loads(found.body)["status"] == 401
    assert CANARY.encode() not in found.body
    assert b"field-Qz7Lk9Wm" not in found.body
    assert found.headers == (("content-length", str(len(found.body))),)
    assert found.redacted


@pytest.mark.parametrize("name", ["form", "multipart", "gzip"])
def test_field_of_a_request_that_an_answer_repeats(name):
    found = redactor().interaction(answered(f"got {CANARY}".encode(), asked=PLACES[name])).outcome
    assert CANARY.encode() not in found.body


def test_short_key_is_not_hunted():
    asked = request(b"", ("Authorization", "Bearer test"))
    interaction = answered(b"this is a test", asked=asked)
    assert redactor().interaction(interaction).outcome == interaction.outcome


def test_tokens_of_an_oauth_answer():
    body = {
        "access_token": CANARY,
        "refresh_token": f"{CANARY}-2",
        "id_token": f"{CANARY}-3",
        "expires_in": 3599,
        "token_type": "Bearer",
    }
    found = redactor().interaction(answered(json.dumps(body).encode())).outcome
    assert json.loads(found.body) == {
        "access_token": "REDACTED(access_token)",
        "refresh_token": "REDACTED(refresh_token)",
        "id_token": "REDACTED(id_token)",
        "expires_in": 3599,
        "token_type": "Bearer",
    }


def test_value_of_a_variable_wherever_it_is():
    value = 'pw"with\\odd/chars+1234'
    body = json.dumps(
        {"text": value, "nested": json.dumps({"x": value}), "b64": base64.b64encode(value.encode()).decode()}
    )
    found = redactor(DB_PASSWORD=value).interaction(answered(body.encode())).outcome
    shown = json.loads(found.body)
    assert shown["text"] == "REDACTED(DB_PASSWORD)"
    assert json.loads(shown["nested"]) == {"x": "REDACTED(DB_PASSWORD)"}
    assert base64.b64decode(shown["b64"]) == b"REDACTED(DB_PASSWORD)"


def test_response_headers():
    headers = (
        ("Set-Cookie", f"s={CANARY}-of-it"),
        ("openai-organization", "acme"),
        ("x-request-id", "req_1"),
        ("location", f"https://x?X-Amz-Signature={CANARY}&a=b"),
        ("x-note", f"key {KEY}"),
    )
    found = redactor().interaction(answered(b"x", *headers)).outcome
    assert found.headers == (
        ("Set-Cookie", "s=REDACTED(s)"),
        ("x-request-id", "req_1"),
        ("location", "https://x?X-Amz-Signature=REDACTED(X-Amz-Signature)&a=b"),
        ("x-note", "key REDACTED(openai-key)"),
    )
    assert not found.redacted


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("encoding", PACKED)
def test_secret_in_a_compressed_answer(encoding):
    plain = f'{{"access_token":"{CANARY}"}}'.encode()
    packed = PACKED[encoding](plain)
    headers = (("Content-Encoding", encoding), ("Content-Length", str(len(packed))), ("content-md5", "x"))
    found = redactor().interaction(answered((Chunk(packed[:9], 1), Chunk(packed[9:], 2)), *headers)).outcome
    assert found.body == b'{"access_token":"REDACTED(access_token)"}'
    assert found.headers == (("Content-Length", str(len(found.body))),)
    assert found.redacted


@pytest.mark.parametrize("encoding", PACKED)
def test_compressed_answer_without_a_secret_stays(encoding):
    interaction = answered(PACKED[encoding](b'{"a":1}'), ("content-encoding", encoding))
    assert redactor().interaction(interaction) == interaction


def test_broken_compression_stays():
    interaction = answered(b"\x1f\x8b broken", ("content-encoding", "gzip"))
    assert redactor().interaction(interaction) == interaction


def test_cut_compressed_stream_is_looked_through():
    packed = gzip.compress(f'data: {{"api_key":"{CANARY}"}}\n\n'.encode() * 50 + bytes(range(256)) * 20)[:-30]
    interaction = answered((Chunk(packed),), ("content-encoding", "gzip"), end=StreamEnd.CLOSED)
    found = redactor().interaction(interaction).outcome
    assert CANARY.encode() not in found.body
    assert found.end is StreamEnd.CLOSED


def test_boundaries_stay_where_nothing_spans_them():
    pieces = (b"data: one\n\n", f"data: {CANARY}\n\n".encode(), b"data: two\n\n")
    interaction = answered(tuple(Chunk(piece, n) for n, piece in enumerate(pieces)))
    found = redactor(MY_SECRET=CANARY).interaction(interaction).outcome
    assert found.chunks == (
        Chunk(b"data: one\n\n", 0),
        Chunk(b"data: REDACTED(MY_SECRET)\n\n", 1),
        Chunk(b"data: two\n\n", 2),
    )


@pytest.mark.parametrize("size", [1, 3, 7])
def test_secret_over_the_boundaries_of_pieces(size):
    body = f"before {CANARY} after".encode()
    pieces = tuple(Chunk(body[start : start + size], start) for start in range(0, len(body), size))
    found = redactor(MY_SECRET=CANARY).interaction(answered(pieces)).outcome
    assert found.body == b"before REDACTED(MY_SECRET) after"
    assert found.chunks[0] == pieces[0]
    assert found.chunks[-1] == pieces[-1]
    assert all(chunk.data for chunk in found.chunks)


@pytest.mark.parametrize("size", [1, 4])
def test_secret_that_a_model_streams(size):
    words = ["key: ", *(CANARY[start : start + size] for start in range(0, len(CANARY), size)), "."]
    events = [f"data: {json.dumps({'delta': {'content': word}})}\n\n".encode() for word in words]
    interaction = answered((*map(Chunk, events), Chunk(b"data: [DONE]\n\n")), asked=request(b"", ("x-api-key", CANARY)))
    found = redactor().interaction(interaction).outcome
    said = [json.loads(chunk.data[6:])["delta"]["content"] for chunk in found.chunks[:-1]]
    assert "".join(said) == "key: REDACTED(x-api-key)."
    assert len(found.chunks) == len(events) + 1


def test_secret_in_an_event_stream_of_aws():
    frames = [Frame(b"", json.dumps({"delta": {"text": text}}).encode()) for text in ("a", CANARY[:9], CANARY[9:], "b")]
    body = join_frames(frames)
    interaction = answered(
        (Chunk(body[:50]), Chunk(body[50:])),
        ("content-type", "application/vnd.amazon.eventstream"),
        asked=request(b"", ("x-api-key", CANARY)),
    )
    found = redactor().interaction(interaction).outcome
    after, rest = split_frames(found.body)
    assert "".join(json.loads(frame.payload)["delta"]["text"] for frame in after) == "aREDACTED(x-api-key)b"
    assert rest == b""
    assert found.redacted


def test_innocent_event_stream_of_aws_stays():
    interaction = answered(
        join_frames([Frame(b"", b'{"a":1}')]) + b"cut", ("content-type", "application/vnd.amazon.eventstream")
    )
    assert redactor().interaction(interaction) == interaction


@pytest.mark.parametrize("body", [bytes(range(256)) * 9, "ключ и 😀".encode(), b"", b"\xff\xfe"])
def test_innocent_bytes_stay(body):
    interaction = answered(body, ("content-type", "text/plain"))
    assert redactor(MY_SECRET=CANARY).interaction(interaction) == interaction


def test_failure_is_looked_through():
    failure = Failure("ConnectError", Phase.CONNECT, f"cannot reach https://x?api_key={CANARY}")
    found = redactor().interaction(Interaction(request(), failure)).outcome
    assert found.message == "cannot reach https://x?api_key=REDACTED(api_key)"


def test_failure_in_a_body_is_looked_through():
    failure = Failure("ReadError", Phase.BODY, f"key {KEY}")
    found = redactor().interaction(answered(b"part", end=StreamEnd.FAILED, failure=failure)).outcome
    assert found.failure.message == "key REDACTED(openai-key)"


def test_users_fields_and_expressions():
    rules = ["account_id", r"customer [A-Zé]+", "  "]
    asked = request(
        '{"account_id": 12, "text": "ü customer ACMé wants"}'.encode(), url="https://a.example?account_id=7"
    )
    found = redactor(rules).request(asked)
    assert found.body.decode() == '{"account_id": "REDACTED(account_id~2)", "text": "ü REDACTED(replay_redact) wants"}'
    assert found.url == "https://a.example?account_id=REDACTED(account_id)"


def test_users_field_is_a_response_header_too():
    found = redactor(["x-customer"]).interaction(answered(b"", ("X-Customer", "acme"), ("x", "y"))).outcome
    assert found.headers == (("x", "y"),)


def test_expression_that_is_none():
    with pytest.raises(UserError, match=r"replay_redact: '\[' is neither"):
        redactor(["["])


def test_keying_of_a_foreign_request(keying, make_keying):
    foreign = request({"api_key": "scrubbed"}, ("User-Agent", "SDK"), url="https://a.example?api_key=scrubbed")
    live = request({"api_key": CANARY}, url=f"https://a.example?api_key={CANARY}")
    same = redactor().keying(keying)
    assert same(live) == make_keying()(redactor().request(live))
    assert same.scheme == keying.scheme
    assert matches(redactor().request(live), redactor().request(foreign))


def test_kept_headers():
    asked = request(b"", ("X-Tenant", "acme"), ("X-Other", "y"))
    assert Redactor(environ={}, keep_headers=["x-tenant"]).request(asked).headers == (JSON_TYPE, ("X-Tenant", "acme"))


def test_text():
    assert redactor(MY_SECRET=CANARY).text(f"a {CANARY} b {KEY} ü") == "a REDACTED(MY_SECRET) b REDACTED(openai-key) ü"


def test_test_name_and_times_stay():
    interaction = Interaction(request(), Response(200), test="t.py::a", recorded_at="now", extra={"a": 1})
    found = redactor().interaction(interaction)
    assert (found.test, found.recorded_at, found.extra) == ("t.py::a", "now", {"a": 1})


def test_real_traffic_holds_nothing_to_redact(real_cassettes):
    from replay_agent.recording.cassettes.store import load

    changed = [
        path.name
        for path in sorted(real_cassettes.glob("*/*.yaml"))
        for each in load(path).interactions()
        if redactor().interaction(each).outcome.redacted or redactor().request(each.request).body != each.request.body
    ]
    assert changed == ["test_google_model_armor_prompt_template_text_gets_blocked.yaml"]


def test_a_secret_of_one_request_is_looked_for_in_the_next():
    one = redactor()
    one.request(request(b"", ("Authorization", f"Bearer {CANARY}")))
    assert one.request(request({"text": f"it was {CANARY}"})).body == b'{"text": "it was REDACTED(authorization)"}'


def test_a_secret_of_an_answer_is_looked_for_in_it_and_in_its_request():
    body = json.dumps({"access_token": CANARY, "log": f"issued {CANARY}"}).encode()
    found = redactor().interaction(answered(body, asked=request({"text": CANARY})))
    assert CANARY.encode() not in found.outcome.body + found.request.body


def test_a_cookie_of_an_answer_is_looked_for():
    one = redactor()
    one.interaction(answered(b"x", ("Set-Cookie", f"sid={CANARY}; Path=/")))
    assert one.request(request({"text": CANARY})).body == b'{"text": "REDACTED(sid)"}'


def test_a_variable_that_is_set_later():
    environ = {}
    one = Redactor(environ=environ)
    assert CANARY.encode() in one.request(request({"text": CANARY})).body
    environ["MY_SECRET"] = CANARY
    assert CANARY.encode() not in one.request(request({"text": CANARY})).body


def test_distinct_secrets_have_numbers_in_order_of_appearance():
    one = redactor()
    keys = ["first-Qz7Lk9Wm3PvXt5", "other-Rb2Ny8Hc4Jd6Gf", "first-Qz7Lk9Wm3PvXt5"]
    found = [json.loads(one.request(request({"api_key": key})).body)["api_key"] for key in keys]
    assert found == ["REDACTED(api_key)", "REDACTED(api_key~2)", "REDACTED(api_key)"]


def test_placeholders_that_traffic_carries_are_left_to_it():
    found = redactor().request(request({"api_key": CANARY, "text": "it is REDACTED(api_key)"})).body
    assert json.loads(found) == {"api_key": "REDACTED(api_key~2)", "text": "it is REDACTED(api_key)"}


def test_a_changed_body_has_no_checksum_of_amazon_any_more():
    headers = (("x-amz-checksum-crc32", "x"), ("X-Amz-Checksum-SHA256", "y"), ("etag", "z"))
    found = redactor().interaction(answered(f"key {KEY}".encode(), *headers)).outcome
    assert found.headers == (("etag", "z"),)


def test_unannounced_gzip_stays_gzip():
    packed = gzip.compress(json.dumps({"api_key": CANARY}).encode())
    found = redactor().interaction(answered((Chunk(packed[:20]), Chunk(packed[20:])))).outcome
    assert json.loads(gzip.decompress(found.body)) == {"api_key": "REDACTED(api_key)"}
    assert redactor().interaction(answered(found.body)).outcome.body == found.body


def test_boundaries_of_a_packed_stream():
    pack = zlib.compressobj(wbits=31)
    pieces = [b"data: one\n\n", f"data: {KEY}\n\n".encode(), b"data: two\n\n"]
    packed = [pack.compress(piece) + pack.flush(zlib.Z_SYNC_FLUSH) for piece in pieces] + [pack.flush()]
    found = redactor().interaction(answered(tuple(map(Chunk, packed)), ("content-encoding", "gzip"))).outcome
    assert [chunk.data for chunk in found.chunks] == [pieces[0], b"data: REDACTED(openai-key)\n\n", pieces[2]]


OPAQUE = {
    "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds2bm9Uyv1cLxYzA3QdK8Z5w7Lq2n==",
    "encrypted_content": "gAAAAABo4k8aPz3mQ1uXkT9dYt0Zl7VbNcRfHgJsWqEo2i6y5n8-B_4xCvDpKrTtLm",
    "thoughtSignature": "CpwBAVSoXO4kP2jQz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0",
    "nextForwardToken": "f/36131629747413418397413418397413418397/s",
    "resume_token": "gmFlgmJzMTIzNDU2Nzg5MGFiY2RlZg9xK7",
    "nextPageToken": "CAUQAA7fKx92LmQpZ",
    "id": "msg_01Fg1JVgvCYUHWsxrj9GkpEv",
    "tool_use_id": "toolu_01X9wcHKKAZD9tBC711xipPa",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


@pytest.mark.parametrize("name", OPAQUE)
def test_state_that_a_provider_wants_back_stays(name):
    body = json.dumps({name: OPAQUE[name], "x": {"y": [{name: OPAQUE[name]}]}}).encode()
    assert redactor().interaction(answered(body)).outcome.body == body
