"""CPU of the command line, started for one file."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.provider import answer, question
from benchmarks.targets import Figure

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "--help": (("--help",), 0.06),
    "scan FILE": (("scan", "{file}"), None),
    "show --json FILE": (("show", "--json", "{file}"), None),
    "show FILE": (("show", "{file}"), 0.15),
}
"""What is run, and the most CPU seconds that are promised for it."""


def table(folder: Path, rounds: int) -> tuple[str, list[Figure]]:
    """Return the seconds of CPU for each command, and those that something is promised of."""
    folder.mkdir(parents=True)
    file = folder / "one.yaml"
    body = question(0, 0)
    request = {"method": "POST", "uri": "http://a/v1/chat/completions", "headers": {}, "body": json.dumps(body)}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": json.dumps(answer(body))}}
    file.write_text(json.dumps({"version": 1, "interactions": [{"request": request, "response": response}]}))
    spent = {
        name: min(_spent([word.format(file=file) for word in words]) for _ in range(rounds + 1))
        for name, (words, _) in COMMANDS.items()
    }
    rows = ["the command line: CPU s (least of the rounds)", *(f"  {name:24} {s:8.3f} s" for name, s in spent.items())]
    return "\n".join(rows), [
        Figure(f"replay-agent {name}, s", spent[name], most) for name, (_, most) in COMMANDS.items()
    ]


def _spent(words: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "replay_agent", *words], cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
