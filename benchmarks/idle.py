"""CPU of a session that does not use us: 1,000 empty tests, with each plugin that an installation brings."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.targets import Figure

ROOT = Path(__file__).parents[1]
TESTS = 1000
PLUGINS = {
    "pytest alone": (),
    "replay_agent": ("replay_agent.pytest_plugin",),
    "anyio": ("anyio.pytest_plugin",),
    "syrupy": ("syrupy",),
    "respx": ("respx.plugin",),
    "all of these": ("replay_agent.pytest_plugin", "anyio.pytest_plugin", "syrupy", "respx.plugin"),
}


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _session(folder: Path, plugins: tuple[str, ...]) -> float:
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    loaded = [part for plugin in plugins for part in ("-p", plugin)]
    before = _spent()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *loaded, str(folder)]
    subprocess.run(command, env=environ, cwd=folder, check=True, capture_output=True)
    return _spent() - before


def table(folder: Path, rounds: int) -> tuple[str, list[Figure]]:
    """Return the table of CPU seconds for a session, and what our plugin makes of it."""
    folder.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_idle.py").write_text("\n".join(f"def test_{n}(): pass" for n in range(TESTS)))
    times: dict[str, list[float]] = {name: [] for name in PLUGINS}
    for _ in range(rounds + 1):
        for name, plugins in PLUGINS.items():
            times[name].append(_session(folder, plugins))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    bare = medians["pytest alone"]
    rows = [f"a session of {TESTS} tests that do not use us: CPU s (median of {rounds})"]
    rows += [f"  {name:24} {value:6.2f} s   {100 * (value / bare - 1):+6.1f} %" for name, value in medians.items()]
    return "\n".join(rows), [
        Figure("a session that does not use us, to one without our plugin", medians["replay_agent"] / bare, 1.05)
    ]
