"""Which names are those of credentials."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.names import (
    Naming,
    environment_secrets,
    field_naming,
    is_credential_header,
    is_identity_header,
    query_naming,
)

FILL = "Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0"
STRONG = [
    *("api_key", "apiKey", "API-KEY", "openai_api_key", "api_keys", "client_secret", "clientSecret", "access_token"),
    *("refresh_token", "id_token", "private_key", "aws_secret_access_key", "SessionToken", "x-api-key", "SecretString"),
    *("Ocp-Apim-Subscription-Key", "X-Functions-Key", "accessTokens", "AccountKey", "webhook_secret"),
]
WEAK = [
    "secret",
    "credentials",
    "assertion",
    "cookie",
    "Set-Cookie",
    "authorization",
    "hub_token",
    "x_secrets",
    "csrf_token",
    *("admin_token", "adminToken", "developer-token", "backend_token", "firebaseToken", "desktop_token", "Proof-Token"),
    *("password_reset_token", "runtime_tokens"),
]
NONE = [
    *(
        "max_tokens",
        "prompt_tokens",
        "token_type",
        "tokenId",
        "next_page_token",
        "nextPageToken",
        "eos_token",
    ),
    *("nextForwardToken", "PaginationToken", "pagination_token", "resume_token", "upload_token", "clientRequestToken"),
    *(
        "change_token",
        "base_token",
        "key",
        "sort_key",
        "secretary",
        "passwords_changed",
        "signature",
        "content",
    ),
    *("nextToken", "nexttoken", "nextpagetoken", "X-Next-Page-Token", "NEXT_TOKEN", "minTokens", "new_page_tokens"),
    *("nextSequenceToken", "LockToken", "after_token"),
    *("encrypted_content", "thoughtSignature", "prompt_cache_key", "cached_tokens", "x" * 200),
]


@pytest.mark.parametrize("name", STRONG)
def test_strong_names(name):
    assert field_naming(name) is Naming.STRONG


@pytest.mark.parametrize("name", WEAK)
def test_weak_names(name):
    assert field_naming(name) is Naming.WEAK


@pytest.mark.parametrize(
    ("name", "naming"),
    [
        *((name, Naming.MANY) for name in ("keys", "tokens", "Tokens")),
        *(
            (name, Naming.CODE)
            for name in ("otp", "pin", "PINs", "mfa_code", "backup_codes", "2fa", "verificationCode")
        ),
        *((name, Naming.PHRASE) for name in ("seed_phrase", "recoveryPhrase")),
        *((name, Naming.PASSWORD) for name in ("passcode", "Passwort", "contraseña")),
        *(
            (name, Naming.NOTHING)
            for name in ("pinned", "opinion", "spin", "code", "pin_code", "country_codes", "options")
        ),
    ],
)
def test_names_of_other_secrets(name, naming):
    assert field_naming(name) is naming


@pytest.mark.parametrize("name", NONE)
def test_names_that_are_none(name):
    assert field_naming(name) is Naming.NOTHING


@pytest.mark.parametrize(
    ("name", "naming"),
    [
        ("password", Naming.PASSWORD),
        ("db_passwords", Naming.PASSWORD),
        ("passphrase", Naming.PHRASE),
        ("token", Naming.VAGUE),
        ("one_time_token", Naming.STRONG),
        *(
            (name, Naming.VAGUE)
            for name in ("openai_key", "AzureKey", "stripe-key", "admin_key", "X-Chef-Key", "Fastly-Key")
        ),
        *((name, Naming.VAGUE) for name in ("process.env.OPENAI_KEY", "x-portkey-virtual-key")),
        *((name, Naming.NOTHING) for name in ("Idempotency-Key", "X-Cache-Key", "Sec-WebSocket-Key", "data-key")),
        *(
            (name, Naming.NOTHING)
            for name in ("thread_key", "file_key", "cache_key", "env.SORT_KEY", "AWS::IVS::StreamKey")
        ),
    ],
)
def test_other_names(name, naming):
    assert field_naming(name) is naming


@pytest.mark.parametrize(
    ("name", "naming"),
    [
        ("key", Naming.VAGUE),
        ("sig", Naming.VAGUE),
        ("X-Amz-Signature", Naming.SIGNED),
        ("X-Goog-Credential", Naming.SIGNED),
        ("X-Amz-Date", Naming.NOTHING),
        ("q", Naming.NOTHING),
        ("pageToken", Naming.NOTHING),
        ("startingToken", Naming.NOTHING),
        ("resumption_token", Naming.NOTHING),
        ("jsessionid", Naming.WEAK),
        ("PHPSESSID", Naming.WEAK),
        ("ASP.NET_SessionId", Naming.WEAK),
        ("chat_session_id", Naming.NOTHING),
        ("api_key", Naming.STRONG),
    ],
)
def test_query_names(name, naming):
    assert query_naming(name) is naming


CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key", "cookie", "set-cookie", "x-goog-api-key", "x-auth-token"]
CREDENTIAL_HEADERS += ["proxy-authorization", "x-amz-security-token", "x-user-token", "mcp-session-id", "x-csrf-token"]
IDENTITY_HEADERS = ["openai-organization", "anthropic-organization-id", "x-account-id", "x-tenant", "cf-workspace-id"]
HARMLESS_HEADERS = [
    *("content-type", "x-request-id", "request-id", "retry-after", "x-ratelimit-remaining-tokens", "etag", "cf-ray"),
    *("x-amzn-bedrock-cache-read-input-token-count", "x-time-per-token", "x-auth-message", "x-token-limit"),
    *("x-auth-status", "x-session-expires", "x-token-type", "x-auth_method", "x-signed-in-auth-reason"),
    *("anthropic-ratelimit-input-tokens-limit", "www-authenticate", "location", "cache-control", "server", "date"),
    *("idempotency-key", "x-idempotency-key", "x-cache-key"),
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


def test_environment_secrets():
    environ = {
        "OPENAI_API_KEY": FILL,
        "MY_SECRET": "correct-horse-battery",
        "DB_PASSWORD": "letmeinplease",
        "SIGNING_JWT": FILL + "1",
        "DATABASE_URL": "postgres://me:very-hunter-22@db.example/x",
        "GITHUB_TOKEN": "short",
        "HOME": "/home/me-and-my-things",
        "SORT_KEY": "created_at_descending",
        "CACHE_KEY": FILL,
        "JWT_AUDIENCE": FILL,
        "AUTH": "on-for-everybody",
        "TOKENIZERS_PARALLELISM": "false-and-something",
        "SSH_AUTH_SOCK": "/tmp/ssh-abcdefgh/agent.1",
        "API_KEY_FILE": "keys-of-mine.txt",
        "GPG_KEY": "A035C8C19219BA821ECEA86B64E628F8D684696D",
        "EDITOR": FILL,
        "PYTEST_CURRENT_TEST": "t.py::test_x[postgres://me:very-hunter-33@db.example/x] (call)",
    }
    assert environment_secrets(environ) == {
        FILL: "OPENAI_API_KEY",
        "correct-horse-battery": "MY_SECRET",
        "letmeinplease": "DB_PASSWORD",
        FILL + "1": "SIGNING_JWT",
        "very-hunter-22": "DATABASE_URL",
    }


def test_secrets_within_the_value_of_a_variable():
    environ = {"AUTH_HEADER": f"Bearer {FILL}", "X_HEADER": "Bearer of bad news", "Y_HEADER": "Token 12"}
    assert environment_secrets(environ) == {FILL: "AUTH_HEADER"}
