"""`replay-agent prune` in whole projects: pytest says what is played."""

from __future__ import annotations

import io
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from replay_agent.cli import main

pytestmark = pytest.mark.usefixtures("without_anyio")

TESTS = """
    import httpx, pytest

    @pytest.mark.replay
    def test_kept():
        httpx.post("{base}/v1/chat/completions", json={{"model": "m", "messages": []}})

    @pytest.mark.slow
    @pytest.mark.replay("named")
    def test_deselected():
        httpx.post("{base}/v1/chat/completions", json={{"model": "m", "messages": []}})

    @pytest.mark.replay
    def test_gone():
        httpx.post("{base}/v1/chat/completions", json={{"model": "m", "messages": []}})
"""


@pytest.fixture
def recorded(project, provide):
    base, *_ = provide("a", "b", "c", "d")
    project.makeini("[pytest]\naddopts = -p no:cacheprovider -m 'not slow'\nmarkers = slow\n")
    project.makepyfile(test_geo=TESTS.format(base=base), test_whole=TESTS.format(base=base))
    project.runpytest("--record-mode=once", "-m", "slow or not slow", "test_geo.py").assert_outcomes(passed=3)
    path = project.path / "test_geo.py"
    path.write_text(path.read_text("utf-8").replace("def test_gone", "def test_new"), "utf-8")
    return project


@dataclass(frozen=True)
class Pruned:
    returncode: int
    stdout: str
    stderr: str


def prune(project, *arguments, where="."):
    out, err = io.StringIO(), io.StringIO()
    with chdir(project.path / where), redirect_stdout(out), redirect_stderr(err), patch.dict(sys.modules):
        status = main(["prune", *arguments])  # patched, so that the next collects the tests anew
    return Pruned(status, out.getvalue(), err.getvalue())


def test_only_the_cassette_without_a_test_is_listed_and_deleted(recorded):
    listed = prune(recorded)
    assert (listed.returncode, listed.stderr) == (1, "")
    assert [line.partition(":")[0].rpartition("/")[2] for line in listed.stdout.splitlines()] == ["test_gone.yaml"]
    assert prune(recorded, "--delete").returncode == 0
    assert prune(recorded).stdout == ""
    assert {path.name for path in (recorded.path / "cassettes").rglob("*.yaml")} == {"test_kept.yaml", "named.yaml"}


@pytest.mark.parametrize("folder", ["__snapshots__", "kept"])
def test_snapshots_are_looked_for_where_syrupy_has_them(recorded, folder):
    ini = recorded.path / "tox.ini"
    ini.write_text(ini.read_text("utf-8").replace("addopts =", f"addopts = --snapshot-dirname={folder}"), "utf-8")
    place = recorded.path / folder / "test_geo"
    place.mkdir(parents=True)
    for name in ("test_kept", "test_gone"):
        (place / f"{name}.run.snap").touch()
    listed = prune(recorded).stdout.splitlines()
    assert [line.partition(":")[0] for line in listed if "run.snap" in line] == [
        f"{folder}/test_geo/test_gone.run.snap"
    ]


def test_cassettes_of_a_module_that_is_skipped_stay(recorded):
    path = recorded.path / "test_geo.py"
    path.write_text("import pytest\npytest.importorskip('nowhere')\n" + path.read_text("utf-8"), "utf-8")
    left = prune(recorded, "--delete")
    assert (left.returncode, left.stdout) == (0, "")
    assert left.stderr.count("pytest did not collect test_geo.py") == 2


def test_a_subfolder_stands_for_the_project_that_it_is_in(recorded):
    inner = recorded.mkdir("inner")
    (inner / "test_inner.py").write_text("def test_x(): ...\n", "utf-8")
    assert prune(recorded, "--delete", where="inner").stdout.count("deleted: ") == 1
    assert {path.name for path in (recorded.path / "cassettes").rglob("*.yaml")} == {"test_kept.yaml", "named.yaml"}


