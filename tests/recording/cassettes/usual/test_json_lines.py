from __future__ import annotations

from random import Random

import pytest

from replay_agent.recording.cassettes.json_spelling import LAYOUTS, Spelling, read_json, spell
from replay_agent.recording.cassettes.usual.json_lines import JSONLines, _memory
from replay_agent.recording.cassettes.usual.memory import _MOST_KNOWN
from replay_agent.recording.cassettes.yaml_blocks import write_block


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    _memory.cache_clear()
    yield
    _memory.cache_clear()


TEXTS = [
    '{"a":[1,2],"b":[],"c":{}}',
    '["x",["y",null],{"k":true}]',
    '{"a":{"b":["one\\ntwo",[3]]}}',
    '{"\\u00e9":"\\t"}',
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("layout", [*LAYOUTS, "  ", "\t"])
def test_lines_become_the_text_that_they_came_from(text, layout):
    value, _ = read_json(text)
    spelling = Spelling(layout, ascii=True)
    lines = write_block({"json": value}).removeprefix("json:\n")
    assert JSONLines(lines, spelling).below(0) == spell(value, spelling)


@pytest.mark.parametrize("lines", ["", "  a: b\nc: d\n", "  a\n", "  a: b\n  - c\n", "- a\n  b: c\n"])
def test_other_lines_are_refused(lines):
    with pytest.raises((ValueError, IndexError)):
        JSONLines(lines, Spelling()).below(0)


def history(count, rng):
    """Return a long list of entries of every shape, of which many are the same."""
    shapes = [
        {"role": "user", "content": "\n- a list\n\n  - in it\n"},
        {"role": "user", "content": "x" * 300},
        {"role": "tool", "content": "", "calls": [{"id": "a", "args": [1, 2]}, {"id": "b", "args": []}]},
        {"deep": {"list": [["a", ["b\nc"]], {"k": None}]}},
        ["nested", ["twice"], {"k": "two\nlines"}],
        "a text\nof two lines",
        "one line",
        True,
        {},
        [],
    ]
    return [rng.choice(shapes) for _ in range(count)]


@pytest.mark.parametrize("layout", [*LAYOUTS, "  "])
@pytest.mark.parametrize("seed", range(8))
def test_what_is_remembered_of_long_bodies_is_what_they_say(layout, seed):
    rng = Random(seed)
    spelling = Spelling(layout, ascii=bool(seed % 2))
    for place in ("messages", "input"):
        value = {"model": "m", place: history(700, rng), "tools": history(20, rng), "after": "end"}
        lines = write_block({"json": value}).removeprefix("json:\n")
        assert len(lines) > 20_000
        assert JSONLines(lines, spelling).below(0) == spell(value, spelling)


def transcribe(text):
    value = {"messages": [{"role": "user", "content": text}]}
    JSONLines(write_block({"json": value}).removeprefix("json:\n"), Spelling()).below(0)


@pytest.mark.parametrize("length", [30_000, 100_000, 400_000, 700_000])
def test_what_is_remembered_has_a_bound(length):
    for number in range(3_000_000 // length):
        transcribe(f"{number} {'x' * length}")
        assert 2 * length < _memory(2, Spelling()).size <= _MOST_KNOWN


def test_an_entry_that_there_is_no_room_for_is_not_remembered():
    transcribe("x" * _MOST_KNOWN)
    assert not _memory(2, Spelling()).size
    transcribe("x" * 100_000)
    assert _memory(2, Spelling()).size > 200_000
