"""The comment for a review: within GitHub's limit, the worst first, nothing in it that acts."""

from __future__ import annotations

import re

import pytest

from replay_agent.report.comparison.forms.markdown import MOST, render_markdown
from replay_agent.report.comparison.limits import Breach
from replay_agent.report.comparison.result.change import TestChange
from replay_agent.report.comparison.result.comparison import Comparison, Unreadable
from replay_agent.report.comparison.result.difference import Difference
from replay_agent.report.comparison.result.spent import Spent
from replay_agent.report.json_diff import ValueChange
from replay_agent.report.words import Span, word_diff

HOSTILE = [
    "@everyone #1 ``` | <script>",
    "a`b``c```d",
    "[x](javascript:alert(1))",
    "</summary></details>",
    "\x1b[2J",
    "|",
]


def changed(name, effects=(), before="You are kind.", after="You are quick.", tokens=(10, 20)):
    cause = Difference("message_changed", 1, "system prompt", word_diff(before, after))
    return TestChange(name, f"{name}.yaml", causes=[cause], effects=list(effects), turns=2, old=Spent(2, tokens[0], 5),
                      new=Spent(2, tokens[1], 5))  # fmt: skip


def answer(text):
    return Difference("answer_changed", 2, "answer", word_diff("It is far away.", text))


def comparison(*changes, **more):
    made = Comparison("main", "work tree", list(changes), files=len(changes), **more)
    made.ordered()
    return made


def test_a_change_of_five_hundred_tests_fits_and_says_what_was_cut():
    failed = Difference("failure_changed", 2, "failure", values=(ValueChange("failure", None, "500: broken"),))
    changes = [
        changed(f"tests/t.py::test_{n}", [answer(f"It is {n} km " * 20)], after=f"You are {n}.") for n in range(500)
    ]
    changes[321].effects.append(failed)
    text = render_markdown(comparison(*changes))
    assert MOST - 4_000 < len(text) <= MOST
    assert "Cut to fit: " in text
    assert text.index("test_321`") < text.index("test_0`")
    assert "500 tests changed" in text
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0


@pytest.mark.parametrize("causes", [1, 3, 6, 40])
def test_causes_come_before_the_tests_that_they_are_of(causes):
    changes = [changed(f"test_{n}", after=f"You are {n % causes}.") for n in range(40)]
    text = render_markdown(comparison(*changes))
    table = text.index("| test | cause |")
    assert [text.index(f"**Cause {number}:") < table for number in range(1, causes + 1)].count(True) == min(causes, 6)
    assert text.count("| `test_") == 15
    assert "| and 25 more |" in text


@pytest.mark.parametrize("length", [10, 2_000, 90_000])
@pytest.mark.parametrize("causes", [1, 5, 30])
def test_long_causes_leave_room_for_the_table(causes, length):
    changes = [
        changed(f"test_{n}", before="\n".join(["a" * 300] * (length // 300)), after=f"{n} " * length)
        for n in range(causes)
    ]
    text = render_markdown(comparison(*changes))
    assert len(text) <= MOST
    assert "| test | cause |" in text
    assert "| `test_0` | 1: " in text


def test_a_small_change_is_whole():
    text = render_markdown(comparison(changed("t.py::test_a", [answer("It is near.")])))
    assert "not shown" not in text
    assert "You are [-kind-]{+quick+}." in text
    assert "| `t.py::test_a` | 1: `system prompt changed` | `answer changed` | 1 | 15 → 25 |" in text


@pytest.mark.parametrize("word", HOSTILE)
def test_what_a_cassette_says_stands_in_code(word):
    change = changed(word, [answer(f"It is {word} away.")], after=f"You are {word}.")
    change.causes.append(Difference("tool_added", 1, f"tool {word}"))
    text = render_markdown(comparison(change, unreadable=[Unreadable(word, "main", f"{word} is broken")]))
    outside = re.sub(r"(?s)(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert "@everyone" not in outside
    assert "<script>" not in outside
    assert "javascript" not in outside.replace("<code>[x](javascript:alert(1))</code>", "")
    assert text.count("</details>") - text.count("`</summary></details>") <= text.count("<details>") + 12
    assert "\x1b" not in text


def test_limits_and_damage_come_before_the_rest():
    text = render_markdown(
        comparison(changed("t.py::a"), unreadable=[Unreadable("b.yaml", "main", "b.yaml is empty")]),
        [Breach("t.py::a", "--max-cost +5%", "cost $1 -> $2")],
    )
    assert text.index("Limits passed") < text.index("Not compared") < text.index("| test |")


def test_no_difference_is_one_sentence():
    assert render_markdown(Comparison("a", "b", files=3)).count("\n\n") == 1


def test_a_table_keeps_its_columns():
    rows = [
        line for line in render_markdown(comparison(changed("a | b"), changed("c"))).splitlines() if line[:1] == "|"
    ]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_a_column_in_which_nothing_stands_is_left_out():
    text = render_markdown(comparison(changed("t.py::test_a", [answer("It is near.")])))
    assert "| test | cause | effects | first turn | tokens |\n|---|---|---|---|---|\n" in text


def test_what_was_cut_is_counted_apart():
    changes = [changed(f"t.py::test_{n}", [answer("It is far. " * 40)], after=f"You are {n}.") for n in range(500)]
    said = re.search(
        r"Cut to fit: (?:(\d+) causes of (\d+) and )?(\d+) tests of (\d+) not shown",
        render_markdown(comparison(*changes)),
    )
    assert said is not None
    assert (said[2] or "500", said[4]) == ("500", "500")


def test_a_long_prompt_is_shown_where_it_changed():
    long = "word " * 50_000
    text = render_markdown(comparison(changed("t", before=f"{long}kind", after=f"{long}quick")))
    assert len(text) < 5_000


def test_spans_of_any_kind_are_shown():
    removed = Difference("message_removed", 1, "system prompt", (Span("removed", "Be kind."),))
    text = render_markdown(comparison(TestChange("t", "t.yaml", causes=[removed])))
    assert "- Be kind." in text
