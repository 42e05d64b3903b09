"""CPU for each request of another tool's cassette, and for each test that adds to one cassette that all tests share."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import yaml

from benchmarks.provider import answer, provider, question
from benchmarks.targets import Figure
from replay_agent import use_cassette

ADDRESS = "https://api.openai.com/v1/chat/completions"
SIZES = (100, 1000, 3000)
ASKED = 60
ROUNDS = 4
GROWN, STEP = 300, 3
"""Interactions that a shared cassette comes to have, and how many each test adds."""


def _foreign(path: Path, count: int) -> Path:
    """Write a cassette as vcrpy does."""
    interactions = []
    for number in range(count):
        body = question(number, 0)
        sent = {"content-type": ["application/json"]}
        interactions.append(
            {
                "request": {"method": "POST", "uri": ADDRESS, "headers": sent, "body": json.dumps(body)},
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": sent,
                    "body": {"string": json.dumps(answer(body))},
                },
            }
        )
    path.write_text(yaml.dump({"interactions": interactions, "version": 1}, Dumper=yaml.CDumper))
    return path


def _played(path: Path, count: int, client: httpx.Client) -> tuple[float, float]:
    """Return the milliseconds that opening takes, with the first answer, and those of each further one, at best."""
    start = time.process_time()
    with use_cassette(path, allow_repeats=True):
        client.post(ADDRESS, json=question(0, 0))
        opened = time.process_time() - start
        each = []
        for round_ in range(ROUNDS):
            start = time.process_time()
            for number in range(ASKED):
                client.post(ADDRESS, json=question((round_ * ASKED + number) % count, 0))
            each.append((time.process_time() - start) / ASKED)
    return opened * 1000, min(each) * 1000


def _grown(path: Path, base: str, client: httpx.Client) -> list[float]:
    """Return the milliseconds of each test that adds to a cassette what is not in it yet."""
    spent = []
    for test in range(GROWN // STEP):
        start = time.process_time()
        with use_cassette(path, record_mode="new_episodes"):
            for turn in range(STEP):
                client.post(f"{base}/v1/chat/completions", json=question(test, turn))
        spent.append((time.process_time() - start) * 1000)
    return spent


def table(folder: Path) -> tuple[str, list[Figure]]:
    """Return both tables, and what is promised of how they grow."""
    folder.mkdir(parents=True)
    rows, each = ["another tool's layout: CPU ms"], {}
    with httpx.Client() as client, provider() as base:
        for size in SIZES:
            opened, each[size] = _played(_foreign(folder / f"{size}.yaml", size), size, client)
            rows.append(
                f"  {size:6} interactions: opened, first answer {opened:8.1f} ms, then {each[size]:6.3f} ms each"
            )
        spent = _grown(folder / "shared.yaml", base, client)
    early, late = min(spent[5:15]), min(spent[-10:])
    rows.append(f"  a test that adds {STEP} to {STEP * 10}: {early:.1f} ms, to {GROWN - STEP * 5}: {late:.1f} ms")
    return "\n".join(rows), [
        Figure(
            f"a request of vcrpy's layout among {SIZES[-1]:,}, to one among {SIZES[0]}",
            each[SIZES[-1]] / each[SIZES[0]],
            1.5,
        ),
        Figure(
            "what an interaction more costs each later test of a shared cassette, ms",
            max(late - early, 0) / (GROWN - STEP * 15),
            0.1,
        ),
    ]
