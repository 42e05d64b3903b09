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
from benchmarks.targets import Figure

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
from benchmarks.provider import answer, events, question

def mocked(request):
    body = json.loads(request.content)
    return httpx.Response(200, content=b"".join(events(body))) if "stream" in body else httpx.Response(200, json=answer(body))

def asked(client, body):
    headers = {{"authorization": "Bearer key"}}
    if "stream" not in body:
        response = client.post("{base}/v1/chat/completions", json=body, headers=headers)
        return response.json()["choices"][0]["message"]["content"]
    with client.stream("POST", "{base}/v1/chat/completions", json=body, headers=headers) as response:
        found = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {{")]
    return "".join(chunk["choices"][0]["delta"]["content"] for chunk in found)

{shared}

{mark}
@pytest.mark.parametrize("number", range({tests}))
def test_three_calls(number):
    {own}
    for turn in range(3):
        body = question(number, turn, "{kind}")
        assert body["messages"][-1]["content"] in asked(client, body)
"""

_BODY_TOO = """
@pytest.fixture(scope="module")
def vcr_config():
    return {"match_on": ["method", "uri", "body"]}
"""

# Of streams the others hand a recorded body over as one piece, ours comes in the pieces of the recording.
SETTINGS = {
    "one client for all tests": ("chat", False),
    "one client, histories of 20 KB": ("history", False),
    "one client, streams of 60 events": ("stream", False),
    "each test makes its own client": ("chat", True),
}
"""What is asked for, and whether each test makes its own client."""


@dataclass(frozen=True)
class Contender:
    """A way to answer the suite's requests without a network."""

    name: str
    plugins: tuple[str, ...] = ()
    mark: str = ""
    client: str = "httpx.Client()"
    record: tuple[str, ...] = ()
    config: str = ""

    @property
    def folder(self) -> str:
        """A name for its folder."""
        return self.name.replace(" ", "-").replace(",", "")


NATIVE, DROP_IN, DROP_IN_BODY = "replay_agent", "replay_agent, mark vcr", "replay_agent, mark vcr, body matched"
OURS = (("replay_agent.pytest_plugin", "syrupy"),)
VCRPY = ("pytest_recording.plugin",)

CONTENDERS = (
    Contender("MockTransport by hand", client="httpx.Client(transport=httpx.MockTransport(mocked))"),
    Contender(NATIVE, *OURS, "@pytest.mark.replay", record=("--replay-mode=rewrite",)),
    Contender(DROP_IN, *OURS, "@pytest.mark.vcr", record=("--record-mode=rewrite",)),
    Contender(DROP_IN_BODY, *OURS, "@pytest.mark.vcr", record=("--record-mode=rewrite",), config=_BODY_TOO),
    Contender("cassetter", ("cassetter.pytest_plugin",), "@pytest.mark.vcr", record=("--record-mode=all",)),
    Contender("vcrpy", VCRPY, "@pytest.mark.vcr", record=("--record-mode=rewrite",)),
    Contender(
        "vcrpy, body matched",
        VCRPY,
        "@pytest.mark.vcr",
        record=("--record-mode=rewrite",),
        config=_BODY_TOO,
    ),
)
SHARED, LONG, STREAMED, OWN = SETTINGS
PROMISED = {
    (SHARED, NATIVE, "cassetter"): 0.7,
    (SHARED, NATIVE, "MockTransport by hand"): 1.25,
    (LONG, NATIVE, "cassetter"): 1.0,
    (STREAMED, NATIVE, "cassetter"): 1.0,
    (OWN, NATIVE, "cassetter"): 0.25,
    (OWN, NATIVE, "vcrpy"): 0.15,
    **{(SHARED, name, "cassetter"): 1.0 for name in (DROP_IN, DROP_IN_BODY)},
    **{(OWN, name, "cassetter"): 0.25 for name in (DROP_IN, DROP_IN_BODY)},
    (SHARED, DROP_IN, "vcrpy"): 1.0,
    (SHARED, DROP_IN_BODY, "vcrpy, body matched"): 1.0,
}
"""The most that a test may cost, by setting, of ours to another."""


def measure(contender: Contender, folder: Path, base: str, *, tests: int, own: bool, kind: str = "chat") -> None:
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
            base=base,
            kind=kind,
        )
    )
    if contender.record:
        run(contender, folder, contender.record)


def run(contender: Contender, folder: Path, options: tuple[str, ...] = ()) -> list[float]:
    """Run the suite in a fresh interpreter and return the CPU seconds of each test."""
    session(contender, folder, options)
    return json.loads((folder / "times.json").read_text())


def session(
    contender: Contender, folder: Path, options: tuple[str, ...] = (), under: tuple[str, ...] = (), **environ: str
) -> str:
    """Run the suite in a fresh interpreter, ``under`` another program, and return what is printed."""
    environ = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "BENCH_TIMES": str(folder / "times.json"),
        "PYTHONPATH": str(ROOT),
        **environ,
    }
    plugins = [part for plugin in contender.plugins for part in ("-p", plugin)]
    command = [
        *(*under, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *(*plugins, *options, str(folder)),
    ]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender.name}: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def table(folder: Path, *, tests: int, rounds: int) -> tuple[str, list[Figure]]:
    """Return the table of milliseconds of CPU for each test, and the ratios of ours to the others."""
    rows, figures = [], []
    for title, (kind, own) in SETTINGS.items():
        place = folder / title.replace(" ", "-").replace(",", "")
        medians = _medians(place, tests=tests, rounds=rounds, kind=kind, own=own)
        rows.append(f"{title}: CPU ms a test (median of {rounds} rounds, {tests} tests, 3 calls each)")
        rows += [f"  {name:38} {value:8.2f} ms" for name, value in medians.items()]
        figures += [
            Figure(f"{title}: {ours} to {name}", medians[ours] / medians[name], PROMISED.get((title, ours, name)))
            for ours, name in pairs()
        ]
    return "\n".join(rows), figures


def pairs() -> list[tuple[str, str]]:
    """Return ours, each with the others that it is compared to."""
    others = [contender.name for contender in CONTENDERS if contender.plugins != OURS[0]]
    return [(ours, name) for ours in (NATIVE, DROP_IN, DROP_IN_BODY) for name in others]


def _medians(folder: Path, *, tests: int, rounds: int, kind: str, own: bool) -> dict[str, float]:
    with provider() as base:
        for contender in CONTENDERS:
            measure(contender, folder / contender.folder, base, tests=tests, own=own, kind=kind)
    times: dict[str, list[float]] = {contender.name: [] for contender in CONTENDERS}
    for _ in range(rounds):
        for contender in CONTENDERS:
            spent = run(contender, folder / contender.folder)[3:]
            times[contender.name].append(statistics.median(spent) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}
