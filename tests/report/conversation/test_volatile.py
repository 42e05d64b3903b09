"""Volatile values recognised and named."""

from __future__ import annotations

import pytest

from replay_agent.report.conversation.volatile import EVERYTHING, Placeholders, kind_by_origin, kind_of

UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (UUID, "uuid"),
        (UUID.upper(), "uuid"),
        ("2026-11-22", "date"),
        ("(22 November 2026)", "date"),
        ("Nov 5, 2026", "date"),
        ("2026-11-22T10:33:01.123456Z", "time"),
        ("2026-11-22 10:33:01+01:00", "time"),
        ("22 Nov 2026 15:59:55 GMT", "time"),
        ("10:33", "time of day"),
        ("1732270000", "Unix time"),
        ("1732270000123", "Unix time"),
        ("1732270000.5", "Unix time"),
        ("/tmp/pytest-of-me/pytest-1/x.txt", "temporary path"),
        ("/var/folders/ab/x", "temporary path"),
        ("0x7f0011223344", "memory address"),
        ("call_AbCd1234EfGh", "id"),
        ("chatcmpl-B1234567890abc", "id"),
        ("pyd_ai_0123456789abcdef0123456789abcdef", "id"),
        ("9f86d081884c7d65", "hex id"),
        ("2026", None),
        ("hello", None),
        ("12345678", None),
        ("deadbeef", None),
        ("message-2024", None),
        ("call_me_tomorrow", None),
        ("2026-13-45", None),
        ("99:99", None),
        ("", None),
    ],
)
def test_kinds_are_recognised(text, kind):
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "by_origin"),
    [
        ("0b1c2d3e4f5a4b6c8d7e0f1a2b3c4d5e", "uuid"),
        (" 0b1c2d3e4f5a4b6cad7e0f1a2b3c4d5e\n", "uuid"),
        ("0b1c2d3e4f5a1b6c8d7e0f1a2b3c4d5e", "hex id"),
        ("0b1c2d3e4f5a4b6c7d7e0f1a2b3c4d5e", "hex id"),
        ("9f86d081884c7d65", "hex id"),
    ],
)
def test_a_uuid_without_its_dashes_is_one_by_its_origin_and_a_hex_id_by_its_name(text, by_origin):
    assert kind_by_origin(text) == by_origin
    assert Placeholders(["uuid", "hex id"]).text(text).strip() == "<hex id 1>"


@pytest.mark.parametrize("text", [UUID, "2026-11-22", "1732270000", "call_AbCd1234EfGh", "hello", ""])
def test_of_anything_else_the_origin_is_the_kind(text):
    assert kind_by_origin(text) == kind_of(text)


@pytest.mark.parametrize("text", ["20261127T100001Z", "20261127T100001", " 20260228T235960Z"])
def test_the_date_of_a_signature_is_a_time_by_its_origin(text):
    assert kind_by_origin(text) == "time"
    assert Placeholders(EVERYTHING).text(text) == text


@pytest.mark.parametrize(
    "text", ["20261327T100001Z", "20261127T250001Z", "20261127", "120261127T100001Z", "20261127T1000Z"]
)
def test_what_only_looks_like_the_date_of_a_signature_is_none(text):
    assert kind_by_origin(text) is None


def test_values_are_named_by_order_of_appearance():
    names = Placeholders()
    other = UUID.replace("3f", "4f")
    assert names.text(f"{UUID} {other} {UUID} at 2026-11-22T10:33:01Z") == "<uuid 1> <uuid 2> <uuid 1> at <time 1>"


def test_two_runs_read_the_same():
    def run(day, made):
        names = Placeholders(EVERYTHING)
        return names.text(f"On {day} at {day}T10:00:00Z, {made} and call_{made[:8]}1 in /tmp/{made}, again {day}.")

    assert run("2026-11-21", UUID) == run("2025-01-02", UUID.replace("3f", "4e"))


def test_dates_stay_unless_wanted():
    assert Placeholders().text("born 1990-05-17") == "born 1990-05-17"
    assert Placeholders(EVERYTHING).text("born 1990-05-17") == "born <date 1>"


def test_known_ids_are_named_inside_text():
    names = Placeholders()
    assert names.name("call", "call_weather_1") == "<call 1>"
    assert names.text("see call_weather_1!") == "see <call 1>!"
    assert names.name("call", "x") == "<call 2>"
    assert names.text("x marks the spot") == "x marks the spot"


def test_values_inside_json_are_named():
    names = Placeholders()
    value = {"id": UUID, "list": [UUID, 1, None], UUID: "key"}
    assert names.value(value) == {"id": "<uuid 1>", "list": ["<uuid 1>", 1, None], UUID: "key"}


@pytest.mark.parametrize(
    "text", ["call_" * 9_000, "a-" * 20_000, "0" * 40_000, "2026-11-2" * 5_000, "_ai" * 12_000, "f" * 40_000]
)
def test_long_near_misses_do_not_hang(text):
    assert kind_of(text) is None
    assert len(Placeholders(EVERYTHING).text(text)) <= len(text)
