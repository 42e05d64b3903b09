"""CPU of the command line, started for one file, and of a comparison in a repository of many; memory of the latter."""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from functools import cache
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
FEW, MANY = 1_000, 10_000
_AS = "-c", "user.name=bench", "-c", "user.email=bench@example.com"


def table(folder: Path, rounds: int) -> tuple[str, list[Figure]]:
    """Return the seconds of CPU for each command, and those that something is promised of."""
    folder.mkdir(parents=True)
    file = folder / "one.yaml"
    _write(file, question(0, 0))
    spent = {
        name: min(_spent([word.format(file=file) for word in words]) for _ in range(rounds + 1))
        for name, (words, _) in COMMANDS.items()
    }
    rows = ["the command line: CPU s (least of the rounds)", *(f"  {name:24} {s:8.3f} s" for name, s in spent.items())]
    text, figures = _diff_table(folder)
    return "\n".join([*rows, text]), [
        *(Figure(f"replay-agent {name}, s", spent[name], most) for name, (_, most) in COMMANDS.items()),
        *figures,
    ]


def _write(file: Path, body: dict[str, object]) -> None:
    request = {"method": "POST", "uri": "http://a/v1/chat/completions", "headers": {}, "body": json.dumps(body)}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": json.dumps(answer(body))}}
    file.write_text(json.dumps({"version": 1, "interactions": [{"request": request, "response": response}]}))


def _spent(words: list[str], folder: Path = ROOT) -> float:
    # As installed: pip compiles what it installs, and the first of the rounds does so here.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(_compiled())}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "replay_agent", *words], cwd=folder, env=environment, capture_output=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in ((0, 1) if words[0] == "diff" else (0,)):  # whose 1 says that something changed
        raise RuntimeError(done.stderr.decode())
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@cache
def _compiled() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="replay-agent-compiled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# --- many cassettes ---------------------------------------------------------------------------------------------------


def _repository(folder: Path, cassettes: int) -> Path:
    """Write and commit so many cassettes, and change ten."""
    (folder / "cassettes").mkdir(parents=True)
    for number in range(cassettes):
        _write(folder / f"cassettes/test_{number}.json", question(number, 0))
    for words in (["init", "--quiet"], ["add", "--all"], [*_AS, "commit", "--quiet", "--message", "suite"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    for number in range(0, cassettes, cassettes // 10):
        _write(folder / f"cassettes/test_{number}.json", question(number, 1))
    return folder


_PEAK = """
from pathlib import Path
from replay_agent.cli import main
main(["diff", "HEAD"])
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def _peak(folder: Path) -> float:
    """Return the most megabytes that a comparison takes, as Linux tells it of the process itself."""
    command = [sys.executable, "-c", _PEAK]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    return int(done.stdout.splitlines()[-1].split()[1]) / 1024


def _diff_table(folder: Path) -> tuple[str, list[Figure]]:
    """Return the seconds of CPU of a comparison with HEAD, and the memory it takes for ten times as many."""
    seconds, peaks = [], []
    for count in (FEW, MANY):
        place = _repository(folder / f"diff-{count}", count)
        _spent(["diff", "HEAD"], place)
        seconds.append(_spent(["diff", "HEAD"], place))
        peaks.append(_peak(place))
    rows = [
        "diff HEAD, ten cassettes changed: CPU s, peak MB",
        *(f"  of {count:6,} {s:8.3f} s {mb:6.0f} MB" for count, s, mb in zip((FEW, MANY), seconds, peaks, strict=True)),
    ]
    return "\n".join(rows), [
        Figure(f"diff HEAD, {FEW:,} cassettes of which 10 changed, s", seconds[0], 3),
        Figure(f"memory for {MANY:,} cassettes, to that for {FEW:,}", peaks[1] / peaks[0], 1.2),
    ]
