"""Settling into a project, as a user sees it: what is said, what is there afterwards, what git and pytest make of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from replay_agent.cli import main
from replay_agent.cli.setup.init import init, project_root
from replay_agent.exceptions import UserError


def git(place, *arguments, **more):
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "core.autocrlf=false")
    done = subprocess.run(
        ["git", *identity, "-C", str(place), *arguments], check=True, capture_output=True, encoding="utf-8", **more
    )
    return done.stdout


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    (tmp_path / "pyproject.toml").write_text('# mine\n[project]\nname = "x"  # a name\n', "utf-8")
    return tmp_path


def said(capsys, *arguments):
    status = main(["init", *arguments])
    return status, capsys.readouterr().out


def tree(place):
    files = (path for path in place.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def test_each_thing_that_is_done_is_said(project, capsys):
    status, out = said(capsys)
    assert status == 0
    for words in (
        "pyproject.toml: added to [tool.pytest.ini_options]\n    replay_cassette_dir",
        ".gitattributes: added\n    /cassettes/**/*.yaml diff=replay-agent",
        "git config: not touched",
        '    git config diff.replay-agent.textconv "replay-agent show --textconv"',
    ):
        assert words in out
    assert (project / "pyproject.toml").read_text("utf-8").startswith('# mine\n[project]\nname = "x"  # a name\n')
    assert set(tree(project)) == {"pyproject.toml", ".gitattributes"}


@pytest.mark.parametrize("more", [(), ("--ci", "github"), ("--ci", "gitlab"), ("--git-config",)])
def test_a_second_time_changes_nothing(project, capsys, more):
    assert said(capsys, *more)[0] == 0
    before = tree(project)
    status, out = said(capsys, *more)
    assert status == 0
    assert out.count("left alone") >= 2
    assert tree(project) == before


def test_a_dry_run_says_it_and_changes_nothing(project, capsys):
    before, config = tree(project), (project / ".git/config").read_bytes()
    status, out = said(capsys, "--dry-run", "--ci", "github", "--git-config")
    assert status == 0
    assert out.count("would be") == 3
    assert "would run" in out
    assert (tree(project), (project / ".git/config").read_bytes()) == (before, config)


def test_outside_a_repository_there_is_nothing_for_git(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("setup.py").touch()
    status, out = said(capsys)
    assert status == 0
    assert "this is no git repository" in out
    assert set(tree(tmp_path)) == {"setup.py", "pytest.ini"}
    assert main(["init", "--ci", "github"]) == 2
    assert "Run `git init` first" in capsys.readouterr().err


def test_outside_a_project_it_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("replay_agent.cli.setup.init._upwards", lambda place: [place])
    assert main(["init"]) == 2
    err = capsys.readouterr().err
    for part in ("is not in a project", "there is none of", "make a pyproject.toml or a pytest.ini"):
        assert part in err
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("start", [".", "tests", "tests/deep"])
def test_the_project_is_found_from_within(project, start):
    (project / "tests" / "deep").mkdir(parents=True)
    (project / "tests" / "conftest.py").touch()
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", "utf-8")
    assert project_root(project / start) == project


def test_nothing_beyond_the_repository_is_the_project(project):
    inner = project / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    assert project_root(inner) == inner


def test_nothing_is_changed_where_something_cannot_be_read(project):
    (project / ".gitattributes").write_bytes(b"\xff\n")
    before = tree(project)
    with pytest.raises(UserError, match=r"\.gitattributes cannot be read"):
        list(init(project))
    assert tree(project) == before


def test_what_cannot_be_done_is_left_to_the_user(project, capsys):
    (project / "pyproject.toml").write_text("tool.pytest.ini_options.addopts = '-q'\n", "utf-8")
    (project / ".gitlab-ci.yml").write_text("test:\n  script: pytest\n", "utf-8")
    status, out = said(capsys, "--ci", "gitlab")
    assert status == 1
    assert 'Put these into it:\n    replay_cassette_dir = "cassettes"' in out
    assert ".gitlab-ci.yml: left alone, it is yours. To run the jobs, add\n    include:\n      - local:" in out
    assert (project / ".gitlab/replay-agent.yml").is_file()
    with (project / ".gitlab-ci.yml").open("a", encoding="utf-8") as rules:
        rules.write("include:\n  - local: .gitlab/replay-agent.yml\n")
    assert ".gitlab-ci.yml" not in said(capsys, "--ci", "gitlab")[1]


def test_the_folder_of_the_cassettes_is_the_one_that_is_said(project):
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\nreplay_cassette_dir = 'tapes'\n", "utf-8")
    list(init(project))
    assert (project / ".gitattributes").read_text("utf-8") == "/tapes/**/*.yaml diff=replay-agent\n"


def test_pytest_takes_what_was_added(project, pytester):
    list(init(project))
    result = pytester.runpytest(
        "--strict-config", "--collect-only", f"--rootdir={project}", "-c", project / "pyproject.toml"
    )
    result.stdout.no_fnmatch_line("*nknown config*")


# --- git diff ---------------------------------------------------------------------------------------------------------


def cassette(answer):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Capital of France?"}]}
    said = {"model": "gpt-4o", "choices": [{"message": {"content": answer}, "finish_reason": "stop"}]}
    request = {
        "method": "POST",
        "uri": "https://api.openai.com/v1/chat/completions",
        "headers": {},
        "body": json.dumps(body),
    }
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": json.dumps(said)}}
    return json.dumps({"interactions": [{"request": request, "response": response}], "version": 1})


@pytest.fixture
def shown_by_git(project):
    """Return what git shows of a change, with our command found where this Python's is."""
    (project / "bin").mkdir()
    program = project / "bin" / "replay-agent"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m replay_agent "$@"\n', "utf-8")
    program.chmod(0o755)
    list(init(project, tell_git=True))
    folder = project / "cassettes" / "test_geo"
    folder.mkdir(parents=True)
    path = folder / "test_capital.yaml"
    path.write_text(cassette("Paris"), "utf-8")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}

    def diff(text, *arguments):
        path.write_text(text, "utf-8")
        return git(project, "diff", *arguments, env=environment)

    return diff


def lines_of(diff):
    return [line for line in diff.splitlines() if line.startswith(("+ ", "- ", "+\t", "-\t", "+=", "-="))]


@pytest.mark.skipif(os.name == "nt", reason="git's shell is another one")
def test_git_diff_shows_the_conversation(shown_by_git):
    diff = shown_by_git(cassette("Lyon"))
    assert lines_of(diff) == ["-  Paris", "+  Lyon"]
    assert "Capital of France?" in diff
    assert "git-blob" not in diff


@pytest.mark.skipif(os.name == "nt", reason="git's shell is another one")
@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", "", "interactions: [\n", "just text\n"])
def test_git_diff_survives_what_is_no_cassette(shown_by_git, text):
    assert "test_capital.yaml" in shown_by_git(text)


@pytest.mark.skipif(os.name == "nt", reason="git's shell is another one")
def test_a_long_message_is_compared_whole(shown_by_git):
    long = "\n".join(f"line {number}" for number in range(200))
    shown_by_git(cassette(long))
    git(".", "commit", "-qam", "long")
    assert lines_of(shown_by_git(cassette(long.replace("line 100", "line one hundred")))) == [
        "-  line 100",
        "+  line one hundred",
    ]