@pytest.mark.parametrize("ini", ["testpaths = inner", "addopts = --ignore=test_geo.py", "norecursedirs = *"])
def test_cassettes_of_tests_that_are_not_collected_by_default_stay(recorded, ini):
    recorded.mkdir("inner")
    if ini.startswith("norecurse"):
        (recorded.path / "inner" / "test_geo.py").write_bytes((recorded.path / "test_geo.py").read_bytes())
        recorded.runpytest("inner/test_geo.py", "--record-mode=once", "-m", "slow or not slow")
    recorded.makeini(f"[pytest]\nmarkers = slow\n{ini}\n")
    before = set((recorded.path / "cassettes").rglob("*.yaml"))
    prune(recorded, "--delete")
    after = set((recorded.path / "cassettes").rglob("*.yaml"))
    assert {path.name for path in before - after} <= {"test_gone.yaml"}


def test_a_person_at_the_terminal_is_asked(recorded, monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def answer(text, *arguments):
        monkeypatch.setattr(sys, "stdin", Terminal(text))
        monkeypatch.setattr(sys, "stdout", printed := Terminal())
        return main(["prune", "--delete", *arguments]), printed.getvalue()

    monkeypatch.chdir(recorded.path)
    gone = next((recorded.path / "cassettes").rglob("test_gone.yaml"))
    for refusal in ("n\n", "\n", ""):
        status, text = answer(refusal)
        assert (status, gone.exists(), "Delete this? [y/N]" in text) == (1, True, True)
    status, text = answer("y\n")
    assert (status, gone.exists()) == (0, False)
    gone.touch()
    gone.unlink()
    assert answer("")[0] == 0


def test_nothing_is_judged_when_the_tests_cannot_be_collected(recorded):
    (recorded.path / "conftest.py").write_text("import nowhere_to_be_found\n", "utf-8")
    failed = prune(recorded, "--delete")
    assert failed.returncode == 2
    assert "nowhere_to_be_found" in failed.stderr
    assert len(list((recorded.path / "cassettes").rglob("*.yaml"))) == 3


def test_what_a_broken_module_may_play_stays_and_the_rest_is_judged(recorded):
    path = recorded.path / "test_geo.py"
    source = path.read_text("utf-8")
    path.write_text(f"import nowhere_to_be_found\n{source}", "utf-8")
    left = prune(recorded, "--delete")
    assert left.stdout == ""
    assert "test_geo.py could not be collected" in left.stderr
    assert len(list((recorded.path / "cassettes").rglob("*.yaml"))) == 3
    path.write_text(source, "utf-8")
    (recorded.path / "test_broken.py").write_text("import nowhere_to_be_found\nNAME = 'named'\n", "utf-8")
    judged = prune(recorded, "--delete")
    assert (judged.returncode, judged.stdout.count("deleted: ")) == (0, 1)
    assert "test_broken.py could not be collected" in judged.stderr


SHARED = """
    import httpx, pytest

    def ask(text):
        httpx.post("{base}/v1/chat/completions", json={{"model": text, "messages": []}})

    @pytest.fixture(scope="module", params=["a", "b"])
    def {name}(request): ask(request.param)

    @pytest.fixture(scope="module")
    def at_run_time(): ask("late")

    class TestIt:
        @classmethod
        def setup_class(cls): ask("class")

        @pytest.mark.replay
        def test_it(self, {name}, request): request.getfixturevalue("at_run_time")
"""


def test_cassettes_of_fixtures_stay_as_long_as_the_fixture_does(project, provide):
    base, *_ = provide(*"abcdef")
    project.makepyfile(test_geo=SHARED.format(base=base, name="prepared"))
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    recorded = {path.name for path in (project.path / "cassettes").rglob("*.yaml")}
    assert recorded == {
        "TestIt.fixture-setup_class.yaml",
        "fixture-at_run_time.yaml",
        "fixture-prepared[a].yaml",
        "fixture-prepared[b].yaml",
    }
    assert prune(project).stdout == ""
    project.makepyfile(test_geo=SHARED.format(base=base, name="renamed"))
    listed = prune(project).stdout
    assert "fixture-prepared[a].yaml" in listed
    assert "fixture-prepared[b].yaml" in listed
    assert len(listed.splitlines()) == 2


def test_cassettes_of_fixtures_of_a_module_that_is_gone_are_listed(project, provide):
    base, *_ = provide(*"abcdef")
    project.makepyfile(test_geo=SHARED.format(base=base, name="prepared"))
    project.runpytest("--record-mode=once").assert_outcomes(passed=2)
    (project.path / "test_geo.py").rename(project.path / "test_other.py")
    assert len(prune(project).stdout.splitlines()) == 4
