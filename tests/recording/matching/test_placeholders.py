"""What stands in a secret's place, and which secret of a run is which of a recording's."""

from __future__ import annotations

import json

import pytest

from replay_agent.recording.matching.index import Index
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.matching.placeholders import PLACEHOLDER, Secrets, placeholder, unnamed


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "a b/c", "ключ", '"<&>', "", "x" * 999])
@pytest.mark.parametrize("number", [0, 1, 2, 17])
def test_a_placeholder_needs_no_escape(name, number):
    text = placeholder(name, number).decode()
    assert json.dumps(text) == f'"{text}"'
    assert not set(text) & set("<>&%+ /\\'\"#?=:")
    assert PLACEHOLDER.fullmatch(text.encode())


def test_names_are_taken_out_in_order():
    names = []
    text = b"a REDACTED(x) b REDACTED(y~2) REDACTED(x) REDACTED( no"
    assert unnamed(text, names) == b"a REDACTED() b REDACTED() REDACTED() REDACTED( no"
    assert names == ["x", "y~2", "x"]


def bound(live, recorded):
    secrets = Secrets()
    assert secrets.fit(live, recorded)
    secrets.bind(live, recorded)
    return secrets


def test_secrets_are_compared_by_which_is_which():
    secrets = bound(["x"], ["x~2"])
    assert secrets.fit(["x", "y"], ["x~2", "x"])
    assert not secrets.fit(["x"], ["x"])
    assert not secrets.fit(["y"], ["x~2"])
    assert not secrets.fit(["y", "z"], ["x", "x"])
    assert not secrets.fit(["y"], ["x", "x"])


def test_what_stands_in_fits_any():
    assert bound(["x"], ["x"]).fit(["x~0", "x~0"], ["x", "x~2"])


def test_requests_that_do_not_say_fit_any():
    assert bound(["x"], ["x"]).fit(["y"], [])


def test_placeholders_of_recorded_answers_are_themselves():
    secrets = bound(["x"], ["x~2"])
    assert secrets.fit(["x"], ["x"], literal=True)
    assert not secrets.fit(["x"], ["x~2"], literal=True)


def keyed(*secrets):
    return Key("d", secrets=secrets)


def test_another_key_matches_and_a_second_one_does_not():
    index = Index([keyed("x")], allow_repeats=True)
    assert index.find(keyed("openai-key")) == 0
    assert index.find(keyed("openai-key~2")) is None
    assert index.find(keyed("openai-key")) == 0
    assert index.count(keyed("openai-key~2")) == 0


def test_two_secrets_get_their_own_answers_in_any_order():
    index = Index([keyed("x"), keyed("x~2"), keyed("x")])
    assert [index.find(keyed(name)) for name in ("a", "b", "b", "a", "a")] == [0, 1, None, 2, None]


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("api_key", 1, b"REDACTED(api_key)"),
        ("api_key", 2, b"REDACTED(api_key~2)"),
        ("api_key", 0, b"REDACTED(api_key~0)"),
        ("a b/c", 1, b"REDACTED(a-b-c)"),
        ("", 1, b"REDACTED(secret)"),
        ("x" * 999, 3, b"REDACTED(%s~3)" % (b"x" * 80)),
    ],
)
def test_a_placeholder_names_the_rule_and_numbers_further_secrets(name, number, text):
    assert placeholder(name, number) == text


def test_the_first_secret_of_a_rule_needs_no_number():
    assert placeholder("api_key") == placeholder("api_key", 1)
