"""Whatever the format, a credential is found, and nothing else is touched."""

from __future__ import annotations

import base64
import gzip
import json
import random as randoms
import subprocess
import sys
import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Chunk, Interaction, Request, Response
from tests.recording.redaction.planted import FORMATS, NAMES, PACKS, PLACES, SHAPES, STREAMS, credential

WORDS = [
    "the",
    "model",
    "reads",
    "a",
    "line",
    "of",
    "code",
    "then",
    "asks",
    "for",
    "sk",
    "or",
    "key",
    "in",
    "basic",
    "form",
    "and",
    "a",
    "token",
    "per",
    "page",
    "2024",
    "v1.2",
    "über",
]
BEFORE = ["", " ", "\n", "\t", "keys:\n", 'key="', "key='", "(", "a=", "?x=", ": ", "/", "\r\n", "<", "C:\\"]
AFTER = ["", " ", "\n", '"', "'", ")", ",", ";", "&", "\r\n", ">", ". And"]


def recorded(body, headers=(("content-type", "application/json"),), cuts=()):
    """Return the body of an answer as it is stored, and that of the same request."""
    bounds = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    chunks = tuple(Chunk(body[start:end]) for start, end in pairwise(bounds) if start < end)
    asked = Request("POST", "https://a.example/v1", headers, body)
    stored = Redactor(environ={}).interaction(Interaction(asked, Response(200, headers, chunks)))
    return stored.outcome.body, stored.request.body


@st.composite
def planted(draw):
    key = credential(draw(st.sampled_from(sorted(SHAPES))), randoms.Random(draw(st.integers(0, 1 << 30))))
    words = st.lists(st.sampled_from(WORDS), max_size=12)
    before = "".join(f"{word} " for word in draw(words)) + draw(st.sampled_from(BEFORE))
    return before, key, draw(st.sampled_from(AFTER)) + "".join(f" {word}" for word in draw(words))


@pytest.mark.parametrize("name", FORMATS)
@given(text=planted(), cuts=st.lists(st.integers(0, 1 << 16), max_size=4))
def test_planted_credential(name, text, cuts):
    before, key, after = text
    write, read, headers = FORMATS[name]
    if name.startswith("base64"):
        before = "so " * 12 + before
    body = write(before + key + after)
    for stored in recorded(body, headers or (("content-type", "application/json"),), cuts):
        assert key.encode() not in stored
        said = read(stored)
        assert key not in said
        assert said.startswith(before)
        assert said.endswith(after)
        left = said[len(before) : len(said) - len(after) if after else len(said)]
        assert left.removeprefix(key[0] if before.endswith("\\") else "").startswith("REDACTED(")
        assert left.endswith(")")


@pytest.mark.parametrize("name", STREAMS)
@given(
    text=planted(),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 9999)),
    packing=st.sampled_from(sorted(PACKS)),
)
def test_planted_credential_in_pieces(name, text, sizes, cuts, packing):
    before, key, after = text
    whole = before + key + after
    pieces, position = [(0, "so:\n")], 0
    for number in range(len(whole)):
        size = sizes[number % len(sizes)]
        pieces += [(0, whole[position : position + size]), (1, "lorem ")]
        position += size
        if position >= len(whole):
            break
    write, read, headers = STREAMS[name]
    for stored in recorded(PACKS[packing](write(pieces)), (*headers, ("content-encoding", packing)), cuts):
        said = read(stored)
        assert key not in said[0]
        assert said[0].startswith("so:\n" + before)
        assert said[0].endswith(after)
        assert len(said[0]) < len(before + after) + 60
        assert said[1] == "lorem " * (len(pieces) // 2)


def _token(random):
    """A value of no shape: letters of both cases and digits, none of which repeats too often to be random."""
    kinds = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789")
    return "".join(random.choice(kinds[place % 3]) for place in range(random.randrange(18, 50)))


@pytest.mark.parametrize("place", PLACES)
@given(
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 1 << 40),
    packing=st.sampled_from(["text", "json", "json in json", "base64", "zip", "form"]),
)
def test_value_of_a_telling_name(place, name, seed, packing):
    value = _token(randoms.Random(seed))
    text = PLACES[place](name, value)
    write, read, headers = FORMATS[packing]
    for stored in recorded(write(text), headers or (("content-type", "application/json"),)):
        said = read(stored)
        assert value not in said
        start, end = text.split(value)[0], text.split(value)[-1]
        assert said.startswith(start)
        assert said.endswith(end)
        assert said.count("REDACTED(") == text.count(value)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_where_it_is_likely(shape):
    key = credential(shape, randoms.Random(1))
    for text in (key, f"my key is {key}.", f'"{key}"', f"({key})", f"k={key}&x", f"a\n{key}\nb"):
        stored = recorded(json.dumps({"text": text}).encode())[0]
        assert key not in stored.decode()


