"""Findings that are known and accepted, in a file beside the project, so that a search reports new ones only.

The file tells no secret, nor a digest of one, which could be guessed: it counts the findings of each rule at each place, a
place being the names of the fields around it. So lines may move; one finding more at the same place is new.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from replay_agent.cli.upkeep.scan import Leak
from replay_agent.exceptions import UserError
from replay_agent.recording.cassettes.store import replace_file

__all__ = "new_leaks", "read_baseline", "write_baseline"

_VERSION = 1
Known: TypeAlias = Counter[tuple[str, str, str]]
"""How many findings there may be by file, rule and place."""


def read_baseline(path: Path) -> Known:
    """Return the findings that a baseline file accepts. Raises `UserError` for a file that is none."""
    try:
        document = json.loads(path.read_text("utf-8"))
        if document["version"] != _VERSION:
            raise UserError(f"{path} is a baseline of version {document['version']}; this release reads {_VERSION}")
        return Counter({(each["file"], each["rule"], each["place"]): int(each["count"]) for each in document["known"]})
    except OSError as exc:
        raise UserError(f"{path} cannot be read: {exc.strerror}. Write it: replay-agent scan --write-baseline") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise UserError(f"{path} is no baseline: {exc!r}. Write it anew: replay-agent scan --write-baseline") from exc


def write_baseline(path: Path, leaks: Iterable[Leak]) -> int:
    """Write the findings that shall be accepted from now on; return how many they are. Raises `UserError`."""
    known = Counter(_place(path, leak) for leak in leaks)
    rows = [
        {"file": file, "rule": rule, "place": place, "count": count}
        for (file, rule, place), count in sorted(known.items())
    ]
    text = json.dumps({"version": _VERSION, "known": rows}, indent=1, ensure_ascii=False) + "\n"
    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"))
    except OSError as exc:
        raise UserError(f"{path} cannot be written: {exc.strerror}") from exc
    return known.total()


def new_leaks(path: Path, known: Known, leaks: Iterable[Leak]) -> Iterator[Leak]:
    """Yield the findings that the baseline file does not accept: those beyond the count of their place."""
    left = known.copy()
    for leak in leaks:
        place = _place(path, leak)
        if left[place] > 0:
            left[place] -= 1
        else:
            yield leak


def _place(baseline: Path, leak: Leak) -> tuple[str, str, str]:
    """Return where a finding is, the file seen from the folder of the baseline."""
    file = os.path.relpath(leak.path.resolve(), baseline.parent.resolve())
    return Path(file).as_posix(), leak.finding.rule, leak.finding.place
