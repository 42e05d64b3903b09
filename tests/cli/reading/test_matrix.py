"""Variants of a test, side by side."""

from __future__ import annotations

import json

import pytest

from replay_agent.cli import main
from replay_agent.messages import TextPart
from tests.report.comparison.stories import cassette, interactions, story, vcr_cassette


def recorded(model, *, said=None, fewer=False, test="tests/t.py::test_way[{}]"):
    told = story("openai_chat")
    told.model = model
    if said:
        told.steps[4].answer = [TextPart(said)]
    if fewer:
        del told.steps[2:4]
    return interactions("openai_chat", told, test=test.format(model))


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cassettes"
    folder.mkdir()
    files = {
        "a[gpt-4o].yaml": recorded("gpt-4o"),
        "a[gpt-4o-mini].yaml": recorded("gpt-4o-mini", said="The train."),
        "a[o3].yaml": recorded("o3", fewer=True),
        "b[gpt-4o].yaml": recorded("gpt-4o", test="tests/t.py::test_other[{}]"),
        "b[o3].yaml": recorded("o3", test="tests/t.py::test_other[{}]"),
        "plain.yaml": recorded("gpt-4o", test="tests/t.py::test_plain"),
    }
    for name, each in files.items():
        (folder / name).write_bytes(cassette(each))
    return tmp_path


def variants(capsys, *arguments):
    assert main(["matrix", "--json", *arguments]) == 0
    return {row["test"]: row["variants"] for row in json.loads(capsys.readouterr().out)["tests"]}


def test_each_variant_is_compared_with_the_first(suite, capsys):
    rows = variants(capsys)
    assert set(rows) == {"tests/t.py::test_way", "tests/t.py::test_other"}
    named = {each["variant"]: each for each in rows["tests/t.py::test_way"]}
    first = rows["tests/t.py::test_way"][0]
    assert (first["same_answer"], first["same_tools"], first["turns"]) == (True, True, 5)
    assert named["o3"]["tools"] == ["search"]
    assert {each["same_answer"] for each in rows["tests/t.py::test_other"]} == {True}
    assert (first["input_tokens"], first["passed"]) == (500, None)
    assert named["gpt-4o-mini"]["cost_usd"] < named["gpt-4o"]["cost_usd"]


def test_outcomes_are_those_of_the_last_run(suite, capsys):
    cache = suite / ".pytest_cache" / "v" / "cache"
    cache.mkdir(parents=True)
    (cache / "nodeids").write_text(json.dumps(["tests/t.py::test_way[gpt-4o]", "tests/t.py::test_way[o3]"]), "utf-8")
    (cache / "lastfailed").write_text(json.dumps({"tests/t.py::test_way[o3]": True}), "utf-8")
    found = {each["variant"]: each["passed"] for each in variants(capsys)["tests/t.py::test_way"]}
    assert found == {"gpt-4o": True, "gpt-4o-mini": None, "o3": False}
    (cache / "lastfailed").write_text("broken", "utf-8")
    assert main(["matrix"]) == 0


@pytest.mark.parametrize("word", ["tests/t.py::test_other", "tests/t.py::test_other[o3]"])
def test_a_test_may_be_chosen(suite, word, capsys):
    status = main(["matrix", "--json", word])
    assert status == (2 if "[" in word else 0)
    if not status:
        assert [row["test"] for row in json.loads(capsys.readouterr().out)["tests"]] == ["tests/t.py::test_other"]


def test_tables_for_people_and_reviews(suite, capsys):
    assert main(["matrix"]) == 0
    page = capsys.readouterr().out
    assert "tests/t.py::test_way\n" in page
    assert "all tests" in page
    assert main(["matrix", "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.count("|") for line in lines if line.startswith("| `")} <= {7, 8}


def test_cassettes_that_name_no_test_go_by_their_file(suite, capsys):
    for name in ("x[one].json", "x[two].json"):
        (suite / name).write_bytes(vcr_cassette(recorded("gpt-4o")))
    assert list(variants(capsys, "x[one].json", "x[two].json")) == ["x"]


def test_damage_and_misuse_are_said(suite, capsys):
    assert main(["matrix", "nowhere"]) == 2
    assert main(["matrix", "cassettes/plain.yaml"]) == 2
    (suite / "cassettes/bad[x].yaml").write_text("<<<<<<< ours\n", "utf-8")
    assert main(["matrix"]) == 1
    assert "bad[x].yaml" in capsys.readouterr().err


def test_the_event_loop_makes_no_variant(suite, capsys):
    for name, test in (
        ("one", "t.py::test_x[asyncio-{}]"),
        ("two", "t.py::test_x[trio-{}]"),
        ("three", "t.py::test_y[trio]"),
    ):
        (suite / f"loop_{name}.yaml").write_bytes(cassette(recorded("gpt-4o" if name == "one" else "o3", test=test)))
    rows = variants(capsys, "loop_one.yaml", "loop_two.yaml", "loop_three.yaml")
    assert {name: [each["variant"] for each in row] for name, row in rows.items()} == {"t.py::test_x": ["gpt-4o", "o3"]}


def test_a_test_over_questions_and_models_is_a_table_of_models_for_each_question(suite, capsys):
    for model in ("gpt-4o", "o3"):
        for topic in ("rain", "wind"):
            test = f"tests/t.py::test_topic[{topic}-{model}]"
            (suite / f"topic_{topic}_{model}.yaml").write_bytes(cassette(recorded(model, test=test)))
    rows = variants(capsys, *(path.name for path in suite.glob("topic_*")))
    assert {name: [each["variant"] for each in row] for name, row in rows.items()} == {
        "tests/t.py::test_topic[rain]": ["gpt-4o", "o3"],
        "tests/t.py::test_topic[wind]": ["gpt-4o", "o3"],
    }
    assert main(["matrix", *(path.name for path in suite.glob("topic_*"))]) == 0
    assert "all tests" in capsys.readouterr().out


def test_there_is_no_sum_over_one_test(suite, capsys):
    assert main(["matrix", "tests/t.py::test_way"]) == 0
    assert "all tests" not in capsys.readouterr().out


def test_a_page_opens_a_variant(suite, capsys):
    assert main(["matrix", "--html"]) == 0
    page = capsys.readouterr().out
    assert '<a href="#tests/t.py::test_way[o3]">o3</a>' in page
    assert 'id="tests/t.py::test_way[o3]"' in page
