"""Makes the pictures of docs/images that show the page: ``python docs/pictures/page.py``. Needs chromium, and no network.

A small project is recorded from a stand-in for two providers on loopback, its prompt is changed, and its page is opened.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

IMAGES = Path(__file__).parents[1] / "images"
KEY = "sk-pictures-0123456789abcdef0123456789"

APP = '''
    """A travel agent, small enough for a picture."""

    import json
    import os

    import httpx

    SYSTEM = """You are the travel desk of a small museum.
    Use the tools for every number; never guess.
    Answer in one sentence."""
    BASE = os.environ.get("DESK_BASE", "{base}")
    TOOLS = [
        {{"type": "function", "function": {{"name": name, "description": said, "parameters": {{"type": "object",
         "properties": {{"city": {{"type": "string"}}}}}}}}}}
        for name, said in [("opening_hours", "Opening hours of a museum, by city."), ("weather", "Tomorrow's weather.")]
    ]

    def opening_hours(city):
        return {{"city": city, "open": "10:00", "close": "18:00", "closed": ["Monday"]}}

    def weather(city):
        return {{"city": city, "sky": "light rain", "celsius": 14}}

    def chat(body):
        headers = {{"authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", "")}}
        with httpx.Client(timeout=5) as client:
            return client.post(BASE + "/v1/chat/completions", json=body, headers=headers).json()["choices"][0]["message"]

    def ask(question, model="gpt-4o"):
        messages = [{{"role": "system", "content": SYSTEM}}, {{"role": "user", "content": question}}]
        while True:
            said = chat({{"model": model, "messages": messages, "tools": TOOLS}})
            messages.append(said)
            if not said.get("tool_calls"):
                return said["content"]
            for call in said["tool_calls"]:
                function = globals()[call["function"]["name"]]
                result = function(**json.loads(call["function"]["arguments"]))
                messages.append({{"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)}})

    def say(question, model):
        return chat({{"model": model, "messages": [{{"role": "user", "content": question}}]}})["content"]

    def look(picture):
        content = [{{"type": "text", "text": "What is on this ticket?"}}, {{"type": "image_url", "image_url": {{"url": picture}}}}]
        return chat({{"model": "gpt-4o", "messages": [{{"role": "user", "content": content}}]}})["content"]

    def plan(question):
        body = {{"model": "claude-sonnet-4-5", "max_tokens": 2000, "thinking": {{"type": "enabled", "budget_tokens": 1024}},
                "stream": True, "system": SYSTEM, "messages": [{{"role": "user", "content": question}}]}}
        headers = {{"x-api-key": os.environ.get("ANTHROPIC_API_KEY", ""), "anthropic-version": "2023-06-01"}}
        with httpx.Client(timeout=5) as client, client.stream("POST", BASE + "/v1/messages", json=body, headers=headers) as answer:
            return "".join(answer.iter_lines())
'''

DESK = """
    import pytest
    from app import ask, look, plan
    from ticket import TICKET

    pytestmark = pytest.mark.replay

    def test_hours():
        assert "10:00" in ask("When does the museum in Utrecht open?")

    def test_umbrella():
        assert "umbrella" in ask("Do I need an umbrella in Utrecht tomorrow, and is the museum open?")

    def test_monday():
        assert "closed" in ask("Can I come on Monday to the museum in Utrecht?")

    def test_ticket():
        assert "Utrecht" in look(TICKET)

    def test_itinerary():
        assert "museum" in plan("Plan me a day in Utrecht.")

    @pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-mini", "gpt-4.1"])
    def test_greeting(model):
        assert "Welcome" in ask("Say hello.", model)
"""

BILLING = """
    import pytest
    from app import say

    @pytest.mark.replay
    def test_price():
        assert say("What is a ticket?", "gpt-4.1-mini") == "A ticket is 14 euros."

    def test_rounding():
        assert round(13.999, 2) == 14.0

    @pytest.mark.skip(reason="prices of 2027 are not known yet")
    def test_next_year():
        raise AssertionError
