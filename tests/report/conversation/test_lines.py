"""Lines that hide nothing."""

from __future__ import annotations

import pytest

from replay_agent.report.conversation.lines import Bounds, cut, indented, short, visible


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb", ["a", "b"]),
        ("a  ", ["a\u2420\u2420"]),
        ("a\t\nb", ["a\u2409", "b"]),
        ("a\u00a0", ["a\\u00a0"]),
        (" \n", ["\u2420", ""]),
        ("a\r\nb\rc", ["a\u240d", "b\u240dc"]),
        ("\x1b[31mred\x07", ["\u241b[31mred\u2407"]),
        ("a\u2028b\u0085c", ["a\\u2028b\\u0085c"]),
        ("left\u202eright", ["left\\u202eright"]),
        ("half \ud83d", ["half \\ud83d"]),
        ("tab\tinside stays", ["tab\tinside stays"]),
        ("été 😀", ["été 😀"]),
    ],
)
def test_what_is_invisible_is_made_visible(text, lines):
    assert visible(text) == lines


def test_pieces_of_text_keep_their_trailing_blanks():
    assert visible("a ", trailing=False) == ["a "]


def test_every_text_can_be_encoded_and_split_safely():
    for code in [*range(0x300), *range(0x2000, 0x2070), 0xD800, 0xDFFF, 0xFEFF]:
        for line in visible(f"a{chr(code)}b"):
            line.encode()
            assert line.splitlines() in ([line], [])


def test_empty_lines_are_not_indented():
    assert indented("a\n\nb") == ["  a", "", "  b"]


def test_a_final_newline_shows():
    assert indented("a\n") == ["  a", "  \u240a"]
    assert indented("") == [""]


def test_long_texts_lose_their_middle():
    assert indented("\n".join("abcdefgh"), Bounds(4, 0)) == ["  a", "  b", "  ... 4 more lines ...", "  g", "  h"]
    assert indented("\n".join("abcde"), Bounds(4, 0)) == ["  a", "  b", "  c", "  d", "  e"]


def test_long_lines_lose_their_middle():
    [line] = indented("x" * 1_000 + "end", Bounds(0, 40))
    assert len(line) < 80
    assert line.endswith("end")
    assert "963 more characters" in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc", "abc"), ("abcdefghijk", "abcdefg..."), ("a\nb", "a b"), ("a\x1b[0m", "a\u241b[0m"), ("", "")],
)
def test_short_is_one_line_of_bounded_width(text, expected):
    assert short(text, 10) == expected


def test_short_looks_at_no_more_than_it_shows():
    assert short("\x07" * 10_000_000, 80) == "\u2407" * 77 + "..."


def test_cut_counts_what_it_leaves_out():
    assert cut("a" * 60, 40) == "a" * 60
    line = cut("a" * 1_000 + "z" * 1_000, 40)
    assert line == f"{'a' * 30} ... 1,960 more characters ... {'z' * 10}"
