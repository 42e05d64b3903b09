"""What a run has shown."""

from __future__ import annotations

import time

import pytest

from replay_agent.recording.redaction.knowledge import Knowledge
from replay_agent.recording.redaction.spans import Span

VALUE = 'pw"with\\odd/chars+é-1234'.encode()


def rules(knowledge, text):
    return [span.rule for span in knowledge.find(text)]


def test_every_occurrence_is_found():
    knowledge = Knowledge({})
    knowledge.learn("mine", VALUE)
    assert rules(knowledge, VALUE + b" " + VALUE) == ["mine", "mine"]
    assert knowledge.holds(b"x" + VALUE)
    assert not knowledge.holds(b"x")


@pytest.mark.parametrize("count", [1, 500], ids=["few", "many"])
@pytest.mark.parametrize("value", [b"Qz7Lk9Wm", b"Qz7Lk9Wm3", b"Qz7Lk9Wm3PvXt5", b"Qz7Lk9Wm3P-vXt5.Bd2Rf8"])
def test_a_value_is_found_wherever_it_stands(value, count):
    knowledge = Knowledge({})
    for number in range(count - 1):
        knowledge.learn("other", f"Jw{number:04}Hn5Tc8Yb".encode())
    knowledge.learn("mine", value)
    for text in (value, b"x" + value, value + b"x", b"a " + value + b" b", value + value):
        assert [(span.start, span.end) for span in knowledge.find(text)] == [
            (start, start + len(value)) for start in range(len(text)) if text.startswith(value, start)
        ]
        assert not knowledge.holds(text[: text.index(value) + len(value) - 1])


@pytest.mark.parametrize("value", [b"short", b"/home/me/and/others", b"1234567890123"])
def test_what_cannot_be_looked_for_is_not(value):
    knowledge = Knowledge({})
    knowledge.learn("mine", value)
    assert knowledge.size == 0


def test_the_scheme_is_no_part_of_a_secret():
    knowledge = Knowledge({})
    knowledge.learn("authorization", b"Bearer Qz7Lk9Wm3PvXt5")
    assert rules(knowledge, b"it is Qz7Lk9Wm3PvXt5") == ["authorization"]


def test_variables_are_read_at_each_use_and_not_forgotten():
    environ = {}
    knowledge = Knowledge(environ)
    for value in ("Qz7Lk9Wm3PvXt5", "Rb2Ny8Hc4Jd6Gf1"):
        environ["MY_TOKEN"] = value
        knowledge.read_environment()
    assert rules(knowledge, b"Qz7Lk9Wm3PvXt5 Rb2Ny8Hc4Jd6Gf1") == ["MY_TOKEN", "MY_TOKEN"]


def test_one_secret_has_one_placeholder():
    knowledge = Knowledge({})
    names = [knowledge.placeholder(Span(0, 1, rule, value)) for rule, value in (("a", b"x"), ("a", b"y"), ("b", b"x"))]
    assert names == [b"REDACTED(a)", b"REDACTED(a~2)", b"REDACTED(a)"]


@pytest.mark.parametrize(
    "spelled",
    [
        b'pw"with\\odd/chars+9-1234',
        b'pw\\"with\\\\odd/chars+9-1234',
        b'Bearer pw\\"with\\\\odd\\/chars+9-1234',
        b' pw"with\\odd/chars+9-1234\n',
    ],
)
def test_a_secret_has_its_placeholder_by_whom_it_was_shown_however_it_is_spelled(spelled):
    knowledge = Knowledge({})
    knowledge.learn("shown", b'pw"with\\odd/chars+9-1234')
    assert knowledge.placeholder(Span(0, 1, "found", spelled)) == b"REDACTED(shown)"


@pytest.mark.parametrize(
    "value", [b"Qz7\xffLk9Wm3PvXt5", b"\xfe\xffQz7Lk9Wm3PvXt5", "Qz7Lk9Wm3PvXt5é".encode("latin-1")]
)
def test_a_value_that_is_no_text_is_looked_for_all_the_same(value):
    knowledge = Knowledge({})
    knowledge.learn("mine", value)
    assert rules(knowledge, b"it is " + value) == ["mine"]


