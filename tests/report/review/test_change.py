from __future__ import annotations

from dataclasses import replace

import pytest

from replay_agent.report.review.change import Change
from tests.report.review.open_changes import drift


def test_it_survives_being_written_down():
    for change in (drift(), drift(giving_way=(), lines=()), replace(drift(), before=""), replace(drift(), before=None)):
        assert Change.load(change.dump()) == change


def test_the_id_stays_the_same_whatever_else_is_said():
    assert drift().id == drift(lines=(), title="other", run="/elsewhere/test_a.py::test_one", key="zz").id


@pytest.mark.parametrize(
    "other",
    [
        drift("tests/test_a.py::test_two"),
        drift(cause="another"),
        drift(kind="leftover"),
        drift(giving_way=("xx",)),
        drift(name="second"),
    ],
)
def test_another_test_cause_kind_or_place_is_another_id(other):
    assert other.id != drift().id


@pytest.mark.parametrize(
    "values", [{}, {"kind": "drift"}, {**drift().dump(), "kind": "odd"}, {**drift().dump(), "more": 1}]
)
def test_what_is_no_change_is_refused(values):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Change.load(values)
