"""What tells that a request is spelled as a recorded one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.document import read_cassette, render
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Request

ASKED = Request("POST", "https://api.example.org/v1", (("Content-Type", "application/json"),), b'{"n":1}')


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, method="PUT"),
        replace(ASKED, url="https://api.example.org/v2"),
        replace(ASKED, body=b'{"n": 1}'),
        replace(ASKED, headers=(("Content-Type", "text/plain"),)),
        replace(ASKED, headers=(*ASKED.headers, ("Range", "bytes=0-9"))),
        replace(ASKED, headers=()),
    ],
    ids=["method", "address", "body", "value of a header", "one more header", "no header"],
)
def test_another_spelling_shows(other):
    assert fingerprint(other) != fingerprint(ASKED)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, headers=(("content-type", "application/json"),)),
        replace(ASKED, headers=(("user-agent", "openai 3"), *ASKED.headers, ("authorization", "Bearer x"))),
    ],
    ids=["case of a header", "headers that are not stored"],
)
def test_what_is_not_stored_does_not_show(other):
    assert fingerprint(other) == fingerprint(ASKED)


def test_stored_request_has_the_fingerprint_of_the_live_one():
    live = replace(ASKED, headers=(("Host", "api.example.org"), *ASKED.headers, ("x-api-key", "abc")))
    assert fingerprint(Redactor().request(live)) == fingerprint(live)


def test_text_that_is_no_unicode_is_taken():
    assert len(fingerprint(replace(ASKED, url="https://api.example.org/\udcff"))) == 16


def test_cassette_keeps_it(chat, keying, tmp_path):
    asked = chat().request
    data = render(Header(keying=keying.scheme), [new_item(chat(), keying(asked))])
    (key,) = read_cassette(data, tmp_path / "a.yaml").keys(keying)
    assert (key, key.fingerprint) == (keying(asked), fingerprint(asked))


def test_changed_fingerprint_in_the_file_is_not_believed(chat, keying, tmp_path):
    data = render(Header(keying=keying.scheme), [new_item(chat(), keying(chat().request))])
    forged = data.replace(fingerprint(chat().request).encode(), fingerprint(ASKED).encode())
    (key,) = read_cassette(forged, tmp_path / "a.yaml").keys(keying)
    assert (key, key.fingerprint) == (keying(chat().request), fingerprint(chat().request))


@pytest.mark.parametrize(
    "body", [b'{"prompt": "Hello"}', b'{"prompt": "REDACTED(openai-key~2) and REDACTED(openai-key)"}']
)
def test_another_tools_cassette_is_known_by_it_unless_secrets_were_taken_out(tmp_path, body):
    keying = meaning()
    asked = Request("POST", "https://api.example.org/v1", (("content-type", "application/json"),), body)
    said = {
        "method": asked.method,
        "uri": asked.url,
        "headers": {"content-type": ["application/json"]},
        "body": body.decode(),
    }
    document = {
        "version": 1,
        "interactions": [{"request": said, "response": {"status": {"code": 200}, "body": {"string": ""}}}],
    }
    (key,) = store.parse(json.dumps(document).encode(), tmp_path / "a.json").keys(keying)
    assert key.digest == keying(asked).digest
    assert key.fingerprint == ("" if b"REDACTED" in body else fingerprint(asked))


def test_the_digits_are_those_that_stand_in_files():
    assert fingerprint(ASKED) == "97fc25323fe3a085"


def test_an_address_may_hold_what_is_no_text():
    assert fingerprint(replace(ASKED, url="https://api.example.org/\ud800")) != fingerprint(ASKED)
