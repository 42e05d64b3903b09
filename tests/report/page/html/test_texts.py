from __future__ import annotations

import base64

from replay_agent.report.page.html.texts import BOUNDS, Bounds, Texts, bounds_for
from replay_agent.report.page.report import Conversation, Entry, Message, Picture, Piece, Report, Words
from tests.report.page.samples import png, suite


def report_of(*texts):
    pieces = [Piece("text", Words(text)) for text in texts]
    return Report("a", entries=[Entry("t", "passed", conversations=[Conversation([Message("assistant", pieces)])])])


LONG = "A prompt that many share. " * 20


def test_what_is_said_twice_stands_once():
    texts = Texts.of_report(report_of(LONG, LONG, "short", "short"), BOUNDS[0])
    first, second = texts.of(Words(LONG)), texts.of(Words(LONG))
    assert first == second
    assert (first.shared, first.times) == ("text:1", 2)
    assert [(each.anchor, each.text) for each in texts.shared] == [("text:1", LONG)]
    assert texts.of(Words("short")).shared == ""


def test_what_nobody_asks_for_is_not_shared():
    assert Texts.of_report(report_of(LONG, LONG), BOUNDS[0]).shared == []


def test_a_failure_stands_where_it_happened_though_others_fail_alike():
    failure, endless = Words("E   assert 1 == 2\n" * 20), Words("E   assert 1 == 2\n" * 200)
    entries = [Entry(f"t{number}", "failed", failure=text) for text in (failure, endless) for number in range(2)]
    texts = Texts.of_report(Report("a", entries=entries), BOUNDS[0])
    assert texts.of(failure, "code").shared == ""
    assert texts.of(endless, "code").shared == "text:1"


def test_many_failures_in_place_count_for_the_size_of_a_page():
    entries = [Entry(f"t{number}", "failed", failure=Words("x" * 1_300)) for number in range(3_000)]
    assert bounds_for(Report("a", entries=entries), 2_000_000) > bounds_for(
        Report("a", entries=entries[:100]), 2_000_000
    )


def test_what_is_cut_is_counted():
    texts = Texts.of_report(report_of(LONG), Bounds(10, 4, 0, 10))
    shown = texts.of(Words(LONG, left_out=5))
    assert (shown.text, shown.length, shown.left_out) == (LONG[:10], len(LONG) + 5, len(LONG) - 5)
    assert texts.of(Words(LONG), "code body").text == LONG[:4]
    assert texts.cut("abcdefghijkl") == "abcdefghij ... 2 more characters"
    assert texts.cut("abcdefghij") == "abcdefghij"


def test_long_texts_are_folded_to_their_beginning():
    shown = Texts.of_report(report_of(LONG), BOUNDS[0]).of(Words("word " * 400))
    assert shown.is_long
    assert len(shown.gist) < 330
    lines = Texts.of_report(report_of(LONG), BOUNDS[0]).of(Words("a\n" * 40))
    assert lines.is_long
    assert lines.gist == "a\na\na\na\na ..."


def test_a_test_has_room_for_some_pictures():
    picture = Picture("image/png", base64.b64encode(png()).decode(), 2, 3)
    texts = Texts(Bounds(10, 0, len(picture.data) + 5, 10))
    texts.begin()
    assert texts.fitting([picture, picture]) == [picture]
    assert texts.fitting([picture]) == []
    texts.begin()
    assert texts.fitting([picture]) == [picture]


def test_the_middle_of_a_conversation_is_left_out():
    messages = [Message("user", [Piece("user", Words(str(number)))]) for number in range(9)]
    few = Texts(Bounds(10, 0, 0, 4)).few(messages)
    assert [message.pieces[0].words.text for message in (*few.first, *few.last)] == ["0", "1", "7", "8"]
    assert few.left_out == 5
    assert Texts(Bounds(10, 0, 0, 3)).few(messages[:4])[1:] == (1, messages[3:4])
    assert Texts(BOUNDS[0]).few(messages).left_out == 0


def test_more_tests_have_less_each():
    places = [bounds_for(suite(count), 2_000_000) for count in (1, 50, 200, 2_000)]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == len(BOUNDS) - 1
