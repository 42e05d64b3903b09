from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replay_agent.cli.upkeep.prune import remove
from replay_agent.cli.upkeep.unused_snapshots import find_unused_snapshots


@dataclass
class Known:
    root: Path
    modules: set = field(default_factory=lambda: {"tests/test_geo.py"})
    names: tuple = ("test_a", "TestGeo.test_b[x]")
    snapshot_folders: str = "__snapshots__"

    @property
    def snapshots(self):
        return {self.root / "tests" / self.snapshot_folders / "test_geo": set(self.names)}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_geo.py").touch()
    return tmp_path


def snapshot(root, name, module="tests/__snapshots__/test_geo"):
    path = root / module / f"{name}.run.snap"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize("name", ["test_a", "test_a.second", "TestGeo.test_b[x]", "TestGeo.test_b[x].1"])
def test_those_of_a_test_are_none(root, name):
    snapshot(root, name)
    assert find_unused_snapshots(Known(root)) == []


@pytest.mark.parametrize("name", ["test_gone", "test_ab", "test_a[y]", "TestGeo.test_b[y]", "TestGone.test_a"])
def test_those_without_a_test_are(root, name, monkeypatch):
    monkeypatch.chdir(root)
    path = snapshot(root, name)
    (orphan,) = find_unused_snapshots(Known(root))
    assert (orphan.path, orphan.kept) == (path, "")
    assert str(orphan) == f"tests/__snapshots__/test_geo/{name}.run.snap: no test of tests/test_geo.py is called so"


@pytest.mark.parametrize("folder", ["__snapshots__", "snaps", ".kept"])
def test_the_folders_are_called_as_pytest_is_told(root, folder):
    snapshot(root, "test_a", f"tests/{folder}/test_geo")
    gone = snapshot(root, "test_gone", f"tests/{folder}/test_geo")
    assert [orphan.path for orphan in find_unused_snapshots(Known(root, snapshot_folders=folder))] == [gone]
    assert find_unused_snapshots(Known(root, snapshot_folders="other")) == []


def test_those_of_a_module_that_is_gone_are(root):
    snapshot(root, "test_a", "tests/__snapshots__/test_gone")
    snapshot(root, "test_a", "__snapshots__/test_geo")
    assert [orphan.module for orphan in find_unused_snapshots(Known(root))] == ["test_geo.py", "tests/test_gone.py"]


def test_those_of_a_module_that_is_not_known_stay_with_a_reason(root):
    path = snapshot(root, "test_gone")
    (orphan,) = find_unused_snapshots(Known(root, modules=set()))
    assert "left alone, for pytest did not collect tests/test_geo.py" in str(orphan)
    remove(orphan, orphan.path.parent.parent)
    assert path.exists()


def test_those_that_other_files_may_have_stay_with_a_reason(root):
    (root / "tests" / "test_story.md").touch()
    snapshot(root, "test_a", "tests/__snapshots__/test_story")
    (orphan,) = find_unused_snapshots(Known(root))
    assert orphan.kept == "for test_story.md may be its test"


@pytest.mark.parametrize(
    "place", [".venv/x/__snapshots__/m", "venv/__snapshots__/m", "tests/__snapshots__", "tests/test_geo"]
)
def test_what_is_elsewhere_is_none_of_ours(root, place):
    snapshot(root, "test_gone", place)
    assert find_unused_snapshots(Known(root)) == []


def test_other_snapshots_are_syrupys(root):
    snapshot(root, "test_a").with_name("test_gone.json").touch()
    (root / "tests" / "__snapshots__" / "test_gone.ambr").touch()
    assert find_unused_snapshots(Known(root)) == []


def test_the_file_goes_and_a_folder_that_is_empty_then(root):
    first, second = snapshot(root, "test_gone"), snapshot(root, "test_gone_too")
    for orphan in find_unused_snapshots(Known(root)):
        remove(orphan, orphan.path.parent.parent)
    assert not first.parent.exists()
    assert not second.exists()


ELSEWHERE = """
import sys
if sys.platform == "nowhere":
    def test_there(): ...

    class TestThere:
        async def test_b(self): ...
try:
    import no_such_library
except ImportError:
    pass
else:
    async def test_with_it(): ...
"""


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("test_there", "test_there"),
        ("test_there.second", "test_there"),
        ("test_there[x.y]", "test_there"),
        ("test_with_it", "test_with_it"),
        ("TestThere.test_b[x]", "TestThere"),
    ],
)
def test_those_of_a_test_that_is_defined_elsewhere_stay_with_a_reason(root, name, written):
    (root / "tests" / "test_geo.py").write_text(ELSEWHERE)
    snapshot(root, name)
    (orphan,) = find_unused_snapshots(Known(root))
    assert orphan.kept == f"for tests/test_geo.py has {written}, which pytest did not collect this time"


@pytest.mark.parametrize("name", ["test_gone", "test_a[y]", "TestGone.test_a", "test_ther", "test_there_too"])
def test_what_is_written_nowhere_is_an_orphan_all_the_same(root, name):
    (root / "tests" / "test_geo.py").write_text(ELSEWHERE)
    snapshot(root, name)
    assert [orphan.kept for orphan in find_unused_snapshots(Known(root))] == [""]
