"""YAML that keeps its lines, for two readers: ours and any other."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from replay_agent.recording.cassettes.json_spelling import Number
from replay_agent.recording.cassettes.yaml_blocks import Unwritable, is_ordinary, read_block, write_block

LITERAL = [
    "one\ntwo",
    "one\ntwo\n",
    "one\ntwo\n\n\n",
    "\n",
    "\n\n",
    "\none",
    "  indented\nless",
    "\ttab first\nx",
    "tab\tinside \nand a trailing blank ",
    "emoji 😀\nü",
    "a\n   \nb",
    " \nb",
    "key: value\n- item\n# comment\n...\n---\n",
    "\n  x\n",
]
QUOTED_LINES = [
    "crlf\r\n  lines\r\n",
    "line\u2028separator\nnext",
    "nel\x85\nnext",
    "\x1b[1mred\n\x00",
    "\ufeffbom\nx",
    'quote " and \\ backslash\r\n',
    "\r\n \r\n",
]
LINES = [
    "plain text, with: colons: inside:",
    "https://a.example/x?y=z#f",
    "it's",
    '"quoted"',
    'it\'s "both"',
    "a # comment",
    "trailing ",
    " leading",
    "tab\t",
    "",
    "- dash",
    "? question",
    "[1, 2]",
    "{a: b}",
    "é",
    "...",
    "---",
    "|",
    "%tag",
    "@at",
    "`tick",
    "&anchor",
    "*alias",
    "!tag",
    "a:",
    ":a",
]
LOOKS_LIKE_ANOTHER_TYPE = [
    *("null", "Null", "~", "true", "False", "yes", "NO", "on", "Off", "y", "n", "1", "-1", "1.5", "1e5", "1_000"),
    *("0x1F", "0o7", "017", "12:30:45", "2026-11-22", ".inf", ".nan", "=", "<<", "2026-11-22T10:00:00Z"),
]


OTHERS = [loader for name in ("SafeLoader", "CSafeLoader") if (loader := getattr(yaml, name, None))]
"""PyYAML's two readers, the second one libyaml's, where it is there: each refuses what the other takes."""


@pytest.mark.parametrize("text", [*LITERAL, *QUOTED_LINES, *LINES, *LOOKS_LIKE_ANOTHER_TYPE])
def test_text_comes_back_from_every_reader(text):
    value = {"first": [text, {"key": text, "next": [[text]]}], "last": text}
    written = write_block(value)
    assert read_block(written) == value
    assert [yaml.load(written, loader) for loader in OTHERS] == [value] * len(OTHERS)


@pytest.mark.parametrize("text", LITERAL)
def test_lines_stay_lines(text):
    block = write_block({"text": text})
    assert all(f"  {line}" in block.split("\n") for line in text.split("\n") if line)


@pytest.mark.parametrize("text", QUOTED_LINES)
def test_lines_that_must_be_escaped_stay_lines(text):
    assert write_block({"text": text}).count("\n") >= text.rstrip("\n").count("\n") + 1


VALUES = [
    {"a": None, "b": True, "c": False, "d": {}, "e": []},
    {"numbers": [Number("1"), Number("2.50"), Number("-3")], "one": [Number("1")], "n": Number("1")},
    {"nested": [[["x"], []], [{"a": [{"b": "c"}]}]]},
    {"odd key: x": "v", "1": "v", "true": "v", "": "v", "é": "v", 'q"': "v", "a b": {"- c": "d"}},
    {"list": [{"a": "1", "b": {"c": "2"}}, "text", None]},
]


@pytest.mark.parametrize("value", VALUES)
def test_structure_comes_back(value):
    assert read_block(write_block(value)) == value
    assert read_block(write_block(value, "    ")) == value


def test_numbers_are_numbers_for_others():
    assert yaml.safe_load(write_block({"a": Number("1.5"), "b": [Number("1"), Number("2")]})) == {"a": 1.5, "b": [1, 2]}


def test_integers_are_written_and_come_as_numbers():
    assert read_block(write_block({"status": 200})) == {"status": "200"}


def test_block_after_an_items_comment():
    block = write_block({"a": "x\n\n", "b": ["c"]}, "  ")
    assert yaml.safe_load(f"- # key\n{block}- # key\n{block}...\n") == [{"a": "x\n\n", "b": ["c"]}] * 2


@pytest.mark.parametrize("value", ["lone \ud800", "\udfff\n"])
def test_lone_surrogate_has_no_place(value):
    with pytest.raises(Unwritable):
        write_block({"a": value})


def test_long_key_has_no_place():
    with pytest.raises(Unwritable):
        write_block({"k" * 300: "v"})


@pytest.mark.parametrize("value", [1j, b"bytes", object()])
def test_other_types_have_no_place(value):
    with pytest.raises(Unwritable):
        write_block({"a": value})


NOT_OURS = [
    "",
    "text",
    "a\n",
    "a:\n",
    "- a\n",
    "a: b",
    "  a: b\n c: d\n",
    "a: b\n\n",
    'a: "\\q"\n',
    "a: 'x\n  y'\n",
    'a: "1\\\n',
]


@pytest.mark.parametrize("text", NOT_OURS)
def test_other_text_is_refused_or_read_alike(text):
    try:
        value = read_block(text)
    except (ValueError, IndexError):
        return
    assert value == yaml.safe_load(text)


ODD = "ab1.0: \n\t\r\x85\u2028\ufeff#-'\"\\|>[]{}&*!%@`,?=~e\x00\x1b\x7fé😀\xa0"
TEXTS = st.text(st.sampled_from(ODD), max_size=12) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers().map(lambda n: Number(str(n))))
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)


def typed(value):
    if isinstance(value, dict):
        return {key: typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    return (
        ("number", float(value)) if isinstance(value, Number | int | float) and not isinstance(value, bool) else value
    )


@settings(deadline=None)
@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=4))
def test_anything_comes_back(value):
    written = write_block(value, "  ")
    assert typed(read_block(written)) == typed(value)
    for loader in OTHERS:
        assert typed(yaml.load(f"- # key\n{written}...\n", loader)) == [typed(value)]


ORDINARY = [
    "a sentence, with (brackets), a colon: and a # sign",
    '{"json": "in a text", "path": "C:\\\\temp"}',
    "it's",
    "lines\n\n  and more of them\n",
    "é 漢字 😀",
    "a table |2|3|",
    "back\\slash",
]
EXTRAORDINARY = [
    "a\ttab",
    "tab\tin\nlines",
    "it's: \t",
    "crlf\r\nlines",
    "\u2028",
    "nbsp\xa0here",
    "  indented\nless",
    "\x1b[1m",
    "'\\' in \"one\" and '\t'",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_texts_are_told(text):
    assert is_ordinary(write_block({"a": text, "b": [text, {"c": text}, [[text]]], "odd key": text}))


@pytest.mark.parametrize("text", EXTRAORDINARY)
@pytest.mark.parametrize(
    "place", [lambda text: {"a": text}, lambda text: {"a": [["x", text]]}, lambda text: {text: "a"}]
)
def test_other_texts_are_told_wherever_they_stand(text, place):
    assert not is_ordinary(write_block({"before": "lines\nof \\ text", "in": place(text), "after": "\\"}))


COMMON = "ab1.0: \n#-'\"\\|>2[]{}&*!%@`,?=~é😀"
COMMON_TEXTS = st.text(st.sampled_from(COMMON), max_size=12) | st.text(max_size=8).filter(str.isprintable)
COMMON_TREES = st.recursive(
    COMMON_TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(COMMON_TEXTS, inner, max_size=4)
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(COMMON_TEXTS, COMMON_TREES, min_size=1, max_size=4))
def test_what_is_ordinary_comes_back_from_every_reader(value):
    written = write_block(value, "  ")
    if is_ordinary(written):
        assert read_block(written) == value
        assert [yaml.load(f"- # key\n{written}...\n", loader) for loader in OTHERS] == [[value]] * len(OTHERS)
