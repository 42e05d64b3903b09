"""Ways to hide a secret that were tried: none of them reaches the disk, in an answer or a request."""

from __future__ import annotations

import base64
import json
import random

import pytest

from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Chunk, Interaction, Request, Response

S = "s3cretPW99abcQ7xLm"
KEY = "sk-" + "proj-Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0"
TOKEN = "Qz7Lk9Wm3PvXt5Rb2Ny8Hc4J"
PEM = (
    "-----BEGIN PRIVATE "
    "KEY-----\n" + base64.encodebytes(random.Random(2).randbytes(200)).decode() + "-----END PRIVATE KEY-----\n"
)
LINE = PEM.split("\n")[1]
USER = base64.b64encode(f"bob:{S}".encode()).decode()


def chat(text):
    return json.dumps({"messages": [{"role": "user", "content": text}]})


def pieces(text, size):
    return [text[place : place + size] for place in range(0, len(text), size)]


def events(documents):
    return "".join(f"data: {json.dumps(each)}\n\n" for each in documents)


def lines(before, after=""):
    return chat("".join(f"{before}{line}{after}\n" for line in PEM.split("\n")))


def by_id(name):
    """Two texts whose pieces alternate, told apart by an id alone."""
    pairs = zip(pieces(KEY, 4), pieces("lorem ipsum dolor sit amet consectetur adipiscing", 4), strict=False)
    return events({name: f"m{n}", "delta": piece} for pair in pairs for n, piece in enumerate(pair))


LOGPROBS = [{"token": piece, "logprob": -0.1, "bytes": list(piece.encode())} for piece in pieces(f"key {KEY}", 3)]