"""

PLAN = (
    "Start at ten in the museum, when it is quiet; have lunch by the Oude Gracht; climb the Dom tower at three, "
    "and take the train home before the rain."
)


def ticket() -> str:
    """Return a small picture as a data URL: a striped ticket."""
    width, height = 180, 72
    rows = b"".join(b"\x00" + b"".join(_pixel(x, y, width, height) for x in range(width)) for y in range(height))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    ]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _pixel(x: int, y: int, width: int, height: int) -> bytes:
    if x < 3 or y < 3 or x >= width - 3 or y >= height - 3:
        return b"\x8a\x3b\x2f"
    if abs(x - 130) < 2 and y % 8 < 5:
        return b"\xb9\x8a\x7c"
    if 20 < x < 100 and y in (*range(18, 24), *range(34, 38), *range(46, 50)):
        return b"\x5b\x4a\x46"
    return b"\xf3\xe6\xd3" if (x + y) // 9 % 2 else b"\xf6\xec\xdd"


class Provider(BaseHTTPRequestHandler):
    """Chat completions, and messages with thinking as a stream."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/messages"):
            self._stream(body)
        else:
            answer = json.dumps(completion(body)).encode()
            self._head("application/json", len(answer))
            self.wfile.write(answer)

    def _head(self, kind: str, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("x-request-id", "req_0123456789abcdef")
        self.send_header("connection", "close")
        if length is not None:
            self.send_header("content-length", str(length))
        self.end_headers()

    def _stream(self, body: dict[str, object]) -> None:
        self._head("text/event-stream")
        for number, event in enumerate(events(str(body["model"]))):
            time.sleep(0.004 if number % 9 else 0.11)
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True


def events(model: str) -> Iterator[dict[str, object]]:
    usage = {"input_tokens": 214, "output_tokens": 1}
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    yield {"type": "message_start", "message": message}
    thought = "The museum opens at ten and is emptiest then. Rain is expected in the evening, so the tower comes first."
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}
    for word in thought.split(" "):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": f"{word} "}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}
    for word in PLAN.split(" "):
        yield {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": f"{word} "}}
    yield {"type": "content_block_stop", "index": 1}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 96}}
    yield {"type": "message_stop"}


def completion(body: dict[str, object]) -> dict[str, object]:
    messages: list[dict[str, object]] = body["messages"]  # type: ignore[assignment]
    said = answer_to(messages)
    message: dict[str, object] = {"role": "assistant", "content": said if isinstance(said, str) else None}
    if not isinstance(said, str):
        message["tool_calls"] = [
            {
                "id": f"call_{name}_{len(messages)}",
                "type": "function",
                "function": {"name": name, "arguments": '{"city": "Utrecht"}'},
            }
            for name in said
        ]
    length = len(json.dumps(messages)) // 4
    return {
        "id": "chatcmpl-0123456789",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": body["model"],
        "choices": [
            {"index": 0, "message": message, "finish_reason": "stop" if isinstance(said, str) else "tool_calls"}
        ],
        "usage": {"prompt_tokens": length, "completion_tokens": 24, "total_tokens": length + 24},
    }


def answer_to(messages: list[dict[str, object]]) -> str | list[str]:
    question = next(json.dumps(each["content"]) for each in messages if each["role"] == "user")
    done = any(each["role"] == "tool" for each in messages)
    for word, tools, text in (
        (
            "umbrella",
            ["weather", "opening_hours"],
            "Take an umbrella: light rain at 14 degrees, and the museum is open from 10:00 to 18:00.",
        ),
        ("Monday", ["opening_hours"], "The museum in Utrecht is closed on Mondays."),
        ("open", ["opening_hours"], "The museum in Utrecht opens at 10:00."),
        ("hello", [], "Welcome to the museum."),
        ("this ticket", [], "One adult, museum of Utrecht, row 4."),
    ):
        if word in question:
            return text if done or not tools else tools
    return "A ticket is 14 euros."


@contextmanager
def providing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def made_pages(folder: Path) -> tuple[Path, Path]:
    """Record a project in a folder, change its prompt, and return its page before and after."""
    with providing() as base:
        files = {"app.py": APP.format(base=base), "tests/test_desk.py": DESK, "tests/test_billing.py": BILLING}
        for name, source in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(source).lstrip("\n"), "utf-8")
        (folder / "ticket.py").write_text(f"TICKET = {ticket()!r}\n", "utf-8")
        (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n", "utf-8")
        run(folder, "--replay-mode=once", OPENAI_API_KEY=KEY, ANTHROPIC_API_KEY=KEY)
    run(folder, "--replay-report=passed.html")
    app = folder / "app.py"
    text = app.read_text("utf-8").replace("Answer in one sentence.", "Be warm, and answer in two short sentences.")
    app.write_text(text, "utf-8")
    billing = folder / "tests" / "test_billing.py"
    billing.write_text(billing.read_text("utf-8").replace("is 14 euros", "is 15 euros"), "utf-8")
    run(folder, "--replay-report=drifted.html")
    return folder / "passed.html", folder / "drifted.html"


def run(folder: Path, *words: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)


def main() -> None:
    """Make all pictures."""
    from playwright.sync_api import sync_playwright

    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch) / "museum"
        folder.mkdir()
        passed, drifted = made_pages(folder)
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, page, test, width, height, scheme in (
            ("page-list", passed, "", 1100, 620, "light"),
            ("page-timeline", passed, "tests/test_desk.py::test_umbrella", 1100, 700, "light"),
            ("page-stream", passed, "tests/test_desk.py::test_itinerary", 1100, 620, "dark"),
            ("page-drift", drifted, "", 1100, 820, "light"),
            ("page-drift-dark", drifted, "", 1100, 820, "dark"),
            ("page-phone", drifted, "", 390, 800, "light"),
        ):
            context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            tab = context.new_page()
            tab.goto(f"{page.as_uri()}{'#' + test if test else ''}")
            tab.screenshot(path=IMAGES / f"{name}.png")
            context.close()
        chromium.close()


if __name__ == "__main__":
    main()
