"""Lists that came before are written as they would be anew, or left to the long way."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.cassettes.bodies import write_body
from replay_agent.recording.cassettes.items import read_item, write_item
from replay_agent.recording.cassettes.json_spelling import Spelling
from replay_agent.recording.cassettes.usual.repeated import _memory, read_repeated
from replay_agent.recording.cassettes.yaml_blocks import write_block
from replay_agent.traffic import Chunk, Interaction, Request, Response

MARGIN = " " * 8
FILLING = "x" * 2_000
"""Makes a body as long as those are that are looked at."""
TEXTS = st.text() | st.sampled_from(
    ["a\nb", " c", "null", "- d: e", "it's", "\U0001f600", "\ud800", "\x7f\t", "\u2028"]
)
LEAVES = TEXTS | st.none() | st.booleans() | st.integers() | st.floats()
VALUES = st.recursive(LEAVES, lambda each: st.lists(each, max_size=3) | st.dictionaries(TEXTS, each, max_size=3))
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=3)
BODIES = st.dictionaries(TEXTS, VALUES | OBJECTS, max_size=4).map(lambda body: {**body, "filling": FILLING})
SPELLINGS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "separators": st.sampled_from([(",", ":"), (", ", ": "), (",", ": "), (", ", ":")]),
        "indent": st.sampled_from([None, None, None, 2]),
    }
)


def lines(text, margin):
    fields = write_body(text.encode("utf-8", "surrogatepass"), (), "json", margin)
    return write_block({"a": {"b": {"c": fields}}})


@given(st.lists(BODIES, min_size=1, max_size=3), SPELLINGS)
def test_lines_are_those_of_the_long_way(bodies, spelling):
    for body in [*bodies, *bodies]:
        text = json.dumps(body, **spelling)
        try:
            text.encode()
        except UnicodeEncodeError:
            continue
        if "\\ud800" not in text:
            assert lines(text, MARGIN) == lines(text, None)


def conversation(turns, seed):
    rng = Random(seed)
    said = [
        {"role": "system", "content": f"You are {seed}.\n\n- Be brief.\n"},
        {"role": "user", "content": "caf\u00e9 " * 9},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"arguments": '{"a": 1.50}'}}]},
        {"role": "tool", "content": "\tindented\r\n", "n": [1, 2.5, -1e-9], "deep": [[{}], {"": []}]},
    ]
    messages = [said[0], *(rng.choice(said) for _ in range(turns))]
    return {"model": "m", "messages": messages, "temperature": 0.2, "tools": said[2:], "filling": FILLING}


@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_growing_conversations_come_back(ascii, separators):
    for turns in range(1, 40):
        for seed in (1, 2):  # two agents that take turns
            body = json.dumps(conversation(turns, seed), ensure_ascii=ascii, separators=separators).encode()
            interaction = Interaction(Request("POST", "https://a", (), body), Response(200, (), (Chunk(body),)))
            text = write_item(interaction)
            assert read_item(text) == interaction
            assert read_item(text, edited=True) == interaction


def test_what_came_before_is_not_read_again(monkeypatch):
    _memory.cache_clear()
    body = json.dumps(conversation(30, 3))
    assert read_repeated(body, MARGIN) is not None
    size = _memory("spaced", MARGIN).size
    value, spelling = read_repeated(body.replace('"model": "m"', '"model": "n"'), MARGIN)
    assert (value["model"], spelling, _memory("spaced", MARGIN).size) == ("n", Spelling("spaced", ascii=True), size)


LIST = '"list":[{"a":1},{"b":2}]'
LEFT = {
    "a member twice": '{"a":1,"a":2,%s}',
    "blanks within": '{"a":1, %s}',
    "a blank behind one colon": '{"a": 1,%s}',
    "a blank behind another colon": '{%s,"a": 1}',
    "a number that Python spells otherwise": '{"a":1.50,%s}',
    "such a number in an object": '{"a":[{"b":1e5}],%s}',
    "an object among other values": '{"a":[{"b":1},2],%s}',
    "a needless escape": '{"a":"\\u0061",%s}',
    "capitals in an escape": '{"a":"\\u00E9",%s}',
    "no number": '{"a":NaN,%s}',
    "a control in a name": '{"a\x01":1,%s}',
    "an escape in a name": '{"a\\n":1,%s}',
    "text behind it": "{%s} ",
    "a comma at the end": "{%s,}",
    "no end": "{%s",
    "no end of a list": '{%s,"a":[{"b":1}',
    "another bracket": "{%s]",
    "a list": "[%s]",
    "no name": "{%s,1}",
    "too deep": '{%s,"a":[{"b":' + "[" * 70 + "]" * 70 + "}]}",
    "far too deep": '{%s,"a":[{"b":' + "[" * 9_000,
    "a long name": '{%s,"' + "n" * 300 + '":1}',
    "a long name in an object": '{%s,"a":[{"' + "n" * 300 + '":1}]}',
    "half a character": '{"a":[{"b":"\\ud800"}],%s}',
    "too short": '{"list":[{"a":1},{"b":2}]}',
    "too long": '{%s,"a":"' + "x" * 400_000 + '"}',
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_what_is_left_to_the_long_way(text):
    whole = text.replace("%s", f'{LIST},"filling":"{FILLING}"')
    assert read_repeated(whole, MARGIN) is None