HOSTILE = {
    **{
        f"field {name}: {value}": (json.dumps({"user": "bob", name: value}), secret)
        for name, value, secret in (
            ("otp", "492817", "492817"),
            ("otp", 492817, "492817"),
            ("pin", "8842", "8842"),
            ("pins", ["8842", "1199"], "1199"),
            ("mfa_code", "492817", "492817"),
            ("backup_codes", ["a1b2-c3d4", "e5f6-g7h8"], "e5f6"),
            ("passcode", "884213", "884213"),
            ("keys", [TOKEN], TOKEN),
            ("tokens", [TOKEN], TOKEN),
            ("tokens", {"access": TOKEN}, TOKEN),
            ("keys", {"openai": TOKEN, "n": 1}, TOKEN),
            ("keys", [{"id": "k1", "value": TOKEN}], TOKEN),
            ("seed_phrase", "ripple scissors kick mammal hire column oak again sun offer", "kick mammal"),
            ("Passwort", S, S),
            ("API Key", S, S),
            ("prod/api_key", S, S),
            ("device_code", "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS", "GmRhmhcxhw"),
        )
    },
    "comment before the colon": (f'{{"api_key" /* live */ : "{S}"}}', S),
    "line comment": (f'{{"api_key": // live\n "{S}"}}', S),
    "comment that holds one": (f'{{"a":1, /* "client_secret": "{S}" */ "b":2}}', S),
    "swallowed by a longer value": (chat(f"PGPASSWORD={S} psql -h x"), S),
    "quoted in a text of JSON": (json.dumps({"content": f'DB_PASSWORD="{S}"\nX=1\n'}), S),
    "address within an address, spelled twice": (
        chat(f"https://x/?r=https%253A%252F%252Fy%252F%253Fapi_key%253D{S}%2526z"),
        S,
    ),
    "fragment": (chat(f"https://app.example/cb#access_token={S}&token_type=bearer"), S),
    "password that is spelled": (chat(f"https://bob:p%40ss{S}@x.example/"), S),
    "password with a slash": (chat(f"amqp://u:{S}%2Fx@mq/v"), S),
    "no user": (chat(f"redis://:{S}@cache:6379/0"), S),
    "basic in a query": (chat(f"https://x/y?auth={USER}"), USER),
    "proxy": (chat(f"Proxy-Authorization: Basic {USER}"), USER),
    "shared access signature": (chat(f"https://a.example/c?sv=2022-11-02&sig={TOKEN}%3D"), TOKEN),
    "connection string": (chat(f"Driver={{SQL}};Server=h;Uid=a;Pwd={S};"), S),
    "quoted key": (lines("> "), LINE),
    "key in a program": (lines('    "', '\\n"'), LINE),
    "key in a diff": (lines("+"), LINE),
    "key with numbered lines": (lines("    7→"), LINE),
    "key in one line": (chat(PEM.replace("\n", " ")), LINE),
    "key in JSON in JSON": (chat(json.dumps({"x": json.dumps({"y": PEM})})), LINE),
    "element with attributes": (f'<wsse:Password Type="x#PasswordText">{S}</wsse:Password>', S),
    "registry": (chat(f"//registry.example/:_authToken={S}"), S),
    "GraphQL": (json.dumps({"query": f'mutation {{ login(user: "b", password: "{S}") {{ id }} }}'}), S),
    "glued to a word": (chat(f"value{KEY}"), KEY),
    "glued to a colour": (chat(f"\x1b[32m{KEY}\x1b[0m"), KEY),
    "named with what nobody sees": (json.dumps({"api\u200b_key": S}), S),
    "tags": (chat("hi" + "".join(chr(0xE0000 + ord(each)) for each in KEY)), r"\udc73\udb40\udc6b"),
    "entity of no width": (chat(f"{KEY[:15]}&ZeroWidthSpace;{KEY[15:]}"), KEY[15:]),
    "mail whose lines go on": (f"see api key: {KEY[:20]}=\r\n{KEY[20:]}\r\n", KEY[20:]),
    "lines of one event": (f'data: {{"api_key":\ndata:  "{S}"}}\n\n', S),
    "by item": (by_id("item_id"), KEY[8:12]),
    "by tool call": (by_id("toolCallId"), KEY[8:12]),
    "log probabilities": (json.dumps({"choices": [{"logprobs": {"content": LOGPROBS}}]}), LOGPROBS[5]["token"]),
    "bytes of log probabilities": (
        json.dumps({"choices": [{"logprobs": {"content": LOGPROBS}}]}),
        json.dumps(LOGPROBS[5]["bytes"]),
    ),
    "log probabilities of a stream": (
        events({"logprobs": {"content": [each]}} for each in LOGPROBS),
        LOGPROBS[5]["token"],
    ),
}


def stored(body):
    kind = "text/event-stream" if body.startswith("data:") else "application/json"
    headers = (("content-type", kind),)
    asked = Request("POST", "https://a.example/v1", headers, body.encode())
    found = Redactor(environ={}).interaction(Interaction(asked, Response(200, headers, (Chunk(body.encode()),))))
    return found.outcome.body.decode(), found.request.body.decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_secret_is_left(name):
    body, secret = HOSTILE[name]
    assert secret in body
    for found in stored(body):
        assert secret not in found
        assert "REDACTED(" in found


NOT_FOUND = {
    "binary formats": b"\x82\xa7api_key\xb2" + S.encode() + b"\xa1a\x01",
    "a word in a sentence": chat("My password is hunter2xy, log in for me").encode(),
    "a word in YAML": chat("password: 'correct-horse'").encode(),
    "files whose columns have no names": chat(f"db.example:5432:app:bob:{S}").encode(),
    "hashes of passwords": chat("bob:$apr1$Qz7Lk9Wm$3PvXt5Rb2Ny8Hc4Jd6Gf1/").encode(),
    "a token in a path": chat(f"https://app.example/reset/{S}9a8b7c6d").encode(),
    "look-alikes": chat("ѕk-proj-Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0").encode(),
    "words in reverse": chat(KEY[::-1]).encode(),
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_is_not_promised(name):
    """These are said in docs/security.md; whoever mends one says so there."""
    body = NOT_FOUND[name]
    assert Redactor(environ={}).request(Request("POST", "https://a.example", (), body)).body == body
