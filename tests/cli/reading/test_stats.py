"""What cassettes add up to."""

from __future__ import annotations

import json

import pytest

from replay_agent.cli import main
from replay_agent.cli.reading.stats import read_stats
from replay_agent.exceptions import UserError
from replay_agent.traffic import Interaction, Request, Response
from tests.report.comparison.stories import cassette, interactions, story


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, wire, model in (("one", "openai_chat", "gpt-4o"), ("two", "anthropic", "claude-sonnet-4-5")):
        (tmp_path / folder).mkdir()
        told = story(wire)
        told.model = model
        (tmp_path / folder / "a.yaml").write_bytes(cassette(interactions(wire, told)))
    other = Interaction(Request("GET", "https://x.test/"), Response(200), recorded_at="2025-01-01T00:00:00Z")
    (tmp_path / "two/b.yaml").write_bytes(cassette([other]))
    return tmp_path


def test_sums_per_folder_and_in_all(suite, capsys):
    assert main(["stats", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(each["folder"], each["files"], each["calls"], each["other_requests"]) for each in said["folders"]] == [
        ("one", 1, 5, 0),
        ("two", 2, 5, 1),
    ]
    total = said["total"]
    assert (total["input_tokens"], total["output_tokens"], total["calls"]) == (1000, 100, 10)
    assert total["models"] == {"gpt-4o": 5, "claude-sonnet-4-5": 5}
    assert total["formats"] == {"openai_chat": 5, "anthropic": 5}
    assert (total["oldest"], total["newest"]) == ("2025-01-01T00:00:00Z", "2026-11-05T10:00:00Z")
    assert total["cost_usd"] == pytest.approx(500 * 2.5e-6 + 50 * 10e-6 + 500 * 3e-6 + 50 * 15e-6)
    assert total["bytes"] == sum(path.stat().st_size for path in suite.rglob("*.yaml"))


def test_the_slowest_calls_come_first(suite):
    told = story("openai_responses")
    told.stream = True
    (suite / "slow.yaml").write_bytes(cassette(interactions("openai_responses", told)))
    slowest = read_stats([suite / "slow.yaml"]).total.slowest
    assert slowest == sorted(slowest, reverse=True)
    assert all(each.milliseconds > 0 for each in slowest)


def test_for_people(suite, capsys):
    assert main(["stats", "one", "two"]) == 0
    out = capsys.readouterr().out
    assert "total: 3 cassettes" in out
    assert "models gpt-4o (5)" in out


def test_damage_is_said_and_the_rest_is_counted(suite, capsys):
    (suite / "one/bad.yaml").write_text("<<<<<<< ours\n", "utf-8")
    assert main(["stats", "one"]) == 1
    captured = capsys.readouterr()
    assert "one: 1 cassette" in captured.out
    assert "bad.yaml" in captured.err
    assert main(["stats", "one/bad.yaml"]) == 2


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(UserError, match="no file or folder"):
        read_stats([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="no cassette"):
        read_stats([tmp_path])
