"""A model provider as noisy as real ones: another id, date and request id in each answer, keys that it refuses."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-everyday-0123456789abcdef"


class EverydayProvider(ThreadingHTTPServer):
    """Chat completions on loopback. ``brain`` says what is answered to a request's body: a text, or calls of tools."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.brain: Callable[[dict[str, Any]], object] = last_question
        self.serial = itertools.count(1)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


def last_question(body: dict[str, Any]) -> str:
    """Answer a question by repeating it."""
    asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return f"You asked: {asked[-1]}"


@contextmanager
def providing(port: int = 0) -> Iterator[EverydayProvider]:
    server = EverydayProvider(port)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EverydayProvider

    def log_message(self, *args: object) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        serial = next(self.server.serial)
        if self.headers["authorization"] != f"Bearer {KEY}":
            refusal = {
                "message": "Incorrect API key provided",
                "type": "invalid_request_error",
                "code": "invalid_api_key",
            }
            self._answer(401, {"error": refusal}, serial)
        else:
            self._answer(200, _completion(body, self.server.brain(body), serial), serial)

    def _answer(self, status: int, answer: dict[str, Any], serial: int) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(data)),
            "x-request-id": f"req_{serial:032x}",
            "openai-processing-ms": str(300 + serial),
            "cf-ray": f"{serial:016x}-AMS",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _completion(body: dict[str, Any], said: object, serial: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said if isinstance(said, str) else None}
    if not isinstance(said, str):
        message["tool_calls"] = [
            {
                "id": f"call_{serial:020x}{place}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for place, (name, arguments) in enumerate(said)  # type: ignore[arg-type,var-annotated]
        ]
    return {
        "id": f"chatcmpl-{serial:024x}",
        "object": "chat.completion",
        "created": int(time.time()) + serial,
        "model": body["model"],
        "system_fingerprint": f"fp_{serial:010x}",
        "choices": [
            {"index": 0, "message": message, "finish_reason": "stop" if isinstance(said, str) else "tool_calls"}
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }
