"""Traffic and keys that the tests of this room share."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from replay_agent.recording.matching.keys import Key
from replay_agent.traffic import Chunk, Interaction, Request, Response


class BodyKeying:
    """Keys by method, address and the very bytes, and counts how often it is asked."""

    def __init__(self, scheme="bytes-1"):
        self.scheme = scheme
        self.asked = 0

    def __call__(self, request):
        self.asked += 1
        meaning = "\n".join((request.method, request.url, request.body.decode("latin-1")))
        return Key(sha256(meaning.encode()).hexdigest()[:16])


def make_chat(
    prompt="What is the capital of France?", answer="Paris.", *, test="tests/test_geo.py::test_capital", **response
):
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": prompt}]}
    said = {"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}}]}
    body = json.dumps(said, separators=(",", ":")).encode()
    return Interaction(
        Request(
            "POST",
            "https://api.openai.com/v1/chat/completions",
            (("content-type", "application/json"),),
            json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode(),
        ),
        Response(200, (("content-type", "application/json"),), (Chunk(body),), reason="OK", **response),
        test=test,
        recorded_at="2026-11-22T10:00:00Z",
    )


@pytest.fixture
def keying():
    return BodyKeying()


@pytest.fixture
def make_keying():
    return BodyKeying


@pytest.fixture
def chat():
    """Make one recorded exchange of a chat."""
    return make_chat
