"""Credentials by the names of their fields, in documents and in pieces of them."""

from __future__ import annotations

import json

import pytest

from replay_agent.recording.redaction.by_name import (
    find_form_fields,
    find_json_fields,
    find_mcp_headers,
    find_parts,
    find_query_fields,
    find_xml_fields,
    named_fields,
)
from replay_agent.recording.redaction.spans import Text


def values(find, text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return [data[span.start : span.end].decode() for span in find(Text(data), **options)]


def nested(value, times):
    for _ in range(times):
        value = {"arguments": json.dumps(value)}
    return json.dumps(value)


@pytest.mark.parametrize("times", range(5))
@pytest.mark.parametrize("secret", ["hunter2", 'with "quotes" and \\', "ends\\", "", "ü\n"])
def test_json_quoted_any_number_of_times(times, secret):
    text = nested({"a": 1, "password": secret, "b": "kept"}, times)
    found = values(find_json_fields, text)
    expected = json.dumps(secret)[1:-1]
    for _ in range(times):
        expected = json.dumps(expected)[1:-1]
    assert found == ([expected] if secret else [])


JSON = [
    ('{"api_key":"A"}', ["A"]),
    ('{"apiKey" : "A", "x": {"y": [{"client_secret":\n"B"}]}}', ["A", "B"]),
    ('{"Authorization": ["Bearer A", "B"]}', ["Bearer A", "B"]),
    ('{"access_token":"A","token_type":"Bearer","expires_in":3600}', ["A"]),
    ('data: {"id_token":"A"}\n\ndata: {"x":1}\n\n', ["A"]),
    ('{"password":"cut of', ["cut of"]),
    ('{"password":null,"secret":5,"api_key":{"a":"b"},"token":true}', []),
    ('{"max_tokens":"5","prompt_tokens":"7","next_page_token":"x"}', []),
    ('{"properties":{"password":{"type":"string"}}}', []),
    ('{"token":"Qz7Lk9Wm3PvXt5Rb2Ny8"}', ["Qz7Lk9Wm3PvXt5Rb2Ny8"]),
    ('{"token":"Hello"}', []),
    ('{"token":" a long piece of text 1"}', []),
    ('[{"token":"Qz7Lk9Wm3PvXt5Rb2Ny8","logprob":-0.1,"bytes":[1]}]', []),
    ('[{"logprob":-0.1,"token":"Qz7Lk9Wm3PvXt5Rb2Ny8"}]', []),
    ("no json at all, but a password: yes", []),
]


@pytest.mark.parametrize(("text", "found"), JSON)
def test_json_fields(text, found):
    assert values(find_json_fields, text) == found


def test_placeholder_names_the_field():
    (span,) = find_json_fields(Text(b'{"client_secret":"A"}'))
    assert (span.rule, span.text) == ("client_secret", b"REDACTED(client_secret)")


MCP = {"type": "mcp", "server_url": "https://x", "headers": {"Accept": "a/b", "X-Mine": "A", "Authorization": "B"}}


@pytest.mark.parametrize("text", [json.dumps({"tools": [MCP]}), json.dumps({"in": json.dumps(MCP)})])
def test_headers_for_an_mcp_server(text):
    assert values(find_mcp_headers, text) == ["A", "B"]


def test_headers_of_anything_else_stay():
    assert values(find_mcp_headers, json.dumps({"headers": {"X-Mine": "A"}})) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("client_id=a&client_secret=B%2F&grant_type=x", ["B%2F"]),
        ("grant_type=authorization_code&code=short", ["short"]),
        ("code=fr&lang=de", []),
        ("password=&x=1", []),
        ("assertion=a.b.c", ["a.b.c"]),
    ],
)
def test_form_fields(text, found):
    assert values(find_form_fields, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://x/y?api_key=A&b=c", ["A"]),
        ("see https://x?X-Amz-Credential=A%2Fb&amp;X-Amz-Signature=B, ok", ["A%2Fb", "B,"]),
        ('{"url":"https://x?sv=1&sig=Qz7Lk9Wm3PvXt5Rb2Ny8%3D"}', ["Qz7Lk9Wm3PvXt5Rb2Ny8%3D"]),
        ("https://x/?key=name", []),
        ("what? a=b", []),
        ("https://x/y", []),
    ],
)
def test_query_fields(text, found):
    assert values(find_query_fields, text) == found


def test_key_of_an_address_that_needs_one():
    assert values(find_query_fields, "https://x?key=fake", expected=True) == ["fake"]


def test_xml_fields():
    text = "<R><AccessKeyId>A</AccessKeyId><ns:SessionToken>B</ns:SessionToken><Name>C</Name></R>"
    assert values(find_xml_fields, text) == ["A", "B"]
    assert values(find_xml_fields, "plain") == []


def test_multipart_fields():
    def part(name, value):
        return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain\r\n\r\n{value}\r\n'

    text = part("api_key", "A") + part("file", "B") + part("client_secret", "C") + "--b--\r\n"
    assert values(find_parts, text) == ["A", "C"]


NAMED = [
    ('{"account":"A","x":{"ACCOUNT": "B"}}', ["A", "B"]),
    ('{"account": 12, "x": 1}', ["12"]),
    ('{"account":{"a":[1,"}"]},"x":1}', ['{"a":[1,"}"]}']),
    ('{"account":[1,2]}', ["[1,2]"]),
    ('{"account":true}', ["true"]),
    ('{"account":null}', []),
    ('{"account":{"cut', ['{"cut']),
    ("account=A&b=c", ["A"]),
    ("https://x?b=c&account=A", ["A"]),
    ('{"accounts":"A"}', []),
]


@pytest.mark.parametrize(("text", "found"), NAMED)
def test_fields_that_the_user_names(text, found):
    assert values(named_fields(["account"]), text) == found


def test_replaced_value_is_json_still():
    data = b'{"account":{"a":1},"n":5,"x":"y"}'
    for span in reversed(named_fields(["account", "n"])(Text(data))):
        data = data[: span.start] + span.text + data[span.end :]
    assert json.loads(data) == {"account": "REDACTED(account)", "n": "REDACTED(n)", "x": "y"}
