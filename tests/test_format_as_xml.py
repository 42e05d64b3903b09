from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from pydantic import BaseModel

from replay_agent.format_as_xml import format_as_xml


@dataclass
class Point:
    x: int
    y: int | None = None


class City(BaseModel):
    name: str
    at: Point


def lines(text):
    return [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        (b"bytes\xff", "bytes"),
        (bytearray(b"x"), "x"),
        (True, "True"),
        (3, "3"),
        (0.5, "0.5"),
        (None, "null"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02T03:00:00+00:00"),
    ],
)
@pytest.mark.parametrize("include_root_tag", [True, False])
def test_simple_values_keep_their_tag(value, text, include_root_tag):
    assert format_as_xml(value, "v", include_root_tag=include_root_tag) == f"<v>{text}</v>"


@pytest.mark.parametrize("value", [Point(1), {"x": 1, "y": None}])
def test_named_values_are_tags(value):
    assert format_as_xml(value, root_tag="point") == "<point>\n  <x>1</x>\n  <y>null</y>\n</point>"


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ([1, 2], ["<item>1</item>", "<item>2</item>"]),
        ((n for n in (1, 2)), ["<item>1</item>", "<item>2</item>"]),
        ([Point(1, 2)], ["<Point>", "<x>1</x>", "<y>2</y>", "</Point>"]),
        ([{"a": 1}], ["<item>", "<a>1</a>", "</item>"]),
        (
            [City(name="Rome", at=Point(1, 2))],
            ["<City>", "<name>Rome</name>", "<at>", "<x>1</x>", "<y>2</y>", "</at>", "</City>"],
        ),
    ],
)
def test_items_have_a_tag_or_their_class(value, tags):
    assert lines(format_as_xml(value, item_tag="item", include_root_tag=False)) == tags


def test_one_line_without_indentation():
    assert format_as_xml({"a": [1]}, indent=None) == "<examples><a><example>1</example></a></examples>"
    assert format_as_xml([1, 2], indent=None, include_root_tag=False) == "<example>1</example><example>2</example>"


def test_nothing_may_be_called_otherwise():
    assert format_as_xml([None], none_str="-", include_root_tag=False) == "<example>-</example>"


@pytest.mark.parametrize("value", [object(), print, {"a": object()}, [object()]])
def test_other_values_are_refused(value):
    with pytest.raises(TypeError, match="Unsupported type"):
        format_as_xml(value)


def test_other_keys_are_refused():
    assert format_as_xml({3: "x"}, indent=None) == "<examples><3>x</3></examples>"
    with pytest.raises(TypeError, match="Unsupported key type"):
        format_as_xml({(1, 2): "x"})
