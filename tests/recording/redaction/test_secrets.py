"""What looks like a secret, and what only resembles one."""

from __future__ import annotations

import base64
import json

import pytest

from replay_agent.recording.redaction.secrets import (
    SHAPES,
    Secret,
    environment_secrets,
    is_credential_header,
    is_credential_name,
    is_identity_header,
    is_query_credential,
    is_secretive,
    placeholder,
)

FILL = "Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0"
# Written in two parts, so that no scanner takes this file for a leak.
TOKENS = {
    "openai-key": ["sk-" + "proj-" + FILL, "sk-" + FILL, "sk-" + "svcacct-" + FILL],
    "anthropic-key": ["sk-" + "ant-api03-" + FILL],
    "openrouter-key": ["sk-" + "or-v1-" + FILL],
    "openai-organization": ["org-" + FILL[:24]],
    "google-key": ["AIza" + "Sy" + FILL],
    "google-token": ["ya29." + "a0" + FILL],
    "google-client-secret": ["GOCSPX-" + FILL],
    "aws-access-key": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE"],
    "huggingface-token": ["hf_" + FILL],
    "groq-key": ["gsk_" + FILL],
    "xai-key": ["xai-" + FILL],
    "tavily-key": ["tvly-" + "dev-" + FILL],
    "langsmith-key": ["lsv2_" + "pt_" + FILL],
    "github-token": ["ghp_" + FILL, "github_pat_" + "11A_" + FILL],
    "gitlab-token": ["glpat-" + FILL],
    "slack-token": ["xoxb-" + "1234567890-" + FILL],
    "stripe-key": ["sk_" + "live_" + FILL],
    "jwt": ["eyJ" + FILL + ".eyJ" + FILL + "." + FILL],
    "bearer": [],
}


def shapes_in(text):
    data = text.encode()
    return [
        (shape.rule, found[0].decode())
        for shape in SHAPES
        if any(mark in data for mark in shape.marks)
        for found in shape.pattern.finditer(data)
    ]


@pytest.mark.parametrize(("rule", "token"), [(rule, token) for rule, tokens in TOKENS.items() for token in tokens])
def test_token_shapes(rule, token):
    for text in (token, f"my key is {token}.", f'"{token}"', f"({token})", f"k={token}&x"):
        assert (rule, token) in [(name, found.rstrip(".")) for name, found in shapes_in(text)]


def test_private_key_in_text_and_in_json():
    key = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----"
    assert shapes_in(f"x {key} y") == [("private-key", key)]
    escaped = json.dumps(key)
    assert shapes_in(escaped) == [("private-key", escaped[1:-1])]


def test_cut_private_key():
    ((rule, found),) = shapes_in("-----BEGIN PRIVATE " + "KEY-----\nMIIE\nabc")
    assert (rule, found.endswith("abc")) == ("private-key", True)


@pytest.mark.parametrize(
    ("text", "rule", "secret"),
    [
        ("Authorization: Bearer " + FILL, "bearer", FILL),
        ("basic " + base64.b64encode(b"user:password1").decode(), "basic", "dXNlcjpwYXNzd29yZDE="),
        ("https://api.telegram.org/bot" + "123456789:" + FILL + "/sendMessage", "telegram-token", "123456789:" + FILL),
        ("postgres://me:hunter2@db.example/x", "url-password", "me:hunter2"),
    ],
)
def test_secret_behind_a_word(text, rule, secret):
    assert (rule, secret) in shapes_in(text)


INNOCENT = [
    "sk-learn and task-based risk-free desk-bound skills",
    "a bearer of bad news and basic understanding of responsibilities",
    "org-chart, proj_name, hf_transfer, pa-ssword, fw_version",
    "chatcmpl-BXnTxgHV9nZk2fVfyhXKkLdtw8wKd call_iXFttys57ap0o16JSlC8yhYo",
    "msg_01Fg1JVgvCYUHWsxrj9GkpEv toolu_01X9wcHKKAZD9tBC711xipPa resp_67f3fdfd9fa08191a3d5825db81b8df6",
    "https://api.example.com:8080/v1/path?x=1 and mailto:me@example.com",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "The PRIVATE sector; 2026-11-22T10:00:00Z; 550e8400-e29b-41d4-a716-446655440000",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_has_no_shape(text):
    assert shapes_in(text) == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "api_key",
            "apiKey",
            "API-KEY",
            "openai_api_key",
            "password",
            "user_password",
            "client_secret",
            "clientSecret",
        ),
        *(
            "authorization",
            "access_token",
            "accessToken",
            "refresh_token",
            "id_token",
            "authorization_token",
            "hub_token",
        ),
        *(
            "private_key",
            "aws_secret_access_key",
            "SecretAccessKey",
            "SessionToken",
            "x-api-key",
            "passphrase",
            "cookie",
        ),
    ],
)
def test_credential_names(name):
    assert is_credential_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "max_tokens",
            "prompt_tokens",
            "total_tokens",
            "completion_tokens",
            "token",
            "tokens",
            "token_type",
            "tokenId",
        ),
        *(
            "next_page_token",
            "nextPageToken",
            "eos_token",
            "key",
            "keys",
            "secretary",
            "passwords_changed",
            "signature",
        ),
        *(
            "encrypted_content",
            "thoughtSignature",
            "cached_tokens",
            "prompt_cache_key",
            "content",
            "time_to_first_token",
        ),
    ],
)
def test_names_that_are_none(name):
    assert not is_credential_name(name)


