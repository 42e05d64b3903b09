"""The schema of cassettes held to the code: what is written fits it, what cannot be read does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from replay_agent.cli import main
from replay_agent.cli.setup.cassette_schema import cassette_schema
from replay_agent.provider.schema_check import misfits
from replay_agent.recording.cassettes.items import write_item
from replay_agent.traffic import Frame, Interaction, Request, Response, Sender
from tests.recording.cassettes.samples import DAMAGE, INTERACTIONS, OUTCOMES, REQUEST
from tests.recording.conftest import make_chat

ROOT = Path(__file__).parents[3]
SCHEMA = cassette_schema()
HEAD = "version: 1\nlibrary: pytest-replay-agent 0.1.0\nrecorded_at: '2026-11-27T10:00:00Z'\nkeying: meaning-2\ninteractions:\n"


def wrong_with(text):
    return misfits(yaml.safe_load(text), SCHEMA)


def cassette_of(interaction):
    return f"{HEAD}- # key\n{write_item(interaction)}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("cassettes/**/*.yaml")), ids=lambda path: path.stem)
def test_recorded_cassettes_fit(path):
    assert wrong_with(path.read_text("utf-8")) == []


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_fits(outcome):
    assert wrong_with(cassette_of(Interaction(REQUEST, outcome, test="t.py::a[b]"))) == []


@settings(deadline=None, max_examples=60)
@given(INTERACTIONS)
def test_whatever_is_written_fits(interaction):
    assert wrong_with(cassette_of(interaction)) == []


def test_sessions_and_unknown_fields_fit():
    frames = (Frame(Sender.CLIENT, b'{"id": 1}'), Frame(Sender.SERVER, b"\xff", False, 12))
    interaction = Interaction(Request("SPAWN", "stdio:///x"), Response(101, frames=frames), extra={"note": "mine"})
    assert wrong_with(cassette_of(interaction)) == []


FROZEN = HEAD.replace("interactions", "frozen: {clock: 1}\ninteractions")


@pytest.mark.parametrize("text", [f"{HEAD} []\n", HEAD, f"{FROZEN} []"])
def test_one_without_interactions_fits(text):
    assert wrong_with(text) == []


READ_BY_NOBODY_BUT_THE_CODE = ("not valid YAML", "stands for nothing", "not allowed", "nested more than")
"""Damage that is found before anybody has a value to look at."""


@pytest.mark.parametrize(
    ("old", "new"),
    [(old, new) for old, new, words in DAMAGE if words not in READ_BY_NOBODY_BUT_THE_CODE],
)
def test_what_cannot_be_read_does_not_fit(old, new):
    text = cassette_of(make_chat("Hello"))
    assert wrong_with(text) == []
    assert wrong_with(text.replace(old, new, 1)) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 2"),
        ("interactions:", "interaktions:"),
        ("      json:", "      jsn:"),
        ("    status:", "    redacted: perhaps\n    status:"),
        ("    method:", "    metod: x\n    method:"),
        ("    status:", "    frames: [{at: 1}]\n    status:"),
        ("    status:", "    waited_ms: long\n    status:"),
    ],
)
def test_what_a_person_may_misspell_does_not_fit(old, new):
    assert wrong_with(cassette_of(make_chat("Hello")).replace(old, new, 1)) != []


def test_files_of_other_tools_do_not_fit():
    assert misfits({"version": 1, "interactions": [{"request": {"body": "", "uri": "u", "method": "GET"}}]}, SCHEMA)
    assert misfits([], SCHEMA)


def test_it_is_a_schema_of_its_draft_for_any_checker():
    jsonschema = pytest.importorskip("jsonschema", reason="another checker: jsonschema is not installed")
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    check = jsonschema.Draft7Validator(SCHEMA)
    text = cassette_of(make_chat("Hello"))
    assert list(check.iter_errors(yaml.safe_load(text))) == []
    for old, new, words in DAMAGE:
        if words not in READ_BY_NOBODY_BUT_THE_CODE:
            assert not check.is_valid(yaml.safe_load(text.replace(old, new, 1))), (old, new)
    for outcome in OUTCOMES:
        both = replace(Interaction(REQUEST, outcome), recorded_at="2026-11-22T10:00:00Z")
        assert check.is_valid(yaml.safe_load(cassette_of(both)))


def test_it_is_printed(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
