"""Entries made of recorded traffic: of a test that ran, or of a cassette that is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from replay_agent.calls import Exchange
from replay_agent.report.conversation.conversations import summed_usage
from replay_agent.report.conversation.cost import cost_of
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.page.content.raw import took_ms
from replay_agent.report.page.content.timeline import conversations_of, models_of, other_traffic
from replay_agent.report.page.report import Entry, Figures, Outcome
from replay_agent.traffic import Interaction

__all__ = "entry_of", "figures_of", "recorded_since"


def entry_of(
    test: str,
    transcript: Transcript,
    interactions: Sequence[Interaction],
    live: Collection[int] = (),
    *,
    outcome: Outcome = "recording",
    cassette: str = "",
) -> Entry:
    """Return what was said as an entry; ``live`` are the places of interactions that this very run asked live."""
    numbers = range(len(interactions))
    return Entry(
        test,
        outcome,
        cassette=cassette,
        replayed=figures_of(transcript, interactions, [number for number in numbers if number not in live]),
        live=figures_of(transcript, interactions, [number for number in numbers if number in live]),
        models=models_of(transcript),
        conversations=conversations_of(transcript, interactions, live),
        other=other_traffic(transcript, interactions),
    )


def figures_of(transcript: Transcript, interactions: Sequence[Interaction], places: Collection[int]) -> Figures:
    """Return what the interactions at some places took."""
    chosen = frozenset(places)
    exchanges = [exchange for exchange in transcript.exchanges if exchange.interaction in chosen]
    usage = summed_usage(exchanges)
    usd, unpriced = _priced(exchanges)
    took = sum(took_ms(interactions[place]) for place in chosen)
    return Figures(len(chosen), usage.request_tokens, usage.response_tokens, usd, unpriced, took)


def _priced(exchanges: Iterable[Exchange]) -> tuple[str | None, int]:
    prices = [cost_of(exchange) for exchange in exchanges if exchange.answer.response is not None]
    known = [price for price in prices if price is not None]
    return (str(sum(known, Decimal(0))) if known else None), len(prices) - len(known)


def recorded_since(interactions: Sequence[Interaction], began: str) -> frozenset[int]:
    """Return the places of what was recorded since a moment, ISO 8601 in UTC to the second."""
    return frozenset(
        place
        for place, interaction in enumerate(interactions)
        if interaction.recorded_at is not None and interaction.recorded_at[: len(began)] >= began
    )
