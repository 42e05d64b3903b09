"""CPU for each test of a generated suite, three model calls a test, replayed by each contender."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.provider import provider

ROOT = Path(__file__).parents[1]

CONFTEST = """
import json, os, time
import pytest

TIMES = []

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    start = time.process_time()
    result = yield
    TIMES.append(time.process_time() - start)
    return result

def pytest_sessionfinish(session):
    with open(os.environ["BENCH_TIMES"], "w") as file:
        json.dump(TIMES, file)

{config}
"""

MODULE = """
import json
import httpx
import pytest
from benchmarks.provider import answer, question

def mocked(request):
    return httpx.Response(200, json=answer(json.loads(request.content)))

{shared}

{mark}
@pytest.mark.parametrize("number", range({tests}))
def test_three_calls(number):
    {own}
    for turn in range(3):
        body = question(number, turn)
        response = client.post("{base}/v1/chat/completions", json=body, headers={{"authorization": "Bearer key"}})
        assert response.json()["choices"][0]["message"]["content"].endswith(body["messages"][-1]["content"])
"""

BODY_TOO = """
@pytest.fixture(scope="module")
def vcr_config():
    return {"match_on": ["method", "uri", "body"]}
"""


@dataclass(frozen=True)
class Contender:
    """A way to answer the suite's requests without a network."""

    name: str
    plugins: tuple[str, ...] = ()
    mark: str = ""
    client: str = "httpx.Client()"
    record: tuple[str, ...] = ()
    replay: tuple[str, ...] = ()
    config: str = ""


CONTENDERS = (
    Contender("MockTransport by hand", client="httpx.Client(transport=httpx.MockTransport(mocked))"),
    Contender(
        "replay_agent",
        ("replay_agent.pytest_plugin", "syrupy"),
        "@pytest.mark.replay",
        record=("--replay-mode=rewrite",),
    ),
    Contender("cassetter", ("cassetter.pytest_plugin",), "@pytest.mark.vcr", record=("--record-mode=all",)),
    Contender("vcrpy", ("pytest_recording.plugin",), "@pytest.mark.vcr", record=("--record-mode=rewrite",)),
    Contender(
        "vcrpy, body matched",
        ("pytest_recording.plugin",),
        "@pytest.mark.vcr",
        record=("--record-mode=rewrite",),
        config=BODY_TOO,
    ),
)


def measure(contender: Contender, folder: Path, base: str | None, *, tests: int, own: bool) -> None:
    """Write the contender's suite and record it."""
    folder.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(CONFTEST.replace("{config}", contender.config))
    client = f"client = {contender.client}"
    (folder / "test_suite.py").write_text(
        MODULE.format(
            shared="" if own else client,
            own=client if own else "pass",
            mark=contender.mark,
            tests=tests,
            base=base or "http://127.0.0.1:9",
        )
    )
    if contender.record:
        run(contender, folder, contender.record)


def run(contender: Contender, folder: Path, options: tuple[str, ...]) -> list[float]:
    """Run the suite in a fresh interpreter and return the CPU seconds of each test."""
    times = folder / "times.json"
    environ = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "BENCH_TIMES": str(times),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    plugins = [part for plugin in contender.plugins for part in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugins, *options, str(folder)]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender.name}: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return json.loads(times.read_text())


def table(folder: Path, *, tests: int, rounds: int) -> str:
    """Return the table of milliseconds of CPU for each test, and the ratios to ours."""
    rows = []
    for own in (False, True):
        made = {}
        with provider() as base:
            for contender in CONTENDERS:
                place = folder / f"{contender.name.replace(' ', '-').replace(',', '')}-{'own' if own else 'shared'}"
                measure(contender, place, base, tests=tests, own=own)
                made[contender] = place
        times: dict[str, list[float]] = {contender.name: [] for contender in CONTENDERS}
        for _ in range(rounds):
            for contender, place in made.items():
                times[contender.name].append(statistics.median(run(contender, place, contender.replay)[3:]) * 1000)
        medians = {name: statistics.median(values) for name, values in times.items()}
        ours = medians["replay_agent"]
        title = "each test makes its own client" if own else "one client for all tests"
        rows.append(f"{title}: CPU ms a test (median of {rounds} rounds, {tests} tests, 3 calls each)")
        rows += [f"  {name:24} {value:8.2f} ms   ours is {ours / value:5.2f}x of it" for name, value in medians.items()]
    return "\n".join(rows)