@pytest.mark.parametrize(
    ("name", "value", "credential"),
    [
        ("api_key", "short", True),
        ("X-Amz-Signature", "0f", True),
        ("X-Amz-Credential", "a/b", True),
        ("X-Amz-Security-Token", "x", True),
        ("key", FILL, True),
        ("key", "replay", True),
        ("key", "name", False),
        ("key", "user-settings-page", False),
        ("code", "fr", False),
        ("token", FILL, True),
        ("sig", "abc", False),
        ("q", FILL, False),
        ("pageToken", FILL, False),
    ],
)
def test_query_names(name, value, credential):
    assert is_query_credential(name, value) is credential


def test_expected_query_name():
    assert is_query_credential("key", "fake", expected=True)


CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key", "cookie", "set-cookie", "x-goog-api-key", "x-auth-token"]
CREDENTIAL_HEADERS += ["proxy-authorization", "x-amz-security-token", "x-user-token", "mcp-session-id", "x-csrf-token"]
IDENTITY_HEADERS = ["openai-organization", "anthropic-organization-id", "x-account-id", "x-tenant", "cf-workspace-id"]
HARMLESS_HEADERS = [
    *("content-type", "x-request-id", "request-id", "retry-after", "x-ratelimit-remaining-tokens", "etag", "cf-ray"),
    *("anthropic-ratelimit-input-tokens-limit", "www-authenticate", "location", "cache-control", "server", "date"),
    *("access-control-allow-credentials", "sec-websocket-key", "x-amzn-requestid", "x-envoy-upstream-service-time"),
]


@pytest.mark.parametrize("name", CREDENTIAL_HEADERS)
def test_credential_headers(name):
    assert is_credential_header(name)


@pytest.mark.parametrize("name", IDENTITY_HEADERS)
def test_identity_headers(name):
    assert is_identity_header(name)


@pytest.mark.parametrize("name", HARMLESS_HEADERS)
def test_harmless_headers(name):
    assert not is_credential_header(name)
    assert not is_identity_header(name)


@pytest.mark.parametrize("value", [FILL, "correct-horse-battery", "p4ssw0rd-of-mine"])
def test_secretive_values(value):
    assert is_secretive(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "short", "replay", "aaaaaaaaaaaaaaaa", "1234567890123", "/home/user/.ssh/id_rsa"),
        *("https://api.example.com/v1", "C:\\Users\\me\\key.pem", "REDACTED(OPENAI_API_KEY)", "            "),
    ],
)
def test_values_not_to_look_for(value):
    assert not is_secretive(value)


def test_environment_secrets():
    environ = {
        "OPENAI_API_KEY": FILL,
        "MY_SECRET": "correct-horse-battery",
        "DATABASE_URL": "postgres://me:very-hunter-22@db.example/x",
        "GITHUB_TOKEN": "short",
        "HOME": "/home/me-and-my-things",
        "TOKENIZERS_PARALLELISM": "false-and-something",
        "SSH_AUTH_SOCK": "/tmp/ssh-abcdefgh/agent.1",
        "API_KEY_FILE": "keys-of-mine.txt",
        "GPG_KEY": "A035C8C19219BA821ECEA86B64E628F8D684696D",
        "EDITOR": FILL,
    }
    found = {(secret.rule, secret.value) for secret in environment_secrets(environ)}
    assert found == {
        ("OPENAI_API_KEY", FILL),
        ("MY_SECRET", "correct-horse-battery"),
        ("DATABASE_URL", "very-hunter-22"),
    }


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "a b/c", "ключ", '"<&>'])
def test_placeholder_needs_no_escape(name):
    text = placeholder(name).decode()
    assert json.dumps(text) == f'"{text}"'
    assert text.startswith("REDACTED(")
    assert not set(text) & set("<>&%+ /\\'\"#?=:")


@pytest.mark.parametrize("value", ['a"b\\c/d+e=f&<g>', "pässwörd-ünd-mehr", "plain-secret-123"])
def test_every_spelling_of_a_value(value):
    spellings = Secret("X", value).spellings()
    once = json.dumps(value)[1:-1]
    for text in (value, once, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(json.dumps(value))[3:-3]):
        assert text.encode() in spellings


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_value_shows_in_base64_wherever_it_begins(before, encode):
    secret = Secret("X", "ÿÿ>>secret??value~~123")
    encoded = encode(before + secret.value.encode() + b"tail")
    assert any(core in encoded for core in secret.in_base64())
