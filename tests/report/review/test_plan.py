from __future__ import annotations

from replay_agent.report.review.plan import Ended, Plan, TestPlan, read_ends, write_ends


def test_a_plan_survives_being_written_down(tmp_path):
    tests = {"/a.py::b": TestPlan((("f", "n"),), True, {"k": "o"}, ("x",)), "/a.py::c": TestPlan()}
    plan = Plan(tests, "ends")
    plan.write(tmp_path / "plan")
    assert Plan.read(tmp_path / "plan") == plan


def test_its_bounds_hold_bar_and_keep_silent():
    bounds = TestPlan(live=True, held={"k": "o"}, barred=("x",)).bounds
    assert bounds.held == {"k": "o"}
    assert bounds.allows("y")
    assert not bounds.allows("x")
    assert not TestPlan().bounds.allows("y")


def test_ends_survive_being_written_down(tmp_path):
    ends = {"a": Ended(True, 2), "b": Ended(False, 0, "why")}
    write_ends(tmp_path / "ends", ends)
    assert read_ends(tmp_path / "ends") == ends


def test_a_run_that_did_not_get_that_far_has_no_ends(tmp_path):
    assert read_ends(tmp_path / "ends") == {}
