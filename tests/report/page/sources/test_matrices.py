from __future__ import annotations

import pytest

from replay_agent.messages import TextPart
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.page.html.rendering import render
from replay_agent.report.page.sources.matrices import Variant, report_of_matrix
from tests.report.comparison.stories import interactions, story

ROWS = [("variant", "passed"), ("gpt-4o", "yes"), ("<b>", "no")]
FIRST, OTHER = "tests/test_a.py::test_b[gpt-4o]", "tests/test_a.py::test_b[<b> c]"


def run(model, said):
    told = story("openai_chat")
    told.model, told.steps[4].answer = model, [TextPart(said)]
    return Run("test", interactions("openai_chat", told))


def test_tables_are_shown_with_their_heads():
    report = report_of_matrix(
        [("tests/test_a.py::test_b", ROWS), ("all tests", ROWS[:2])], complaints=["one is empty."]
    )
    page = render(report)
    assert report.headline == "2 variants, side by side"
    assert '<th scope="col">passed</th>' in page
    assert '<th scope="row">&lt;b&gt;</th><td>no</td>' in page
    assert "one is empty." in page


def test_a_variant_opens_to_what_it_said_and_has_otherwise():
    first = run("gpt-4o", "The train is.")
    variants = [Variant(FIRST, True, first), Variant(OTHER, False, run("o3", "The boat is."), first)]
    report = report_of_matrix([("t", ROWS), ("all tests", ROWS[:2])], [[FIRST, OTHER]], variants)
    assert [entry.outcome for entry in report.entries] == ["passed", "failed"]
    assert [len(entry.conversations) for entry in report.entries] == [1, 1]
    assert [len(entry.drifts) for entry in report.entries] == [0, 2]
    page = render(report)
    assert '<a href="#tests/test_a.py::test_b[gpt-4o]">gpt-4o</a>' in page
    assert 'id="tests/test_a.py::test_b[gpt-4o]"' in page
    assert page.count("First variant") >= 2
    assert page.index("all tests") < page.index("Model changed")


@pytest.mark.parametrize("tests", [[], [["gone", "gone"]], [[FIRST]]])
def test_a_row_without_an_entry_opens_to_nothing(tests):
    page = render(report_of_matrix([("t", ROWS)], tests, []))
    assert '<th scope="row">gpt-4o</th>' in page
