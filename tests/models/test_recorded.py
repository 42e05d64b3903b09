"""Models and the recorder know nothing of each other: what one does, the other records and plays."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

from replay_agent.harness import use_cassette
from replay_agent.messages import TextPart
from replay_agent.models.openai import OpenAIModel

pytestmark = pytest.mark.anyio


def chunk(delta):
    body = {"id": "c", "created": 1735689600, "model": "m", "choices": [{"index": 0, "delta": delta}]}
    return f"data: {json.dumps(body)}\n\n".encode()


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in (chunk({"content": "Hi"}), chunk({"content": " there"}), b"data: [DONE]\n\n"):
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
            if self.server.goes_on.wait(0 if self.path.startswith("/whole") else 5):
                break
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def provider():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    server.goes_on = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.goes_on.set()
    server.shutdown()
    server.server_close()


async def test_a_stream_is_recorded_and_replayed(provider, tmp_path, hello, plain):
    model = OpenAIModel("m", base_url=f"{provider}/whole", api_key="k")
    for mode in ("once", "none"):
        with use_cassette(tmp_path / "c.yaml", mode) as run:
            async with model.request_stream(hello, None, plain) as response:
                assert [event async for event in response]
            assert response.get().parts == [TextPart("Hi there")]
        assert run.play_count == (mode == "none")


async def test_a_left_stream_is_recorded_and_replayed(provider, tmp_path, hello, plain):
    model = OpenAIModel("m", base_url=f"{provider}/slow", api_key="k")
    with anyio.fail_after(20):
        for mode in ("once", "none"):
            with use_cassette(tmp_path / "c.yaml", mode) as run:
                async with model.request_stream(hello, None, plain) as response:
                    await anext(aiter(response))
                assert response.get().parts == [TextPart("Hi")]
            assert run.play_count == (mode == "none")
            assert run.recording.misses == []
