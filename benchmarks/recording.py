"""CPU for an interaction of 20 KB that is cleaned of secrets, written and checked, and for a thousand that are saved."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.provider import answer, question
from benchmarks.targets import Figure
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Chunk, Interaction, Request, Response

MANY = 1000
ROUNDS = 15
MOST_EACH, MOST_SAVED = 2.0, 60.0
"""Milliseconds for one interaction over the live call, and for saving a thousand."""


def _interaction(number: int, kind: str) -> Interaction:
    body = question(number, 0, kind)
    headers = (("content-type", "application/json"),)
    answered = Response(200, headers, (Chunk(json.dumps(answer(body)).encode()),))
    return Interaction(Request("POST", "http://a/v1/chat/completions", headers, json.dumps(body).encode()), answered)


def _least(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent) * 1000


def table() -> tuple[str, list[Figure]]:
    """Return the milliseconds of CPU for each step, and those that something is promised of."""
    redactor, large = Redactor(), _interaction(0, "history")
    cleaned = redactor.interaction(large)
    items = [new_item(_interaction(number, "chat"), None) for number in range(MANY)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "many.yaml")
        steps = {
            "an interaction of 20 KB, cleaned of secrets": _least(lambda: redactor.interaction(large)),
            "the same, written and read back": _least(lambda: new_item(cleaned, None)),
            f"{MANY} interactions saved": _least(
                lambda: store.save(path, Header(keying="none"), items, overwrite=True)
            ),
        }
    cleaning, writing, saving = steps.values()
    rows = ["recording: CPU ms (least of several rounds)", *(f"  {name:48} {ms:8.2f} ms" for name, ms in steps.items())]
    return "\n".join(rows), [
        Figure("an interaction of 20 KB that is recorded, ms", cleaning + writing, MOST_EACH),
        Figure(f"{MANY} interactions that are saved, ms", saving, MOST_SAVED),
    ]
