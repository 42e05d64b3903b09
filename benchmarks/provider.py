"""The provider that the benchmarks record from: standard library only, one answer for each question."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SYSTEM = "You are a careful assistant. Answer briefly, name your sources, and never invent a figure. " * 8
WORDS = "The scattering of light by particles much smaller than its wavelength colours the sky, and the sun at dusk. "
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
EVENTS = 60
PAUSE = 0.2
"""Seconds between the first event of a paused stream and its others."""


def question(number: int, turn: int, kind: str = "chat") -> dict[str, object]:
    """Return the body of a chat request that differs from every other only in its last message.

    ``chat`` has about 1 KB, ``history`` 20 KB of earlier turns with tool calls; ``stream`` asks for events.
    """
    asked = {"role": "user", "content": f"Question {number}, turn {turn}: what is the capital of France?"}
    earlier = [message for call in range(18) for message in _tool_turn(call)] if kind == "history" else []
    body = {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": SYSTEM}, *earlier, asked],
        "temperature": 0.2,
        "tools": [TOOL],
    }
    return {**body, "stream": True} if kind == "stream" else body


def _tool_turn(number: int) -> list[dict[str, object]]:
    call = {"name": "get_weather", "arguments": json.dumps({"city": f"City {number}"})}
    result = json.dumps({"city": f"City {number}", "degrees": 20.5, "report": WORDS * 3})
    return [
        {"role": "user", "content": f"And in city {number}? {WORDS * 3}"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"call_{number}", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": f"call_{number}", "content": result},
    ]


def answer(body: dict[str, object]) -> dict[str, object]:
    """Return a chat completion that repeats the question, so that a swapped answer is noticed.

    The body may ask for a longer one: ``kilobytes``.
    """
    said = (
        "Re: " + body["messages"][-1]["content"] + " " * bool(body.get("kilobytes")) + _text(body.get("kilobytes", 0))
    )
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": said},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 400, "completion_tokens": 20, "total_tokens": 420},
    }


def _text(kilobytes: int) -> str:
    return (WORDS * (kilobytes * 1024 // len(WORDS) + 1))[: kilobytes * 1024]


def events(body: dict[str, object]) -> list[bytes]:
    """Return the same answer as server-sent events."""
    said = ["Re:", *(f" {word}" for word in (body["messages"][-1]["content"] + " " + WORDS * 3).split())][:EVENTS]
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": body["model"]}
    deltas = [{**chunk, "choices": [{"index": 0, "delta": {"content": word}}]} for word in said]
    return [*(f"data: {json.dumps(delta)}\n\n".encode() for delta in deltas), b"data: [DONE]\n\n"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body.get("stream"):
            self._stream(events(body), PAUSE if body.get("pause") else 0)
        else:
            data = json.dumps(answer(body)).encode()
            self._head("application/json", "content-length", str(len(data)))
            self.wfile.write(data)

    def _head(self, kind: str, name: str, value: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header(name, value)
        self.end_headers()

    def _stream(self, pieces: list[bytes], pause: float) -> None:
        self._head("text/event-stream", "transfer-encoding", "chunked")
        for number, piece in enumerate(pieces):
            if number == 1:
                time.sleep(pause)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def provider() -> Iterator[str]:
    """Serve on loopback and yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
