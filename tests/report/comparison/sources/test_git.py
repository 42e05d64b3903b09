"""Revisions read from git's objects, by the git program."""

from __future__ import annotations

import os
import subprocess

import pytest

from replay_agent.exceptions import UserError
from replay_agent.report.comparison.sources.git import Objects, Repository, split_range


def git(folder, *arguments):
    who = ["-c", "user.email=a@example.com", "-c", "user.name=a", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def commit(folder, files):
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "change")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {"a.yaml": "one", "deep/ü b.yaml": "two", "code.py": "pass"})
    return folder


def test_a_folder_without_git_has_no_repository(tmp_path):
    assert Repository.around(tmp_path) is None


def test_files_of_a_commit_are_read_by_their_ids(project):
    repository = Repository.around(project)
    files = repository.files(repository.commit("main"))
    assert set(files) == {"a.yaml", "deep/ü b.yaml", "code.py"}
    with Objects(repository) as objects:
        assert objects.read(files["deep/ü b.yaml"]) == b"two"
        assert objects.read(files["a.yaml"]) == b"one"
        assert objects.read("0" * 40) is None


def test_a_folder_within_sees_its_own_files(project):
    repository = Repository.around(project / "deep")
    assert set(repository.files(repository.commit("HEAD"))) == {"ü b.yaml"}
    assert set(Repository.around(project).files(repository.commit("HEAD"), "deep")) == {"ü b.yaml"}
    assert set(Repository.around(project).files(repository.commit("HEAD"), "a.yaml")) == {"a.yaml"}


@pytest.mark.parametrize("word", ["main", "HEAD", "HEAD~0", "refs/heads/main", "HEAD^{commit}"])
def test_a_revision_has_a_commit(project, word):
    assert len(Repository.around(project).commit(word)) >= 40


@pytest.mark.parametrize("word", ["", "nowhere", "HEAD~9", "--all", "-x", "main:a.yaml", "a b", "$(touch x)"])
def test_what_is_no_revision_has_none(project, word):
    assert Repository.around(project).commit(word) is None


def test_the_work_tree_has_what_git_knows_or_would_add(project):
    write(project, {"new.yaml": "new", ".gitignore": "ignored/\n", "ignored/x.yaml": "x"})
    assert set(Repository.around(project).present()) == {"a.yaml", "deep/ü b.yaml", "code.py", "new.yaml", ".gitignore"}


def test_where_two_parted_is_a_commit(project):
    repository = Repository.around(project)
    base = repository.commit("main")
    git(project, "checkout", "--quiet", "-b", "topic")
    commit(project, {"a.yaml": "three"})
    assert repository.parted("main", "topic") == base
    git(project, "checkout", "--quiet", "--orphan", "other")
    git(project, "commit", "--quiet", "--message", "alone")
    assert repository.parted("main", "other") is None


def test_a_shallow_clone_says_so(project, tmp_path):
    commit(project, {"a.yaml": "more"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{project}", "clone")
    assert Repository.around(tmp_path / "clone").is_shallow
    assert not Repository.around(project).is_shallow


def test_without_the_program_it_is_said(project, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(UserError, match="not installed"):
        Repository.around(project)


def test_nothing_is_written(project):
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    repository = Repository.around(project)
    repository.files(repository.commit("main"))
    repository.present()
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("main..HEAD", ("main", "HEAD", False)),
        ("main..", ("main", "HEAD", False)),
        ("..topic", ("HEAD", "topic", False)),
        ("v1.0...v1.1", ("v1.0", "v1.1", True)),
        ("main", None),
        ("../old", None),
        ("a/../b", None),
    ],
)
def test_a_range_has_two_sides(text, parts):
    assert split_range(text) == parts
