from __future__ import annotations

from types import SimpleNamespace

from replay_agent.pytest_plugin.summary.recorded import note_recorded, recorded_of, show_recorded
from replay_agent.recording.succession.successors import Successor
from replay_agent.recording.succession.tally import Tally
from replay_agent.traffic import Interaction, Request, Response


class Terminal:
    def __init__(self, *reports):
        self.stats = {"": list(reports)}
        self.hasmarkup = False
        self.lines = []

    def write_sep(self, sep, title):
        self.lines.append(title)

    def write_line(self, line):
        self.lines.append(line)


def report(tally, nodeid="test_a.py::test_a"):
    made = SimpleNamespace(nodeid=nodeid)
    note_recorded(made, tally)
    return made


def said(*tallies):
    terminal = Terminal(*map(report, tallies))
    show_recorded(terminal)
    return terminal.lines


def test_a_session_that_recorded_nothing_says_nothing():
    assert said(Tally(replayed=3)) == []
    assert recorded_of(report(Tally())) is None


def test_answers_and_cassettes_are_counted():
    lines = said(Tally(live=1, replayed=2, saved=True), Tally(live=2, dropped=1, saved=True))
    assert lines == ["recorded", "3 answers recorded, 2 cassettes written (2 replayed, 1 dropped)"]


def test_what_was_taken_up_is_said_by_when_it_began():
    lines = said(Tally(taken_up={"2020-01-02T10:32:00Z": 3}), Tally(taken_up={"2020-01-02T10:32:00Z": 1}))
    assert lines[2].startswith("4 answers taken up from an unfinished recording of 2020-01-0")
    assert "of some day" in said(Tally(taken_up={"some day": 1}))[2]


def test_an_answer_that_says_the_same_is_counted():
    old = Interaction(Request("GET", "https://a.example"), Response(200))
    assert "1 test asked anew" in said(Tally(live=1, saved=True, successors=[Successor(old, old)]))[-1]
