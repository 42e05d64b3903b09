"""Headers that choose among answers: which differences count, and which are spelling or an SDK's habit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.matching.choosing import CHOOSING_HEADERS, agree, choice_of, disagreeing
from replay_agent.traffic import Request


def choice(*headers, body=b"{}"):
    return choice_of(Request("POST", "https://h.example/", headers, body))


SAME = [
    ("Accept", "application/json", "*/*"),
    ("Accept", "application/json", "application/json, text/plain, */*"),
    ("Accept", "application/json", "Application/JSON; charset=utf-8"),
    ("Accept", "application/json", "application/json, text/event-stream"),
    ("Accept", "text/event-stream, application/json", "application/json,text/event-stream"),
    ("Accept", "text/csv", "text/*"),
    ("Accept", "application/json;q=0.9", "application/json"),
    ("Accept", "application/json", "application/json;version=1"),
    ("Accept", "application/json", "application/json;q=x"),
    ("Accept", "application/json", ""),
    ("Accept-Language", "de", "de-AT"),
    ("Accept-Language", "en-US", "en-US,en;q=0.9"),
    ("Accept-Language", "de", "*"),
    ("Content-Type", "application/json", "application/json; charset=utf-8"),
    ("Content-Type", "multipart/form-data; boundary=a", "multipart/form-data; boundary=b"),
    ("anthropic-beta", "a-1,b-2", "b-2, a-1"),
    ("anthropic-beta", "a-1,a-1", "a-1"),
    ("User-Agent", "OpenAI/Python 2", "OpenAI/Python 3"),
    ("X-Stainless-Retry-Count", "0", "1"),
    ("Accept-Encoding", "gzip", "br"),
    ("OpenAI-Project", "a", "b"),
    ("X-Goog-User-Project", "a", "b"),
    ("Mcp-Session-Id", "a", "b"),
    ("Traceparent", "a", "b"),
]
DIFFERENT = [
    ("Accept", "application/json", "text/event-stream"),
    ("Accept", "text/csv", "application/json"),
    ("Accept", "application/vnd.github.raw+json", "application/vnd.github.html+json"),
    ("Accept", "application/json;version=1", "application/json;version=2"),
    ("Accept", "application/json", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("Accept", "text/event-stream", "application/json, text/event-stream;q=0.5"),
    ("Accept-Language", "de", "fr"),
    ("Accept-Language", "en-US", "en-GB"),
    ("Accept-Language", "de", "den"),
    ("Last-Event-ID", "4", "5"),
    ("Content-Type", "application/json-patch+json", "application/merge-patch+json"),
    ("anthropic-beta", "files-api-2025-04-14", "mcp-client-2025-04-04"),
    ("anthropic-beta", "a-1", "a-1,b-2"),
    ("anthropic-version", "2023-01-01", "2023-06-01"),
    ("OpenAI-Beta", "assistants=v1", "assistants=v2"),
    ("Prefer", "return=minimal", "return=representation"),
    ("If-None-Match", '"a"', '"b"'),
    ("X-Goog-FieldMask", "places.id", "places.name"),
    ("X-GitHub-Api-Version", "2022-11-28", "2026-03-10"),
]


@pytest.mark.parametrize(("name", "one", "other"), SAME)
def test_habits_and_spellings_agree(name, one, other):
    assert agree(choice((name, one)), choice((name.lower(), other)))
    assert agree(choice((name, other)), choice((name.upper(), one)))


@pytest.mark.parametrize(("name", "one", "other"), DIFFERENT)
def test_other_wishes_do_not(name, one, other):
    assert disagreeing(choice((name, one)), choice((name.lower(), other))) == [name.lower()]
    assert not agree(choice((name, other)), choice((name, one)))


@pytest.mark.parametrize(("name", "one", "_"), DIFFERENT)
def test_a_header_that_is_missing_agrees_with_any(name, one, _):
    assert agree(choice((name, one)), choice()) is agree(choice(), choice((name, one))) is True


def test_repeated_headers_are_one_list():
    assert choice(("anthropic-beta", "a"), ("Anthropic-Beta", "b")) == choice(("anthropic-beta", "b,a"))


def test_without_a_body_its_type_says_nothing():
    assert choice(("content-type", "text/csv"), body=b"") == ()


def test_names_are_lower_case():
    assert {name.lower() for name in CHOOSING_HEADERS} == set(CHOOSING_HEADERS)


@given(st.lists(st.tuples(st.sampled_from(sorted(CHOOSING_HEADERS)), st.text(max_size=20)), max_size=4))
def test_any_value_is_read_and_agrees_with_itself(headers):
    assert agree(choice(*headers), choice(*headers))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("text/*", "textual/plain"),
        ("text/*", "tar/x"),
        ("application/json", "application/jsonl"),
        ("text/html", "text/*x"),
    ],
)
def test_a_range_covers_whole_names_only(wide, narrow):
    assert disagreeing(choice(("Accept", wide)), choice(("Accept", narrow))) == ["accept"]


def test_only_what_differs_is_named():
    one = choice(("Accept", "text/csv"), ("If-Match", "a"), ("anthropic-version", "1"))
    other = choice(("Accept", "text/csv"), ("If-Match", "b"), ("anthropic-version", "1"))
    assert disagreeing(one, other) == ["if-match"]
