from __future__ import annotations

import json

import pytest

from replay_agent.exceptions import UserError
from replay_agent.traffic import Request
from replay_agent.wire.registry import CODECS, codec_for, codec_named


def test_every_codec_has_its_own_name():
    names = [codec.name for codec in CODECS]
    assert len(set(names)) == len(names)
    assert [codec_named(name) for name in names] == list(CODECS)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(UserError, match=r"'morse'.*openai_chat"):
        codec_named("morse")


CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
MISTRAL = json.dumps({"model": "m", "messages": [], "random_seed": 1}).encode()


@pytest.mark.parametrize(
    ("url", "body", "name"),
    [
        ("https://api.openai.com/v1/chat/completions", CHAT, "openai_chat"),
        ("http://localhost:8080/anything/chat/completions", CHAT, "openai_chat"),
        ("https://api.mistral.ai/v1/chat/completions", CHAT, "mistral"),
        ("http://127.0.0.1:8080/v1/chat/completions", MISTRAL, "mistral"),
    ],
)
def test_path_and_body_tell_the_format(url, body, name):
    codec = codec_for(Request("POST", url, body=body))
    assert codec is not None
    assert codec.name == name


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", "https://api.openai.com/v1/chat/completions", b""),
        ("POST", "https://api.openai.com/v1/embeddings", b'{"input": "hi", "model": "m"}'),
        ("POST", "https://api.openai.com/v1/chat/completions", b"not json"),
        ("POST", "https://api.openai.com/v1/chat/completions", b'{"messages": "hi"}'),
        ("POST", "https://api.openai.com/v1/moderations", CHAT),
        ("POST", "http://[", CHAT),
        ("POST", "", b""),
    ],
)
def test_other_traffic_has_no_codec(method, url, body):
    assert codec_for(Request(method, url, body=body)) is None
