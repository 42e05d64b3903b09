"""Recordings of real providers, damaged: whatever comes out of it, no codec raises anything but its own error."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from replay_agent.exceptions import WireError
from replay_agent.traffic import Request
from replay_agent.wire.registry import codec_for

FAMILIES = ("bedrock", "cohere", "gemini")
ROUNDS = 10
LONGEST = 60_000
ODD = (None, True, 1, -1.5, "x", "", [], {}, [None], {"a": 1})
SNIPPETS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b"\\ud800",
    b"\xff",
    b",",
    b"null",
    b"1e999",
    b"data: ",
    b"\n\n",
    b"\0",
)


@cache
def recorded(folder: Path, family: str) -> list[tuple[Request, int, bytes]]:
    found = []
    for path in sorted((folder / family).glob("*.yaml")):
        for interaction in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["interactions"]:
            asked, told = interaction["request"], interaction["response"]
            request = Request(asked["method"], asked["uri"], body=body_of(asked, asked.get("body")))
            if codec_for(request) is not None and len(request.body) <= LONGEST:
                answer = body_of(told, (told.get("body") or {}).get("string"))
                found.append((request, told["status"]["code"], answer[:LONGEST]))
    return found


def body_of(fields: dict, raw: str | bytes | None) -> bytes:
    if "parsed_body" in fields:
        return json.dumps(fields["parsed_body"]).encode()
    return raw if isinstance(raw, bytes) else (raw or "").encode()


def damaged_bytes(rng: random.Random, body: bytes) -> bytes:
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(body) + 1)
        end = min(len(body), start + rng.choice((0, 1, 8, 60)))
        middle = rng.choice((b"", rng.choice(SNIPPETS), body[start:end] * 2))
        body = body[:start] + middle + body[end:]
    return body


def damaged_value(rng: random.Random, value: object) -> object:
    if rng.random() < 0.06:
        return rng.choice(ODD)
    if isinstance(value, dict):
        return {key: damaged_value(rng, inner) for key, inner in value.items() if rng.random() > 0.02}
    if isinstance(value, list):
        return [damaged_value(rng, inner) for inner in value if rng.random() > 0.02]
    return value


def damaged(rng: random.Random, body: bytes) -> bytes:
    if rng.random() < 0.5:
        with contextlib.suppress(ValueError):
            return json.dumps(damaged_value(rng, json.loads(body))).encode()
    return damaged_bytes(rng, body)


def read_and_write(request: Request, status: int, answer: bytes) -> None:
    """Read both sides, and write what was read; only what a format cannot carry may be refused."""
    codec = codec_for(request)
    assert codec is not None
    call = codec.decode_call(request)
    read = codec.decode_answer(call, status, (), answer)
    with contextlib.suppress(NotImplementedError, RuntimeError):
        codec.encode_call(replace(call))
    if read.response is not None:
        for stream in (False, True):
            with contextlib.suppress(NotImplementedError):
                encoded = codec.encode_answer(replace(call, stream=stream), read.response)
                codec.decode_answer(call, encoded.status, encoded.headers, b"".join(encoded.chunks))


@pytest.mark.parametrize("family", FAMILIES)
def test_damaged_answers_raise_nothing_else(family: str, real_cassettes: Path) -> None:
    rng = random.Random(family)
    for request, status, answer in recorded(real_cassettes, family):
        for _ in range(ROUNDS):
            with contextlib.suppress(WireError):
                read_and_write(request, status, damaged(rng, answer))


@pytest.mark.parametrize("family", FAMILIES)
def test_damaged_calls_raise_nothing_else(family: str, real_cassettes: Path) -> None:
    rng = random.Random(family)
    for request, status, answer in recorded(real_cassettes, family):
        for _ in range(ROUNDS):
            worse = replace(request, body=damaged(rng, request.body))
            if codec_for(worse) is not None:
                with contextlib.suppress(WireError):
                    read_and_write(worse, status, answer)
