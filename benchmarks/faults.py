"""What a fault costs on a script: wall time of one call, by fault and client, and CPU of a sweep over a run of five turns."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import openai

from benchmarks.targets import Figure
from replay_agent import tool_call
from replay_agent.faults import FAULTS
from replay_agent.provider.script import Script
from replay_agent.recording.clients import intercept

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
NAMES = [name for name in FAULTS if name != "http_status"]
OF_TOOLS = "bad_tool_json", "unknown_tool", "invalid_arguments", "duplicate_call_id"
_MOST_MS = 50
"""What a fault may take, a stall of half a minute too."""
_MOST_SWEEP = 10
"""Seconds of CPU that a sweep of five turns may take, interpreter and imports and all."""

RUN = """
    import httpx, pytest
    from replay_agent import tool_call

    TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"place": {"type": "string"}}}}}]

    def ask(messages):
        for attempt in range(3):
            try:
                response = httpx.post("https://api.openai.com/v1/chat/completions",
                                      json={"model": "gpt-4o", "messages": messages, "tools": TOOLS})
                response.raise_for_status()
                choice = response.json()["choices"][0]
                if choice["finish_reason"] not in ("stop", "tool_calls"):
                    raise ValueError(choice["finish_reason"])
                return choice["message"]
            except (httpx.TransportError, httpx.HTTPStatusError):
                if attempt == 2:
                    raise

    @pytest.mark.replay%s
    def test_run(provider):
        provider.reply(*[tool_call("look", place=str(turn)) for turn in range(4)], "Nothing is there.")
        messages = [{"role": "user", "content": "Look everywhere."}]
        for turn in range(5):
            message = ask(messages)
            if not message.get("tool_calls"):
                if not message["content"]:
                    raise ValueError("an empty answer")
                return message["content"]
            messages.append(message)
            calls = message["tool_calls"]
            if [call["function"]["name"] for call in calls] != ["look"] or "place" not in calls[0]["function"]["arguments"]:
                raise ValueError(calls)
            messages.append({"role": "tool", "tool_call_id": calls[0]["id"], "content": "nothing"})
        raise ValueError("no end")
"""


def _by_httpx(stream: bool) -> None:
    with httpx.Client(timeout=60) as client:
        client.post("https://api.openai.com/v1/chat/completions", json={**BODY, "stream": stream})


def _by_openai(stream: bool) -> None:
    with openai.OpenAI(api_key="sk-none", max_retries=2, timeout=60) as client:
        answer = client.chat.completions.create(**BODY, stream=stream)
        if stream:
            list(answer)


CLIENTS = {"httpx": _by_httpx, "openai": _by_openai}


def _milliseconds(client, name: str, rounds: int = 5) -> float:
    """Return the least wall time of one call that a fault strikes, tried again where the client does so."""
    least = float("inf")
    for _ in range(rounds):
        script = Script([tool_call("look", place="Oslo") if name in OF_TOOLS else "one two three four five"] * 2)
        script.allow("unoffered_tools")
        script.fault(name)
        begun = time.perf_counter()
        with intercept.responding(script):
            for stream in (False, True):
                try:
                    client(stream)
                except Exception:  # noqa: BLE001 - what it raises is not the question here
                    continue
        least = min(least, time.perf_counter() - begun)
    return least * 1000 / 2


def _sweep_seconds(folder: Path) -> tuple[int, float]:
    """Return how many runs a sweep of five turns takes, and its CPU."""
    folder.mkdir(parents=True, exist_ok=True)
    module = folder / "test_swept.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-rP",
        "--rootdir",
        str(folder),
        str(module),
    ]
    module.write_text(textwrap.dedent(RUN % ""), "utf-8")
    subprocess.run([*command, "--replay-mode=once"], cwd=folder, check=True, capture_output=True)
    module.write_text(textwrap.dedent(RUN % '(sweep="all")'), "utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    counts = re.search(r"(\d+) recovered, (\d+) failed loudly, (\d+) silently wrong, (\d+) hung", told.stdout)
    if counts is None:
        raise RuntimeError(f"the sweep told no verdicts:\n{told.stdout}")
    return sum(map(int, counts.groups())), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(folder: Path) -> tuple[str, list[Figure]]:
    """Return the table, and the longest fault and the sweep beside what is promised."""
    intercept.install()
    try:
        times = {name: {client: _milliseconds(ask, name) for client, ask in CLIENTS.items()} for name in NAMES}
    finally:
        intercept.uninstall()
    rows = [f"  {name:20}" + "".join(f"{ms:10.1f}" for ms in row.values()) for name, row in times.items()]
    runs, seconds = _sweep_seconds(folder)
    head = "one call that a fault strikes, ms of wall time\n" + " " * 22 + "".join(f"{name:>10}" for name in CLIENTS)
    longest = max(ms for row in times.values() for ms in row.values())
    text = "\n".join([head, *rows, f"sweep of a run of five turns: {runs} runs, {seconds:.1f} s of CPU", ""])
    return text, [
        Figure(f"a fault, the longest of {len(NAMES)}, in ms", longest, _MOST_MS),
        Figure(f"sweep of five turns, {runs} runs, in seconds of CPU", seconds, _MOST_SWEEP),
    ]
