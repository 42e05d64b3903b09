from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import UserError
from replay_agent.traffic import Request
from replay_agent.wire.codec import Asked
from replay_agent.wire.registry import CODECS, codec_for, codec_named, read_lost_call


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


PIECES = st.sampled_from(
    [
        *(
            "/v1",
            "/v2",
            "/api",
            "/messages",
            "/messages/count_tokens",
            "/chat",
            "/completions",
            "/agents",
            "/responses",
        ),
        *("/model/anthropic.claude", "/model/amazon.nova", "/invoke", "/invoke-with-response-stream", "/converse"),
        *(
            "/converse-stream",
            "/models/gemini-2",
            "/models/claude:rawPredict",
            "/publishers/anthropic",
            "/Chat/Completions",
        ),
        *(":generateContent", ":streamGenerateContent", ":GenerateContent", ":streamRawPredict", "/v1internal", "/"),
    ]
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.just([]),
        "contents": st.just([]),
        "input": st.just("hi"),
        "model": st.just("m"),
        "anthropic_version": st.just("vertex-2023-10-16"),
        "random_seed": st.just(1),
    },
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=4).map("".join), BODIES)
def test_what_no_address_tells_of_is_no_codecs(path, fields):
    """The row of a format leaves out no request that its codec would have."""
    request = Request("POST", f"https://api.example{path}", body=json.dumps(fields).encode())
    asked = Asked.by(request, fields)
    claiming = next((codec for codec in CODECS if fields and codec.claims(asked)), None)
    assert codec_for(request) is claiming
    bodiless = Request("POST", request.url)
    serving = next((codec for codec in CODECS if codec.serves(Asked.by(bodiless, {}))), None)
    lost = read_lost_call(bodiless)
    assert (lost[0] if lost else None) is serving


def test_one_call_takes_the_codec_of_its_format_alone():
    code = """
        import sys
        from replay_agent.traffic import Request
        from replay_agent.wire.registry import codec_for
        codec_for(Request("POST", "https://api.anthropic.com/v1/messages", body=b'{"messages": []}'))
        rooms = {name.split(".")[2] for name in sys.modules if name.startswith("replay_agent.wire.")}
        print(*sorted(rooms - {"codec", "registry", "shapes", "unread"}))
    """
    done = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["anthropic"]
