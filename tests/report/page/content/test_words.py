from __future__ import annotations

import pytest

from replay_agent.report.page.content.words import value_words, words


def test_a_long_text_is_cut_and_counted():
    cut = words("abcdef", 4)
    assert (cut.text, cut.left_out) == ("abcd", 2)
    assert words("abcd", 4).left_out == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ('{"city":"Utrecht"}', '{"city": "Utrecht"}'),
        ({"city": "Utrecht"}, '{"city": "Utrecht"}'),
        ("{broken", "{broken"),
        (None, "null"),
        (["a" * 80], f'[\n  "{"a" * 80}"\n]'),
        ({"name": "Zoë"}, '{"name": "Zoë"}'),
    ],
)
def test_values_read_well(value, text):
    assert value_words(value).text == text
