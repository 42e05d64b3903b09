from __future__ import annotations

from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteUnreadable
from replay_agent.recording.cassettes import store
from replay_agent.report.conflict import explain_conflict

MARKS = "version: 1\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n"


def conflict(path):
    path.write_text(MARKS, "utf-8")
    with pytest.raises(CassetteUnreadable) as caught:
        store.load(path)
    return caught.value


def test_it_says_where_and_how_to_get_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = explain_conflict(conflict(tmp_path / "a.yaml"), "pytest t.py::a --record-mode={mode} --replay-accept")
    assert said.startswith("a.yaml:2: the file holds the marks of a merge conflict.\n")
    assert "    pytest t.py::a --record-mode=rewrite --replay-accept\n" in said
    assert "git checkout --ours (or --theirs)" in said


@pytest.mark.parametrize("folder", ["v1. old", "a. b. c", "it ends. ", "cassettes: 2. try", "plain"])
def test_a_path_may_have_the_look_of_a_sentence(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    Path(folder).mkdir()
    error = conflict(tmp_path / folder / "a. first.yaml")
    assert error.line == 2
    said = explain_conflict(error, "pytest {mode}")
    assert said.startswith(f"{folder}/a. first.yaml:2: the file holds the marks of a merge conflict.\n")
    assert said.count("git checkout") == 1


def test_other_damage_is_no_conflict(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"version: 1\n\0")
    with pytest.raises(CassetteUnreadable) as caught:
        store.load(path)
    assert not caught.value.in_conflict


def test_the_cause_is_the_same_in_every_file(tmp_path):
    said = [explain_conflict(conflict(Path(tmp_path, name)), "pytest {mode}") for name in ("a.yaml", "b.yaml")]
    assert said[0].cause == said[1].cause
    assert said[0].shared == said[1].shared
