from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.cli.upkeep.move import move
from replay_agent.exceptions import UserError
from replay_agent.recording.cassettes import store
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import make


@dataclass
class Known:
    root: Path
    used: dict = field(default_factory=dict)
    snapshot_folders: str = "__snapshots__"

    @property
    def folder(self):
        return self.root / "cassettes"


def record(path, *tests):
    for number, test in enumerate(tests):
        recording = make(path, "new_episodes", test=test).open()
        recording.begin(Request("GET", f"http://a.test/{number}")).finish(Response(200, (), (Chunk(b"x"),)))
        recording.close()
    return path


def recorders_in(path):
    cassette = store.load(path)
    return [cassette.test(index) for index in range(len(cassette))]


@pytest.fixture
def project(tmp_path):
    record(tmp_path / "cassettes" / "t" / "test_old.yaml", "t.py::test_old", "t.py::test_old")
    folder = tmp_path / "__snapshots__" / "t"
    folder.mkdir(parents=True)
    for name in "test_old.run.snap", "test_old.second.run.snap", "test_older.run.snap":
        (folder / name).write_text(name, "utf-8")
    return Known(tmp_path, {tmp_path / "cassettes" / "t" / "test_new.yaml": {"t.py::test_new"}})


def test_cassette_and_snapshots_move(project):
    moved = move(project, "t.py::test_old", "t.py::test_new")
    assert [each.after.name for each in moved] == ["test_new.yaml", "test_new.run.snap", "test_new.second.run.snap"]
    path = project.folder / "t" / "test_new.yaml"
    assert recorders_in(path) == ["t.py::test_new", "t.py::test_new"]
    assert not (project.folder / "t" / "test_old.yaml").exists()
    assert (project.root / "__snapshots__" / "t" / "test_older.run.snap").exists()
    store.load(path).check()


def test_snapshots_move_within_the_folders_that_pytest_is_told_of(project):
    (project.root / "__snapshots__").rename(project.root / "snaps")
    project.snapshot_folders = "snaps"
    moved = move(project, "t.py::test_old", "t.py::test_new")
    assert {each.after.parent for each in moved[1:]} == {project.root / "snaps" / "t"}
    assert len(moved) == 3


def test_what_is_kept_is_the_same_to_the_byte(project):
    before = store.load(project.folder / "t" / "test_old.yaml").interactions()
    move(project, "t.py::test_old", "t.py::test_new")
    after = store.load(project.folder / "t" / "test_new.yaml").interactions()
    assert [(each.request, each.outcome) for each in before] == [(each.request, each.outcome) for each in after]


def test_of_a_shared_cassette_only_the_name_changes(tmp_path):
    path = record(tmp_path / "cassettes" / "shared.yaml", "t.py::test_old", "t.py::test_other")
    project = Known(tmp_path, {path: {"t.py::test_new", "t.py::test_other"}})
    (moved,) = move(project, "t.py::test_old", "t.py::test_new")
    assert moved.before == moved.after == path
    assert recorders_in(path) == ["t.py::test_new", "t.py::test_other"]


def test_of_a_file_with_others_only_its_own_moves(tmp_path):
    path = record(tmp_path / "cassettes" / "shared.yaml", "t.py::test_old", "t.py::test_other")
    target = tmp_path / "cassettes" / "t" / "test_new.yaml"
    move(Known(tmp_path, {target: {"t.py::test_new"}, path: {"t.py::test_other"}}), "t.py::test_old", "t.py::test_new")
    assert (recorders_in(path), recorders_in(target)) == (["t.py::test_other"], ["t.py::test_new"])


@pytest.mark.parametrize(("old", "new"), [("t.py", "sub/t.py"), ("t.py", "t.py::TestIt")])
def test_all_tests_of_a_module_move(tmp_path, old, new):
    names = "test_a", "test_b[1]", "test_b[2]"
    targets = {}
    for name in names:
        record(tmp_path / "cassettes" / "t" / f"{name}.yaml", f"{old}::{name}")
        targets[tmp_path / "cassettes" / "new" / f"{name}.yaml"] = {f"{new}::{name}"}
    assert len(move(Known(tmp_path, targets), old, new)) == 3
    assert all(recorders_in(path) == list(tests) for path, tests in targets.items())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("t.py::test_old", "t.py::test_nowhere", "no test"),
        ("t.py::test_never", "t.py::test_new", "no cassette"),
    ],
)
def test_what_is_not_there_is_said(project, old, new, says):
    with pytest.raises(UserError, match=says):
        move(project, old, new)


def test_a_recording_of_its_own_is_never_overwritten(project):
    record(project.folder / "t" / "test_new.yaml", "t.py::test_new")
    with pytest.raises(UserError, match="already"):
        move(project, "t.py::test_old", "t.py::test_new")
    assert recorders_in(project.folder / "t" / "test_new.yaml") == ["t.py::test_new"]


def test_nothing_is_moved_from_a_test_that_is_still_there(project):
    project.used[project.folder / "t" / "test_old.yaml"] = {"t.py::test_old"}
    with pytest.raises(UserError, match="still there"):
        move(project, "t.py::test_old", "t.py::test_new")
    assert (project.folder / "t" / "test_old.yaml").exists()
