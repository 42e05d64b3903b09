from __future__ import annotations

import pytest

from replay_agent import credentials


def test_unset_variables_hold_the_placeholder():
    environ = {"OPENAI_API_KEY": "sk-mine"}
    placed = credentials.place(environ)
    assert environ["OPENAI_API_KEY"] == "sk-mine"
    assert environ["ANTHROPIC_API_KEY"] == credentials.PLACEHOLDER
    assert environ["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "OPENAI_API_KEY" not in placed


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
        assert environ["OPENAI_API_KEY"] == credentials.PLACEHOLDER
    assert environ == {}
