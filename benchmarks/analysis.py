"""CPU to read recordings: long conversations decoded and compared, a long prompt explained, many files shown and scanned."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from benchmarks.provider import WORDS, answer, question
from benchmarks.targets import Figure
from replay_agent import CassetteMissError, load_transcript, use_cassette
from replay_agent.cli.reading.diff import diff
from replay_agent.cli.reading.show import show
from replay_agent.cli.upkeep.scan import scan_files
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.traffic import Chunk, Interaction, Request, Response

ADDRESS = "https://api.openai.com/v1/chat/completions"
TURNS, FEW_TURNS = 200, 100
_FILES = 100
_MANY_FILES = 3000
JSON = (("content-type", "application/json"),)


def _asked(body: dict[str, object]) -> Interaction:
    request = Request("POST", ADDRESS, JSON, json.dumps(body).encode())
    return Interaction(request, Response(200, JSON, (Chunk(json.dumps(answer(body)).encode()),)))


def _written(path: Path, interactions: Sequence[Interaction]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    items = [new_item(interaction, None) for interaction in interactions]
    store.save(path, Header(keying="none"), items, overwrite=True)
    return path


def _conversation(turns: int, manner: str) -> list[Interaction]:
    """Return a conversation whose every request repeats all that was said before, as chat completions do."""
    messages: list[dict[str, object]] = [{"role": "system", "content": f"Be {manner}. {WORDS * 4}"}]
    found = []
    for turn in range(turns):
        messages.append({"role": "user", "content": f"Question {turn}? {WORDS * 3}"})
        interaction = _asked({"model": "gpt-4o", "messages": list(messages)})
        found.append(interaction)
        messages.append(json.loads(interaction.outcome.body)["choices"][0]["message"])
    return found


def _spent(work: Callable[[], object], rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def _missed(path: Path, body: dict[str, object]) -> None:
    with contextlib.suppress(CassetteMissError), use_cassette(path, miss="exception"):
        httpx.post(ADDRESS, json=body)


def table(folder: Path) -> tuple[str, list[Figure]]:
    """Return the seconds of CPU of each, and those that something is promised of."""
    old = _written(folder / "old" / "turns.yaml", _conversation(TURNS, "brief"))
    new = _written(folder / "new" / "turns.yaml", _conversation(TURNS, "verbose"))
    few = _written(folder / "few" / "turns.yaml", _conversation(FEW_TURNS, "brief"))
    prompt = {"model": "gpt-4o", "messages": [{"role": "user", "content": WORDS * (500_000 // len(WORDS))}]}
    long = _written(folder / "long.yaml", [_asked(prompt)])
    changed = {**prompt, "messages": [{"role": "user", "content": prompt["messages"][0]["content"] + "Be brief."}]}
    many = [
        _written(folder / "many" / f"{n}.yaml", [_asked(question(n, turn, "history")) for turn in range(3)])
        for n in range(_FILES)
    ]
    size, few_size = old.stat().st_size, few.stat().st_size
    spent = {
        f"{TURNS} turns ({size / 1e6:.0f} MB) decoded": _spent(lambda: load_transcript(old).conversations),
        f"{FEW_TURNS} turns ({few_size / 1e6:.0f} MB) decoded": _spent(lambda: load_transcript(few).conversations),
        f"{TURNS} turns compared": _spent(lambda: diff(str(old), str(new))),
        "a miss with a prompt of 500 KB explained": _spent(lambda: _missed(long, changed)),
        f"{_FILES} files shown as JSON": _spent(lambda: [show(path).json for path in many]),
        f"{_FILES} files scanned": _spent(lambda: list(scan_files([folder / "many"]))),
    }
    turns, half, compared, missed, shown, scanned = spent.values()
    megabytes = sum(path.stat().st_size for path in many) / 1e6
    rows = [
        "reading recordings: CPU s (least of the rounds)",
        *(f"  {name:48} {s:8.3f} s" for name, s in spent.items()),
    ]
    return "\n".join(rows), [
        Figure(f"{TURNS} turns that are decoded, s", turns, 1.0),
        Figure("a megabyte of them, to one of half the turns", turns / size / (half / few_size), 1.2),
        Figure(f"{TURNS} turns that are compared, s", compared, 1.0),
        Figure("a miss with a prompt of 500 KB, s", missed, 1.0),
        Figure(f"show --json of {_MANY_FILES} files, s", shown * _MANY_FILES / _FILES, 60),
        Figure("scan of 20 MB, s", scanned * 20 / megabytes, 1.0),
    ]
