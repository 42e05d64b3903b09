"""CPU for a suite of thousands of cassettes, in one process and in two, and for one cassette of 100,000 interactions."""

from __future__ import annotations

import json
import resource
import shutil
import time
from pathlib import Path

from benchmarks import suite
from benchmarks.provider import provider
from benchmarks.suite import CONTENDERS, DROP_IN, NATIVE, Contender
from benchmarks.targets import Figure
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.options import RecordMode, RecordOptions
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Chunk, Interaction, Request, Response

RECORDED = 50
"""Tests whose cassettes are recorded; those of the others are copies, under names of their own."""
TOLD = NATIVE, DROP_IN, "cassetter"
MOST = {NATIVE: 0.8}
_PROCESSES = {"in one process": (), "under -n 2": ("-p", "xdist", "-n", "2")}
FEW, HUGE = 10_000, 100_000
URL = "https://a.example/v1"
JSON = (("content-type", "application/json"),)


def table(folder: Path, tests: int) -> tuple[str, list[Figure]]:
    """Return the CPU of whole sessions, and that of one test in them."""
    chosen = [each for each in CONTENDERS if each.name in TOLD]
    with provider() as base:
        for contender in chosen:
            _suite_of(contender, folder / contender.folder, base, tests)
    rows, figures = [f"a suite of {tests:,} cassettes, 3 calls each: CPU s of all processes"], []
    for where, options in _PROCESSES.items():
        spent = {each.name: _session(each, folder / each.folder, options) for each in chosen}
        rows += [f"  {name:38} {seconds:8.1f} s {where}" for name, seconds in spent.items()]
        figures += [
            Figure(
                f"{tests:,} cassettes {where}: {name} to cassetter", spent[name] / spent["cassetter"], MOST.get(name)
            )
            for name in TOLD[:-1]
        ]
    return "\n".join(rows), figures


def _suite_of(contender: Contender, folder: Path, base: str, tests: int) -> None:
    suite.measure(contender, folder, base, tests=RECORDED, own=False)
    module = folder / "test_suite.py"
    text = module.read_text().replace(f"range({RECORDED})", f"range({tests})")
    module.write_text(text.replace("question(number, ", f"question(number % {RECORDED}, "))
    for recorded in list(folder.rglob("test_three_calls[[]*.yaml")):
        number = int(recorded.stem.partition("[")[2].rstrip("]"))
        for copy in range(number + RECORDED, tests, RECORDED):
            shutil.copy(recorded, recorded.with_name(f"test_three_calls[{copy}].yaml"))


def _session(contender: Contender, folder: Path, options: tuple[str, ...]) -> float:
    before = _children()
    suite.session(contender, folder, options)
    return _children() - before


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _interaction(number: int) -> Interaction:
    asked = json.dumps({"model": "gpt-4o", "input": f"Question {number}"}).encode()
    told = json.dumps({"output": f"Answer {number}"}).encode()
    return Interaction(Request("POST", URL, JSON, asked), Response(200, JSON, (Chunk(told),)), "test_a.py::test_it")


def _written(path: Path, count: int) -> None:
    keying = meaning()
    items = [new_item(each, keying(each.request)) for each in map(_interaction, range(count))]
    store.save(path, Header(keying.scheme), items)


def _steps(path: Path, count: int) -> dict[str, float]:
    """Return the milliseconds of each step with a cassette of so many interactions."""
    spent: dict[str, float] = {}
    start = time.process_time()
    options = RecordOptions(record_mode=RecordMode.NEW_EPISODES, journal_folder=path.parent / "journals")
    recording = Recording(path, options, key=meaning(), explain=str, test="test_a.py::test_it").open()
    spent["opened"], start = time.process_time() - start, time.process_time()
    recording.begin(_interaction(count - 1).request)
    spent["the first found"], start = time.process_time() - start, time.process_time()
    for number in range(0, count - 1, count // 100):
        recording.begin(_interaction(number).request)
    spent["a hundred more found"], start = time.process_time() - start, time.process_time()
    live = recording.begin(_interaction(count).request)
    live.finish(_interaction(count).outcome)
    recording.close()
    spent["one added, saved and checked"] = time.process_time() - start
    return {step: seconds * 1000 for step, seconds in spent.items()}


def huge_table(folder: Path) -> tuple[str, list[Figure]]:
    """Return what one cassette costs that is as large as any may be, beside one of a tenth."""
    folder.mkdir(parents=True)
    found = {}
    for count in (FEW, HUGE - 1):
        path = folder / f"{count}.yaml"
        _written(path, count)
        found[count] = _steps(path, count)
    few, huge = found.values()
    rows = [f"one cassette of {FEW:,} and of {HUGE:,} interactions: CPU ms"]
    rows += [f"  {step:38} {few[step]:10.1f} {huge[step]:10.1f}" for step in few]
    return "\n".join(rows), [
        Figure(
            f"{HUGE:,} interactions {step}, to {FEW:,}: times more, by ten", huge[step] / few[step] / (HUGE / FEW), 1.5
        )
        for step in few
    ]
