"""CPU and memory to open one cassette and to play it in reverse, by its number of interactions and by its size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.provider import provider
from benchmarks.targets import Figure

ROOT = Path(__file__).parents[1]

WORKER = """
import json, resource, sys, time
import httpx
from benchmarks.provider import question

tool, path, base, count, kilobytes, action = sys.argv[1:]
count, kilobytes = int(count), int(kilobytes)
url = base + "/v1/chat/completions"

def asked(number):
    return {**question(number, 0), "kilobytes": kilobytes}

def opened(record):
    if tool == "replay_agent":
        from replay_agent import use_cassette
        return use_cassette(path, record_mode="rewrite" if record else "none")
    if tool == "cassetter":
        import cassetter
        return cassetter.use_cassette(path, record_mode="all" if record else "none", match_on=["method", "uri", "json_body"])
    import vcr
    return vcr.VCR(match_on=["method", "uri", "body"]).use_cassette(path, record_mode="all" if record else "none")

client = httpx.Client()
if action == "record":
    with opened(True):
        for number in range(count):
            client.post(url, json=asked(number))
else:
    with opened(False):  # imports and patches are paid here
        pass
    start = time.process_time()
    context = opened(False)
    context.__enter__()
    entered = time.process_time()
    first = client.post(url, json=asked(count - 1))
    answered = time.process_time()
    for number in reversed(range(count - 1)):
        answer = client.post(url, json=asked(number))
        assert f"Question {number}," in answer.text
    end = time.process_time()
    context.__exit__(None, None, None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    spent = entered - start, answered - entered, (end - answered) / max(count - 1, 1)
    print(json.dumps([*(each * 1000 for each in spent), peak]))
"""

TOOLS = ("replay_agent", "cassetter", "vcrpy")
MOST = {"cassetter": 1000, "vcrpy": 100}
"""Interactions beyond which a tool refuses the file (cassetter reads 250,000 YAML nodes) or takes many minutes."""


@dataclass(frozen=True)
class Played:
    """What one process spent: milliseconds of CPU, bytes at its peak, and the size of the cassette."""

    opening: float
    first: float
    then: float
    peak: int
    size: int


def _worker(*args: object) -> str:
    command = [sys.executable, "-c", WORKER, *map(str, args)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
    return done.stdout


def _played(folder: Path, tool: str, base: str, count: int, kilobytes: int = 0) -> Played:
    """Record a cassette with a tool, and play it in a fresh process."""
    path = folder / f"{tool}-{count}-{kilobytes}.yaml"
    _worker(tool, path, base, count, kilobytes, "record")
    opening, first, then, peak = json.loads(_worker(tool, path, base, count, kilobytes, "play"))
    return Played(opening, first, then, peak, path.stat().st_size)


def table(folder: Path, sizes: tuple[int, ...]) -> tuple[str, list[Figure]]:
    """Return the table by number of interactions, and what a request costs among the most beside among few."""
    rows = [f"{'interactions':>12}  {'tool':14} {'open ms':>9} {'first ms':>9} {'then ms a request':>18}"]
    ours = {}
    with provider() as base:
        for size in sizes:
            for tool in TOOLS:
                if size > MOST.get(tool, size):
                    continue
                spent = _played(folder, tool, base, size)
                rows.append(f"{size:12}  {tool:14} {spent.opening:9.2f} {spent.first:9.2f} {spent.then:18.3f}")
                if tool == "replay_agent":
                    ours[size] = spent.then or spent.first
    few, many = min(size for size in sizes if size > 1), max(sizes)
    return "\n".join(rows), [
        Figure(f"a request among {many:,} interactions, to one among {few:,}", ours[many] / ours[few], 1.5)
    ]


def big_table(folder: Path) -> tuple[str, list[Figure]]:
    """Return the table of large files: one of 10 MB opened and played by each tool, one of 100 MB by ours."""
    rows = [f"{'MB':>6}  {'tool':14} {'open ms':>9} {'first ms':>9} {'peak MB':>9}"]
    with provider() as base:
        ten = {tool: _played(folder, tool, base, 200, 50) for tool in TOOLS}
        hundred = _played(folder, "replay_agent", base, 380, 256)  # just below what a cassette may have
    for tool, spent in (*ten.items(), ("replay_agent", hundred)):
        rows.append(
            f"{spent.size / 1e6:6.1f}  {tool:14} {spent.opening:9.1f} {spent.first:9.2f} {spent.peak / 1e6:9.0f}"
        )
    ours = ten["replay_agent"].opening + ten["replay_agent"].first
    return "\n".join(rows), [
        *(
            Figure(f"opening 10 MB, with the first answer, to {tool}", ours / (spent.opening + spent.first), most)
            for (tool, spent), most in zip(ten.items(), (None, 1.0, None), strict=True)
            if tool != "replay_agent"
        ),
        Figure("peak memory of the process for a cassette of 100 MB, to the file", hundred.peak / hundred.size, 3.0),
    ]
