"""What calls cost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from replay_agent.calls import Answer, AnswerError, Exchange, ModelCall
from replay_agent.messages import NO_TIMESTAMP, ModelResponse, TextPart
from replay_agent.report.conversation.cost import cost_of, total_cost
from replay_agent.usage import Usage

OPENAI = "https://api.openai.com/v1/chat/completions"


def exchange(model="gpt-4o", url=OPENAI, usage=None, named=None, timestamp=NO_TIMESTAMP):
    usage = Usage(request_tokens=1_000_000, response_tokens=100_000) if usage is None else usage
    response = ModelResponse([TextPart("x")], named, timestamp, usage=usage)
    return Exchange(0, "openai_chat", ModelCall([], model), Answer(response), url=url)


def test_a_known_model_has_a_price():
    assert cost_of(exchange()) == Decimal("3.5")


def test_the_answering_model_is_priced():
    assert cost_of(exchange("gpt-4o", named="gpt-4o-mini-2024-07-18")) == Decimal("0.21")


def test_cached_tokens_are_cheaper():
    usage = Usage(request_tokens=1_000_000, response_tokens=100_000, details={"cache_read_tokens": 1_000_000})
    assert cost_of(exchange(usage=usage)) == Decimal("2.25")


def test_a_local_server_is_priced_as_the_provider():
    assert cost_of(exchange(url="http://127.0.0.1:8000/v1/chat/completions")) == Decimal("3.5")
    assert cost_of(exchange(url="")) == Decimal("3.5")


def test_the_price_is_that_of_its_day():
    assert cost_of(exchange(timestamp=datetime(2025, 6, 1, tzinfo=UTC))) == Decimal("3.5")


def test_an_unknown_model_has_none():
    assert cost_of(exchange("demo-model")) is None
    assert cost_of(exchange(None)) is None


def test_counters_that_contradict_each_other_have_none():
    usage = Usage(request_tokens=10, response_tokens=1, details={"cache_read_tokens": 50})
    assert cost_of(exchange(usage=usage)) is None


def test_negative_counters_have_none():
    assert cost_of(exchange(usage=Usage(request_tokens=10, response_tokens=-1))) is None


def test_no_usage_has_no_price():
    silent = Exchange(0, "openai_chat", ModelCall([], "gpt-4o"), Answer(ModelResponse([])))
    assert cost_of(silent) is None


def test_a_total_is_known_only_if_all_prices_are():
    failed = Exchange(0, "openai_chat", ModelCall([], "gpt-4o"), Answer(error=AnswerError(429, "slow down")))
    assert total_cost([exchange(), failed, exchange()]) == Decimal("7.0")
    assert total_cost([exchange(), exchange("demo-model")]) is None
    assert total_cost([failed]) is None
    assert total_cost([]) is None
