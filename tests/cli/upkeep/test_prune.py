from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.cli.upkeep.prune import remove
from replay_agent.recording.cassettes import store
from replay_agent.report.recorded.orphans import find_orphans
from replay_agent.traffic import Chunk, Request, Response
from tests.integration.recordings import make


def record(path, *tests):
    for number, test in enumerate(tests):
        recording = make(path, "new_episodes", test=test).open()
        recording.begin(Request("GET", f"http://a.test/{number}")).finish(Response(200, (), (Chunk(b"x"),)))
        recording.close()
    return path


@dataclass
class Known:
    root: Path
    used: dict = field(default_factory=dict)
    modules: set = field(default_factory=lambda: {"t.py"})
    unmarked: set = field(default_factory=set)

    @property
    def folder(self):
        return self.root / "cassettes"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "t.py").touch()
    return tmp_path / "cassettes"


def found(folder, used=None, **more):
    return find_orphans(Known(folder.parent, used or {}, **more))


def test_a_cassette_that_a_test_plays_is_none(folder):
    path = record(folder / "a.yaml", "t.py::test_a")
    assert found(folder, {path: {"t.py::test_a"}}) == []


def test_a_cassette_without_a_test_is_one(folder):
    path = record(folder / "m" / "a.yaml", "t.py::test_a")
    (orphan,) = found(folder)
    assert (orphan.path, orphan.tests, orphan.interactions, orphan.kept) == (path, ("t.py::test_a",), None, "")
    assert str(orphan) == f"{path}: no test plays it, recorded by t.py::test_a"
    remove(orphan, folder)
    assert not path.exists()


def test_interactions_of_tests_that_are_gone_are_found_in_a_shared_cassette(folder):
    path = record(folder / "a.yaml", "t.py::test_a", "t.py::test_b", "t.py::test_a")
    (orphan,) = found(folder, {path: {"t.py::test_a"}})
    assert orphan.interactions == (2,)
    assert "1 interaction of tests that are gone, recorded by t.py::test_b" in str(orphan)
    remove(orphan, folder)
    left = store.load(path)
    assert {left.interaction(index).request.url for index in range(len(left))} == {"http://a.test/0", "http://a.test/2"}


def test_a_cassette_of_a_module_that_is_gone_is_one(folder):
    record(folder / "a.yaml", "former.py::test_a")
    (orphan,) = found(folder)
    assert not orphan.kept


@pytest.mark.parametrize(
    ("tests", "more", "why"),
    [
        ([None], {}, "does not say which test"),
        (["t.py::test_a", None], {}, "does not say which test"),
        (["some block"], {}, "does not say which test"),
        (["t.py::test_a"], {"modules": set()}, "pytest did not collect t.py"),
        (["t.py::test_a"], {"unmarked": {"t.py::test_a"}}, "test_a is there, though it is not marked"),
    ],
)
def test_what_may_be_in_use_is_said_and_left_alone(folder, tests, more, why):
    path = record(folder / "a.yaml", *tests)
    (orphan,) = found(folder, **more)
    assert why in str(orphan)
    remove(orphan, folder)
    assert path.exists()


@pytest.mark.parametrize(
    "source", ["use_cassette('cassettes/geo/a.yaml')", 'NAME = "geo/a"', "play(f'{FOLDER}/a.yaml')", "x = 'geo/a'"]
)
def test_what_a_source_file_names_is_left_alone(folder, source):
    record(folder / "geo" / "a.yaml", "t.py::test_a")
    (folder.parent / "src").mkdir()
    (folder.parent / "src" / "play.py").write_text(source, "utf-8")
    (orphan,) = found(folder)
    assert "play.py names it" in orphan.kept


@pytest.mark.parametrize(
    ("test", "source"),
    [
        ("test_a", "if sys.platform == 'win32':\n    def test_a(): ...\n"),
        ("test_a[b::c]", "try:\n    import rare\nexcept ImportError: ...\nelse:\n    async def test_a(x): ...\n"),
        ("TestA::test_b", "if os.environ.get('MORE'):\n    class TestA(Base): ...\n"),
        ("TestB::test_a", "class TestB:\n    if False:\n        def test_a(self): ...\n"),
    ],
)
def test_a_test_that_is_defined_elsewhere_is_not_gone(folder, test, source):
    path = record(folder / "a.yaml", f"t.py::{test}")
    (folder.parent / "t.py").write_text(source, "utf-8")
    (orphan,) = found(folder, {folder / "b.yaml": {"t.py::TestB::test_b"}})
    assert "which pytest did not collect this time" in str(orphan)
    remove(orphan, folder)
    assert path.exists()


@pytest.mark.parametrize(
    ("test", "source"),
    [
        ("test_a", "# def test_a(): ...\ndef test_ab(): 'def test_a'\n"),
        ("test_b[gone]", "def test_b(x): ...\n"),
        ("TestA::test_b", "class TestAB:\n    def test_b(self): ...\n"),
    ],
)
def test_a_test_that_its_module_does_not_define_is_gone(folder, test, source):
    record(folder / "a.yaml", f"t.py::{test}")
    (folder.parent / "t.py").write_text(source, "utf-8")
    (orphan,) = found(folder, {folder / "b.yaml": {"t.py::test_b[x]"}})
    assert not orphan.kept


def test_interactions_are_left_alone_where_their_tests_may_be_there(folder):
    path = record(folder / "a.yaml", "t.py::test_a", "other.py::test_b", "t.py::test_c")
    (folder.parent / "other.py").touch()
    assert found(folder, {path: {"t.py::test_a"}}, unmarked={"t.py::test_c"}) == []


def test_other_files_are_left_alone(folder):
    (folder / "notes.yaml").write_text("a: b\n")
    (folder / "notes.txt").write_text("a")
    assert found(folder) == []


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert found(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("gone", "beside", "left"),
    [
        (["a.yaml"], [], []),
        (["m/a.yaml"], [], []),
        (["m/n/a.yaml", "m/b.yaml"], [], []),
        (["m/n/a.yaml"], ["m/notes.txt"], ["m", "m/notes.txt"]),
        (["m/a.yaml", "k/a.yaml"], ["m/.keep"], ["m", "m/.keep"]),
    ],
)
def test_folders_that_are_empty_go_and_the_folder_of_all_cassettes_stays(folder, gone, beside, left):
    for name in gone:
        record(folder / name, "former.py::test_a")
    for name in beside:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    for orphan in found(folder):
        remove(orphan, folder)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == left
    assert folder.is_dir()
