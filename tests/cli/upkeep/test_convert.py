"""Cassettes in another layout: nothing lost, nothing leaked, nothing half done."""

from __future__ import annotations

import json

import pytest
import yaml

from replay_agent.cli import main
from replay_agent.cli.upkeep.convert import convert, target_of
from replay_agent.exceptions import UserError
from replay_agent.recording.cassettes import store
from replay_agent.traffic import Failure, Interaction, Phase, Request, Response
from tests.report.comparison.stories import FORMATS, cassette, interactions, story, vcr_cassette

KEY = "sk-proj-" + "Ab3dE5gH7jK9mN1pQ3sT5vW7xY9zB2cD"


def recorded(format="openai_chat"):
    return interactions(format, story(format))


def bodies(path):
    return [(each.request.body, each.outcome.body, each.outcome.status) for each in store.load(path).interactions()]


def done(*arguments, **options):
    return list(convert(*arguments, **options))


@pytest.mark.parametrize("format", FORMATS)
def test_bodies_keep_their_bytes_both_ways(format, tmp_path):
    first, second, third = (tmp_path / name for name in ("a.yaml", "b.vcr.yaml", "c.yaml"))
    first.write_bytes(cassette(recorded(format)))
    assert done(first, second, "vcrpy")[0].interactions == 5
    assert set(yaml.safe_load(second.read_bytes())) == {"version", "interactions"}
    assert not done(second, third)[0].failed
    assert store.load(third).layout == "replay-agent"
    assert bodies(first) == bodies(second) == bodies(third)


def test_the_name_says_which_layout(tmp_path):
    assert [target_of(tmp_path / name, None) for name in ("a.yaml", "a.json", "folder")] == ["ours", "vcrpy", "ours"]
    with pytest.raises(UserError, match="YAML"):
        target_of(tmp_path / "a.json", "ours")


def test_vcrpys_json_is_read_by_vcrpy(tmp_path):
    (tmp_path / "a.yaml").write_bytes(cassette(recorded()))
    done(tmp_path / "a.yaml", tmp_path / "a.json")
    assert len(json.loads((tmp_path / "a.json").read_text("utf-8"))["interactions"]) == 5
    assert bodies(tmp_path / "a.json") == bodies(tmp_path / "a.yaml")


def test_a_tree_keeps_its_shape_and_may_be_converted_in_place(tmp_path):
    for name in ("one/a.json", "one/deep/b.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(vcr_cassette(recorded()))
    steps = []
    found = done(tmp_path / "one", tmp_path / "two", progress=lambda number, of: steps.append((number, of)))
    assert sorted(each.target.relative_to(tmp_path).as_posix() for each in found) == ["two/a.yaml", "two/deep/b.yaml"]
    assert steps == [(1, 2), (2, 2)]
    assert [each.is_new for each in done(tmp_path / "two", tmp_path / "two")] == [False, False]


def test_doing_it_again_changes_nothing(tmp_path):
    source, target = tmp_path / "a.json", tmp_path / "a.yaml"
    source.write_bytes(vcr_cassette(recorded()))
    done(source, target)
    before = target.stat().st_mtime_ns
    assert [each.is_new for each in done(source, target)] == [False]
    assert target.stat().st_mtime_ns == before


def test_what_is_there_is_kept_unless_it_may_go(tmp_path):
    source, target = tmp_path / "a.json", tmp_path / "a.yaml"
    source.write_bytes(vcr_cassette(recorded()))
    target.write_bytes(cassette(recorded("anthropic")))
    before = target.read_bytes()
    assert "--overwrite" in done(source, target)[0].failed
    assert target.read_bytes() == before
    assert not done(source, target, overwrite=True)[0].failed
    assert bodies(target) == bodies(source)


def test_secrets_are_taken_out_and_counted(tmp_path):
    old = json.loads(vcr_cassette(recorded()))
    for each in old["interactions"]:
        each["request"]["headers"]["authorization"] = [f"Bearer {KEY}"]
    (tmp_path / "a.json").write_text(json.dumps(old), "utf-8")
    (found,) = done(tmp_path / "a.json", tmp_path / "a.yaml")
    assert found.secrets > 0
    assert "taken out" in str(found)
    assert KEY not in (tmp_path / "a.yaml").read_text("utf-8")


def test_rules_of_the_project_count(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nreplay_redact =\n    x_customer\n", "utf-8")
    told = story("openai_chat")
    told.extras["x_customer"] = "Mr. Archibald Finch"
    (tmp_path / "a.json").write_bytes(vcr_cassette(interactions("openai_chat", told)))
    assert main(["convert", "a.json", "a.yaml"]) == 0
    assert "Finch" not in (tmp_path / "a.yaml").read_text("utf-8")


def test_what_the_layout_cannot_hold_is_said(tmp_path):
    failed = Interaction(Request("POST", "https://x.test/", (), b"{}"), Failure("ReadTimeout", Phase.HEAD))
    binary = Interaction(Request("POST", "https://x.test/", (), b"\xff\x00"), Response(200))
    (tmp_path / "a.yaml").write_bytes(cassette([failed]))
    (tmp_path / "b.yaml").write_bytes(cassette([binary]))
    assert "did not end well" in done(tmp_path / "a.yaml", tmp_path / "x.yaml", "vcrpy")[0].failed
    assert "no text" in done(tmp_path / "b.yaml", tmp_path / "x.json")[0].failed
    assert not (tmp_path / "x.yaml").exists()
    assert not (tmp_path / "x.json").exists()


def test_two_that_would_become_one_are_said(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").write_bytes(vcr_cassette(recorded()))
    (tmp_path / "in/a.yml").write_bytes(vcr_cassette(recorded("gemini")))
    (tmp_path / "in/a.yaml").write_bytes(vcr_cassette(recorded("cohere")))
    found = done(tmp_path / "in", tmp_path / "out")
    assert [bool(each.failed) for each in found] == [False, True, False]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nowhere", "x.yaml"], 2),
        (["empty", "x"], 2),
        (["good", "file.txt"], 2),
        (["bad.yaml", "x.yaml"], 2),
        (["good", "out"], 1),
        (["good/a.json", "out/"], 0),
        (["good/a.json", "a.json", "--to", "ours"], 2),
    ],
)
def test_status(arguments, status, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "good", "out"):
        (tmp_path / folder).mkdir()
    (tmp_path / "good/a.json").write_bytes(vcr_cassette(recorded()))
    for broken in ("good/b.yaml", "bad.yaml", "file.txt"):
        (tmp_path / broken).write_text("nothing: here\n", "utf-8")
    assert main(["convert", *arguments]) == status
    assert bool(capsys.readouterr().err) == bool(status)
