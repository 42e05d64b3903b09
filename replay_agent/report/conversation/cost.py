"""What calls cost, by the price list that comes with genai-prices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from replay_agent.calls import Exchange
from replay_agent.messages import NO_TIMESTAMP, ModelResponse
from replay_agent.report.conversation.known_prices import known_price
from replay_agent.usage import Usage

__all__ = "cost_of", "total_cost"

_COUNTERS = ("cache_read_tokens", "cache_write_tokens", "input_audio_tokens", "output_audio_tokens")


def cost_of(exchange: Exchange) -> Decimal | None:
    """Return the price of one exchange in USD at the time of its answer.

    None where the model or its provider is not in the list or the answer reports no usage. A call to a gateway or a
    local server is priced as the model's own provider would.
    """
    response = exchange.answer.response
    if response is None or response.usage is None or _is_odd(response.usage):
        return None
    # The answer names the version that was billed; a list may know only the alias that was asked for.
    for model in (response.model_name, exchange.call.model):
        price = _price(exchange.url, model, response) if model else None
        if price is not None:
            return price
    return None


def total_cost(exchanges: Iterable[Exchange]) -> Decimal | None:
    """Return the sum over all exchanges that were answered; None if there is none, or the price of any is unknown."""
    prices = [cost_of(exchange) for exchange in exchanges if exchange.answer.response is not None]
    known = [price for price in prices if price is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(prices) else None


def _price(url: str, model: str, response: ModelResponse) -> Decimal | None:
    usage = response.usage or Usage()
    moment = _this_hour() if response.timestamp == NO_TIMESTAMP else response.timestamp
    counted = (usage.request_tokens, usage.response_tokens, sorted((usage.details or {}).items()))
    return known_price((url, model, counted, moment), lambda: _found(url, model, usage, moment))


def _this_hour() -> datetime:
    """Return when this hour began: an answer that says nothing of its time is priced as one of now."""
    return datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0)


def _found(url: str, model: str, usage: Usage, moment: datetime) -> Decimal | None:
    from genai_prices import calc_price

    # The address tells the provider, whose prices may be its own; without it the list goes by the model's name.
    for place in [url, None] if url else [None]:
        try:
            price = calc_price(_usage(usage), model, provider_api_url=place, genai_request_timestamp=moment)
        except (LookupError, ValueError):  # not in the list; counts that are negative or contradict each other
            continue
        return price.total_price
    return None


def _is_odd(usage: Usage) -> bool:
    """Tell whether a counter is negative, which only some versions of the price list refuse."""
    counted = (usage.request_tokens, usage.response_tokens, *(usage.details or {}).values())
    return any(count is not None and count < 0 for count in counted)


def _usage(usage: Usage) -> Any:
    from genai_prices import Usage as PricedUsage

    details = usage.details or {}
    counted = {name: details[name] for name in _COUNTERS if details.get(name)}
    return PricedUsage(input_tokens=usage.request_tokens or 0, output_tokens=usage.response_tokens or 0, **counted)
