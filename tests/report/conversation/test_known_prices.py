"""Prices that are looked up once, by commands that are one process each."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from replay_agent.report.conversation import known_prices
from replay_agent.report.conversation.known_prices import keeping_prices, known_price

RATES = {"gpt-4o": Decimal("0.00125"), "some-model": Decimal("1E-7"), "unknown": None}


@pytest.fixture
def prices(tmp_path, monkeypatch):
    """The file that prices are kept in, of a process that has no list of its own yet."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delitem(sys.modules, "genai_prices", raising=False)
    with keeping_prices():
        known_price(("nothing",), lambda: None)
    (path,) = tmp_path.rglob("prices.json")
    path.unlink()
    return path


@pytest.fixture
def looked_up():
    return []


def priced(looked_up, *asked):
    """Return what a command is told that asks for the prices of these models."""

    def find(model):
        looked_up.append(model)
        return RATES[model]

    with keeping_prices():
        return [known_price((model, 10), lambda model=model: find(model)) for model in asked]


@pytest.mark.usefixtures("prices")
def test_a_later_command_looks_nothing_up(looked_up):
    first = priced(looked_up, *RATES)
    assert (first, priced(looked_up, *RATES)) == (list(RATES.values()), list(RATES.values()))
    assert looked_up == list(RATES)


@pytest.mark.usefixtures("prices")
def test_something_else_is_looked_up(looked_up):
    priced(looked_up, "gpt-4o")
    with keeping_prices():
        assert known_price(("gpt-4o", 11), lambda: Decimal(3)) == 3


def test_another_release_of_the_list_is_asked_anew(prices, looked_up, monkeypatch):
    priced(looked_up, "gpt-4o")
    monkeypatch.setattr(known_prices, "_release", lambda: "another")
    priced(looked_up, "gpt-4o")
    priced(looked_up, "gpt-4o")
    assert looked_up == ["gpt-4o", "gpt-4o"]
    assert len(json.loads(prices.read_text("utf-8"))["prices"]) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"prices": 1}',
        "[" * 10_000,
        '{"list": "LIST", "prices": {"a": 1}}',
        '{"list": "LIST", "prices": {"a": "much"}}',
        '{"list": "LIST", "prices": {"a": "NaN"}}',
        '{"list": "LIST", "prices": []}',
    ],
)
def test_a_file_that_is_not_ours_is_replaced(prices, looked_up, damage):
    priced(looked_up, "gpt-4o")
    prices.write_text(damage.replace("LIST", json.loads(prices.read_text("utf-8"))["list"]), "utf-8")
    assert priced(looked_up, "gpt-4o") == [RATES["gpt-4o"]]
    priced(looked_up, "gpt-4o")
    assert looked_up == ["gpt-4o", "gpt-4o"]


def test_where_nothing_can_be_written_prices_are_found_all_the_same(prices, looked_up):
    prices.parent.rmdir()
    prices.parent.write_text("in the way", "utf-8")
    assert [priced(looked_up, "gpt-4o") for _ in range(2)] == [[RATES["gpt-4o"]]] * 2
    assert looked_up == ["gpt-4o", "gpt-4o"]


def test_a_home_without_such_a_folder_stays_as_it_is(tmp_path, looked_up, monkeypatch):
    monkeypatch.delitem(sys.modules, "genai_prices", raising=False)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert priced(looked_up, "gpt-4o") == [RATES["gpt-4o"]]
    assert priced(looked_up, "gpt-4o") == [RATES["gpt-4o"]]
    assert looked_up == ["gpt-4o"] * 2
    assert list(tmp_path.iterdir()) == []


def test_the_last_prices_stay(prices, limit):
    limit(known_prices, _MOST=3)
    for number in range(5):
        with keeping_prices():
            known_price((number,), lambda number=number: Decimal(number))
    assert list(json.loads(prices.read_text("utf-8"))["prices"].values()) == ["2", "3", "4"]


def test_a_process_that_has_a_list_asks_that(prices, looked_up, monkeypatch):
    priced(looked_up, "gpt-4o")
    monkeypatch.setitem(sys.modules, "genai_prices", sys)
    priced(looked_up, "gpt-4o")
    assert looked_up == ["gpt-4o", "gpt-4o"]


def test_nothing_is_kept_outside_of_a_command(prices):
    assert known_price(("a",), lambda: Decimal(1)) == 1
    assert not prices.exists()


SHOWN = """
import sys
from replay_agent.cli import main

main(["show", sys.argv[1]])
print("genai_prices" in sys.modules, "pydantic" in sys.modules)
"""


def test_the_list_is_imported_by_the_first_command_alone(prices):
    cassette = Path(__file__).parents[3] / "cassettes" / "test_run_parameters" / "test_message_history.yaml"
    pages = [
        subprocess.run([sys.executable, "-c", SHOWN, cassette], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [page.split()[-2] for page in pages] == ["True", "False"]
    assert "$" in pages[0]
    assert pages[0].splitlines()[:-1] == pages[1].splitlines()[:-1]
