"""Secrets in files that are there already."""

from __future__ import annotations

import base64
import gzip

import pytest

from replay_agent.recording.redaction.scanning import scan

KEY = "sk-" + "proj-Qz7Lk9Wm3PvXt5Rb2Ny8"
VALUE = "correct-horse-battery-1"
ENVIRON = {"MY_SECRET": VALUE}


def rules(data):
    return [(finding.rule, finding.line) for finding in scan(data, environ=ENVIRON)]


FOUND = [
    (f"a\nthe key {KEY} is\n", [("openai-key", 2)]),
    (f"x: {VALUE}\n", [("MY_SECRET", 1)]),
    ("headers:\n  authorization:\n  - Basic-something\n", [("authorization", 3)]),
    ("- x-api-key: abc9xQ\n", [("x-api-key", 1)]),
    ("set-cookie: sid=b7f\n", [("set-cookie", 1)]),
    ("  openai-organization: acme\n", [("openai-organization", 1)]),
    ('body: \'{"password": "hunter2"}\'\n', [("password", 1)]),
    ("access_token: abcd9efgh\nid_token: 'x7.yQz8k'\n", [("access_token", 1), ("id_token", 2)]),
    ("uri: https://x?api_key=abc9defg&b=c\n", [("api_key", 1)]),
]


@pytest.mark.parametrize(("text", "found"), FOUND)
def test_secrets_with_their_rule_and_line(text, found):
    assert rules(text) == found
    assert rules(text.encode()) == found


CLEAN = [
    "authorization:\n- AUTHORIZATION-XXX\nset-cookie:\n- SET-COOKIE-XXX\nx-api-key: X-API-KEY-XXX\n",
    "x-session-status:\n- signed-out\nx-auth-reason: no cookie was sent\n",
    "api_key: XXX\n",
    "authorization: Bearer test_token_of_mine\n",
    "x-api-key: your-api-key\n",
    '{"api_key": "<YOUR KEY>", "client_secret": "REDACTED", "password": "********"}',
    "text: set it to sk-... or sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0\n",
    "a password: it is asked for when the key is gone\n",
    "bearer: REDACTED(authorization~2)\n",
    "",
    "authorization: REDACTED(authorization)\n",
    '{"password": "REDACTED(password)", "api_key": "scrubbed", "secret": ""}',
    "access_token: scrubbed\nclient_secret: '<secret>'\npassword: null\npassword: ${PASSWORD}\n",
    "max_tokens: 100\nprompt_tokens: 5\ntotal_tokens: 7\ntoken: hello\n",
    "api_key: replay\n",
    "password:\n  type: string\n",
    "user: alice\nproject: x\n",
    "env:\n  OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}\n  DEPLOY_TOKEN: {{ .Values.deployToken }}\n",
    "permissions:\n  id-token: write\n  contents: read\n",
    "  'service_api_key': 'service_api_key',\nAPI_KEY: api_key\n",
]


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_clean(text):
    assert rules(text) == []


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("head", ["    base64: |-\n", "  encoded: |-\n", "    string: !!binary |\n"])
def test_secret_in_base64(pack, head):
    run = base64.b64encode(pack(f'{{"error": "bad key {KEY}"}}'.encode())).decode()
    lines = "\n".join(f"      {run[start : start + 40]}" for start in range(0, len(run), 40))
    assert rules(f"x:\n{head}{lines}\n") == [("openai-key", 3)]


def test_places_are_names_of_fields():
    (finding,) = scan(f"interactions:\n- request:\n    body: x\n    headers:\n    - x: {KEY}\n", environ={})
    assert finding.place == "interactions.request.headers.x"


def test_a_packed_file_is_looked_into():
    assert rules(gzip.compress(f"a\n{KEY}\n".encode())) == [("openai-key", 2)]


def test_excerpt_shows_nothing_invisible():
    (finding,) = scan(f"\x1b[31m {KEY} \u202e", environ={})
    assert finding.excerpt.isprintable()


def test_excerpt_hides_every_secret_of_the_line():
    (first, second) = scan(f"both {KEY} and {VALUE} here\n", environ=ENVIRON)
    for finding in (first, second):
        assert "***" in finding.excerpt
        assert KEY not in finding.excerpt
        assert VALUE not in finding.excerpt


def test_excerpt_of_a_long_line_is_short():
    (finding,) = scan(f"{'x ' * 500}{KEY}{' y' * 500}", environ={})
    assert len(finding.excerpt) < 120


def test_real_cassettes_name_accounts_at_most(real_cassettes):
    findings = [
        each for path in sorted(real_cassettes.glob("*/*.yaml")) for each in scan(path.read_bytes(), environ={})
    ]
    assert {finding.rule for finding in findings} <= {"openai-organization", "openai-project"}
