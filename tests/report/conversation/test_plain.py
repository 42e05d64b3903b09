"""Any value as JSON values that do not change from run to run."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import pathlib
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from replay_agent.messages import BinaryContent, UnknownPart
from replay_agent.report.conversation.plain import parsed, plain, type_name


class Colour(enum.Enum):
    RED = "red"


class City(BaseModel):
    name: str
    tags: set[str] = set()
    secret: SecretStr = SecretStr("hush")


@dataclass
class Trip:
    city: City
    days: list[int] = field(default_factory=list)


class Odd:
    def __repr__(self) -> str:
        return "<odd>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (1.5, 1.5),
        (True, True),
        ("text", "text"),
        (Colour.RED, "red"),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        (frozenset({3, 1}), [1, 3]),
        ((1, (2,)), [1, [2]]),
        ({1: "a", Colour.RED: 2}, {"1": "a", "red": 2}),
        (City(name="Paris", tags={"z", "a"}), {"name": "Paris", "tags": ["a", "z"], "secret": "SecretStr('**********')"}),
        (Trip(City(name="Rome"), [1]), {"city": {"name": "Rome", "tags": [], "secret": "SecretStr('**********')"}, "days": [1]}),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC), "2026-01-02T03:00:00+00:00"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("a/b"), "a/b"),
        (ValueError("no"), "ValueError: no"),
        (Odd(), "<odd>"),
        (Odd, "Odd"),
        (UnknownPart({"type": "x"}), {"type": "x"}),
    ],
)  # fmt: skip
def test_values_become_plain(value, expected):
    assert plain(value) == expected


def test_media_become_one_line_however_they_come():
    line = "[image/png, 3 bytes, sha256 ba7816bf8f01]"
    assert plain(BinaryContent(b"abc", "image/png")) == line
    assert plain({"kind": "binary", "media_type": "image/png", "data": "YWJj"}) == line
    assert plain(b"abc") == "[bytes, 3 bytes, sha256 ba7816bf8f01]"
    assert "not base64" not in plain({"kind": "binary", "media_type": "image/png", "data": "not base64!"})


def test_endless_nesting_ends():
    value: Any = []
    value.append(value)
    assert "..." in json.dumps(plain(value))


def test_local_classes_have_short_names():
    class Local: ...

    assert type_name(Local) == "Local"
    assert type_name(dict) == "dict"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (" [1]", [1]),
        ("1", None),
        ('"a"', None),
        ("{a}", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_only_objects_and_lists_are_parsed(text, value):
    assert parsed(text) == value
