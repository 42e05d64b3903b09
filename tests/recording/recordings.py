"""Recordings with plain keys, made and asked by hand."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import yaml

from replay_agent.recording.answers import Live, Replay
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.matching.placeholders import unnamed
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Chunk, Request, Response

URL = "https://api.example.org/v1/chat"


class PlainKeying:
    scheme = "plain"

    def __call__(self, request):
        text = f"{request.method} {request.url} ".encode() + request.body
        ids = re.findall(rb"call_\w+", text)
        return Key(hashlib.sha256(re.sub(rb"call_\w+", b"call", text)).hexdigest()[:16], tuple(map(bytes.decode, ids)))


class SecretKeying(PlainKeying):
    """Keys in which all placeholders are alike, as those of real recordings are."""

    def __call__(self, request):
        names = []
        url, body = unnamed(request.url.encode(), names), unnamed(request.body, names)
        return replace(super().__call__(Request(request.method, url.decode(), (), body)), secrets=tuple(names))


class Explainer:
    """Keeps the misses that it was asked about."""

    def __init__(self):
        self.asked = []

    def __call__(self, miss):
        self.asked.append(miss)
        return f"{miss.reason}: {miss.request.body.decode()}"


def make(path, mode="none", *, test="test_x.py::test_x", explain=None, key=PlainKeying, **options):
    options = RecordOptions(record_mode=mode, **options)
    return Recording(path, options, key=key(), explain=explain or Explainer(), test=test)


def ask(body="hi", url=URL, method="POST"):
    return Request(method, url, (("content-type", "text/plain"),), body.encode())


def say(text):
    return Response(200, (("content-type", "text/plain"),), (Chunk(text.encode()),), reason="OK")


def record(path, *talk, mode="once", success=True, **options):
    """Record pairs of request body and answer."""
    recording = make(path, mode, **options).open()
    for question, answer in talk:
        live = recording.begin(ask(question))
        assert isinstance(live, Live), question
        live.finish(say(answer))
    recording.close(success)
    return recording


def replayed(recording, body):
    answer = recording.begin(ask(body))
    assert isinstance(answer, Replay), body
    return answer.outcome.body.decode()


def bodies(path):
    """Return the request bodies in a cassette, in order."""
    return [item["request"]["body"]["text"] for item in yaml.safe_load(path.read_text())["interactions"]]