def test_a_key_behind_many_words_of_a_form_or_an_address():
    key = credential("openai", randoms.Random(3))
    for text in (
        f"q=please+read+what+follows+and+tell+me+more+{key}",
        f"https://a.example/some/long/path/to/the/files/of/{key}",
    ):
        assert key not in recorded(text.encode(), (("content-type", "text/plain"),))[0].decode()


def test_a_token_with_a_plus_sign_in_what_could_be_a_form():
    key = credential("fly", randoms.Random(3))
    assert "+" in key
    for text in (f"key='{key}", f"FLY_TOKEN={key}", f"a=1&t={key}&b=2"):
        stored = recorded(text.encode(), (("content-type", "text/plain"),))[0].decode()
        assert key[12:] not in stored
        assert stored.startswith(text[:2])


def _state(random, length=400):
    return base64.b64encode(random.randbytes(length)).decode()


INNOCENT = {
    "prose": lambda random: " ".join(random.choices(WORDS, k=60)),
    "code": lambda random: "\n".join(
        f"def {a}_{b}(token_count, max_tokens={n}):\n    api_key = os.environ['API_KEY']\n    return self.{b}.key  # {n}"
        for a, b, n in ((random.choice(WORDS), random.choice(WORDS), random.randrange(9999)) for _ in range(8))
    ),
    "ids": lambda random: " ".join(
        prefix + "".join(random.choices("abcdefghijABCDEFGHIJ0123456789", k=24))
        for prefix in ("chatcmpl-", "msg_", "toolu_", "call_", "resp_", "req_", "run_", "fc_", "rs_", "gen-", "asst_")
    ),
    "uuids": lambda random: str(uuid.UUID(int=random.getrandbits(128))),
    "hashes": lambda random: " ".join(random.randbytes(size).hex() for size in (16, 20, 32, 64)),
    "picture": lambda random: "data:image/png;base64," + _state(random, 3000),
    "picture for addresses": lambda random: base64.urlsafe_b64encode(random.randbytes(3000)).decode(),
    "signature": _state,
    "slugs": lambda random: " ".join(
        f"https://x.org/{mark}-{'-'.join(random.choices(WORDS[:10], k=6))}-{random.randrange(2000, 2030)}"
        for mark in ("sk", "pa", "key", "org", "csk")
    ),
    "addresses": lambda random: (
        f"http://localhost:{random.randrange(9999)}/a/b?page={random.randrange(99)}&sort_key=name#x"
    ),
    "command lines": lambda random: " ".join(
        f"tool --{random.choice(('keyword', 'token-limit', 'api-key-file', 'key', 'secret-santa'))} {random.choice(WORDS)}_{n}"
        for n in random.choices(range(99999), k=8)
    ),
    "sentences": lambda random: " ".join(
        f"the {random.choice(('api key', 'access token', 'password', 'token'))} is "
        f"{'-'.join(random.choices(('required', 'written', 'changed', 'at', 'home', 'every', 'month'), k=3))}."
        for _ in range(8)
    ),
    "attributes": lambda random: "\n".join(
        f"api_key = {random.choice(('cfg', 'self', 'settings'))}.{random.choice(('api_key', 'ApiKeyFromEnv'))}{n}"
        for n in random.choices(range(99), k=8)
    ),
    "pairs": lambda random: json.dumps(
        [
            {"name": name, "value": " ".join(random.choices(WORDS, k=3))}
            for name in ("token_count", "secret", "sort_key")
        ]
    ),
    "numbers": lambda random: " ".join(str(random.uniform(-1, 1)) for _ in range(50)),
}
NAMES = (
    *(
        "content",
        "id",
        "signature",
        "thoughtSignature",
        "encrypted_content",
        "next_page_token",
        "nextForwardToken",
        "data",
    ),
    *(
        "resume_token",
        "cursor",
        "etag",
        "system_fingerprint",
        "prompt_cache_key",
        "redactedContent",
        "reasoning",
        "sort_key",
    ),
)


