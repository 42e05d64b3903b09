from __future__ import annotations

from replay_agent.page.html.rendering import render
from replay_agent.page.sources.matrices import report_of_matrix


def test_tables_are_shown_with_their_heads():
    rows = [("variant", "passed"), ("gpt-4o", "yes"), ("<b>", "no")]
    report = report_of_matrix([("tests/test_a.py::test_b", rows), ("all tests", rows[:2])], ["one.yaml is empty."])
    page = render(report)
    assert report.headline == "2 variants, side by side"
    assert '<th scope="col">passed</th>' in page
    assert '<th scope="row">&lt;b&gt;</th><td>no</td>' in page
    assert "one.yaml is empty." in page
