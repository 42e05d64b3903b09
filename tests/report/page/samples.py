"""Traffic and reports that the tests of pages are made of."""

from __future__ import annotations

import base64
import json
import struct
import zlib

from replay_agent.report.page.report import (
    Conversation,
    Drift,
    Entry,
    Figures,
    Message,
    Picture,
    Piece,
    Raw,
    Report,
    Shift,
    Stretch,
    Table,
    Turn,
    Words,
)
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

URL = "https://api.openai.com/v1/chat/completions"
JSON = (("content-type", "application/json"),)


def png(width=2, height=3, size=None):
    """Return a picture; of another size than it says where one is given."""
    rows = b"".join(b"\x00" + b"\x80\x40\x20" * width for _ in range(height))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", *(size or (width, height)), 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def data_url(data, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def call(*messages, model="gpt-4o", **more):
    body = {"model": model, "messages": list(messages), **more}
    return Request("POST", URL, JSON, json.dumps(body).encode())


def system(text):
    return {"role": "system", "content": text}


def user(content):
    return {"role": "user", "content": content}


def tool_call(name, arguments, call_id="call_1"):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


def returned(content, call_id="call_1"):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def answer(said, *, model="gpt-4o", finish=None, tokens=(100, 10)):
    message = said if isinstance(said, dict) else {"role": "assistant", "content": said}
    finish = finish or ("tool_calls" if message.get("tool_calls") else "stop")
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }
    return Response(200, JSON, (Chunk(json.dumps(document).encode()),), reason="OK")


def streamed(*words, model="gpt-4o", step=100):
    """Return an answer that came word by word, so many milliseconds apart."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_780_000_000, "model": model}
    deltas = [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None} for word in words]
    events = [{**head, "choices": [delta]} for delta in deltas]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    texts = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"]
    chunks = tuple(Chunk(text.encode(), number * step) for number, text in enumerate(texts))
    return Response(200, (("content-type", "text/event-stream"),), chunks, reason="OK")


def refused(status=429, message="slow down"):
    return Response(status, JSON, (Chunk(json.dumps({"error": {"message": message}}).encode()),))


def cut_off():
    return Failure("ReadTimeout", Phase.HEAD, "timed out", after_ms=5_000)


def run_with_a_tool(question="Is it open?", prompt="Be brief.", recorded_at=None):
    """Return the traffic of two turns, the first of which calls a tool."""
    said = tool_call("opening_hours", {"city": "Utrecht"})
    first = [system(prompt), user(question)]
    return [
        Interaction(call(*first), answer(said), "tests/test_a.py::test_b", recorded_at),
        Interaction(
            call(*first, said, returned('{"open": "10:00"}')), answer("At ten."), "tests/test_a.py::test_b", recorded_at
        ),
    ]


def everything(text="a word", test="tests/test_a.py::test_b", pictures=True):
    """Return a report in which a text stands wherever a text can."""
    words = Words(text)
    raw = Raw(f"POST {text}", [(text, text)], words, f"200 {text}", [(text, text)], words)
    turn = Turn(
        1, text, 10, 2, "0.001", text, text, True, True, 900, 3, [(0, 5), (400, 9), (900, 2)], live=True, raw=raw
    )
    picture = [Picture("image/png", base64.b64encode(png()).decode(), 2, 3)] if pictures else []
    pieces = [
        Piece("text", words),
        Piece("thinking", words),
        Piece("thinking"),
        Piece("call", words, text, answer=words, failed=True, pictures=list(picture)),
        Piece("call", words, text, by_provider=True),
        Piece("return", words, text),
        Piece("retry", words),
        Piece("file", words, pictures=list(picture)),
        Piece("other", words),
    ]
    messages = [
        Message("system", [Piece("system", words)]),
        Message("user", [Piece("user", words)]),
        Message("assistant", pieces, turn),
    ]
    shift = Shift(text, [Stretch("same "), Stretch(text, changed=True)], None)
    drift = Drift(text, text, [text], [shift], text, text, text, text, [text], text, text)
    entry = Entry(
        test,
        "failed",
        1.5,
        text,
        Figures(1, 10, 2, "0.001"),
        Figures(1, 10, 2, "0.001"),
        [text, "gpt-4o"],
        [drift],
        words,
        [text],
        [Conversation(messages, [(text, text)]), Conversation(messages)],
        [(text, raw)],
        [text],
        text,
    )
    passed = Entry("tests/test_a.py::test_fine", "passed", 0.1, replayed=Figures(1, 10, 2, "0.001"), models=["gpt-4o"])
    return Report(
        text, "session", "2026-11-27T12:00:00Z", text, text, [text], [entry, passed], [Table(text, [[text], [text]])]
    )


def suite(count):
    """Return a report of many tests, a quarter of them failed, of some turns each, with one long prompt."""
    return Report(
        "suite", made_at="2026-11-27T12:00:00Z", made_by="replay-agent", entries=[*map(_one_of_many, range(count))]
    )


def _one_of_many(number):
    prompt = "You are the travel desk of a small museum. " * 100
    messages = [
        Message("system", [Piece("system", Words(prompt))]),
        Message("user", [Piece("user", Words(f"Question {number} of the suite, in some words. " * 4))]),
    ]
    for place in range(4):
        raw = Raw(
            f"POST {URL}",
            [*JSON],
            Words(f'{{"messages": "{number} {place}"}}' * 60),
            "200 OK",
            [*JSON],
            Words("x" * 900),
        )
        turn = Turn(
            place + 1,
            "gpt-4o",
            1_200,
            80,
            "0.0012",
            took_ms=400,
            chunks=30,
            pace=[(each * 10, 50) for each in range(30)],
            raw=raw,
        )
        pieces = [
            Piece("call", Words('{"city": "Utrecht"}'), "weather", answer=Words(f'{{"rain": {number}}}')),
            Piece("text", Words(f"Answer {number} of turn {place}. " * 12)),
        ]
        messages.append(Message("assistant", pieces, turn))
    return Entry(
        f"tests/test_{number // 40}.py::test_many[{number}]",
        "passed" if number % 4 else "failed",
        0.1,
        f"cassettes/test_{number}.yaml",
        Figures(4, 4_800, 320, "0.0048"),
        models=["gpt-4o"],
        conversations=[Conversation(messages)],
    )
