from __future__ import annotations

import json
import subprocess
import sys

from replay_agent.cli.review.pending import pending_json, pending_lines
from tests.report.review.open_changes import drift, keep

BAD = "\x1b[2J\x07\u202e"


def test_what_has_one_cause_is_told_once():
    one, two = drift("a"), drift("b")
    lines = list(pending_lines([one, two]))
    assert lines[0] == "drift: The system prompt changed since it was recorded."
    assert f'{two.id}  b, turn 1  "Where is it?"' in lines
    assert sum("[-word-]" in line for line in lines) == 1


def test_nothing_is_open():
    assert list(pending_lines([])) == ["nothing is open"]
    assert json.loads(pending_json([])) == []


def test_json_has_what_a_program_needs():
    one, two = drift("a"), drift("b")
    found = json.loads(pending_json([one, two]))
    assert [each["id"] for each in found] == [one.id, two.id]
    assert found[0] == {
        "id": one.id,
        "kind": "drift",
        "test": "a",
        "turn": 1,
        "file": one.file,
        "what": one.title,
        "request": one.asked,
        "difference": ["turn 1, system prompt:", "    Answer in one [-word-]{+sentence+}."],
        "consequence": "turns 2 and 3 of that conversation were recorded on top of it",
        "accepting": {"least_calls": 1, "most_calls": 3, "usd": None},
        "same_cause": 1,
        "command": one.command,
    }


def test_nothing_unseen_is_printed():
    text = pending_json([drift(f"a{BAD}", title=BAD, lines=(BAD,))])
    assert "\x1b" not in text
    assert "\x1b" not in "".join(pending_lines([drift(lines=(BAD,))]))


def test_a_reader_that_goes_away_is_no_trouble(tmp_path):
    keep(tmp_path, [drift(f"tests/test_a.py::test_{number}") for number in range(2000)])
    command = [sys.executable, "-m", "replay_agent", "pending"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
