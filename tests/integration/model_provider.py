"""A model provider on loopback: speaks whatever format it is asked in, and misbehaves as a scenario wants.

Each function here is what a `RoughProvider` does with a request; those that keep count are made by one that returns it.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Sequence

import brotli
import zstandard

from replay_agent.calls import ModelCall
from replay_agent.messages import (
    NO_TIMESTAMP,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import Codec
from replay_agent.wire.registry import codec_for
from tests.integration.rough_provider import Peer

BLOB = bytes(range(256)) * 300
HEADERS = "X-Request-Id: req_7", "X-RateLimit-Remaining-Requests: 59"
AT_ONCE = "Retry-After: 0", "Retry-After-Ms: 1"
"""When to try again: SDKs that understand the second header wait half a second for the first."""
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=1),
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def asked(peer: Peer) -> tuple[Codec, ModelCall]:
    """Return the format of a request, and what it asks."""
    address = f"http://{peer.headers['host']}{peer.target}"
    request = Request(peer.method, address, tuple(peer.headers.items()), peer.body)
    codec = codec_for(request)
    assert codec is not None, peer.target
    return codec, codec.decode_call(request)


def question(call: ModelCall) -> str:
    """Return the last thing that the user said."""
    said = [part.content for message in call.messages for part in message.parts if isinstance(part, UserPromptPart)]
    return said[-1] if isinstance(said[-1], str) else "".join(map(str, said[-1]))


def answering(peer: Peer) -> None:
    """Repeat the question, at once or as a stream."""
    _, call = asked(peer)
    _reply(peer, [TextPart(f"you said {question(call)}")])


def calling_a_tool(peer: Peer) -> None:
    """Ask for the weather, then tell what came back."""
    _, call = asked(peer)
    returned = [str(part.content) for part in call.messages[-1].parts if isinstance(part, ToolReturnPart)]
    weather = ToolCallPart("weather", {"city": "Oslo"}, "call_1")
    _reply(peer, [TextPart("It rains.") if "rain" in "".join(returned) else weather])


def counting(peer: Peer) -> None:
    """Give another answer each time."""
    _reply(peer, [TextPart(f"answer {peer.count}")])


def holding_all_back_until(count: int) -> Callable[[Peer], None]:
    """Answer nobody before so many have asked."""
    arrived = threading.Barrier(count)

    def answer(peer: Peer) -> None:
        arrived.wait(30)
        answering(peer)

    return answer


def second_first() -> Callable[[Peer], None]:
    """Answer the question "first" only when another one has been answered."""
    other_is_answered = threading.Event()

    def answer(peer: Peer) -> None:
        _, call = asked(peer)
        if question(call) == "first":
            assert other_is_answered.wait(30)
        answering(peer)
        other_is_answered.set()

    return answer


def endless(peer: Peer) -> None:
    """Begin a stream that has no end."""
    _begin_stream(peer, pieces=4)
    peer.stall()


def stopping_short(peer: Peer) -> None:
    """Stop after the first piece of a stream, without a word; answer everything else."""
    _, call = asked(peer)
    if not call.stream:
        answering(peer)
        return
    _begin_stream(peer, pieces=1)
    peer.stall()


HEARD = threading.Event()
"""Set by a client that has read something of a stream."""


def breaking_off(peer: Peer) -> None:
    """Reset the connection in the middle of a stream, when its beginning was read: a reset drops what was not."""
    _begin_stream(peer, pieces=2)
    HEARD.wait(30)
    peer.reset()


def failing(peer: Peer) -> None:
    _refuse(peer, "500 Internal Server Error", "out of order")


def failing_once(peer: Peer) -> None:
    if peer.count == 1:
        _refuse(peer, "500 Internal Server Error", "out of order", *AT_ONCE)
    else:
        answering(peer)


def limiting_once(peer: Peer) -> None:
    if peer.count == 1:
        _refuse(peer, "429 Too Many Requests", "slow down", *AT_ONCE)
    else:
        answering(peer)


def stalling(peer: Peer) -> None:
    peer.stall()


def hanging_up(peer: Peer) -> None:
    peer.reset()


def hanging_up_once(peer: Peer) -> None:
    if peer.count == 1:
        peer.reset()
    answering(peer)


def packing(encoding: str) -> Callable[[Peer], None]:
    """Answer questions and requests for a file in a content encoding, if the client says that it can read it."""

    def answer(peer: Peer) -> None:
        headers, body = ("Content-Type: application/octet-stream",), BLOB
        if peer.method == "POST":
            headers, body = _whole(peer, [TextPart("packed")])
        if encoding in peer.headers.get("accept-encoding", ""):
            headers, body = (*headers, f"Content-Encoding: {encoding}"), PACKERS[encoding](body)
        peer.answer(body, *headers)

    return answer


def saying_twice(peer: Peer) -> None:
    headers, body = _whole(peer, [TextPart("twice")])
    peer.answer(body, *headers, "X-Twice: one", "X-Once: 1", "x-twice: two")


def saying_nothing(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 204 No Content\r\nX-Request-Id: req_7\r\n\r\n")


def giving_a_file(peer: Peer) -> None:
    peer.answer(BLOB, "Content-Type: application/octet-stream")


def _encoded(peer: Peer, parts: Sequence[ModelResponsePart]) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    codec, call = asked(peer)
    reason = "tool_call" if isinstance(parts[-1], ToolCallPart) else "stop"
    usage = Usage(request_tokens=7, response_tokens=3, total_tokens=10)
    answer = codec.encode_answer(
        call, ModelResponse(list(parts), model_name="m", timestamp=NO_TIMESTAMP, finish_reason=reason, usage=usage)
    )
    return tuple(f"{name}: {value}" for name, value in answer.headers), answer.chunks


def _whole(peer: Peer, parts: Sequence[ModelResponsePart]) -> tuple[tuple[str, ...], bytes]:
    headers, chunks = _encoded(peer, parts)
    return (*headers, *HEADERS), b"".join(chunks)


def _reply(peer: Peer, parts: Sequence[ModelResponsePart]) -> None:
    _, call = asked(peer)
    if call.stream:
        headers, chunks = _encoded(peer, parts)
        peer.begin_stream(*headers, *HEADERS)
        for chunk in chunks:
            peer.chunk(chunk)
        peer.send(b"0\r\n\r\n")
    else:
        headers, body = _whole(peer, parts)
        peer.answer(body, *headers)


def _begin_stream(peer: Peer, pieces: int) -> None:
    headers, chunks = _encoded(peer, [TextPart("one two three four five six")])
    peer.begin_stream(*headers, *HEADERS)
    for chunk in chunks[:pieces]:
        peer.chunk(chunk)


def _refuse(peer: Peer, status: str, message: str, *headers: str) -> None:
    codec, call = asked(peer)
    answer = codec.encode_error(call, int(status[:3]), message)
    body = b"".join(answer.chunks)
    assert json.loads(body)
    peer.answer(body, *(f"{name}: {value}" for name, value in answer.headers), *HEADERS, *headers, status=status)
