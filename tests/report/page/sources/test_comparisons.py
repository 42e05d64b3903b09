from __future__ import annotations

from replay_agent.report.comparison.changes import compare_runs
from replay_agent.report.comparison.result.comparison import Comparison, Moved, Unreadable
from replay_agent.report.comparison.sources.runs import Run
from replay_agent.report.page.html.rendering import render
from replay_agent.report.page.html.view import View
from replay_agent.report.page.sources.comparisons import report_of_comparison
from replay_agent.traffic import Interaction
from tests.report.page.samples import answer, call, run_with_a_tool, system, user

TEST = "tests/test_a.py::test_b"


def side(prompt, said, tokens=(100, 10)):
    return Run(TEST, [Interaction(call(system(prompt), user("a")), answer(said, tokens=tokens))])


def comparison(*changes):
    return Comparison("main", "work tree", list(changes), files=3)


def text(stretches):
    return "".join(each.text for each in stretches)


def test_a_cause_stands_side_by_side_and_its_effect_below():
    change = compare_runs(TEST, "cassettes/a.yaml", side("Be brief.", "One."), side("Be kind.", "Two.", (120, 10)))
    report = report_of_comparison(comparison(change))
    (entry,) = report.entries
    cause, effect = entry.drifts
    assert (cause.kind, cause.headline) == ("cause", "System prompt changed")
    assert [(text(shift.old), text(shift.new)) for shift in cause.shifts] == [("Be brief.", "Be kind.")]
    assert (effect.kind, effect.headline) == ("effect", "turn 1: answer changed")
    assert entry.notes[0].startswith("tokens in 100 -> 120")
    assert report.headline == "3 cassettes compared: 1 test changed"


def test_equal_causes_are_one():
    changes = [compare_runs(name, name, side("Be brief.", "One."), side("Be kind.", "One.")) for name in "ab"]
    (cause,) = View(report_of_comparison(comparison(*changes))).causes
    assert [view.test for view in cause.tests] == ["a", "b"]


def test_what_one_side_alone_has_is_told():
    added = compare_runs(TEST, "a.yaml", None, Run(TEST, run_with_a_tool()))
    removed = compare_runs("tests/test_a.py::test_gone", "b.yaml", Run(TEST, run_with_a_tool()), None)
    report = report_of_comparison(comparison(added, removed))
    assert [(entry.outcome, entry.figures.calls) for entry in report.entries] == [("added", 2), ("removed", 2)]


def test_what_could_not_be_compared_is_told():
    told = comparison()
    told.unreadable = [Unreadable("c.yaml", "main", "c.yaml is empty.")]
    told.moved = [Moved("a.yaml", "b.yaml")]
    assert report_of_comparison(told).notes == ["Not compared: c.yaml is empty.", "moved: a.yaml -> b.yaml"]


def test_a_page_of_it_says_before_and_after():
    change = compare_runs(
        TEST, TEST, side("Be brief.", "One."), side("Be kind.", "One."), was="tests/test_a.py::test_old"
    )
    page = render(report_of_comparison(comparison(change)))
    for each in ("Before", "After", "<del>brief</del>", "<ins>kind</ins>", "was tests/test_a.py::test_old"):
        assert each in page
