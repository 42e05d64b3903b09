"""Time to the first piece of a stream: while it is recorded, and without a recorder."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from itertools import chain
from pathlib import Path

from benchmarks.provider import PAUSE, provider
from benchmarks.targets import Figure

ROOT = Path(__file__).parents[1]

WORKER = """
import json, sys, time
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
    import vcr
    return vcr.use_cassette(path, record_mode="all")

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
plain, recorded = [], []
for _ in range(2):  # the first of each block is left out: it pays for connections, hooks and imports
    plain += [first_piece(number) for number in range(int(count) + 1)][1:]
    with recording():
        recorded += [first_piece(number) for number in range(int(count) + 1)][1:]
print(json.dumps([plain, recorded]))
"""

TOOLS = ("replay_agent", "cassetter", "vcrpy")


def table(folder: Path, rounds: int) -> tuple[str, list[Figure]]:
    """Return the table of milliseconds to the first piece, with and without a recorder by turns in one process."""
    rows = [f"ms to the first piece of a stream that pauses {PAUSE:.1f} s after it (median of {rounds * 10})"]
    figures = []
    with provider() as base:
        for tool, most in zip(TOOLS, (1.1, None, None), strict=True):
            turns = [_worker(tool, folder / f"{tool}.yaml", base, 5) for _ in range(rounds)]
            plain, recorded = (statistics.median(chain(*times)) for times in zip(*turns, strict=True))
            rows.append(f"  {tool:14} {recorded:8.2f} ms, without it {plain:8.2f} ms   {recorded / plain:6.2f}x")
            figures.append(Figure(f"time to the first piece, {tool} to no recorder", recorded / plain, most))
    return "\n".join(rows), figures


def _worker(*args: object) -> list[list[float]]:
    command = [sys.executable, "-c", WORKER, *map(str, args)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)
