from __future__ import annotations

import subprocess

import pytest

from replay_agent.cli.setup.git_attributes import DRIVER, is_told, line_for, tell_git, top_of, with_line
from replay_agent.exceptions import UserError


def git(place, *arguments):
    return subprocess.run(
        ["git", "-C", str(place), *arguments], check=True, capture_output=True, encoding="utf-8"
    ).stdout


@pytest.mark.parametrize("folder", ["cassettes", "tests/tapes", "my tapes", "odd[1]", "a*b", 'quo"ted', "back\\slash"])
def test_git_gives_the_cassettes_of_a_folder_to_the_driver_and_no_others(tmp_path, folder):
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitattributes").write_text(with_line("", line_for(folder)), "utf-8")
    names = [f"{folder}/a/b.yaml", f"{folder}/c.yaml", f"{folder}/c.txt", "c.yaml", f"x/{folder}/c.yaml"]
    told = git(tmp_path, "check-attr", "-z", "diff", *names).split("\0")[2::3]
    assert told == [DRIVER, DRIVER, *["unspecified"] * 3]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "L\n"),
        ("* text=auto\n", "* text=auto\nL\n"),
        ("* text=auto", "* text=auto\nL\n"),
        ("* text=auto\r\n", "* text=auto\r\nL\r\n"),
        ("# /tapes/** diff=replay-agent\n", "# /tapes/** diff=replay-agent\nL\n"),
        ("/tapes/**/*.yaml diff=replay-agent\n", "/tapes/**/*.yaml diff=replay-agent\n"),
        ("x diff=replay-agent-2\n", "x diff=replay-agent-2\nL\n"),
    ],
)
def test_a_line_is_added_once(before, after):
    assert with_line(before, "L") == after


def test_git_is_told_for_one_clone(tmp_path):
    git(tmp_path, "init", "-q")
    assert not is_told(tmp_path)
    tell_git(tmp_path)
    assert is_told(tmp_path)
    assert git(tmp_path, "config", "--local", f"diff.{DRIVER}.textconv").startswith("replay-agent show")


def test_outside_a_repository_git_is_told_nothing(tmp_path):
    assert top_of(tmp_path) is None
    with pytest.raises(UserError, match="Run it yourself"):
        tell_git(tmp_path)


def test_without_git_there_is_no_repository(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    assert top_of(tmp_path) == tmp_path
    monkeypatch.setenv("PATH", str(tmp_path))
    assert top_of(tmp_path) is None
    assert not is_told(tmp_path)
    with pytest.raises(UserError, match="git is not installed"):
        tell_git(tmp_path)
