from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.json_spelling import LAYOUTS, Spelling, read_json, spell
from replay_agent.recording.cassettes.usual.one_line import _MOST_KNOWN, _MOST_MODELS, reading
from replay_agent.recording.cassettes.yaml_blocks import write_block

ODD = [
    *("a |", "a - |", "- |", ": |", "a: |-", "x |\n- |\n", "b |\nc: |\nd", "- |2\n", "|", "| a\n|"),
    *("two\nlines", "\n\nlate\n", "  indented\nfirst", "\n", "end\n\n", "a: b", "'q'", '"dq"', "it's", "{}", "[1, 2]"),
    *("- a", "true", "1.5", "", "#x", "\\", "a\tb\nc", "\r\n", "é", "y", "a:", "[", "'"),
]
texts = st.sampled_from(ODD) | st.text("ab:|-\n '\"#[{\\é\t", max_size=12)
keys = st.sampled_from(["role", "b c", "k:", "é", "- x", "on", "|", 'q"', "", "a.b-c"]) | texts
values = st.recursive(
    texts | st.integers(-5, 5) | st.sampled_from([True, False, None, 1.5]),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(keys, each, max_size=4),
    max_leaves=12,
)
collections = st.lists(values, min_size=1) | st.dictionaries(keys, values, min_size=1)


def on_one_line(lines: str, spelling: Spelling) -> str | None:
    reader = reading(spelling)
    return None if reader is None else reader.read(lines)


def lines_of(value: object) -> str:
    return write_block({"json": value}, "    ").removeprefix("    json:\n")


@given(collections, st.sampled_from(LAYOUTS), st.booleans())
def test_a_body_is_what_the_long_way_makes_of_it(value, layout, ascii):
    found = read_json(json.dumps(value))
    lines = lines_of(found[0])
    if lines.startswith("    json: "):  # numbers in a row, which no line stands below
        return
    spelling = Spelling(layout, ascii)
    told = on_one_line(lines, spelling)
    assert told == spell(found[0], spelling) or (told is None and "\\\n" in lines)


@pytest.mark.parametrize("spelling", [Spelling(), Spelling("spaced")])
def test_what_is_remembered_of_lines_has_a_bound(spelling):
    for number in range(10):
        value = {f"a{each}": f"{number} {each}" for each in range(900)}
        lines = write_block({"json": value}).removeprefix("json:\n")
        assert on_one_line(lines, spelling) == on_one_line(lines, spelling) == spell(value, spelling)
    assert len(reading(spelling)._known) <= _MOST_KNOWN


@pytest.mark.parametrize("spelling", [Spelling("  "), Spelling("\t")])
def test_a_text_of_several_lines_is_left_to_the_long_way(spelling):
    assert on_one_line(lines_of({"a": "b"}), spelling) is None


@pytest.mark.parametrize("spelling", [Spelling(escapes="/"), Spelling(ascii=True, upper=True)])
def test_odd_escapes_are_written(spelling):
    assert on_one_line(lines_of({"a": "é/b"}), spelling) == spell({"a": "é/b"}, spelling)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "    a\n",
        "    a: b\n    c",
        "    a:\n    b: c\n",
        "    a:\n",
        "    a: b\n      c: d\n",
        "    a: b\n    - c\n",
        "    - a\n    b: c\n",
        "    a: b\n\n    c: d\n",
        '    a: "b" c\n',
    ],
)
def test_lines_that_nobody_writes_are_refused(lines):
    with pytest.raises((ValueError, IndexError)):
        on_one_line(lines, Spelling())


@given(st.lists(collections, min_size=2, max_size=4), st.sampled_from([Spelling(), Spelling("spaced")]))
def test_a_body_owes_nothing_to_those_before_it(several, spelling):
    for value in [*several, *several]:
        found, _ = read_json(json.dumps(value))
        lines = lines_of(found)
        if not lines.startswith("    json: "):
            told = on_one_line(lines, spelling)
            assert told == spell(found, spelling) or (told is None and "\\\n" in lines)


SHAPES = [
    {"a": {"b": 1}, "c": 2},
    {"a": {"b": 1, "c": 2}},
    {"a": [1, {"c": 2}]},
    {"a": [{"b": 1, "c": 2}]},
    {"a": [[{"c": 2}], 1]},
    {"a": {"b": {"c": 2}}},
    {"a": {"b": "it's"}, "c": "- d"},
    {"x": {"y": "2"}, "z": None},
    [{"a": 1}, {"b": 2}, {"c": {"d": 3}}],
    ["a", "b", "c"],
    [["a"], ["b"], ["c"]],
    {"a": "two\nlines", "b": "|0"},
    {"a": "|0", "b": "x", "c": "|1"},
]


@pytest.mark.parametrize("first", SHAPES, ids=json.dumps)
@pytest.mark.parametrize("then", SHAPES, ids=json.dumps)
def test_a_body_is_told_from_one_of_as_many_lines(first, then):
    spelling = Spelling("spaced")
    for value in (first, then, first):
        assert on_one_line(lines_of(value), spelling) == spell(value, spelling)


def test_a_body_with_other_values_in_many_lines_than_the_one_before_is_read_as_ever():
    for number in range(3):
        value = {f"a{each}": f"{number} {each}" for each in range(40)}
        assert on_one_line(lines_of(value), Spelling()) == spell(value, Spelling())


def test_how_many_bodies_are_remembered_has_a_bound():
    for number in range(1, 200):
        assert on_one_line(lines_of([*range(number), "a"]), Spelling()) is not None
    assert len(reading(Spelling())._models) <= _MOST_MODELS


@pytest.mark.parametrize("spelling", [Spelling(), Spelling("spaced")])
def test_bodies_of_one_form_differ_in_any_of_their_lines(spelling):
    for first in ("x", "it's", "yes", "|", "two\nlines", "1", ""):
        for last in (1, "b", None, "a: b", [], {}, "c\n", True):
            value = {"first": first, "same": [{"k": "v"}, 2], "last": last}
            assert on_one_line(lines_of(value), spelling) == spell(value, spelling)
    reader = reading(spelling)
    assert reader is not None
    assert len(reader._forms) <= _MOST_MODELS


def test_a_body_that_goes_on_behind_a_form_is_read_as_ever():
    for value in ({"a": "x", "b": 1}, {"a": "y", "b": 1}, {"a": "z", "b": 2}, {"a": "z", "c": 1}, {"b": 1, "a": "x"}):
        assert on_one_line(lines_of(value), Spelling()) == spell(value, Spelling())
    for lines in ("a: x\nb: 1", "a: x\nb: 1\n\n", "a: x\n\nb: 1\n"):
        with pytest.raises((ValueError, IndexError)):
            on_one_line(lines, Spelling())
