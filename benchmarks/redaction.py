"""Redaction and scan by the size of what is searched: time for each megabyte, and memory, on ordinary and on hostile text."""

from __future__ import annotations

import base64
import json
import random
import re
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

from benchmarks.targets import Figure
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.recording.redaction.scanning import scan
from replay_agent.traffic import Chunk, Interaction, Request, Response

SIZES = (10_000, 100_000, 10_000_000)
_MEASURED_IN_MEMORY = 200_000
"""Bytes of the body whose peak is measured: small enough that what a step takes at least shows."""
MOST_GROWTH, MOST_MEMORY = 2.0, 6.0
_WARM = 100_000
"""A megabyte of a large text to one of a small one, in time; and the peak of memory to the text itself."""
_SHORTEST = 0.05
"""Seconds that a measurement takes at least; of a small text several rounds are measured, each of another text: what was
seen before is known again.
"""
_WITHIN = re.compile(rb"(?<=[A-Za-z0-9])(?=[A-Za-z0-9])")

JSON_TYPE, STREAM_TYPE = "application/json", "text/event-stream"
_WORDS = [
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
    "the",
    "key",
    "of",
    "a",
    "door",
    "and",
    "a",
    "token",
    "per",
    "page",
    "in",
    "2024",
]


def _prose(size: int) -> bytes:
    words = random.Random(1).choices(_WORDS, k=size // 5)
    text = " ".join(words).replace(" of ", " of\n")
    return json.dumps({"messages": [{"role": "user", "content": text}]}).encode()


def _stream(size: int) -> bytes:
    event = {"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": {"content": "word "}}]}
    line = b"data: " + json.dumps(event).encode() + b"\n\n"
    return line * (size // len(line) + 1)


def _picture(size: int) -> bytes:
    return json.dumps({"data": base64.b64encode(random.Random(2).randbytes(size * 3 // 4)).decode()}).encode()


def _nested(size: int) -> bytes:
    value = json.dumps([{"path": "a/b.py", "text": 'print("hello")\n'}] * (size // 90))
    return json.dumps({"arguments": json.dumps({"output": value})}).encode()


def _repeated(piece: bytes, before: bytes = b'{"a":"', after: bytes = b'"}') -> Callable[[int], bytes]:
    return lambda size: before + piece * (size // len(piece)) + after


def _distinct(size: int) -> bytes:
    """Secrets of which no two are alike: each is looked for from then on."""
    return (
        b'{"a":"'
        + b"".join(b"api_key=Qz7Lk9Wm3PvXt5Rb2N%d\\n" % (number * 7919) for number in range(size // 36))
        + b'"}'
    )


def _named(size: int) -> bytes:
    """The same with another name before each: as many rules as secrets."""
    lines = (b"n%d_api_key=Qz7Lk9Wm3PvXt5Rb2N%d\\n" % (number * 7919, number * 7919) for number in range(size // 48))
    return b'{"a":"' + b"".join(lines) + b'"}'


def _escaped(size: int) -> bytes:
    """The same with an escape in each: none stands in the text as it is looked for."""
    lines = (b"api_key=Qz7Lk9Wm3\\u0050vXt5Rb2N%d\\n" % (number * 7919) for number in range(size // 42))
    return b'{"a":"' + b"".join(lines) + b'"}'


_ORDINARY: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "prose": (JSON_TYPE, _prose),
    "stream": (STREAM_TYPE, _stream),
    "picture": (JSON_TYPE, _picture),
    "nested JSON": (JSON_TYPE, _nested),
}
HOSTILE: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "sk-": (JSON_TYPE, _repeated(b"sk-")),
    "eyJ.": (JSON_TYPE, _repeated(b"eyJ.")),
    "PEM heads": (JSON_TYPE, _repeated(b"-----BEGIN PRIVATE KEY-----")),
    "://a:": (JSON_TYPE, _repeated(b"://a:")),
    "backslashes": (JSON_TYPE, _repeated(b"\\", b'{"token":"x","a":"')),
    "line ends": (JSON_TYPE, _repeated(b"\\n")),
    "%25": (JSON_TYPE, _repeated(b"%2525252541")),
    "marks": (JSON_TYPE, _repeated(b'"', b"{")),
    "brackets": (JSON_TYPE, _repeated(b"[", b'{"secret":', b"")),
    "names": (JSON_TYPE, _repeated(b'"secret":{', b"{", b"")),
    "texts in a list": (JSON_TYPE, _repeated(b'"a",', b"[[", b"")),
    "events": (STREAM_TYPE, _repeated(b'data: ["a"]\n', b"", b"")),
    "blanks in headers": (JSON_TYPE, _repeated(b" ", b'{"type":"mcp","headers": {', b"}}")),
    "form fields": ("application/x-www-form-urlencoded", _repeated(b"key=a&", b"", b"")),
    "parts": ("multipart/form-data; boundary=b", _repeated(b'name="token"\r\n', b"--b\r\n", b"")),
    "elements": ("text/xml", _repeated(b"<secret>", b"", b"")),
    "options": (JSON_TYPE, _repeated(b"-u a:")),
    "sentences": (JSON_TYPE, _repeated(b"my api key is ")),
    "heads of gzip": ("application/octet-stream", _repeated(b"\x1f\x8b\x08", b"", b"")),
    "distinct secrets": (JSON_TYPE, _distinct),
    "a name for each secret": (JSON_TYPE, _named),
    "an escape in each secret": (JSON_TYPE, _escaped),
    "heads of tables": ("text/csv", _repeated(b"a,api_key\n", b"", b"")),
    "rows": ("text/csv", _repeated(b"a,b1\n", b"name,api_key\n", b"")),
    "rows of JSON": (JSON_TYPE, _repeated(b'[1,"b"],', b'[["n","api_key"],')),
    "pairs": (JSON_TYPE, _repeated(b'"name":"api_key",', b"{", b"}")),
    "no width": ("text/plain", _repeated("\u200b".encode(), b"", b"")),
    "octal": ("text/plain", _repeated(b"\\101", b"", b"")),
    "mail": ("text/plain", _repeated(b"=3D", b"", b"")),
    "hexadecimal": ("text/plain", _repeated(b"61", b"", b"")),
    "bytes": (JSON_TYPE, _repeated(b"97,", b"[", b"97]")),
    "comments": (JSON_TYPE, _repeated(b'"key"/*', b"{", b"}")),
    "heads of zip": ("application/octet-stream", _repeated(b"PK\x03\x04", b"", b"PK\x05\x06")),
    "cookies": ("text/plain", _repeated(b"a=b; ", b"Cookie: ", b"")),
    "base64 lines": ("text/plain", _repeated(b"QUJD" * 19 + b"\n", b"", b"")),
}


_SCANNED = {name: HOSTILE[name] for name in ("sk-", "line ends", "rows", "options")} | {
    "blanks": ("", lambda size: b"    text: a" + b" " * size + b"b\n")
}


def table() -> tuple[str, list[Figure]]:
    """Return the table of milliseconds for each megabyte by size, and the figures that are promised of it."""
    rows = [f"ms a MB to redact, at {', '.join(f'{size / 1e6:g}' for size in SIZES)} MB; peak of memory to the body"]
    figures: list[Figure] = []
    for name, (kind, make) in {**_ORDINARY, **HOSTILE}.items():
        times, memory = _of_redaction(kind, make)
        rows.append(_row(name, times, memory))
        figures.append(
            Figure(f"redaction of {name}: a MB of 10 MB to one of 100 kB", times[-1] / times[1], MOST_GROWTH)
        )
        figures.append(Figure(f"redaction of {name}: memory to the body", memory, MOST_MEMORY))
    rows.append("ms a MB to scan, at the same sizes; peak of memory to the text")
    for name, (_, make) in {**_ORDINARY, **_SCANNED}.items():
        times = [_time(lambda body: partial(scan, body, environ={}), make(size)) for size in SIZES]
        memory = _peak(partial(scan, make(_MEASURED_IN_MEMORY), environ={})) / _MEASURED_IN_MEMORY
        rows.append(_row(name, times, memory))
        figures.append(Figure(f"scan of {name}: a MB of 10 MB to one of 100 kB", times[-1] / times[1], MOST_GROWTH))
        figures.append(Figure(f"scan of {name}: memory to the text", memory, MOST_MEMORY))
    return "\n".join(rows), figures


def _of_redaction(kind: str, make: Callable[[int], bytes]) -> tuple[list[float], float]:
    times = [_time(partial(_redaction, kind), make(size)) for size in SIZES]
    body = make(_MEASURED_IN_MEMORY)
    return times, _peak(_redaction(kind, body)) / len(body)


def _peak(work: Callable[[], object]) -> int:
    """Return the most bytes that were taken at a time."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _redaction(kind: str, body: bytes) -> Callable[[], object]:
    answer = Response(200, (("content-type", kind),), (Chunk(body),))
    interaction = Interaction(Request("POST", "https://a.example/v1", (), b"{}"), answer)
    return lambda: Redactor(environ={}).interaction(interaction)


def _time(work: Callable[[bytes], Callable[[], object]], body: bytes) -> float:
    """Return the milliseconds of processor time for each megabyte."""
    size = len(body)
    bodies = map(partial(_another, body), count())
    if size <= 2 * _WARM:
        work(next(bodies))()
    spent, rounds = 0.0, 0
    while spent < _SHORTEST:
        once = work(next(bodies))
        start = time.process_time()
        once()
        spent += time.process_time() - start
        rounds += 1
    return spent / rounds / size * 1e9


def _another(body: bytes, number: int) -> bytes:
    """Return a body with four digits more in its middle, within a word if there are words."""
    middle = len(body) // 2
    found = _WITHIN.search(body, middle)
    place = found.start() if found else middle
    return body[:place] + b"%04d" % number + body[place:]


def _row(name: str, times: Sequence[float], memory: float | None = None) -> str:
    peak = "" if memory is None else f"  {memory:5.1f}x"
    return f"  {name:20} {''.join(f'{each:9.1f}' for each in times)}{peak}"
