from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.review.kept import KEPT, Kept
from replay_agent.report.review.queue import Queue
from tests.report.review.open_changes import keep, recording


@pytest.fixture
def place(tmp_path):
    change = recording(tmp_path, content=b"old \xff\r\n")
    return change, keep(tmp_path, [change])


def taken(change, state):
    return Kept.take(state, "accept it", [change], Queue.load(state))


def test_every_file_comes_back_byte_for_byte(place, tmp_path):
    change, state = place
    path, beside = tmp_path / "cassettes/test_a/test_one.yaml", tmp_path / "cassettes/test_a/test_gone.yaml"
    snapshot = tmp_path / "tests/__snapshots__/test_a/test_one.run.snap"
    snapshot.parent.mkdir(parents=True)
    snapshot.write_bytes(b"snap\r\n")
    beside.write_bytes(b"\x00\x01")
    kept = taken(change, state)
    path.write_bytes(b"other")
    snapshot.write_bytes(b"other")
    beside.unlink()
    new = tmp_path / "tests/__snapshots__/test_a/test_one.second.run.snap"
    new.write_bytes(b"new")
    assert {each.path for each in kept.settle()} == {path, snapshot, beside, new}
    kept.restore(state)
    assert path.read_bytes() == b"old \xff\r\n"
    assert snapshot.read_bytes() == b"snap\r\n"
    assert beside.read_bytes() == b"\x00\x01"
    assert not new.exists()
    assert not kept.folder.exists()


@pytest.mark.parametrize("names", [[], ["test_one"], ["test_two"], ["test_one", "test_two"]])
def test_only_the_files_that_are_named_are_part_of_a_step(place, tmp_path, names):
    change, state = place
    folder = tmp_path / "cassettes/test_a"
    (folder / "test_two.yaml").write_bytes(b"two")
    files = [folder / f"{name}.yaml" for name in names]
    kept = Kept.take(state, "reject it", [change], Queue.load(state), files=files)
    for name in ("test_one", "test_two", "test_new"):
        (folder / f"{name}.yaml").write_bytes(b"other")
    assert [each.path for each in kept.settle()] == files


def test_what_comes_after_the_step_is_left_alone(place, tmp_path):
    change, state = place
    kept = taken(change, state)
    kept.settle()
    later = tmp_path / "cassettes/test_a/later.yaml"
    later.write_bytes(b"mine")
    kept.restore(state)
    assert later.read_bytes() == b"mine"


def test_what_was_open_is_open_again(place):
    change, state = place
    kept = taken(change, state)
    queue = Queue.load(state)
    queue.without([change.id])
    queue.save(state)
    kept.restore(state)
    assert Queue.load(state).changes == [change]


def test_fixtures_recordings_and_amber_files_are_kept_too(place, tmp_path):
    change, state = place
    amber, fixture = tmp_path / "tests/__snapshots__/test_a.ambr", tmp_path / "cassettes/fixture-client.yaml"
    amber.parent.mkdir(parents=True)
    for path in (amber, fixture):
        path.write_bytes(b"old")
    kept = taken(change, state)
    for path in (amber, fixture):
        path.write_bytes(b"new")
    kept.restore(state)
    assert [path.read_bytes() for path in (amber, fixture)] == [b"old", b"old"]


def test_a_link_stays_one(place, tmp_path):
    change, state = place
    path, target = tmp_path / "cassettes/test_a/test_one.yaml", tmp_path / "elsewhere.yaml"
    path.rename(target)
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("no links here")
    kept = taken(change, state)
    target.write_bytes(b"new")
    kept.restore(state)
    assert path.is_symlink()
    assert target.read_bytes() == b"old \xff\r\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_the_mode_comes_back(place, tmp_path):
    change, state = place
    path = tmp_path / "cassettes/test_a/test_one.yaml"
    path.chmod(0o640)
    kept = taken(change, state)
    path.write_bytes(b"x")
    path.chmod(0o600)
    kept.restore(state)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_killed_review_can_be_taken_back_by_the_next(place, tmp_path):
    change, state = place
    taken(change, state)
    (tmp_path / "cassettes/test_a/test_one.yaml").write_bytes(b"new")
    (left,) = Kept.left(state)
    left.restore(state)
    assert (tmp_path / "cassettes/test_a/test_one.yaml").read_bytes() == b"old \xff\r\n"


def test_what_the_next_review_reads_is_what_was_kept(place, tmp_path):
    change, state = place
    kept = taken(change, state)
    assert Kept.left(state) == [kept]
    (tmp_path / "cassettes/test_a/test_one.yaml").write_bytes(b"accepted")
    kept.settle()
    assert Kept.left(state) == [kept]
    assert Kept.left(state)[0].label == "accept it"


def test_what_a_killed_run_has_written_is_part_of_the_step(place, tmp_path):
    change, state = place
    taken(change, state)
    path, new = tmp_path / "cassettes/test_a/test_one.yaml", tmp_path / "cassettes/test_a/test_new.yaml"
    path.write_bytes(b"half")
    new.write_bytes(b"new")
    (kept,) = Kept.left(state)
    assert set(kept.restore(state)) == {path, new}
    assert (path.read_bytes(), new.exists()) == (b"old \xff\r\n", False)


def test_steps_are_read_in_their_order(place):
    change, state = place
    steps = [Kept.take(state, f"step {number}", [change], Queue.load(state)) for number in range(12)]
    assert [each.label for each in Kept.left(state)] == [each.label for each in steps]
    steps[0].discard()
    steps[0].discard()
    again = Kept.take(state, "one more", [change], Queue.load(state))
    assert Kept.left(state)[-1] == again
    assert len(Kept.left(state)) == 12


def test_a_folder_that_is_gone_is_made_again(place, tmp_path):
    change, state = place
    deep = tmp_path / "tests/__snapshots__/test_a/deep/down.snap"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(b"snap")
    kept = taken(change, state)
    shutil.rmtree(tmp_path / "tests/__snapshots__")
    shutil.rmtree(tmp_path / "cassettes")
    kept.restore(state)
    assert deep.read_bytes() == b"snap"
    assert (tmp_path / "cassettes/test_a/test_one.yaml").read_bytes() == b"old \xff\r\n"


def test_what_was_edited_after_the_step_is_told_by_the_next_review(place, tmp_path):
    change, state = place
    kept, path = taken(change, state), tmp_path / "cassettes/test_a/test_one.yaml"
    path.write_bytes(b"accepted")
    kept.settle()
    (read,) = Kept.left(state)
    assert read.touched_since() == []
    path.write_bytes(b"edited by hand")
    assert read.touched_since() == [path]


@pytest.mark.parametrize("inside", ["", "::TestCapital", "::TestOuter::TestInner"])
def test_snapshots_of_tests_in_classes_are_kept(place, tmp_path, inside):
    change, state = place
    change = replace(change, run=f"{tmp_path}/tests/test_a.py{inside}::test_one[a::b]")
    snapshot = tmp_path / "tests/__snapshots__/test_a/test_one.run.snap"
    snapshot.parent.mkdir(parents=True)
    snapshot.write_bytes(b"snap")
    kept = taken(change, state)
    snapshot.write_bytes(b"other")
    assert [each.path for each in kept.settle()] == [snapshot]


def test_nothing_is_left_where_nothing_was_kept(tmp_path):
    assert Kept.left(tmp_path) == []


def test_what_cannot_be_read_is_named(place):
    change, state = place
    kept = taken(change, state)
    (kept.folder / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="nothing that could be put back"):
        Kept.left(state)
    assert (state / KEPT).is_dir()
