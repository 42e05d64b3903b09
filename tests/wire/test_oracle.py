"""Every real recording is read as `oracle.json` says, by the strict rules of its README."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from replay_agent.calls import Answer, ModelCall
from replay_agent.exceptions import WireError
from replay_agent.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart
from replay_agent.recording.cassettes.foreign import read_foreign
from replay_agent.traffic import Interaction, Request, Response
from replay_agent.wire.codec import Codec
from replay_agent.wire.registry import codec_for

FAMILIES = (
    "anthropic",
    "bedrock",
    "cohere",
    "compat",
    "deepseek",
    "embeddings",
    "gemini",
    "groq",
    "huggingface",
    "mistral",
    "non_model",
    "openai_chat",
    "openai_responses",
    "openrouter",
)
BYTE_BY_BYTE_LIMIT = 40_000
SPLITS = 50
SPLIT_BYTES = 1_500_000
"""Larger streams get as many of the 50 splits as stay below this sum."""


def load(path: Path) -> list[Interaction]:
    return read_foreign(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader), path)


@dataclass(frozen=True)
class Turn:
    """A model call of a recording, with what the oracle says of its answer."""

    key: str
    codec: Codec
    request: Request
    call: ModelCall
    response: Response
    oracle: dict[str, Any]


@cache
def oracle_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "oracle.json").read_bytes())


def interactions(folder: Path, family: str) -> Iterator[tuple[str, Interaction]]:
    for path in sorted((folder / family).glob("*.yaml")):
        for number, interaction in enumerate(load(path)):
            yield f"{family}/{path.name}#{number}", interaction


def turns(folder: Path, family: str) -> Iterator[Turn]:
    oracle = oracle_of(folder)
    for key, interaction in interactions(folder, family):
        if key in oracle:
            codec = codec_for(interaction.request)
            assert codec is not None, f"{key}: no codec claims {interaction.request.url}"
            assert isinstance(interaction.outcome, Response)
            call = codec.decode_call(interaction.request)
            yield Turn(key, codec, interaction.request, call, interaction.outcome, oracle[key])


def decoded(turn: Turn) -> Answer:
    return turn.codec.decode_answer(turn.call, turn.response.status, turn.response.headers, turn.response.body)


def streamed(turn: Turn, pieces: list[bytes]) -> Answer:
    decoder = turn.codec.stream_decoder(turn.call, turn.response.headers)
    for piece in pieces:
        decoder.feed(piece)
    decoder.close()
    return decoder.answer


def joined_text(response: ModelResponse) -> str:
    return "".join(part.content for part in response.parts if isinstance(part, TextPart))


def tool_calls(response: ModelResponse) -> list[tuple[str, object]]:
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    return [(call.tool_name, parsed(call.args)) for call in calls]


def parsed(args: object) -> object:
    return json.loads(args or "{}") if isinstance(args, str) else args


def tokens(response: ModelResponse) -> dict[str, int]:
    usage = response.usage
    details = (usage and usage.details) or {}
    return {
        "input_tokens": (usage and usage.request_tokens) or 0,
        "output_tokens": (usage and usage.response_tokens) or 0,
        "cache_read_tokens": details.get("cache_read_tokens", 0),
        "cache_write_tokens": details.get("cache_write_tokens", 0),
    }


def summary(answer: Answer) -> dict[str, Any]:
    if answer.response is None:
        return {"error": answer.error and answer.error.status}
    return {
        "text": joined_text(answer.response),
        "tool_calls": tool_calls(answer.response),
        "finish_reason": answer.response.finish_reason,
        **tokens(answer.response),
    }


def wanted(oracle: dict[str, Any]) -> dict[str, Any]:
    if oracle["outcome"] == "http_error":
        return {"error": oracle["error"]["status"]}
    parts = oracle["parts"]
    counts = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    return {
        "text": "".join(part["text"] for part in parts if part["type"] == "text"),
        "tool_calls": [(part["name"], parsed(part["args"])) for part in parts if part["type"] == "tool_call"],
        "finish_reason": oracle["finish_reason"],
        **{count: oracle["usage"][count] or 0 for count in counts},
    }


def read(oracle: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """The side of the answer that the oracle tells: its error, or the response (some come with an error status)."""
    if oracle["outcome"] == "http_error":
        return {"error": answer.error and answer.error.status}
    return summary(answer)


def whole_picture(answer: Answer) -> tuple[Answer, dict[str, Any]]:
    """The answer with what its comparison leaves out."""
    return answer, summary(answer)


def split(body: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    cuts = sorted(rng.randrange(len(body) + 1) for _ in range(rng.randint(1, 40)))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_agree(family: str, real_cassettes: Path) -> None:
    disagreeing = {
        turn.key: (got, want)
        for turn in turns(real_cassettes, family)
        if turn.oracle["outcome"] != "undecoded"
        and (got := read(turn.oracle, decoded(turn))) != (want := wanted(turn.oracle))
    }
    assert disagreeing == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_reasoning_is_lost(family: str, real_cassettes: Path) -> None:
    for turn in turns(real_cassettes, family):
        answer = decoded(turn)
        if turn.oracle["outcome"] == "decoded" and answer.response is not None:
            got = "".join(part.content for part in answer.response.parts if isinstance(part, ThinkingPart))
            want = "".join(part["text"] for part in turn.oracle["parts"] if part["type"] == "thinking")
            assert want in got, turn.key


OTHER_HISTORY = {
    "anthropic/test_anthropic_deferred_capability_without_tool_search_across_models--claude-haiku-4-5.yaml#1"
}
"""Calls whose history was written by hand or answered by somebody else."""
TYPOGRAPHY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
"""The recordings have plain quotes in bodies that were parsed, and the real ones in streams."""


def said(response: ModelResponse) -> tuple[str, list[tuple[str, object]]]:
    return joined_text(response).strip().translate(TYPOGRAPHY), tool_calls(response)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_history_repeats_an_answer_before(family: str, real_cassettes: Path) -> None:
    before: dict[str, list[Any]] = {}
    for turn in turns(real_cassettes, family):
        answers = before.setdefault(turn.key.rpartition("#")[0], [])
        history = [message for message in turn.call.messages if isinstance(message, ModelResponse)]
        if history and answers and turn.key not in OTHER_HISTORY:
            assert said(history[-1]) in answers, turn.key
        response = decoded(turn).response
        if response is not None:
            answers.append(said(response))


@pytest.mark.parametrize("family", FAMILIES)
def test_other_traffic_is_left_alone(family: str, real_cassettes: Path) -> None:
    oracle = oracle_of(real_cassettes)
    for key, interaction in interactions(real_cassettes, family):
        if key not in oracle:
            assert (key, codec_for(interaction.request)) == (key, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_streams_survive_any_boundaries(family: str, real_cassettes: Path) -> None:
    for turn in turns(real_cassettes, family):
        body = turn.response.body
        if not turn.oracle["streaming"] or turn.response.status >= 400:
            continue
        whole = whole_picture(decoded(turn))
        assert whole_picture(streamed(turn, [body])) == whole, turn.key
        if len(body) <= BYTE_BY_BYTE_LIMIT:
            assert whole_picture(streamed(turn, [body[n : n + 1] for n in range(len(body))])) == whole, turn.key
        for seed in range(min(SPLITS, SPLIT_BYTES // len(body))):
            assert whole_picture(streamed(turn, split(body, seed))) == whole, f"{turn.key}, split {seed}"


JUNK = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "{}",
    [],
    {},
    [None],
    [{}],
    {"type": "text"},
    {"a": [1]},
    10**30,
    "2020",
    "data:,",
)
DAMAGES = 6
DAMAGED_BYTES = 30_000
"""Larger bodies are left whole."""


def with_junk(value: Any, rng: random.Random) -> Any:
    if rng.random() < 0.08:
        return rng.choice(JUNK)
    if isinstance(value, dict):
        return {key: with_junk(item, rng) for key, item in value.items() if rng.random() > 0.04}
    if isinstance(value, list):
        return [with_junk(item, rng) for item in value]
    return value


def with_broken_bytes(body: bytes, rng: random.Random) -> bytes:
    broken = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(broken) + 1)
        broken[place : place + rng.choice([0, 1, 30])] = rng.choice(
            [b"", b'"', b"{", b"[", b"\n\n", b"\x00", b"\xff", b"null"]
        )
    return bytes(broken)


def damaged(body: bytes, rng: random.Random) -> bytes:
    """The body with other values in its JSON, in each event of a stream, or with other bytes."""
    if rng.random() < 0.3:
        return with_broken_bytes(body, rng)
    try:
        return json.dumps(with_junk(json.loads(body), rng)).encode()
    except ValueError:
        return b"\n".join(damaged_line(line, rng) for line in body.split(b"\n"))


def damaged_line(line: bytes, rng: random.Random) -> bytes:
    if not line.startswith(b"data: {") or rng.random() < 0.5:
        return line
    return b"data: " + json.dumps(with_junk(json.loads(line.removeprefix(b"data: ")), rng)).encode()


@pytest.mark.parametrize("family", FAMILIES)
def test_damaged_recordings_raise_only_wire_errors(family: str, real_cassettes: Path) -> None:
    for turn in turns(real_cassettes, family):
        rng = random.Random(turn.key)
        asked = turn.call.source or b""
        for _ in range(DAMAGES):
            if len(turn.response.body) <= DAMAGED_BYTES:
                body = damaged(turn.response.body, rng)
                with suppress(WireError):
                    turn.codec.decode_answer(turn.call, rng.choice([200, 400]), turn.response.headers, body)
            if len(asked) <= DAMAGED_BYTES:
                with suppress(WireError):
                    turn.codec.decode_call(replace(turn.request, body=damaged(asked, rng)))