@pytest.mark.parametrize(
    "rules",
    [("Api Key", "Api-Key"), ("x/token", "x token"), ("", "secret"), ("k" * 80, "k" * 81), ("clé", "clè", "cl-")],
)
def test_rules_that_are_spelled_alike_in_a_placeholder_share_its_numbers(rules):
    knowledge = Knowledge({})
    spans = [Span(0, 1, rule, f"value-{number}".encode()) for number, rule in enumerate(rules)]
    made = [knowledge.placeholder(span) for span in spans]
    assert len(set(made)) == len(rules)
    assert [knowledge.placeholder(span) for span in spans] == made


def test_placeholders_of_others_are_not_given_out():
    knowledge = Knowledge({})
    knowledge.reserve(b"it is REDACTED(a) and REDACTED(a~2)")
    assert knowledge.placeholder(Span(0, 1, "a", b"x")) == b"REDACTED(a~3)"


def test_what_stands_in_has_no_number():
    assert Knowledge({}).placeholder(Span(0, 1, "a", b"x", stands_in=True)) == b"REDACTED(a~0)"


def test_fields_of_a_variable_that_holds_a_document():
    knowledge = Knowledge({"GCP_CREDENTIALS": '{"private_key_id": "Qz7Lk9Wm3PvXt5", "type": "service_account"}'})
    assert rules(knowledge, b"Qz7Lk9Wm3PvXt5 service_account") == ["GCP_CREDENTIALS"]


def test_a_plus_sign_is_a_blank_in_a_form():
    knowledge = Knowledge({"MY_TOKEN": "Qz7Lk9+Wm3PvXt5Rb2"})
    assert rules(knowledge, b"Qz7Lk9+Wm3PvXt5Rb2 and Qz7Lk9 Wm3PvXt5Rb2") == ["MY_TOKEN", "MY_TOKEN"]


@pytest.mark.parametrize("count", [3, 300])
def test_few_and_many_values_are_found_alike(count):
    knowledge = Knowledge({})
    values = [f"Qz7Lk9Wm3PvXt5-{number}x" for number in range(count)]
    for number, value in enumerate(values):
        knowledge.learn(f"rule-{number}", value.encode())
    text = " ".join(values).encode()
    assert sorted(rules(knowledge, text)) == sorted(f"rule-{number}" for number in range(count))
    assert knowledge.holds(b"it is " + values[-1].encode())
    assert not knowledge.holds(b"Qz7Lk9Wm3PvXt5-" + b"y" * 40)


def test_of_two_values_that_overlap_both_are_found():
    knowledge = Knowledge({})
    for number in range(100):
        knowledge.learn("other", f"Hc4Jd6Gf1SaZ0{number}".encode())
    knowledge.learn("one", b"Qz7Lk9Wm3PvXt5")
    knowledge.learn("two", b"PvXt5Rb2Ny8Hc4x")
    assert rules(knowledge, b"Qz7Lk9Wm3PvXt5Rb2Ny8Hc4x") == ["one", "two"]


@pytest.mark.parametrize("count", [0, 500], ids=["few", "many"])
@pytest.mark.parametrize("longest_first", [True, False])
def test_of_values_that_begin_alike_the_longest_is_found_whole(count, longest_first):
    knowledge = Knowledge({})
    for number in range(count):
        knowledge.learn("other", f"Jw{number:04}Hn5Tc8Yb".encode())
    values = [b"Qz7Lk9Wm3PvXt5Rb2Ny8", b"Qz7Lk9Wm3PvXt5", b"Qz7Lk9Wm3P"]
    for value in values if longest_first else reversed(values):
        knowledge.learn("mine", value)
    for value in values:
        assert max(span.end for span in knowledge.find(value + b".")) == len(value)


def test_time_does_not_grow_with_the_number_of_values():
    knowledge = Knowledge({})
    for number in range(20_000):
        knowledge.learn("x", f"Qz7Lk9Wm3PvXt5-{number}".encode())
    start = time.perf_counter()
    assert not rules(knowledge, b"Qz7Lk9Wm" * 20_000)
    assert time.perf_counter() - start < 2
