from __future__ import annotations

import base64

import pytest

from replay_agent.messages import (
    BinaryContent,
    DocumentUrl,
    FilePart,
    ImageUrl,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.report.page.content.pieces import Pictures, pieces_of, returned_by
from tests.report.page.samples import data_url, png

PNG = png()


@pytest.mark.parametrize(
    ("part", "kind", "text", "name"),
    [
        (SystemPromptPart("Be brief."), "system", "Be brief.", ""),
        (UserPromptPart("Hi"), "user", "Hi", ""),
        (
            UserPromptPart(["Look:", ImageUrl("https://a.example/a.png")]),
            "user",
            "Look:\n[image https://a.example/a.png]",
            "",
        ),
        (UserPromptPart([DocumentUrl("https://a.example/a.pdf")]), "user", "[document https://a.example/a.pdf]", ""),
        (UserPromptPart([UnknownPart({"a": 1})]), "user", '{"a": 1}', ""),
        (TextPart("Hello"), "text", "Hello", ""),
        (ThinkingPart("Hm."), "thinking", "Hm.", ""),
        (ToolCallPart("add", '{"a":1}'), "call", '{"a": 1}', "add"),
        (NativeToolCallPart("search", {"q": "x"}), "call", '{"q": "x"}', "search"),
        (ToolReturnPart("add", 3), "return", "3", "add"),
        (NativeToolReturnPart("search", ["a"]), "return", '["a"]', "search"),
        (RetryPromptPart("No."), "retry", "No.", ""),
        (UnknownPart({"kind": "odd"}), "other", '{"kind": "odd"}', ""),
    ],
)
def test_each_part_is_a_piece(part, kind, text, name):
    (piece,) = pieces_of(part, Pictures())
    assert (piece.kind, piece.words.text, piece.name) == (kind, text, name)


def test_hidden_thinking_has_no_words():
    assert pieces_of(ThinkingPart("", signature="s"), Pictures())[0].words is None


@pytest.mark.parametrize(
    "part",
    [
        UserPromptPart(["Look:", BinaryContent(PNG, "image/png")]),
        UserPromptPart([BinaryContent(PNG, "application/pdf")]),
        UserPromptPart([ImageUrl(data_url(PNG))]),
        ToolReturnPart("draw", BinaryContent(PNG, "image/png")),
        ToolReturnPart("draw", ["here", BinaryContent(PNG, "image/png")]),
        FilePart(BinaryContent(PNG, "image/png")),
    ],
)
def test_media_are_pictures(part):
    (piece,) = pieces_of(part, Pictures())
    assert [base64.b64decode(picture.data) for picture in piece.pictures] == [PNG]


@pytest.mark.parametrize(
    "content",
    [
        "text",
        [BinaryContent(b"<svg onload=alert(1)>", "image/svg+xml")],
        [BinaryContent(b"<svg onload=alert(1)>", "image/png")],
        [ImageUrl("data:image/svg+xml;base64,PHN2Zz4=")],
        [ImageUrl("data:text/html,<script>alert(1)</script>")],
        [ImageUrl("data:image/png;base64,A")],
        [ImageUrl("javascript:alert(1)")],
        [ImageUrl("https://a.example/tracking.png")],
    ],
)
def test_what_is_no_picture_is_told_in_words(content):
    (piece,) = pieces_of(UserPromptPart(content), Pictures())
    assert piece.pictures == []
    assert piece.words.text


def test_pictures_are_shown_as_long_as_there_is_room():
    pictures = Pictures(room=len(PNG))
    shown = [pieces_of(UserPromptPart([BinaryContent(PNG, "image/png")]), pictures)[0].pictures for _ in range(2)]
    assert [len(each) for each in shown] == [1, 0]


def test_data_in_an_address_is_named_not_written_out():
    (piece,) = pieces_of(UserPromptPart([ImageUrl(data_url(b"not a picture" * 100))]), Pictures())
    assert piece.words.text.startswith("[image/png, 1,300 bytes, sha256 ")


def test_a_long_list_is_counted():
    (piece,) = pieces_of(UserPromptPart(["a"] * 250), Pictures())
    assert piece.words.text.endswith("... and 50 more")


@pytest.mark.parametrize(
    ("part", "returned"),
    [
        (ToolReturnPart("add", 3, "c1"), ("c1", "add", "3", False)),
        (NativeToolReturnPart("search", "x", "c2"), ("c2", "search", "x", False)),
        (RetryPromptPart("No.", "add", "c1"), ("c1", "add", "No.", True)),
        (RetryPromptPart("No."), None),
        (TextPart("a"), None),
    ],
)
def test_what_a_tool_gave_back(part, returned):
    found = returned_by(part)
    assert (found and (*found[:2], found[2].text, found[3])) == returned
