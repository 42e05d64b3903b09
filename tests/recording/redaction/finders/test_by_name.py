"""Credentials by the names of their fields, in documents and in pieces of them."""

from __future__ import annotations

import json

import pytest

from replay_agent.recording.redaction.finders.by_name import (
    find_form_fields,
    find_json_fields,
    find_parts,
    find_query_fields,
    find_xml_fields,
    named_fields,
    stand_ins,
)


def values(find, text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return [data[span.start : span.end].decode() for span in find(data, **options)]


S = "s3cretPW99abc"
OPAQUE = "Qz7Lk9Wm3PvXt5Rb2Ny8"
JSON = [
    ({"password": "hunter2"}, ["hunter2"]),
    ({"password": 918273645546}, ["918273645546"]),
    ({"password": "letmein"}, ["letmein"]),
    ({"passphrase": "correct horse battery staple"}, ["correct horse battery staple"]),
    ({"x": {"y": [{"client_secret": S}]}}, [S]),
    ({"Authorization": ["Bearer " + S, "none"]}, ["Bearer " + S]),
    ({"access_token": S, "token_type": "Bearer", "expires_in": 3600}, [S]),
    ({"credentials": {"user": "u", "value": S}}, [S]),
    ({"credentials": {"client_email": "a@b.example", "project_id": "acme-123456", "token_uri": "https://x/y"}}, []),
    ({"secret": {"value": S}}, [S]),
    ({"api_keys": {"openai": S, "model": "gpt-4o"}}, [S]),
    ({"api_key": [{"v": S}]}, [S]),
    ({"SecretString": S}, [S]),
    ({"SecretString": json.dumps({"user": "me", "db": S})}, [S]),
    ({"Ocp-Apim-Subscription-Key": S}, [S]),
    ({"X-Functions-Key": S}, [S]),
    ({"cookie": f"theme=dark; sid={S}"}, ["dark", S]),
    ({"Cookie": f"sid={S}"}, [S]),
    ({"headers": {"Set-Cookie": f"sid={S}; Path=/; HttpOnly; SameSite=Lax"}}, [S]),
    ({"cookies": {"session_cookie": S}}, [S]),
    ({"session_cookie": f"{S}=="}, [f"{S}=="]),
    ({"Cookie": f"{S}="}, [f"{S}="]),
    ({"auth_cookie": f"{S}==; Path=/; Secure"}, [f"{S}==; Path=/; Secure"]),
    ({"cookie": f"{S}; lang=en-US"}, [f"{S}; lang=en-US"]),
    ({"cookie": f"{S}secure; secure=yes"}, [f"{S}secure; secure=yes"]),
    ({"cookie": f"sid={S}=="}, [f"{S}=="]),
    ({"COOKIE": f"sid={S}; csrf={S}2"}, [S, f"{S}2"]),
    ({"Set-Cookie": f"sid={S}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; secure; HTTPOnly;"}, [S]),
    ({"token": "Qz7Lk9Wm3PvXt5Rb2Ny8"}, ["Qz7Lk9Wm3PvXt5Rb2Ny8"]),
    ({"a": 'with "quotes"', "client_secret": 'a"b\\c9XyZ'}, ['a\\"b\\\\c9XyZ']),
]


@pytest.mark.parametrize(("value", "found"), JSON, ids=lambda each: str(each)[:40])
def test_json_fields(value, found):
    assert values(find_json_fields, json.dumps(value)) == found
    assert values(find_json_fields, json.dumps([1, value], indent=2)) == found


def test_a_cut_text_goes_to_its_end():
    assert values(find_json_fields, '{"client_secret":"s3cretPW') == ["s3cretPW"]


NO_SECRETS = [
    {"password": None, "secret": 5, "api_key": {"a": "b"}, "token": True},
    {"assertion": "the sky is blue", "credentials": "PhD in physics", "authorization": "approved"},
    {"secret": "rook", "cookie": "chocolate chip", "bearer": "of bad news", "password": "Enter your password"},
    {
        "base_token": "ETH",
        "quote_token": "USDC",
        "pagination_token": "page2",
        "nextForwardToken": "f/3613f9a7b2c1d0e5/s",
    },
    {
        "max_tokens": "5",
        "prompt_tokens": 12345678,
        "next_page_token": "CAUQAA7fKx92LmQpZ",
        "tokens": ["Hel", "lo", "9f86d081884c7d659a2feaa0", 12345678],
        "keys": ["uploads/2024/aB3dE6gH9jK2mN5pQ8sT.png", "9f86d081884c7d659a2feaa0", "user:1:aB3dE6gH9jK2mN5pQ8sT"],
    },
    {"properties": {"password": {"type": "string", "description": "a Passw0rd1 of yours"}}},
    {"token": "Hello"},
    {"token": " a long piece of text 1"},
    [{"token": "Qz7Lk9Wm3PvXt5Rb2Ny8", "logprob": -0.1, "bytes": [1]}],
    [{"logprob": -0.1, "token": "Qz7Lk9Wm3PvXt5Rb2Ny8"}],
    {
        "secret": "/run/secrets/db1",
        "api_key": "https://x.example/keys/1",
        "client_secret": "550e8400-e29b-41d4-a716-446655440000",
    },
    {"api_key": "<your key>", "password": "changeme", "access_token": "REDACTED(access_token)"},
    {"sort_key": "created9At8Desc7", "partition_key": "Qz7Lk9Wm3PvXt5Rb2Ny8", "signature": "Qz7Lk9Wm3PvXt5Rb2Ny8"},
]


@pytest.mark.parametrize("value", NO_SECRETS, ids=lambda each: str(each)[:40])
def test_fields_that_hold_no_secret(value):
    assert values(find_json_fields, json.dumps(value)) == []


def test_a_number_is_quoted_when_it_is_replaced():
    (span,) = find_json_fields(b'{"password":918273645546}')
    assert (span.quoted, span.rule, span.value) == (True, "password", b"918273645546")


MCP = {
    "type": "mcp",
    "server_url": "https://x",
    "headers": {"Accept": "a/b", "X-Mine": "abcQ9", "Authorization": "Bq9x"},
}


def test_headers_for_an_mcp_server():
    assert values(find_json_fields, json.dumps({"tools": [MCP]})) == ["abcQ9", "Bq9x"]
    assert values(find_json_fields, json.dumps({"headers": {"X-Mine": "abcQ9"}})) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("client_id=a&client_secret=s3cret%2FPW9&grant_type=x", ["s3cret%2FPW9"]),
        ("grant_type=authorization_code&code=short", ["short"]),
        ("code=fr&lang=de", []),
        ("password=&x=1", []),
        ("password=hunter2&x=1", ["hunter2"]),
        ("client_assertion=eyJa9.b8.c7", ["eyJa9.b8.c7"]),
    ],
)
def test_form_fields(text, found):
    assert values(find_form_fields, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://x/y?api_key=s3cretPW9&b=c", ["s3cretPW9"]),
        ("see https://x?X-Amz-Credential=A%2Fb&amp;X-Amz-Signature=B, ok", ["A%2Fb", "B,"]),
        ('{"url":"https://x?sv=1&sig=Qz7Lk9Wm3PvXt5Rb2Ny8%3D"}', ["Qz7Lk9Wm3PvXt5Rb2Ny8%3D"]),
        (f"https://x/a;api_key={S}/b", [S + "/b"]),
        ("https://x/?key=name&sort_key=created9at8&code=fr", []),
        ("https://x/?page_token=Qz7Lk9Wm3PvXt5Rb2Ny8", []),
        ("what? a=b", []),
        ("https://x/y", []),
    ],
)
def test_query_fields(text, found):
    assert values(find_query_fields, text) == found


