from __future__ import annotations

import pytest

from replay_agent.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.models.estimates import estimate_tokens, estimate_usage
from replay_agent.usage import Usage


@pytest.mark.parametrize(
    ("content", "tokens"),
    [
        ("", 0),
        ("word", 1),
        ("two words", 2),
        ("  two   words  ", 2),
        ('a "quoted" word', 3),
        ("a, b. c: d", 4),
        ("done.", 2),
        ("...", 2),
        (" ", 1),
        ('{"a":0}', 3),
        ("line\nline\ttab", 3),
        ([], 0),
        (["two words", "and three more"], 5),
        (["", "one"], 1),
        ([BinaryContent(b"12345", "image/png"), "one"], 6),
        ([ImageUrl("http://x/y.png"), AudioUrl("http://x/y.mp3"), DocumentUrl("http://x/y.pdf")], 0),
        ([UnknownPart({"type": "hologram"})], 0),
    ],
)
def test_words_are_counted(content, tokens):
    assert estimate_tokens(content) == tokens


def test_no_messages_cost_the_overhead():
    assert estimate_usage([]) == Usage(request_tokens=50, response_tokens=0, total_tokens=50)


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (SystemPromptPart("be brief"), 2),
        (UserPromptPart("hello there you"), 3),
        (UserPromptPart(["hello", BinaryContent(b"123", "image/png")]), 4),
        (ToolReturnPart("t", "two words"), 2),
        (ToolReturnPart("t", {"a": 1, "b": 2}), 5),
        (RetryPromptPart("bad value"), 2 + 7),
        (UnknownPart("x y"), 0),
    ],
)
def test_every_part_of_a_request_counts(part, tokens):
    assert estimate_usage([ModelRequest([part])]).request_tokens == 50 + tokens


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        (TextPart("hello there"), 2),
        (TextPart(""), 0),
        (ToolCallPart("t", '{"a":0}'), 1 + 3),
        (ToolCallPart("t", {"a": 0}), 1 + 3),
        (ToolCallPart("t", {}), 1 + 1),
        (ToolCallPart("t", ""), 1),
        (ThinkingPart("not counted"), 0),
    ],
)
def test_every_part_of_a_response_counts(part, tokens):
    usage = estimate_usage([ModelResponse([part])])
    assert usage == Usage(request_tokens=50, response_tokens=tokens, total_tokens=50 + tokens)


def test_the_whole_conversation_counts():
    turn = [ModelRequest([UserPromptPart("one two")]), ModelResponse([TextPart("three")])]
    assert estimate_usage([*turn, *turn]) == Usage(request_tokens=54, response_tokens=2, total_tokens=56)
