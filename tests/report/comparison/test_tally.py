"""Sums of a session: what was replayed, what was recorded, which tests took most."""

from __future__ import annotations

from dataclasses import dataclass, replace

from replay_agent.report.comparison.tally import Tally
from replay_agent.report.conversation.transcript import Transcript
from tests.report.comparison.stories import interactions, story

BEGAN = 1_793_700_000.0
"""3 November 2026, 10:00 UTC."""


@dataclass
class Recorded:
    interactions: list

    @property
    def transcript(self):
        return Transcript.from_interactions(self.interactions)


def recorded(model="gpt-4o"):
    told = story("openai_chat")
    told.model = model
    return Recorded(interactions("openai_chat", told))


def lines(tally):
    return list(tally.lines())


def test_nothing_is_said_of_nothing():
    assert lines(Tally()) == []


def test_replayed_calls_are_counted_and_no_more_unless_asked():
    plain, curious = Tally(), Tally(counts_replayed=True)
    for tally in (plain, curious):
        tally.add("t.py::a", recorded(), 5)
    assert lines(plain) == ["replay: 5 calls replayed"]
    assert lines(curious) == ["replay: 5 calls replayed, 550 tokens and about 0.0018 USD not spent"]


def test_recorded_calls_are_always_counted():
    tally = Tally()
    tally.add("t.py::a", recorded(), 0)
    assert lines(tally) == [
        "replay: 5 calls recorded, 550 tokens and about 0.0018 USD spent; most by t.py::a (0.0018 USD)"
    ]


def test_a_test_that_was_partly_recorded_is_told_apart_by_when():
    tally = Tally(BEGAN, counts_replayed=True)
    run = recorded()
    run.interactions = [
        replace(each, recorded_at=f"2026-11-0{number}T10:00:00Z") for number, each in enumerate(run.interactions, 1)
    ]
    tally.add("t.py::a", run, 2)
    assert [line.partition(" and")[0] for line in lines(tally)] == [
        "replay: 2 calls replayed, 220 tokens",
        "replay: 3 calls recorded, 330 tokens",
    ]


def test_a_model_without_a_price_is_said():
    tally = Tally(counts_replayed=True)
    tally.add("t.py::a", recorded("nobody-sells-this"), 5)
    assert lines(tally) == ["replay: 5 calls replayed, 550 tokens not spent (5 answers without a known price)"]


def test_workers_are_merged():
    whole, worker = Tally(), Tally()
    for name in ("a", "b"):
        worker.add(f"t.py::{name}", recorded(), 5)
    worker.add("t.py::c", recorded(), 0)
    whole.merge(worker.dump())
    whole.merge(worker.dump())
    assert lines(whole)[0] == "replay: 20 calls replayed"
    assert lines(whole)[1].startswith("replay: 10 calls recorded, 1,100 tokens")


def test_millions_are_short():
    run = recorded()
    tally = Tally(counts_replayed=True)
    for _ in range(2_000):
        tally.replayed.add(type(tally.replayed)(1, 600, "0.002"))
    tally.add("t.py::a", run, 5)
    assert lines(tally) == ["replay: 2,005 calls replayed, 1.2 M tokens and about 4.00 USD not spent"]
