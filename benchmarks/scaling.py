"""CPU to open one cassette and to play it in reverse, by its number of interactions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.provider import provider

ROOT = Path(__file__).parents[1]

WORKER = """
import json, sys, time
import httpx
from benchmarks.provider import question

tool, path, base, count, action = sys.argv[1:]
count = int(count)
url = base + "/v1/chat/completions"

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
            client.post(url, json=question(number, 0))
else:
    with opened(False):  # imports and patches are paid here
        pass
    start = time.process_time()
    context = opened(False)
    context.__enter__()
    entered = time.process_time()
    first = client.post(url, json=question(count - 1, 0))
    answered = time.process_time()
    for number in reversed(range(count - 1)):
        answer = client.post(url, json=question(number, 0))
        assert f"Question {number}," in answer.text
    end = time.process_time()
    context.__exit__(None, None, None)
    print(json.dumps([(entered - start) * 1000, (answered - entered) * 1000, (end - answered) * 1000 / max(count - 1, 1)]))
"""

TOOLS = ("replay_agent", "cassetter", "vcrpy")


def _worker(*args: object) -> str:
    command = [sys.executable, "-c", WORKER, *map(str, args)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
    return done.stdout


def table(folder: Path, sizes: tuple[int, ...]) -> str:
    """Return the table; vcrpy is left out above 1,000 interactions, where it takes many minutes."""
    rows = [f"{'interactions':>12}  {'tool':14} {'open ms':>9} {'first ms':>9} {'then ms a request':>18}"]
    with provider() as base:
        for size in sizes:
            for tool in TOOLS:
                if tool == "vcrpy" and size > 100:
                    continue
                path = folder / f"{tool}-{size}.yaml"
                _worker(tool, path, base, size, "record")
                opening, first, then = json.loads(_worker(tool, path, base, size, "play"))
                rows.append(f"{size:12}  {tool:14} {opening:9.2f} {first:9.2f} {then:18.3f}")
    return "\n".join(rows)
