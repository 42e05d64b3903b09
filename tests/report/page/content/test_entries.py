from __future__ import annotations

from decimal import Decimal

from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.page.content.entries import entry_of, recorded_since
from replay_agent.traffic import Interaction, Request, Response
from tests.report.page.samples import answer, call, run_with_a_tool, streamed, user


def entry(interactions, live=()):
    return entry_of("tests/test_a.py::test_b", Transcript.from_interactions(interactions), interactions, live)


def test_what_was_replayed_and_what_went_live_are_apart():
    told = entry(run_with_a_tool(), live={1})
    assert (told.replayed.calls, told.live.calls, told.figures.calls) == (1, 1, 2)
    assert told.figures.input_tokens == 200
    assert Decimal(told.replayed.usd) + Decimal(told.live.usd) == Decimal(told.figures.usd)


def test_unknown_prices_are_counted():
    told = entry([Interaction(call(user("a"), model="home-made"), answer("b", model="home-made"))])
    assert (told.replayed.usd, told.replayed.unpriced) == (None, 1)


def test_other_traffic_counts_as_calls():
    told = entry([Interaction(Request("GET", "https://a.example/"), Response(200))])
    assert (told.figures.calls, told.figures.input_tokens, told.conversations) == (1, None, [])
    assert len(told.other) == 1


def test_streams_tell_what_was_waited_for():
    assert entry([Interaction(call(user("a"), stream=True), streamed("b", "c"))]).replayed.took_ms == 300


def test_what_is_new_is_known_by_its_date():
    old, new = (
        run_with_a_tool(recorded_at="2026-11-26T09:00:00Z")[0],
        run_with_a_tool(recorded_at="2026-11-27T09:00:01Z")[1],
    )
    undated = Interaction(call(user("a")), answer("b"))
    assert recorded_since([old, new, undated], "2026-11-27T09:00:00") == {1}
