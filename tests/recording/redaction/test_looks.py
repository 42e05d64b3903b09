"""How values look."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction import looks
from replay_agent.surroundings.credentials import credential_variables

MADE = [
    "s3cretPW99abc",
    "opaqueTok3nAbCdEf12345678",
    "Qz7Lk9Wm3PvXt5Rb2Ny8",
    "a9f3c0de1277b1aa",
    "canary-Qz7Lk9Wm3PvXt5",
]
WORDY = ["sk-learn-intro-for-beginners-2024", "SortKeyName", "created_at_desc", "docs/2024/report1", "rook"]
STAND_INS = [
    *(
        "XXX",
        "xxxxxxxx",
        "API-KEY-XXX",
        "xxx.session.token",
        "ORGANIZATION_XXXX_ID",
        "<your key>",
        "${API_KEY}",
        "{{token}}",
        "REDACTED",
        "REDACTED(x~2)",
        "test_key_1",
        "your-api-key",
    ),
    *(
        "sk-...",
        "********",
        "dummy",
        "changeme",
        "scrubbed",
        "placeholder",
        "fake-token",
        "[hidden]",
        "%TOKEN%",
        "none",
        "",
    ),
]
PLACES = ["/home/me/.ssh/id_rsa1", "https://x.example/a9", "C:\\keys\\k1.pem", "550e8400-e29b-41d4-a716-446655440000"]


@pytest.mark.parametrize("value", MADE)
def test_made_by_a_machine(value):
    assert looks.is_random(value)
    assert looks.is_key(value)
    assert looks.is_searchable(value)
    assert not looks.is_wordy(value)
    assert not looks.is_stand_in(value)


@pytest.mark.parametrize("value", WORDY)
def test_words(value):
    assert looks.is_wordy(value)
    assert not looks.is_random(value)


@pytest.mark.parametrize("value", [*STAND_INS, *credential_variables().values()])
def test_what_stands_in(value):
    assert looks.is_stand_in(value)
    assert not looks.is_key(value)
    assert not looks.is_password(value)


@pytest.mark.parametrize("value", [*PLACES, "1234567", "2026-11-22T10:00:00Z", "me@example.com", "with blanks 9xQ"])
def test_places_and_numbers_are_no_keys(value):
    assert not looks.is_random(value)
    assert not looks.is_key(value)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("hunter2", True),
        ("letmein", True),
        ("918273645546", True),
        ("12345", False),
        ("required", False),
        ("a b", False),
    ],
)
def test_passwords(value, is_one):
    assert looks.is_password(value) is is_one


@pytest.mark.parametrize("value", ["Qz7Lk9Wm3PvXt5-XXX", "canary-a9-xxx", "letmeinxxx", "xx-hunter"])
def test_crosses_in_what_is_no_words(value):
    assert not looks.is_stand_in(value)


def test_phrases():
    assert looks.is_phrase("correct horse battery staple")
    assert looks.is_phrase("correct xxx battery staple")
    assert not looks.is_phrase("Enter your phrase, please.")


@pytest.mark.parametrize(
    "value", ["short", "1234567890123", "/home/me/my-own-folder", "aaaaaaaaaaaaaa", "REDACTED(a_long_one)"]
)
def test_values_not_to_look_for(value):
    assert not looks.is_searchable(value)


@pytest.mark.parametrize("piece", ["a", "_", "a_", "1-", "x*", "your_", ".", "<", "é", "A1"])
def test_long_values_cost_little(piece):
    value = piece * 200_000
    for look in (looks.is_stand_in, looks.is_wordy, looks.is_random, looks.is_key, looks.is_password, looks.is_filler):
        look(value)
