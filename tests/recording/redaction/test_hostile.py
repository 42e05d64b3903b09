"""Ways to hide a secret that were tried: none of them reaches the disk, in an answer or a request."""

from __future__ import annotations

import base64
import json
import random

import brotli
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


PUTTY = (
    "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: me\r\nPublic-Lines: 1\r\n"
    "AAAAC3NzaC1lZDI1NTE5AAAAIFh9\r\nPrivate-Lines: 1\r\n"
)
WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
MASKED = "Tr0ub4dor-3xK9"
"""A password as people make them."""


def arguments(name, value, size):
    """The call of a tool that a stream brings in pieces, while another one is brought, too."""
    pairs = zip(
        pieces(json.dumps({name: value}), size), pieces(json.dumps({"q": "lorem ipsum " * 9}), size), strict=False
    )
    calls = ((number, piece) for pair in pairs for number, piece in enumerate(pair))
    return events(
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": n, "function": {"arguments": piece}}]}}]}
        for n, piece in calls
    )


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
    "password with a sign of addresses": (chat(f"postgres://app:p@{S}@db:5432/x"), S),
    "password with parentheses": (chat(f"[db](mysql://app:Ab({S})9@db/x)"), S),
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
    "code of a grant": (json.dumps({"code": TOKEN, "grant_type": "authorization_code", "client_id": "a"}), TOKEN),
    "mail whose lines go on": (f"see api key: {KEY[:20]}=\r\n{KEY[20:]}\r\n", KEY[20:]),
    "lines of one event": (f'data: {{"api_key":\ndata:  "{S}"}}\n\n', S),
    "by item": (by_id("item_id"), KEY[8:12]),
    "by tool call": (by_id("toolCallId"), KEY[8:12]),
    "by message": (by_id("messageId"), KEY[8:12]),
    "by message of a server": (by_id("message_id"), KEY[8:12]),
    "by artifact": (by_id("artifactId"), KEY[8:12]),
    "log probabilities": (json.dumps({"choices": [{"logprobs": {"content": LOGPROBS}}]}), LOGPROBS[5]["token"]),
    "bytes of log probabilities": (
        json.dumps({"choices": [{"logprobs": {"content": LOGPROBS}}]}),
        json.dumps(LOGPROBS[5]["bytes"]),
    ),
    "key of PuTTY": (chat(f"{PUTTY}{TOKEN}{TOKEN}\r\nPrivate-MAC: 00\r\n"), TOKEN + TOKEN),
    "key of PuTTY in JSON in JSON": (chat(json.dumps({"file": f"{PUTTY}{TOKEN}{TOKEN}\r\n"})), TOKEN + TOKEN),
    "words of a wallet": (json.dumps({"mnemonic": WORDS}), WORDS[:40]),
    "words of a wallet in a list": (json.dumps({"mnemonic": WORDS.split()}), "sausage"),
    "words of a wallet named in parts": (json.dumps({"wallet": {"mnemonic_words": WORDS}}), WORDS[:40]),
    "lines of plain text in one event": (f"data: the key is {KEY[:20]}\ndata: {KEY[20:]}\n\n", KEY[20:]),
    "lines of plain text among others": (
        f"id: 7\nevent: m\ndata:{KEY[:12]}\ndata:{KEY[12:25]}\ndata:{KEY[25:]}\nretry: 9\n\n",
        KEY[12:25],
    ),
    "lines of plain text, of old": (f"data: {KEY[:20]}\r\ndata: {KEY[20:]}\r\n\r\n", KEY[20:]),
    "arguments in pieces": (arguments("client_secret", TOKEN, 6), pieces(json.dumps({"client_secret": TOKEN}), 6)[4]),
    "arguments in small pieces": (arguments("password", MASKED, 3), pieces(json.dumps({"password": MASKED}), 3)[6]),
    **{
        f"header {name}": (chat(f"POST /x HTTP/1.1\nHost: a\n{name}: {TOKEN}\nAccept: */*\n"), TOKEN)
        for name in (
            *("X-Auth-Key", "X-Api-Token", "X-Consumer-Key", "DD-API-KEY", "X-Plex-Token", "xi-api-key"),
            *("Ocp-Apim-Subscription-Key", "X-Service-Secret", "PRIVATE-TOKEN", "X-Subscription-Token"),
        )
    },
    **{
        f"scheme {scheme}": (chat(f"Authorization: {scheme} {TOKEN}"), TOKEN)
        for scheme in ("ApiKey", "Splunk", "SSWS", "GenieKey", "DeepL-Auth-Key", "Klaviyo-API-Key", "AccessKey")
    },
    "signature of AWS": (
        chat(f"Authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature={'0a1b2c3d' * 8}"),
        "0a1b2c3d" * 8,
    ),
    **{
        f"program: {line.replace(TOKEN, '...')}": (chat(line), TOKEN)
        for line in (
            f'os.environ["API_KEY"] = "{TOKEN}"',
            f"session.headers['x-api-key'] = '{TOKEN}'",
            f'let apiKey: String = "{TOKEN}"',
            f'const API_KEY: &str = "{TOKEN}";',
            f'api_key: str = "{TOKEN}"',
            f"SecretStr('{TOKEN}')",
            f"os.environ['STRIPE_KEY'] = '{TOKEN}'",
            f"| API key | `{TOKEN}` |",
            f"**API key:** {TOKEN}",
            f"set -x API_KEY={TOKEN}",
        )
    },
    **{
        f"password: {line.replace(MASKED, '...')}": (chat(line), MASKED)
        for line in (
            f"CREATE USER bob WITH PASSWORD '{MASKED}';",
            f"ALTER USER bob IDENTIFIED BY '{MASKED}';",
            f"machine a.example login bob password {MASKED}",
            f"ldapsearch -D cn=a -w {MASKED} -b dc=x",
            f"openssl rsa -in a.pem -passin pass:{MASKED}",
            f"unzip -P {MASKED} a.zip",
            f"7z x -p{MASKED} a.7z",
            f"az login --service-principal -u a -p {MASKED} --tenant x",
            f"jdbc:oracle:thin:app/{MASKED}@//h:1521/x",
            f"jdbc:mysql://h/db?user=a&password={MASKED}",
            f"mongodb+srv://app:{MASKED}@c0.ab.example/?retryWrites=true",
            f"**Password:** {MASKED}",
        )
    },
    "stored in a list with its type": (
        json.dumps({"auth": {"type": "apikey", "apikey": [{"key": "value", "value": TOKEN, "type": "string"}]}}),
        TOKEN,
    ),
    "attribute of a page": (f'<div data-props="{{&quot;apiKey&quot;:&quot;{TOKEN}&quot;}}"></div>', TOKEN),
    "hidden field of a page": (f'<input value="{TOKEN}" type="hidden" name="csrf_token">', TOKEN),
    "program of a page": (f'<script>window.c={{"apiKey":"{TOKEN}"}};</script>', TOKEN),
    "headers of a list": (json.dumps({"rawHeaders": ["Host", "a", "X-Api-Key", TOKEN]}), TOKEN),
    "attribute of a trace": (
        json.dumps({"attributes": [{"key": "http.request.header.authorization", "value": {"stringValue": TOKEN}}]}),
        TOKEN,
    ),
    "key of a matrix": (chat(f"https://a.example/x;api_key={TOKEN};v=1"), TOKEN),
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
    "a key without a mark": chat("please use hrLFhsWn and f7M4tGaIfMFsfBj85jFI5TQVOsR8Ji83 for it").encode(),
    "a password by its place": chat(f"htpasswd -b f bob {S}").encode(),
    "a default far from its name": chat(f'variable "db_password" {{\n  default = "{S}"\n}}').encode(),
    "hashes of digests": chat(f'Authorization: Digest username="bob", response="{"0a1b2c3d" * 4}"').encode(),
    "Brotli that nobody announced": brotli.compress(
        chat("all the words of a page, " * 9 + f"the key is {KEY}").encode()
    ),
    "a token in a path": chat(f"https://app.example/reset/{S}9a8b7c6d").encode(),
    "look-alikes": chat("ѕk-proj-Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0").encode(),
    "words in reverse": chat(KEY[::-1]).encode(),
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_is_not_promised(name):
    """These are said in docs/security.md; whoever mends one says so there."""
    body = NOT_FOUND[name]
    assert Redactor(environ={}).request(Request("POST", "https://a.example", (), body)).body == body


