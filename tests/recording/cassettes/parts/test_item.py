"""An item: its comment tells key, fingerprint and checksum, and says nothing that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replay_agent.recording.cassettes.parts.item import BEGIN, new_item, stored_key, unkeyed
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.matching.keys import Key


@pytest.mark.parametrize(
    "key",
    [
        Key("0" * 16),
        Key("0123456789abcdef", ("call_1",)),
        Key("0123456789abcdef", ("odd id: #1\n", "", "%", "<x", "é")),
        Key("f" * 16, ("call_1", "call_2"), secrets=("OPENAI_API_KEY", "token")),
    ],
)
def test_a_key_comes_back_from_the_comment(chat, key):
    item = new_item(chat(), key)
    digest, spelled, _, said = BEGIN.match(b"\n" + item.source).groups()
    found = stored_key(digest, spelled, said)
    assert (found.digest, found.ids, found.secrets) == (key.digest, key.ids, key.secrets)
    assert found.fingerprint == fingerprint(chat().request)


def test_forgotten_key(chat, keying):
    item = new_item(chat(), keying(chat().request))
    assert unkeyed(item).content == item.content
    assert unkeyed(item).source.startswith(b"- # ?/")
    by_hand = replace(item, source=b"- test: x\n" + item.content)
    assert unkeyed(by_hand) == by_hand
