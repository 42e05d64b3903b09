"""Credentials whose names are values themselves."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.finders.paired import find_paired


def values(find, text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find(data)]


S = "s3cretPW99abc"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'{{"env":[{{"name":"API_KEY","value":"{S}"}}]}}', [S]),
        (f'{{"key": "client_secret",\n  "value": "{S}"}}', [S]),
        (f"{{'name': 'DB_PASSWORD', 'value': '{S}'}}", [S]),
        (f'<add key="ApiKey" value="{S}"/>', [S]),
        (f'<param name="secret" value="{S}"/>', [S]),
        ('{"name":"token_count","value":"150000000000"},{"name":"secret","value":"the butler"}', []),
        (f'{{"name":"SORT_KEY","value":"{S}"}}', []),
        (f'{{"name":"API_KEY","title":"{S}"}}', []),
    ],
)
def test_names_that_are_values(text, found):
    assert values(find_paired, text) == found


LONG = "s3cretPW99abcQ7xLm"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'{{"name": "API_KEY", "type": "text", "secure": true, "value": "{LONG}"}}', [LONG]),
        (f'{{"value": "{LONG}", "name": "API_KEY"}}', [LONG]),
        (f'{{"Name": "/prod/api_key", "Type": "SecureString", "Value": "{LONG}"}}', [LONG]),
        (f'<meta name="csrf-token" content="{LONG}">', [LONG]),
        (f"<dict><key>api_key</key>\n<string>{LONG}</string></dict>", [LONG]),
        (f'["Host", "a.example", "X-Api-Key", "{LONG}"]', [LONG]),
        (f"[(b'x-auth-token', b'{LONG}')]", [LONG]),
        (f'{{"args": ["-y", "run", "--api-key", "{LONG}"]}}', [LONG]),
        (f"['--token', '{LONG}', '-v']", [LONG]),
        (f'[["X-Appwrite-Key", "{LONG}"], ["X-Stream-Key","{LONG}"]]', [LONG, LONG]),
        (f"<tr><th>API key</th><td>{LONG}</td></tr>", [LONG]),
        (f"<dl><dt>Client secret:</dt>\n  <dd><code>{LONG}</code></dd></dl>", [LONG]),
        (f'<td class="n"><b>password</b></td>\n<td>{LONG}</td>', [LONG]),
        ("<tr><td>api_key</td><td>string</td></tr><tr><th>Password</th><td>at-least-8-characters</td></tr>", []),
        (f"<td>Idempotency-Key</td><td>{LONG}</td><td>name</td><td>{LONG}</td>", []),
        (f'["token", "{LONG}"] ["--sort-key", "{LONG}"] ["--api-key", "--token-limit-2024"]', []),
        (f'[{{"name": "api_key"}}, {{"value": "{LONG}"}}]', []),
        (f'["Idempotency-Key", "{LONG}"]', []),
        ('["name", "password", "api_key", "client_secret"]', []),
        ('<key>name</key><string>Hello there</string><meta name="description" content="of tokens and secrets">', []),
    ],
)
def test_pairs_however_they_stand(text, found):
    assert values(find_paired, text) == found
