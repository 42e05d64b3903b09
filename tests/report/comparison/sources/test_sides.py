"""Which two sides the words of a command line name."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from replay_agent.exceptions import CassetteUnreadable, UserError
from replay_agent.report.comparison.sources.sides import is_cassette_name, open_sides
from tests.report.comparison.sources.test_git import commit, git, write


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {"cassettes/a.yaml": "one", "cassettes/b.yaml": "same", "notes.txt": "no"})
    git(folder, "checkout", "--quiet", "-b", "topic")
    commit(folder, {"cassettes/a.yaml": "two"})
    write(folder, {"cassettes/a.yaml": "three", "cassettes/c.yaml": "new", "old/a.yaml": "zero"})
    return folder


@pytest.fixture
def sides(project):
    with ExitStack() as closing:
        yield lambda old, new=None, at=project: open_sides(old, new, closing, folder=at, cassettes="cassettes")


def contents(side):
    return {path: side.read(path).decode() for path in side.ids}


def test_a_revision_is_compared_with_the_work_tree(sides):
    old, new = sides("main")
    assert contents(old) == {"cassettes/a.yaml": "one", "cassettes/b.yaml": "same"}
    assert contents(new) == {
        "cassettes/a.yaml": "three",
        "cassettes/b.yaml": "same",
        "cassettes/c.yaml": "new",
        "old/a.yaml": "zero",
    }
    assert old.ids["cassettes/b.yaml"] == new.ids["cassettes/b.yaml"]
    assert old.ids["cassettes/a.yaml"] != new.ids["cassettes/a.yaml"]


@pytest.mark.parametrize("words", [("main..topic",), ("main", "topic"), ("main...topic",), ("HEAD~1..",)])
def test_two_revisions(sides, words):
    old, new = sides(*words)
    assert (contents(old)["cassettes/a.yaml"], contents(new)["cassettes/a.yaml"]) == ("one", "two")
    assert old.place("cassettes/a.yaml") == Path(f"{old.name}:cassettes/a.yaml")


def test_a_revision_and_a_folder_or_file_of_it(sides):
    old, new = sides("main", "cassettes")
    assert (contents(old), set(contents(new))) == ({"a.yaml": "one", "b.yaml": "same"}, {"a.yaml", "b.yaml", "c.yaml"})
    old, new = sides("main", "cassettes/a.yaml")
    assert (contents(old), contents(new)) == ({"a.yaml": "one"}, {"a.yaml": "three"})
    old, new = sides("cassettes", "main")
    assert contents(new) == {"a.yaml": "one", "b.yaml": "same"}


def test_two_folders_and_two_files(sides):
    old, new = sides("old", "cassettes")
    assert (contents(old), len(contents(new))) == ({"a.yaml": "zero"}, 3)
    old, new = sides("old/a.yaml", "cassettes/b.yaml")
    assert (list(contents(old).values()), list(contents(new).values())) == (["zero"], ["same"])
    assert list(old.ids) == list(new.ids)


def test_a_folder_alone_is_compared_with_that_of_the_cassettes(sides):
    old, new = sides("old")
    assert (old.name, new.name) == ("old", "cassettes")


def test_folders_need_no_git(tmp_path):
    write(tmp_path, {"one/a.yaml": "x", "two/a.yaml": "y"})
    with ExitStack() as closing:
        old, new = open_sides("one", "two", closing, folder=tmp_path, cassettes="cassettes")
        assert (contents(old), contents(new)) == ({"a.yaml": "x"}, {"a.yaml": "y"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "no revision here"),
        (("nowhere..main",), "nowhere"),
        (("main..topic", "main"), "third"),
        (("old", "cassettes/a.yaml"), "Name two of a kind"),
        (("cassettes",), "with what"),
        (("cassettes/a.yaml",), "with what"),
        (("main", "/"), "not below"),
    ],
)
def test_what_cannot_be_compared_is_said(sides, words, said):
    with pytest.raises(UserError, match=said):
        sides(*words)


def test_a_name_of_two_meanings_is_said(sides, project):
    (project / "topic").mkdir()
    with pytest.raises(UserError, match=r"\./topic"):
        sides("topic", "main")
    old, _ = sides("./topic", "cassettes")
    assert contents(old) == {}


def test_a_revision_without_git_is_said(tmp_path):
    with ExitStack() as closing, pytest.raises(UserError, match="no git repository"):
        open_sides("main", None, closing, folder=tmp_path, cassettes="cassettes")


def test_a_folder_alone_wants_another_one(tmp_path):
    (tmp_path / "old").mkdir()
    with ExitStack() as closing, pytest.raises(UserError, match="no folder cassettes"):
        open_sides("old", None, closing, folder=tmp_path, cassettes="cassettes")


def test_a_shallow_clone_says_how_to_get_more(project, tmp_path):
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{project}", "clone")
    with ExitStack() as closing, pytest.raises(UserError, match="unshallow"):
        open_sides("HEAD~1", None, closing, folder=tmp_path / "clone", cassettes="cassettes")


def test_what_a_clone_left_out_is_said(project, tmp_path):
    git(project, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{project}", "clone")
    with ExitStack() as closing:
        old, _ = open_sides("HEAD~1", "HEAD", closing, folder=tmp_path / "clone", cassettes="cassettes")
        with pytest.raises(CassetteUnreadable, match="left it out"):
            old.read("cassettes/a.yaml")


def test_a_file_that_is_gone_from_the_work_tree_is_not_there(sides, project):
    (project / "cassettes/b.yaml").unlink()
    _, new = sides("main")
    assert "cassettes/b.yaml" not in new.ids


@pytest.mark.parametrize("name", ["a.yaml", "x/a.yml", "a.json", "a.toml", "a.yaml.gz", "A.YAML"])
def test_names_of_cassettes(name):
    assert is_cassette_name(name)


@pytest.mark.parametrize("name", ["a.py", "a.txt", "x/.a.yaml", "yaml"])
def test_other_names(name):
    assert not is_cassette_name(name)
