from __future__ import annotations

from pathlib import Path

from replay_agent.report.page.html.rendering import render
from replay_agent.report.page.sources.cassettes import report_of_cassettes
from tests.report.page.samples import run_with_a_tool


def test_each_cassette_is_an_entry():
    report = report_of_cassettes(
        [(Path("a/one.yaml"), run_with_a_tool()), (Path("a/two.yaml"), [])], ["three is empty."]
    )
    assert [(entry.test, entry.figures.calls) for entry in report.entries] == [("a/one.yaml", 2), ("a/two.yaml", 0)]
    assert report.notes == ["three is empty."]
    page = render(report)
    assert "2 cassettes, 2 calls" in page
    assert "At ten." in page


def test_one_cassette_gives_the_title():
    assert report_of_cassettes([(Path("a/one.yaml"), [])]).title == "one.yaml"
