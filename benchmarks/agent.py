"""CPU of a thousand concurrent runs of one agent with two tools, no network: ours beside pydantic-ai."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.targets import Figure

ROOT = Path(__file__).parents[1]

WORKER = """
import json, sys, time
import anyio

library, backend, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
if library == "replay_agent":
    from replay_agent import Agent, ModelRetry, RunContext
    from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
    from replay_agent.models.function import FunctionModel
else:
    from pydantic_ai import Agent, ModelRetry, RunContext
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

def model(messages, info):
    number = int(messages[0].parts[-1].content)
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("double", {"n": number}, "a"), ToolCallPart("shy", {"n": number}, "b")])
    if len(messages) == 3:
        return ModelResponse(parts=[ToolCallPart("shy", {"n": number}, "c")])
    doubled = next(p.content for m in messages for p in m.parts if getattr(p, "tool_name", "") == "double" and p.part_kind == "tool-return")
    return ModelResponse(parts=[TextPart(f"{doubled}")])

agent = Agent(FunctionModel(model), retries=1)

@agent.tool_plain
async def double(n: int) -> int:
    return 2 * n

@agent.tool
async def shy(ctx: RunContext, n: int) -> str:
    if ctx.retry == 0:
        raise ModelRetry("once more")
    return "well"

async def one(number, results):
    result = await agent.run(str(number))
    usage = result.usage
    results[number] = (result.output, (usage() if library == "replay_agent" else usage).requests)

async def main():
    warm = {}
    await one(0, warm)
    results = {}
    start = time.process_time()
    async with anyio.create_task_group() as group:
        for number in range(runs):
            group.start_soon(one, number, results)
    spent = time.process_time() - start
    wrong = [(n, results[n]) for n in range(runs) if results[n] != (str(2 * n), 3)]
    assert not wrong, wrong[:3]
    print(json.dumps(spent / runs * 1000))

anyio.run(main, backend=backend)
"""

RUNS = (("replay_agent", "asyncio"), ("replay_agent", "trio"), ("pydantic-ai", "asyncio"))


def table(runs: int, rounds: int) -> tuple[str, list[Figure]]:
    """Return the table; every run is checked for its answer, its own usage and its own retry."""
    rows = [f"{runs:,} concurrent runs of one agent, two tools, one retry: CPU ms a run (best of {rounds})"]
    best = {run: min(_worker(*run, runs) for _ in range(rounds)) for run in RUNS}
    rows += [f"  {library:14} {backend:8} {spent:7.2f} ms" for (library, backend), spent in best.items()]
    ours, theirs = best["replay_agent", "asyncio"], best["pydantic-ai", "asyncio"]
    return "\n".join(rows), [Figure("a run of an agent among 1,000, to pydantic-ai", ours / theirs)]


def _worker(library: str, backend: str, runs: int) -> float:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WORKER, library, backend, str(runs)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{library} on {backend}:\n{done.stdout}{done.stderr}")
    return float(json.loads(done.stdout))
