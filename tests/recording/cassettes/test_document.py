"""The document: opened without reading what is not asked for, exact, and honest about damage."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from weakref import ref

import pytest
import yaml

from replay_agent.exceptions import CassetteUnreadable
from replay_agent.recording.cassettes import document as document_module
from replay_agent.recording.cassettes.document import foreign_cassette, is_ours, read_cassette, render
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.matching.keys import Key
from replay_agent.traffic import Chunk, Failure, Phase, Response

PATH = Path("cassettes/geo.yaml")


@pytest.fixture
def three(chat):
    failed = replace(chat("fails", test=None), outcome=Failure("ReadTimeout", Phase.HEAD))
    return [chat("one\ntwo"), chat("three", test="tests/test_geo.py::test_other"), failed]


@pytest.fixture
def document(three, keying):
    header = Header(keying=keying.scheme, recorded_at="2026-11-22T10:00:00Z", frozen={"clock": 1.5, "seeds": [1, "x"]})
    return render(header, [new_item(each, keying(each.request)) for each in three])


@pytest.fixture
def cassette(document, keying):
    keying.asked = 0
    return read_cassette(document, PATH)


def test_everything_comes_back(cassette, three):
    assert cassette.interactions() == three
    assert [cassette.outcome(index) for index in range(3)] == [each.outcome for each in three]
    assert [cassette.test(index) for index in range(3)] == [each.test for each in three]
    assert (len(cassette), cassette.layout, cassette.path) == (3, "replay-agent", PATH)


def test_header_comes_back(cassette):
    header = cassette.header
    assert header.frozen == {"clock": 1.5, "seeds": [1, "x"]}
    assert (header.keying, header.recorded_at, header.version) == ("bytes-1", "2026-11-22T10:00:00Z", 1)
    assert header.library.startswith("pytest-replay-agent ")


def test_document_is_plain_yaml(document):
    found = yaml.safe_load(document)
    assert list(found) == ["version", "library", "recorded_at", "keying", "frozen", "interactions"]
    assert len(found["interactions"]) == 3


def test_stored_keys_need_no_reading(cassette, three, keying, make_keying):
    assert cassette.keys(keying) == [make_keying()(each.request) for each in three]
    assert keying.asked == 0


def test_other_scheme_recomputes_every_key(cassette, make_keying):
    other = make_keying("bytes-2")
    cassette.keys(other)
    assert other.asked == 3


def test_unknown_key_is_recomputed(three, keying):
    cassette = read_cassette(render(Header(keying=keying.scheme), [new_item(each, None) for each in three]), PATH)
    cassette.keys(keying)
    assert keying.asked == 3


def test_edited_item_is_recomputed_alone(document, keying, three):
    keying.asked = 0
    cassette = read_cassette(document.replace(b"content: three", b"content: four"), PATH)
    keys = cassette.keys(keying)
    assert keying.asked == 1
    assert keys[1] == keying(cassette.interaction(1).request)
    assert b"four" in cassette.interaction(1).request.body
    assert cassette.outcome(1) == three[1].outcome
    assert cassette.test(1) == three[1].test


@pytest.mark.parametrize("comment", [b"", b"# mine", b"# 0123456789abcdef 00000000"])
def test_edited_comment_is_no_key(document, keying, three, comment, make_keying):
    begin = document.index(b"- # ")
    end = document.index(b"\n", begin)
    if comment:
        edited = document[:begin] + b"- " + comment + document[end:]
    else:
        edited = document[:begin] + b"- " + document[end + 3 :]
    cassette = read_cassette(edited, PATH)
    assert cassette.keys(keying) == [make_keying()(each.request) for each in three]
    assert cassette.interactions() == three


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("comment", [b"- ", b"- # mine\n  ", b"- #\n  "])
def test_an_item_without_its_comment_is_found_wherever_it_stands(document, three, which, comment):
    begin = -1
    for _ in range(which + 1):
        begin = document.index(b"\n- # ", begin + 1)
    end = document.index(b"\n", begin + 1)
    edited = document[: begin + 1] + comment + document[end + 3 :]
    cassette = read_cassette(edited, PATH)
    assert cassette.interactions() == three
    assert not cassette.is_as_written


@pytest.mark.parametrize(
    "text", ["#" * 9000, "# a\n## b\n" * 900, "\n- # a/b 01234567\n", "- # ", "#!", "a #b", "\n...\n#"]
)
def test_number_signs_in_texts_begin_nothing(chat, keying, text):
    said = [chat(text), chat("two"), chat(text + " "), chat("four #")]
    document = render(Header(keying=keying.scheme), [new_item(each, keying(each.request)) for each in said])
    cassette = read_cassette(document, PATH)
    assert cassette.is_as_written
    assert cassette.interactions() == said


@pytest.mark.parametrize("named", ["x", "interactions", "a\ninteractions:\n- b", "interactions:"])
def test_the_items_stand_behind_the_first_line_that_says_so(chat, keying, named):
    said = [chat(f"{named} 1"), chat(f"\n{named}:\n")]
    header = Header(keying=keying.scheme, recorded_at="2026-11-22T10:00:00Z", extra={"note": f"{named}:\n- c"})
    document = render(header, [new_item(each, keying(each.request)) for each in said])
    cassette = read_cassette(document, PATH)
    assert is_ours(document)
    assert cassette.header.extra == header.extra
    assert cassette.interactions() == said


def test_items_are_written_again_byte_for_byte(cassette, document, keying):
    cassette.keys(keying)
    assert render(cassette.header, [cassette.item(index) for index in range(3)]) == document


def test_edited_items_are_written_again_byte_for_byte(document, keying):
    edited = document.replace(b"content: three", b"content: four  # by hand")
    cassette = read_cassette(edited, PATH)
    cassette.keys(keying)
    assert render(cassette.header, [cassette.item(index) for index in range(3)]) == edited


def test_other_scheme_changes_the_comments_alone(cassette, document, make_keying):
    cassette.keys(make_keying("bytes-2"))
    items = [cassette.item(index) for index in range(3)]
    assert all(item.content in document for item in items)
    again = read_cassette(render(Header(keying="bytes-2"), items), PATH)
    asked = make_keying("bytes-2")
    again.keys(asked)
    assert asked.asked == 0


def test_ids_of_a_key_come_back(chat):
    key = Key("0" * 16, ("call_1", "odd id: #1\n", "", "%", "é"))

    class Fixed:
        scheme = "fixed"

        def __call__(self, request):
            raise AssertionError("the key is in the file")

    cassette = read_cassette(render(Header(keying="fixed"), [new_item(chat(), key)]), PATH)
    assert cassette.keys(Fixed()) == [key]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("uses call_1 now", True),
        ('{"id": "call_1"}', True),
        ("uses call_12", False),
        ("xcall_1", False),
        ("none", False),
    ],
)
def test_answered_ids(chat, keying, answer, found):
    cassette = read_cassette(render(Header(), [new_item(chat("call_1 in a prompt", answer), None)]), PATH)
    assert cassette.answered("call_1") is found


def test_answered_id_in_bytes_that_are_no_text(chat):
    frame = b"\x00\x01\x02\x03\xff" + b'{"toolUseId":"tooluse_1"}' + bytes(range(250, 256)) * 4
    interaction = replace(chat(), outcome=Response(200, chunks=(Chunk(frame),)))
    cassette = read_cassette(render(Header(), [new_item(interaction, None)]), PATH)
    assert cassette.answered("tooluse_1")
    assert not cassette.answered("tooluse_2")


def test_answered_in_a_foreign_cassette(chat):
    cassette = foreign_cassette([chat(answer="call_1")], PATH)
    assert cassette.answered("call_1")
    assert not cassette.answered("call_2")


def test_foreign_cassette_has_keys_and_items(three, keying, make_keying):
    cassette = foreign_cassette(three, PATH)
    keys = cassette.keys(keying)
    assert cassette.layout == "foreign"
    assert keys == [make_keying()(each.request) for each in three]
    again = read_cassette(render(Header(keying=keying.scheme), [cassette.item(n) for n in range(3)]), PATH)
    assert again.interactions() == three


def test_empty_cassette():
    cassette = read_cassette(render(Header(keying="k"), []), PATH)
    assert (len(cassette), cassette.interactions()) == (0, [])


def test_another_tools_layout_is_read_whole(document, three):
    rewritten = yaml.safe_dump(yaml.safe_load(document), sort_keys=False, indent=4).encode()
    cassette = read_cassette(rewritten, PATH)
    assert [each.request for each in cassette.interactions()] == [each.request for each in three]


def test_edited_header_is_read(document):
    cassette = read_cassette(document.replace(b"version: 1\n", b"# hello\nversion: 1  # ours\n"), PATH)
    assert len(cassette) == 3


@pytest.mark.parametrize(
    ("data", "ours"),
    [
        (b"version: 1\nlibrary: pytest-replay-agent 9\ninteractions:\n", True),
        (b"keying: x\ninteractions: []\n", True),
        (b"interactions:\n- request:\n    body: 'keying: x'\nversion: 1\n", False),
        (b"version: 1\ninteractions:\nkeying: x\n", False),
        (b"", False),
    ],
)
def test_our_layout_shows_in_the_first_lines(data, ours):
    assert is_ours(data) is ours


DAMAGE = [
    (lambda d: d[: len(d) // 2], "cut off"),
    (lambda d: d[: len(d) * 9 // 10], "cut off"),
    (lambda d: d[:-40], "cut off"),
    (lambda d: d[:-4], "cut off"),
    (lambda d: d[: d.rindex(b"- # ")], "cut off"),
    (lambda d: d[: d.index(b"interactions:") + 13] + b"\n", "not a list"),
    (lambda d: d[: d.index(b"interactions:")], "cut off"),
    (lambda d: d + b"more: lines\n", "something stands behind the line `...`"),
    (lambda d: d.replace(b"\n", b"\r\n") + b"#\xe9\r\n", "something stands behind the line `...`"),
    (lambda d: d.replace(b"interactions:\n", b"interactions: text\n"), ""),
    (lambda d: d.replace(b"keying:", b"keying: ["), "header"),
    (lambda d: b"- text\n" + d, "header"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGE)
def test_damaged_document_names_file_and_cause(document, damage, words):
    with pytest.raises(CassetteUnreadable) as caught:
        read_cassette(damage(document), PATH)
    assert str(PATH) in str(caught.value)
    assert words in str(caught.value)


ITEM_DAMAGE = [
    (b"status: 200", b"status: fine"),
    (b"  response:", b"  respons:"),
    (b"content: three", b"content: 'three"),
    (b"content: three", b"content: thr\xffee"),
    (b"content: three", b"content: &a [*a]"),
]


@pytest.mark.parametrize(("old", "new"), ITEM_DAMAGE)
def test_damaged_item_names_file_line_and_number(document, keying, old, new):
    second = document.index(b"content: three") if b"three" in old else document.index(old)
    damaged = document[:second] + document[second:].replace(old, new, 1)
    cassette = read_cassette(damaged, PATH)
    with pytest.raises(CassetteUnreadable, match=r"geo\.yaml:\d+: interaction [12] "):
        cassette.keys(keying)
        cassette.interactions()


def test_line_of_the_damage(document, keying):
    damaged = document.replace(b"content: three", b"content: thr\xffee")
    cassette = read_cassette(damaged, PATH)
    line = damaged[: damaged.index(b"\xff")].count(b"\n") + 1
    with pytest.raises(CassetteUnreadable, match=f"geo.yaml:{line}: interaction 2 holds a byte that is not UTF-8"):
        cassette.interaction(1)


def test_torn_end_is_left_out(document, three):
    whole = document.removesuffix(b"...\n")
    for end in (whole, whole[:-1], whole[:-30], whole + b"- # 0123"):
        cassette = read_cassette(end, PATH, torn=True)
        kept = 3 if end.startswith(whole) else 2
        assert cassette.interactions() == three[:kept]


# --- a cassette that grows ----------------------------------------------------------------------------------------------


def _documents(chat, keying, wordings):
    """Documents of one file's life: each wording's items, one letter an interaction."""
    known = {letter: chat(f"{letter}\nof many lines") for letter in "abcdefgh"}
    header = Header(keying=keying.scheme)
    return [render(header, [new_item(known[one], keying(known[one].request)) for one in words]) for words in wordings]


def _facts(cassette, keying):
    return (
        [cassette.test(index) for index in range(len(cassette))],
        cassette.interactions(),
        cassette.keys(keying),
        [cassette.item(index) for index in range(len(cassette))],
        cassette.is_as_written,
    )


@pytest.mark.parametrize("piece", [1, 7, 300, 1 << 20])
@pytest.mark.parametrize("first", ["a", "abcd", "abca"])
@pytest.mark.parametrize("then", ["abcde", "abc", "abxcd", "xabcd", "bcd", "a", "aabcd", "abcd"])
def test_what_has_changed_is_read_as_in_a_file_of_its_own(limit, chat, keying, first, then, piece):
    limit(document_module, _PIECE=piece)
    old, new = _documents(chat, keying, [first, then.replace("x", "h")])
    alone = _facts(read_cassette(new, Path("another.yaml")), keying)
    read_cassette(old, PATH)
    assert _facts(read_cassette(new, PATH), keying) == alone


@pytest.mark.parametrize("at", ["many", "lines", "- # ", "POST", "...\n"])
def test_an_edit_shows_though_the_file_was_read_before_it(chat, keying, at):
    (old,) = _documents(chat, keying, ["abcd"])
    read_cassette(old, PATH)
    place = old.rindex(at.encode())
    edited = old[:place] + (b"...\n" if at == "...\n" else at.swapcase().encode()) + old[place + len(at) :]
    alone = read_cassette(edited, Path("another.yaml")).is_as_written
    read_cassette(old, PATH)
    assert read_cassette(edited, PATH).is_as_written == alone == (edited == old)


@pytest.mark.parametrize("size", [1, 1 << 30])
def test_only_what_is_new_is_summed_up(limit, calls_of, chat, keying, size):
    """A file beyond what is held for the next one is known while a recording holds it."""
    limit(document_module, _MOST_REMEMBERED=size, _PIECE=64)
    old, new = _documents(chat, keying, ["abcdefg", "abcdefgh"])
    base = read_cassette(old, PATH)
    assert base.is_as_written
    summed = calls_of(document_module, "stored_key")
    assert read_cassette(old, PATH).is_as_written
    assert summed == []
    assert read_cassette(new, PATH).is_as_written
    assert len(summed) <= 3  # of which two the piece begins that has changed


def test_a_large_file_is_let_go_with_its_last_reader(limit, chat, keying):
    limit(document_module, _MOST_REMEMBERED=1)
    (old,) = _documents(chat, keying, ["abc"])
    known = ref(read_cassette(old, PATH))
    gc.collect()
    assert known() is None
