"""An interaction as lines: exact both ways, and readable by a person who may also edit it."""

from __future__ import annotations

import difflib
import gzip
import json
from contextlib import suppress
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_agent.recording.cassettes import items
from replay_agent.recording.cassettes.items import BadItem, read_item, read_outcome, write_item
from replay_agent.recording.cassettes.yaml_blocks import Unwritable
from replay_agent.traffic import Chunk, Interaction, Request, Response
from tests.recording.cassettes.samples import DAMAGE, INTERACTIONS, OUTCOMES, REQUEST


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_same_interaction_comes_back(outcome):
    interaction = Interaction(REQUEST, outcome, test="t.py::a[b]", recorded_at="2026-11-22T10:00:00Z")
    lines = write_item(interaction)
    assert read_item(lines) == interaction
    assert (
        read_outcome(lines[lines.index("  response:" if isinstance(outcome, Response) else "  failure:") :]) == outcome
    )


def test_text_that_yaml_has_no_place_for():
    interaction = Interaction(
        Request("G\ud800", "u\udfff", (("n\ud800", "v"), ("n" * 300, "v"))), Response(200), test="\ud800"
    )
    assert read_item(write_item(interaction)) == interaction


def test_unknown_fields_stay():
    interaction = Interaction(REQUEST, Response(200), extra={"note": "mine", "list": ["a"]})
    found = read_item(write_item(interaction))
    assert found.extra == {"note": "mine", "list": ["a"]}


def test_unwritable_unknown_field_is_said():
    with pytest.raises(Unwritable, match=r"https://a\.example"):
        write_item(Interaction(REQUEST, Response(200), extra={"note": "\ud800"}))


def test_changed_line_of_a_prompt_is_one_changed_line(chat):
    prompt = "You are a geographer.\nAnswer\tshortly 😀 \n\n  - in one word\n  - no doubt\n"
    before = write_item(chat(prompt)).splitlines()
    after = write_item(chat(prompt.replace("one word", "two words"))).splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert [(line[0], line[1:].strip()) for line in changed] == [("-", "- in one word"), ("+", "- in two words")]


def test_changed_token_of_a_stream_is_one_changed_line():
    def stream(*words):
        events = tuple(Chunk(f'data: {{"delta":"{word}"}}\n\n'.encode(), 10 * n) for n, word in enumerate(words))
        return write_item(Interaction(REQUEST, Response(200, chunks=events))).splitlines()

    changed = [line for line in difflib.ndiff(stream("a", "b", "c"), stream("a", "something", "c")) if line[0] in "+-"]
    assert changed == ['-         data: {"delta":"b"}', '+         data: {"delta":"something"}']


def test_crlf_prompt_changes_by_the_line(chat):
    before, after = (write_item(chat(f"one\r\n{word}\r\nthree")).splitlines() for word in ("two", "2"))
    assert len([line for line in difflib.ndiff(before, after) if line[0] in "+-"]) == 2


def test_lines_are_plain_yaml(chat):
    found = yaml.safe_load(write_item(chat("one\ntwo")))
    assert found["request"]["body"]["json"]["messages"][0] == {"role": "user", "content": "one\ntwo"}
    assert found["response"]["status"] == 200


EDITS = [
    ("capital of France", "capital of Spain"),
    ("    status: 200", "    status: 200  # fine"),
    ("      json:\n", "      # a comment\n      json:\n\n"),
    ("        model: gpt-4o\n", '        "model": "gpt-4o"\n'),
]


@pytest.mark.parametrize(("old", "new"), EDITS)
def test_edited_lines_are_read(chat, old, new):
    lines = write_item(chat())
    assert old in lines
    found = read_item(lines.replace(old, new), edited=True)
    asked = json.loads(found.request.body)
    assert asked["messages"][0]["content"] == (
        "What is the capital of Spain?" if "Spain" in new else "What is the capital of France?"
    )
    assert found.outcome.status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    status: 200\n", "    status: 200\n    status: 500\n"),
        ("        model: gpt-4o\n", "        model: gpt-4o\n        model: gpt-5\n"),
        ("  response:\n", "  response:\n    status: 500\n  response:\n"),
    ],
)
def test_a_field_that_stands_twice_is_refused(chat, old, new):
    """Both halves of a conflict were kept, and nobody can tell which is meant."""
    lines = write_item(chat())
    assert old in lines
    with pytest.raises(BadItem, match="stands there twice"):
        read_item(lines.replace(old, new, 1), edited=True)


def test_edited_body_gets_its_length():
    interaction = Interaction(REQUEST, Response(200, (("Content-Length", "5"),), (Chunk(b"hello"),)))
    lines = write_item(interaction).replace("text: hello", "text: goodbye")
    assert read_item(lines, edited=True).outcome.headers == (("Content-Length", "7"),)


def test_edited_gzip_body_is_compressed_again():
    head = (("content-encoding", "gzip"),)
    lines = write_item(Interaction(REQUEST, Response(200, head, (Chunk(gzip.compress(b"hello\n")),))))
    found = read_item(lines.replace("hello", "goodbye"), edited=True)
    assert gzip.decompress(found.outcome.body) == b"goodbye\n"


def test_headers_may_be_written_as_a_mapping():
    lines = "  request:\n    method: GET\n    uri: https://a\n    headers:\n      a: b\n      n: 5\n  response:\n    status: 200\n"
    assert read_item(lines, edited=True).request.headers == (("a", "b"), ("n", "5"))


@pytest.mark.parametrize(("old", "new", "words"), DAMAGE)
def test_damage_names_its_cause(chat, old, new, words):
    lines = write_item(chat(answer="Paris."))
    begin = lines.index("  response:") if lines.count(old) > 1 else 0
    assert old in lines[begin:]
    damaged = lines[:begin] + lines[begin:].replace(old, new, 1)
    with pytest.raises(BadItem, match=words.replace("[", r"\[")) as caught:
        read_item(damaged, edited=True)
    assert words in str(caught.value)


def test_damage_names_its_line(chat):
    with pytest.raises(BadItem) as caught:
        read_item(write_item(chat()).replace("method: POST", "method: 'POST"), edited=True)
    assert caught.value.line is not None


def test_untrue_checksum_does_no_harm():
    with pytest.raises(BadItem):
        read_item("  - " * 50_000 + "\n")
    with pytest.raises(BadItem):
        read_item("  a:\n" * 3)


@settings(deadline=None, max_examples=60)
@given(INTERACTIONS)
def test_any_interaction_comes_back(interaction):
    lines = write_item(interaction)
    assert read_item(lines) == interaction
    headers = getattr(interaction.outcome, "headers", ())
    if all(name != "content-length" for name, _ in headers):
        assert read_item(lines, edited=True) == interaction
    assert yaml.safe_load(f"- # key\n{lines}...\n")


@settings(deadline=None, max_examples=40)
@given(INTERACTIONS, st.integers(0, 10_000), st.text(max_size=3))
def test_damaged_lines_are_read_or_refused(interaction, place, inserted):
    lines = write_item(replace(interaction, test=None))
    place %= len(lines)
    with suppress(BadItem):
        read_item(lines[:place] + inserted + lines[place + 1 :], edited=True)


@pytest.mark.parametrize(
    ("said", "times"), [("one\ntwo 'and' \"three\"", 0), ("a\ttab", 1), ("\x1b[1m and \n more", 1)]
)
def test_only_texts_out_of_the_ordinary_are_read_back_by_libyaml(chat, calls_of, said, times):
    asked = calls_of(items, "read_yaml")
    interaction = chat(said)
    assert read_item(write_item(interaction)) == interaction
    assert len(asked) == times
