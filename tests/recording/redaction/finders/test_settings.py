"""Credentials by their names in settings, on command lines, in sentences."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.finders.settings import find_options, find_said, find_settings


def values(find, text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find(data)]


S = "s3cretPW99abc"
OPAQUE = "Qz7Lk9Wm3PvXt5Rb2Ny8"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"export API_KEY={S}\n", [S]),
        (f"Server=h;Password={S};Timeout=3", [S]),
        (f"AccountName=a;AccountKey={S}==;x", [S + "=="]),
        (f"{{'api_key': '{S}'}}", [S]),
        (f"api_key: {S}\n", [S]),
        (f"'api_key' => '{S}'", [S]),
        (f"{{'api_key':'{S}'}}", [S]),
        (f"Config(api_key=SecretStr('{S}'))", [S]),
        (f'client = X(api_key="{S}")', [S]),
        (f"level=info token={OPAQUE} msg=ok", [OPAQUE]),
        ("level=info token=Qz7Lk9Wm msg=ok", []),
        ("APIKey: cfg.APIKeyFromEnv2,", []),
        ("secret = settings.secret_2", []),
        ("api_key = os.environ['API_KEY']", []),
        ("token=settings.token.value", []),
        ("sort_key=created_at", []),
        ("key=Qz7Lk9Wm3PvXt5Rb2Ny8", []),
        ("JWT_AUDIENCE=api://default9x7q", []),
    ],
)
def test_settings(text, found):
    assert values(find_settings, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"tool --api-key {S} run", [S]),
        (f"tool --client-secret '{S}'", [S]),
        (f"curl -u user:{S} https://x", [S]),
        (f"curl --user me:{S}", [S]),
        ("curl -u user:$PASSWORD --api-key <YOUR_KEY>", []),
        ("pytest --keyword test_token2 --token-limit 100000", []),
        ("git push -u origin feature/branch-2", []),
        (f"a--api-key {S}", []),
    ],
)
def test_command_lines(text, found):
    assert values(find_options, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"my api key is {OPAQUE}.", [OPAQUE]),
        (f"API key: {OPAQUE}", [OPAQUE]),
        (f"the access token is: `{OPAQUE}`", [OPAQUE]),
        (f"machine h login u password {OPAQUE}", [OPAQUE]),
        (f"| password | {OPAQUE} |", [OPAQUE]),
        (f"Token: {OPAQUE}", [OPAQUE]),
        (f"a token {OPAQUE}", []),
        (f"the monkey is {OPAQUE}", []),
        ("the api key is required, the password is easy-to-remember", []),
        ("an access token is authenticated-by-the-server-2024", []),
        ("api key: settings.api_key_2024_production", []),
    ],
)
def test_sentences(text, found):
    assert values(find_said, text) == found