def test_key_of_an_address_that_needs_one():
    (span,) = find_query_fields(b"https://x?key=fake", expected=True)
    assert span.stands_in


def test_xml_fields():
    text = f"<R><SecretAccessKey>{S}</SecretAccessKey><ns:SessionToken>{S}8</ns:SessionToken><Name>C9xQ7tR2</Name></R>"
    assert values(find_xml_fields, text) == [S, S + "8"]
    assert values(find_xml_fields, "<secret>rook</secret> plain") == []


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_multipart_fields(end):
    def part(name, value):
        head = f'--b{end}Content-Disposition: form-data; name="{name}"{end}Content-Type: text/plain{end}{end}'
        return f"{head}{value}{end}"

    text = part("api_key", S) + part("file", "Bq9xQ7tR2") + part("client_secret", S + "8") + f"--b--{end}"
    assert values(find_parts, text) == [S, S + "8"]


def test_blanks_of_a_form_between_a_name_and_its_value():
    assert values(find_json_fields, f'{{"text":+"a",+"api_key":+"{S}"}}') == [S]


def test_what_stands_in_for_a_secret():
    assert values(stand_ins, '{"api_key": "test-key", "model": "test"}', form=False) == ["test-key"]
    assert values(stand_ins, "client_secret=dummy&grant_type=x", form=True) == ["dummy"]
    assert values(stand_ins, "https://x?api_key=replay&key=name", form=False) == ["replay"]
    assert values(stand_ins, '{"api_key": "REDACTED(api_key)"}', form=False) == []


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
