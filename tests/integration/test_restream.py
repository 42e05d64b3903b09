"""Streams of real providers, cut at every byte, at random and not at all: our decoders and the SDKs read the same."""

from __future__ import annotations

from threading import Event

import pytest

from replay_agent.exceptions import WireError
from replay_agent.faults.fault import Answered
from replay_agent.faults.restream import recut_as
from replay_agent.messages import ModelMessagesTypeAdapter
from replay_agent.recording.answers import Replay
from replay_agent.recording.cassettes import store
from replay_agent.recording.clients import intercept
from replay_agent.traffic import Response
from replay_agent.wire.codec import is_stream
from replay_agent.wire.registry import read_call
from tests.provider.sdks import SDKS

CUTS = ("merged", "bytes", "random:1", "random:2")
READERS = {
    "openai_chat": ("openai",),
    "openai_responses": ("openai responses",),
    "anthropic": ("anthropic",),
    "gemini": ("google-genai",),
    "mistral": ("mistralai",),
    "cohere": ("cohere",),
    "bedrock": ("boto3",),
    "ollama": ("ollama",),
}
FOLDERS = ("anthropic", "bedrock", "cohere", "compat", "deepseek", "gemini", "groq", "huggingface", "mistral")
FOLDERS += ("openai_chat", "openai_responses", "openrouter")


class Playing:
    """Answers everything with one response."""

    is_open = True

    def __init__(self, response):
        self.response = response

    def wants(self, _url):
        return True

    def begin(self, raw):
        return Replay(self.response, Event(), lambda: AssertionError(raw.url))

    def overhear(self, raw):
        """There are no recordings here."""


def streams(folder):
    for path in sorted(folder.rglob("*.yaml")):
        for interaction in store.load(path).interactions():
            outcome = interaction.outcome
            if not isinstance(outcome, Response) or outcome.status != 200 or not is_stream(outcome.headers):
                continue
            found = read_call(interaction.request)
            if found is not None:
                codec, call = found
                yield path, Answered.by(codec, interaction.request, call, outcome)


def decoded(answered, response):
    decoder = answered.codec.stream_decoder(answered.call, response.headers)
    try:
        for chunk in response.chunks:
            decoder.feed(chunk.data)
        decoder.close()
    except WireError as error:
        return str(error)
    answer = decoder.answer
    return ModelMessagesTypeAdapter.dump_json([answer.response] if answer.response else []), answer.error


def read_by(sdk, response):
    with intercept.responding(Playing(response)):
        try:
            return repr(SDKS[sdk].stream())
        except Exception as error:
            return type(error).__name__


@pytest.mark.parametrize("folder", FOLDERS)
def test_our_decoders_read_the_same_at_every_cut(real_cassettes, folder):
    differing = []
    for path, answered in streams(real_cassettes / folder):
        expected = decoded(answered, answered.response)
        differing += [
            (path.name, cut) for cut in CUTS if decoded(answered, recut_as(cut)(answered.response)) != expected
        ]
    assert differing == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("folder", FOLDERS)
def test_sdks_read_the_same_at_every_cut(real_cassettes, folder):
    differing = []
    seen = set()
    for path, answered in streams(real_cassettes / folder):
        body = answered.response.body
        if len(body) > 20_000 or body in seen:
            continue
        seen.add(body)
        for sdk in READERS[answered.codec.name]:
            expected = read_by(sdk, answered.response)
            differing += [
                (path.name, sdk, cut, got, expected)
                for cut in CUTS
                if (got := read_by(sdk, recut_as(cut)(answered.response))) != expected
            ]
    assert differing == []
