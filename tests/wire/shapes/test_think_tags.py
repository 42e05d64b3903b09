from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.wire.shapes.think_tags import ThinkTags, split_thinking


def fed(*pieces: str) -> list[tuple[str, str]]:
    """What the tags make of pieces, neighbours of a kind joined."""
    tags = ThinkTags()
    joined: list[tuple[str, str]] = []
    for kind, content in [*(piece for text in pieces for piece in tags.feed(text)), *tags.close()]:
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + content)
        else:
            joined.append((kind, content))
    return joined


CASES = [
    ("", []),
    ("Hello", [("text", "Hello")]),
    ("<think>hm</think>Hello", [("thinking", "hm"), ("text", "Hello")]),
    ("\n<think>hm</think>\n\nHello", [("text", "\n"), ("thinking", "hm"), ("text", "\n\nHello")]),
    ("<think></think>Hello", [("text", "Hello")]),
    ("<think>hm</think>", [("thinking", "hm")]),
    ("Say <think>hm</think>", [("text", "Say <think>hm</think>")]),
    ("<thinker>", [("text", "<thinker>")]),
    ("</think>Hello", [("text", "</think>Hello")]),
    ("<think>a < b </thin k></think>c", [("thinking", "a < b </thin k>"), ("text", "c")]),
]


@pytest.mark.parametrize(("text", "pieces"), CASES)
def test_reasoning_stands_at_the_head(text, pieces):
    assert split_thinking(text) == pieces
    assert fed(text) == pieces
    assert fed(*text) == pieces


def test_an_unclosed_tag_is_dropped_from_a_whole_text():
    assert split_thinking("<think>hm") == [("text", "hm")]


def test_an_unclosed_tag_of_a_stream_was_reasoning():
    assert fed("<think>", "hm </thi") == [("thinking", "hm </thi")]


def test_text_is_not_held_back():
    tags = ThinkTags()
    assert tags.feed("\n") == [("text", "\n")]
    assert tags.feed("<th") == []
    assert tags.feed("e end") == [("text", "<the end")]


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "think>", "\n", "hm", "</"])).map("".join), st.data())
def test_boundaries_do_not_matter(text, data):
    edges = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *edges], [*edges, len(text)], strict=True)]
    assert fed(*pieces) == fed(text)
