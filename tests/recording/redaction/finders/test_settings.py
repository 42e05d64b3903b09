"""Credentials by their names in settings, on command lines, in sentences."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.finders.settings import find_options, find_said, find_settings


def values(find, text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find(data)]


S = "s3cretPW99abc"
READ_ON = (
    *("next_token", "nextToken", "Continuation-Token", "continuation token", "page token", "the next page token"),
    *("resume token", "sync_token", "pagination token", "delta token", "skip token", "cursor token", "resumptionToken"),
)
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
        (f"client = X(password=b'{S}')", [S]),
        (f'api_key = r"{S}"', [S]),
        (f"secret: rb'{S}'", [S]),
        (f'token = f"{OPAQUE}"', [OPAQUE]),
        (f"level=info token={OPAQUE} msg=ok", [OPAQUE]),
        ("level=info token=Qz7Lk9Wm msg=ok", []),
        ("APIKey: cfg.APIKeyFromEnv2,", []),
        ("secret = settings.secret_2", []),
        ("api_key = os.environ['API_KEY']", []),
        ("token=settings.token.value", []),
        ("sort_key=created_at", []),
        ("the token =C3=BCber, password =C3=A4hnlich, secret =E2=82=AC2024", []),
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


LONG = "s3cretPW99abcQ7xLm"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'"content": "PGPASSWORD={LONG} psql"', [LONG]),
        (f'x: "DB_PASSWORD="{LONG}"', [LONG]),
        ("A=1\nDB_PASSWORD=correcthorse\nB=2", ["correcthorse"]),
        (f"api_key: |\n  {LONG}\n", [LONG]),
        (f"api_key: # of the shop\n  {LONG}\n", [LONG]),
        (f"api_keys:\n  - {LONG}\n  - '{LONG}2'\nb: 1", [LONG, LONG + "2"]),
        (f"{{apiKey: `{LONG}`}}", [LONG]),
        ("DB_PASSWORD=${DB_PASSWORD}\nPASSWORD=changeme\nTOKEN=$TOKEN\nSECRET_KEY=\n", []),
        ("password:\n  required: true\n  description: The password of the user\n", []),
        ("if token:\n        return authenticate_with_token_v2(token)\n", []),
    ],
)
def test_settings_of_files(text, found):
    assert values(find_settings, text) == found


SIGNS = ("x9#kL&2pQ;z4!vB7w", "Qz7(Lk9)Wm3{Pv}Xt5", "hT5<yU8>iO1|pA4sD7", "zX2,cV5.bN8/mQ1wE4", "fG7\\hJ0kL3zX6c[V9bN")
"""Passwords as programs make them: any sign may be in one."""


@pytest.mark.parametrize("value", SIGNS)
@pytest.mark.parametrize(
    "write",
    [
        'A=1\nDB_PASSWORD="{}"\n',
        "connect('a', password='{}', port=1)",
        "SECRET_KEY = `{}`",
        "Server=h;Password='{}';Encrypt=true",
        "A=1\nDB_PASSWORD={}\nB=2",
        "  export API_SECRET={}\r\n",
        "[client]\nuser=bob\npassword={}",
    ],
)
def test_all_of_a_value_with_signs(write, value):
    assert values(find_settings, write.format(value)) == [value]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("API_KEYS=Qz7Lk9Wm3PvX,t5Rb2Ny8Hc4J\n", ["Qz7Lk9Wm3PvX,t5Rb2Ny8Hc4J"]),
        (f"password={S}&user=bob", [S]),
        (f"Password={S};User=sa", [S]),
        (f"    token={OPAQUE},\n    name=x", [OPAQUE]),
        ("DB_PASSWORD=hunter2\n", ["hunter2"]),
        ("DB_PASSWORD=root\nREDIS_PASSWORD=${PW}\n", []),
        (f'apiKey := "{S}"', [S]),
        (f"API_KEY ?= {S}\n", [S]),
        (f'let api_key = String::from("{S}");', [S]),
        (f"if token == '{OPAQUE}':", [OPAQUE]),
        (f'secret === "{S}"', [S]),
        (f"process.env.OPENAI_KEY = '{OPAQUE}'", [OPAQUE]),
        (f'stripe_key: "{OPAQUE}"', [OPAQUE]),
        (f"X-Appwrite-Key: {OPAQUE}", [OPAQUE]),
        (f"Idempotency-Key: {OPAQUE}\nX-Cache-Key: {OPAQUE}\nthread_key={OPAQUE}", []),
        ('token: "[A-Za-z0-9]{36}", secret: "^whsec_[a-z0-9]{32}$"', []),
        ("password='{{ vault.db2 }}' token='${TOKEN:-abc123}' secret='%(name2)s'", []),
        ('password := os.Getenv("DB_PASSWORD2")', []),
        ("token=get_token(user1,user2)\nsecret=tokens[index1]\n", []),
        ('token == last_token_2 or token == "expected-token"', []),
    ],
)
def test_where_a_value_ends(text, found):
    assert values(find_settings, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"ENV JWT_SECRET {OPAQUE}\nsetx OPENAI_API_KEY {OPAQUE}", [OPAQUE, OPAQUE]),
        (f"the client secret: {OPAQUE}", [OPAQUE]),
        (f"signing secret -> `{OPAQUE}`", [OPAQUE]),
        (f"my secret is: {OPAQUE}", [OPAQUE]),
        (f"MY PASSWORD: {OPAQUE}, webhookSecret:{OPAQUE}", [OPAQUE, OPAQUE]),
        (f"arn:aws:secretsmanager:us-east-1:1:secret:{OPAQUE}, /token: {OPAQUE}", []),
        (f"the secret {OPAQUE}, SORT_KEY {OPAQUE}, cacheKey:{OPAQUE}, next_token {OPAQUE}", []),
    ],
)
def test_names_of_programs_in_sentences(text, found):
    assert sorted(values(find_said, text)) == sorted(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"sshpass -p {LONG} ssh bob@h", [LONG]),
        (f"mysql -u root -p{LONG} db", [LONG]),
        (f"docker login -u bob -p {LONG} registry.example", [LONG]),
        (f"curl -ubob:{LONG} https://x", [LONG]),
        ("curl -sS 'https://x?a=1&b=2' -u bob:Summer2024!", ["Summer2024!"]),
        ("http --json -u bob:hunter2 x.example; wget -u 'ann:correct-horse(1)' y", ["hunter2", "correct-horse(1)"]),
        ("curl -u user:password -u admin:admin -u $USER:$PASSWORD x\ndocker run -u node:workers2 x", []),
        ("docker run -p 8080:80 -u 1000:1000; mysql -p mydatabase_v2; ssh -p 2222 host", []),
        ("docker login -u bob --password-stdin", []),
    ],
)
def test_short_options(text, found):
    assert values(find_options, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Incorrect API key provided: {LONG}. You can", [LONG]),
        (f"Invalid token '{LONG}'", [LONG]),
        (f"**API key:** `{LONG}`", [LONG]),
        (f"API Key -> {LONG}", [LONG]),
        ("Incorrect API key provided: sk-proj-****************aZ0x. Unexpected token 'const'", []),
        ("API key: `OPENAI_API_KEY`. **Token**: `next_page_token_value`", []),
    ],
)
def test_what_errors_and_pages_say(text, found):
    assert values(find_said, text) == found


@pytest.mark.parametrize("name", READ_ON)
@pytest.mark.parametrize("value", [OPAQUE, "eyJwYWdlIjogMn0="])
def test_tokens_to_read_on_are_none(name, value):
    for text in (f"{name}: {value}", f"{name} is {value}", f"{name}={value}", f"**{name}:** `{value}`"):
        assert values(find_said, text) == values(find_settings, text) == []
    assert values(find_options, f"list --{name.replace(' ', '-')} {value}") == []


@pytest.mark.parametrize("name", ["access token", "your new token", "bot token", "next access token", "deploy_token"])
def test_other_tokens_are_found(name):
    assert values(find_settings, f"{name}: {OPAQUE}") == [OPAQUE]
    assert values(find_said, f"{name} is: {OPAQUE}") == [OPAQUE]