@pytest.mark.parametrize("kind", INNOCENT)
@given(seed=st.integers(0, 1 << 40), name=st.sampled_from(NAMES))
def test_what_is_no_secret_stays(kind, seed, name):
    text = INNOCENT[kind](randoms.Random(seed))
    for value in (text, json.dumps({"arguments": {name: text}})):
        body = json.dumps({name: value, "usage": {"total_tokens": 5}}).encode()
        assert recorded(body) == (body, body)


@given(seed=st.integers(0, 1 << 40))
def test_a_key_shape_within_a_picture_stays(seed):
    random = randoms.Random(seed)
    raw = bytearray(random.randbytes(900))
    for alphabet, mark in (
        (base64.urlsafe_b64encode, b"-sk-"),
        (base64.b64encode, b"/AKIA"),
        (base64.b64encode, b"+AIza"),
    ):
        text = bytearray(alphabet(bytes(raw)))
        place = 4 * random.randrange(40, 200)
        text[place : place + len(mark)] = mark
        body = json.dumps({"data": text.decode()}).encode()
        assert recorded(body) == (body, body)


def test_a_stream_without_secrets_stays():
    pieces = [(number % 2, f"word {number} ") for number in range(50)]
    for write, _, headers in STREAMS.values():
        body = write(pieces)
        assert recorded(body, headers) == (body, body)


def test_packed_twice_is_looked_into_as_deep_as_goes():
    key = credential("openai", randoms.Random(2))
    inner = base64.b64encode(gzip.compress(json.dumps({"k": key}).encode())).decode()
    stored = recorded(json.dumps({"a": base64.b64encode(f"see {inner}".encode()).decode()}).encode())[0]
    text = base64.b64decode(json.loads(stored)["a"]).decode().removeprefix("see ")
    assert json.loads(gzip.decompress(base64.b64decode(text))) == {"k": "REDACTED(openai-key)"}


REMEMBERED = 450_000
"""Bytes that a run remembers at most of the secrets it has seen, whatever the size of the bodies that follow."""


SECRETS = [
    "api_key=Qz7Lk9Wm3PvXt5Rb2N%d\n",
    "sk-proj-Qz7Lk9Wm3PvXt5Rb2N%dxyzR4 ",
    'secret: "Qz7Lk9\\u002bWm3PvXt5Rb2N%d"\n',
    "REDACTED(api_key~%d) ",
]
MEASURED = """
import json, sys, tracemalloc
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Chunk, Interaction, Request, Response

def answered(line, numbers):
    body = "".join(line % ((number * 7919,) * line.count("%d")) for number in numbers).encode()
    answer = Response(200, (("content-type", "text/plain"),), (Chunk(body),))
    return Interaction(Request("POST", "https://a.example/v1", (), b"{}"), answer)

def peak(line):
    Redactor(environ={}).interaction(answered(line, range(2000, 2010)))  # what is made once does not count
    interaction = answered(line, range(1000))
    tracemalloc.start()
    stored = Redactor(environ={}).interaction(interaction)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, len(interaction.outcome.body), b"Qz7Lk9" in stored.outcome.body

print(json.dumps([peak(line) for line in json.loads(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def peaks():
    """What each takes, in a process of its own: what else a process holds decides when its garbage is collected."""
    command = [sys.executable, "-c", MEASURED, json.dumps(SECRETS)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("place", range(len(SECRETS)))
def test_memory_where_each_line_is_another_secret(peaks, place):
    peak, size, is_left = peaks[place]
    assert not is_left
    assert peak < 6 * size + REMEMBERED


@pytest.mark.parametrize("name", ["token", "secret", "client secret", "x API_KEY"])
@pytest.mark.parametrize("escape", ["=0A", "=09", "=22", "=C2=A0"])
def test_an_escape_of_mail_before_a_token_is_no_part_of_it(name, escape):
    key = "sk=2Dproj=2D" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ"
    stored = Redactor(environ={}).text(f"=3D{name} {escape}{key}")
    assert stored.startswith(f"=3D{name} {escape}REDACTED(")


@pytest.mark.parametrize("mark", ["ATATT3xFfGF0", "pscale_tkn_", "fm2_", "glsa_"])
@pytest.mark.parametrize("behind", ["=0A", "=0D=0A", "=20"])
def test_what_follows_a_token_in_mail_stays(mark, behind):
    key = mark + "02y24Acq90Fz6Y119EwL58nGisi6gNZq68TZM5j4gUe528vEJgw3uNO6n3JEC3H9"
    stored, _ = recorded(f"a=3D{key}{behind}".encode())
    assert key.encode() not in stored
    assert stored.startswith(b"a=3DREDACTED(")
    assert stored.endswith(b")" + behind.encode())
