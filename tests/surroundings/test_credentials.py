from __future__ import annotations

import pytest

from replay_agent.models.providers import PROVIDERS
from replay_agent.recording.redaction.names import environment_secrets
from replay_agent.recording.redaction.scanning import scan
from replay_agent.surroundings import credentials


def test_unset_variables_hold_the_placeholder():
    environ = {"OPENAI_API_KEY": "sk-mine"}
    placed = credentials.place(environ)
    assert environ["OPENAI_API_KEY"] == "sk-mine"
    assert environ["MISTRAL_API_KEY"] == credentials.PLACEHOLDER
    assert environ["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "OPENAI_API_KEY" not in placed


@pytest.mark.parametrize(
    ("variable", "beginning"),
    [
        ("OPENAI_API_KEY", "sk-"),
        ("ANTHROPIC_API_KEY", "sk-ant-"),
        ("HF_TOKEN", "hf_"),
        ("GOOGLE_API_KEY", "AIza"),
        ("GROQ_API_KEY", "gsk_"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29."),
    ],
)
def test_a_key_begins_as_its_providers_keys_do(variable, beginning):
    assert credentials.credential_variables()[variable].startswith(beginning)


def test_no_search_for_secrets_takes_a_placeholder_for_one():
    for name, value in credentials.credential_variables().items():
        assert list(scan(f'say {value} and "{value}"'.encode(), environ={name: value})) == []
    assert environment_secrets(credentials.credential_variables()) == {}


def test_only_what_a_replay_puts_there_is_a_placeholder():
    assert all(map(credentials.is_placeholder, ("replay", "sk-replay", "hf_replay")))
    assert not any(map(credentials.is_placeholder, ("", "sk-", "sk-mine", "us-east-1")))


def test_google_has_one_key_as_its_client_warns_of_two():
    environ = {}
    credentials.place(environ)
    assert {"GOOGLE_API_KEY", "GEMINI_API_KEY"} & environ.keys() == {"GOOGLE_API_KEY"}


def test_what_is_asked_for_may_be_left_out():
    environ = {}
    credentials.place(environ, without=frozenset({"OPENAI_API_KEY"}))
    assert "OPENAI_API_KEY" not in environ
    assert "GROQ_API_KEY" in environ


def test_one_spelling_of_a_credential_is_enough():
    environ = {"GEMINI_API_KEY": "mine", "AWS_REGION": "eu-west-1"}
    credentials.place(environ)
    assert "GOOGLE_API_KEY" not in environ
    assert "AWS_DEFAULT_REGION" not in environ


def test_google_credentials_come_as_a_file_that_its_clients_read():
    google = pytest.importorskip("google.oauth2.credentials")
    environ = {}
    credentials.place(environ)
    found = google.Credentials.from_authorized_user_file(environ["GOOGLE_APPLICATION_CREDENTIALS"])
    assert found.refresh_token == credentials.PLACEHOLDER


def test_what_was_placed_is_taken_back_and_nothing_else():
    environ = {"HOME": "/home/me"}
    placed = credentials.place(environ)
    environ["GROQ_API_KEY"] = "set by a test"
    credentials.remove(placed, environ)
    assert environ == {"HOME": "/home/me", "GROQ_API_KEY": "set by a test"}


def test_placeholders_last_as_long_as_the_block():
    environ = {}
    with credentials.placed_credentials(environ):
        assert credentials.is_placeholder(environ["OPENAI_API_KEY"])
    assert environ == {}


@pytest.fixture
def placed(monkeypatch):
    for name in (*credentials.credential_variables(), "AWS_REGION", "GEMINI_API_KEY", "CO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    placed = credentials.place()
    yield placed
    credentials.remove(placed)


def test_what_was_placed_is_in_place_until_it_is_taken_back(placed, monkeypatch):
    assert credentials.is_in_place(placed)
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    assert credentials.is_in_place(placed)
    credentials.remove(placed)
    assert not credentials.is_in_place(placed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_API_KEY", "mine"),  # which is another value
        ("GROQ_API_KEY", None),  # which is missing
        ("AWS_REGION", "eu-west-1"),  # with which no other region would be placed
        ("GEMINI_API_KEY", "mine"),  # with which its twin would be left alone
    ],
)
def test_what_would_be_placed_otherwise_now_is_not_in_place(placed, monkeypatch, name, value):
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    assert not credentials.is_in_place(placed)


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "GEMINI_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"]
)
def test_names_are_of_what_leads_to_a_credential(name):
    assert name in credentials.credential_names()


@pytest.mark.parametrize("name", ["AWS_DEFAULT_REGION", "AWS_REGION"])
def test_a_region_leads_to_none(name):
    assert name not in credentials.credential_names()


def test_every_variable_of_the_table_of_providers_is_among_them():
    rows = {variable for row in PROVIDERS.values() for variable in row.credential_variables}
    assert rows <= set(credentials.credential_names())
