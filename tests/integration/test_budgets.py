"""Tests that may spend so much and no more."""

from __future__ import annotations

import pytest

from tests.integration.test_replay_mark import cassette, module

BUDGETED = """
    @pytest.mark.replay(budget={budget!r})
    def test_capital():
        assert ask("What is the capital of France?") == "Paris"
"""


@pytest.fixture
def recorded(project, provide):
    """A project whose one test was recorded; returns what writes the test anew with a budget."""
    base, _, stop = provide("Paris")
    module(project, base, BUDGETED.format(budget=None))
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    stop()
    return lambda budget: module(project, base, BUDGETED.format(budget=budget))


@pytest.mark.parametrize("budget", [{"requests": 1}, "tokens=5000", {"usd": 1}, "growth=5%"])
def test_within_its_budget_a_test_passes(recorded, project, budget):
    recorded(budget)
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("budget", [{"requests": 0}, "tokens=1", {"tokens": 2, "requests": 1}])
def test_beyond_its_budget_it_fails_and_says_what_cost_most(recorded, project, budget):
    recorded(budget)
    result = project.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*its budget is*", "*turn 1, gpt-4o: * tokens in, * out*France*", "*raise the budget*"]
    )


def test_the_ini_file_gives_one_to_every_test_and_the_mark_beats_it(recorded, project):
    project.makeini("[pytest]\nreplay_budget = tokens=1\n")
    project.runpytest().assert_outcomes(passed=1, errors=1)
    recorded("tokens=5000")
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("budget", ["much", {"hours": 3}, 5])
def test_what_is_no_budget_fails_before_the_test_runs(recorded, project, budget):
    recorded(budget)
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*budget=*"])


def test_what_was_recorded_beyond_the_budget_is_kept(project, provide):
    base, script, stop = provide("Paris", "Paris")
    module(project, base, BUDGETED.format(budget="tokens=1"))
    project.runpytest("--record-mode=once").assert_outcomes(passed=1, errors=1)
    stop()
    assert cassette(project).is_file()
    assert len(script.calls) == 1
