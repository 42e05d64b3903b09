from __future__ import annotations

from replay_agent.commands.prune import find_orphans, remove
from replay_agent.recording.cassettes import store
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import make


def record(path, *tests):
    for number, test in enumerate(tests):
        recording = make(path, "new_episodes", test=test).open()
        recording.begin(Request("GET", f"http://a.test/{number}")).finish(Response(200, (), (Chunk(b"x"),)))
        recording.close()
    return path


def test_a_cassette_that_a_test_plays_is_none(tmp_path):
    path = record(tmp_path / "a.yaml", "t.py::test_a")
    assert find_orphans(tmp_path, {path: {"t.py::test_a"}}) == []


def test_a_cassette_without_a_test_is_one(tmp_path):
    path = record(tmp_path / "m" / "a.yaml", "t.py::test_a")
    (orphan,) = find_orphans(tmp_path, {})
    assert (orphan.path, orphan.tests, orphan.interactions) == (path, ("t.py::test_a",), None)
    assert str(orphan) == f"{path}: no test plays it, recorded by t.py::test_a"
    remove(orphan)
    assert not path.exists()


def test_interactions_of_tests_that_are_gone_are_found_in_a_shared_cassette(tmp_path):
    path = record(tmp_path / "a.yaml", "t.py::test_a", "t.py::test_b", "t.py::test_a")
    (orphan,) = find_orphans(tmp_path, {path: {"t.py::test_a"}})
    assert orphan.interactions == (2,)
    assert "1 interaction of tests that are gone, recorded by t.py::test_b" in str(orphan)
    remove(orphan)
    left = store.load(path)
    assert {left.interaction(index).request.url for index in range(len(left))} == {"http://a.test/0", "http://a.test/2"}


def test_what_belongs_to_skipped_modules_is_not_judged(tmp_path):
    record(tmp_path / "m" / "a.yaml", "t.py::test_a")
    record(tmp_path / "named.yaml", "t.py::test_b")
    assert find_orphans(tmp_path, {}, {"t.py": tmp_path / "m"}) == []
    assert [orphan.path.name for orphan in find_orphans(tmp_path, {}, {"other.py": tmp_path / "m"})] == ["named.yaml"]


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "notes.yaml").write_text("a: b\n")
    (tmp_path / "notes.txt").write_text("a")
    assert find_orphans(tmp_path, {}) == []


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert find_orphans(tmp_path / "nowhere", {}) == []