MESSAGE = b"\x0a" + bytes([len(KEY)]) + KEY.encode()
IN_BASE64 = {
    "a frame of gRPC": b"\0\0\0\0" + bytes([len(MESSAGE)]) + MESSAGE,
    "MessagePack": b"\x82\xa4user\xa3bob\xa3key\xd9" + bytes([len(KEY)]) + KEY.encode(),
    "CBOR": b"\xa2duserfabcdef" + b"\x63key\x78" + bytes([len(KEY)]) + KEY.encode(),
    "texts behind their lengths": b"".join(
        len(each).to_bytes(4, "big") + each for each in (b"authorization", KEY.encode(), b"and the rest of it")
    ),
    "texts with a zero between": b"\0".join((b"PATH=/usr/bin", f"K={KEY}".encode(), b"LANG=C")),
}


@pytest.mark.parametrize("name", IN_BASE64)
@pytest.mark.parametrize("write", ["{}", '{{"data": "{}"}}', "data: {}\n\n"])
def test_a_token_among_texts_of_a_binary_format_in_base64(name, write):
    digits = base64.b64encode(IN_BASE64[name]).decode()
    for found in stored(write.format(digits)):
        assert digits not in found
        kept = found.removeprefix(write.partition("{}")[0].replace("{{", "{")).split('"}')[0].strip()
        assert KEY.encode() not in base64.b64decode(kept)
        assert b"REDACTED(openai-key)" in base64.b64decode(kept)


def test_bytes_of_chance_in_base64_keep_every_digit():
    chance = random.Random(9)
    for _ in range(300):
        digits = base64.b64encode(chance.randbytes(chance.randrange(24, 900))).decode()
        assert stored(json.dumps({"data": digits}))[0] == json.dumps({"data": digits})
