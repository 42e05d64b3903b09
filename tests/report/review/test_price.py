from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.review.price import Price, Prices
from replay_agent.traffic import Chunk, Interaction, Request, Response
from tests.report.review.open_changes import drift

JSON = (("content-type", "application/json"),)
URL = "https://api.openai.com/v1/chat/completions"


def answered(question, model="gpt-4o"):
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    answer = {
        "id": "chatcmpl-1",
        "created": 1795781128,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }
    return Interaction(
        Request("POST", URL, JSON, json.dumps(body).encode()),
        Response(200, JSON, (Chunk(json.dumps(answer).encode()),)),
    )


@pytest.fixture
def cassette(tmp_path):
    """A cassette of three calls, and their keys."""
    keying = meaning((), (), (), ())
    calls = [answered("one"), answered("two"), answered("three", model="nobody-knows-it")]
    keys = [keying(each.request) for each in calls]
    store.save(
        tmp_path / "c.yaml", Header(keying=keying.scheme), [new_item(*pair) for pair in zip(calls, keys, strict=True)]
    )
    return str(tmp_path / "c.yaml"), [key.digest for key in keys]


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (Price(), "no live call"),
        (Price(1, 1, Decimal("0.002"), Decimal("0.002")), "1 live call, about 0.002 USD"),
        (Price(1, 3, Decimal("0.00012"), Decimal("0.00036")), "1 to 3 live calls, about 0.00012 to 0.00036 USD"),
        (Price(2, 2, Decimal("1.5"), Decimal("1.5")), "2 live calls, about 1.50 USD"),
        (Price(2, 2, Decimal(0), Decimal(0)), "2 live calls, about 0.00 USD"),
        (Price(2, 2, None, None), "2 live calls, at a price that is not known"),
        (Price(1, None, None, None), "1 live call or more, at a price that is not known beforehand"),
    ],
)
def test_it_says_calls_and_dollars(price, words):
    assert str(price) == words


def test_a_changed_turn_costs_itself_at_least_and_the_later_ones_at_most(cassette):
    file, (one, two, _) = cassette
    price = Prices().of(drift(file=file, giving_way=(one, two)))
    assert (price.least, price.most) == (1, 2)
    assert price.usd_least is not None
    assert price.usd_most == 2 * price.usd_least


def test_the_calls_of_one_file_are_read_as_they_are_asked_for(cassette):
    file, (one, two, _) = cassette
    prices = Prices()
    first = prices.of(drift(file=file, giving_way=(one,)))
    assert prices.of(drift(file=file, giving_way=(two,))) == first


def test_an_unknown_price_makes_the_sum_unknown(cassette):
    file, (one, _, odd) = cassette
    price = Prices().of_all([drift(file=file, giving_way=(key,)) for key in (one, odd)])
    assert (price.least, price.most, price.usd_most) == (2, 2, None)


@pytest.mark.parametrize("values", [{"kind": "leftover"}, {"kind": "snapshot"}, {"kind": "recording"}, {"mode": ""}])
def test_what_asks_nobody_is_free(values):
    assert Prices().of(drift(**values)).is_free


@pytest.mark.parametrize("values", [{"kind": "unrecorded", "giving_way": ()}, {"giving_way": ()}])
def test_without_a_recording_nobody_knows(values):
    assert Prices().of(drift(**values)).most is None


@pytest.mark.parametrize("content", [None, b"", b"nonsense: ["])
def test_a_file_that_cannot_be_read_has_no_price(tmp_path, content):
    path = tmp_path / "c.yaml"
    if content is not None:
        path.write_bytes(content)
    assert Prices().of(drift(file=str(path))).usd_most is None


def test_what_is_known_is_known_without_reading(cassette, tmp_path):
    path, keys = cassette
    change, prices = drift(file=str(path), giving_way=tuple(keys[:2])), Prices()
    assert not prices.knows(change)
    prices.of(change)
    assert prices.knows(change)
    gone = drift(file=str(tmp_path / "gone.yaml"))
    prices.of(gone)
    assert prices.knows(gone)
    assert all(prices.knows(drift(**values)) for values in ({"kind": "leftover"}, {"mode": ""}, {"giving_way": ()}))


def test_a_file_is_read_once_however_many_of_its_calls_are_asked_for(cassette, calls_of):
    file, keys = cassette
    read = calls_of(store, "load")
    prices = Prices()
    for key in (*keys, "unknown", *keys):
        prices.of(drift(file=file, giving_way=(key,)))
    assert len(read) == 1


def test_what_was_recorded_meanwhile_is_read(cassette, tmp_path):
    file, (one, two, _) = cassette
    path, prices = tmp_path / "moving.yaml", Prices()
    assert prices.of(drift(file=str(path), giving_way=(one,))).usd_most is None
    path.write_bytes(Path(file).read_bytes())
    assert prices.of(drift(file=str(path), giving_way=(two,))).usd_most is not None
