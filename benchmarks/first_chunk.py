"""Time to the first piece of a stream: while it is recorded, and without a recorder."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.provider import PAUSE, provider
from benchmarks.targets import Figure

ROOT = Path(__file__).parents[1]

WORKER = """
import contextlib, json, sys, time
import httpx
from benchmarks.provider import question

tool, path, base, count = sys.argv[1:]

def recording():
    if tool == "replay_agent":
        from replay_agent import use_cassette
        return use_cassette(path, record_mode="rewrite")
    if tool == "cassetter":
        import cassetter
        return cassetter.use_cassette(path, record_mode="all")
    if tool == "vcrpy":
        import vcr
        return vcr.use_cassette(path, record_mode="all")
    return contextlib.nullcontext()

def first_piece(number):
    body = {**question(number, 0, "stream"), "pause": True}
    start = time.perf_counter()
    with client.stream("POST", base + "/v1/chat/completions", json=body) as response:
        pieces = response.iter_bytes()
        next(pieces)
        spent = time.perf_counter() - start
        for _ in pieces:
            pass
    return spent * 1000

client = httpx.Client()
with recording():
    print(json.dumps([first_piece(number) for number in range(int(count) + 2)][2:]))
"""

TOOLS = ("no recorder", "replay_agent", "cassetter", "vcrpy")


def table(folder: Path, rounds: int) -> tuple[str, list[Figure]]:
    """Return the table of milliseconds to the first piece; the provider pauses after it."""
    times: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    with provider() as base:
        for _ in range(rounds):
            for tool in TOOLS:
                times[tool] += _worker(tool, folder / f"{tool}.yaml", base, 10)
    medians = {tool: statistics.median(values) for tool, values in times.items()}
    plain = medians["no recorder"]
    rows = [f"ms to the first piece of a stream that pauses {PAUSE:.1f} s after it (median of {rounds * 10})"]
    rows += [f"  {tool:14} {value:8.2f} ms   {value / plain:6.2f}x" for tool, value in medians.items()]
    figures = [
        Figure(f"time to the first piece, {tool} to no recorder", medians[tool] / plain, most)
        for tool, most in zip(TOOLS[1:], (1.1, None, None), strict=True)
    ]
    return "\n".join(rows), figures


def _worker(*args: object) -> list[float]:
    command = [sys.executable, "-c", WORKER, *map(str, args)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)
