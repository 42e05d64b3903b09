"""`replay-agent diff`: exit status, forms, limits, in a repository and without one."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from replay_agent.cli import main, parser
from replay_agent.messages import TextPart
from replay_agent.report.comparison.result.difference import CAUSES, EFFECTS
from tests.report.comparison.sources.test_git import commit, git
from tests.report.comparison.stories import cassette, interactions, story

KNOWN, UNKNOWN = "gpt-4o", "model-nobody-sells"


def told(**changes):
    made = story("openai_chat")
    made.model = KNOWN
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def dearer(made):
    made = deepcopy(made)
    made.system += " Think before every step, and say what you think."
    for step in made.steps:
        step.tokens = (step.tokens[0] * 2, step.tokens[1])
    return made


def chattier(made):
    made = deepcopy(made)
    made.steps[4].answer = [TextPart("The train, I would say.")]
    return made


def written(made, test="tests/test_guide.py::test_way"):
    return cassette(interactions("openai_chat", made, test=test)).decode()


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {"cassettes/test_guide/test_way.yaml": written(told()), "pyproject.toml": "[project]\nname = 'x'\n"})
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def change(project):
    def write(made):
        (project / "cassettes/test_guide/test_way.yaml").write_text(written(made), "utf-8")

    return write


def as_json(capsys, *arguments):
    status = main(["diff", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_nothing_changed_is_status_zero(project, capsys):
    assert main(["diff", "HEAD"]) == 0
    assert "1 cassette compared: no difference" in capsys.readouterr().out


def test_a_change_is_told_from_cause_to_cost(change, capsys):
    change(chattier(dearer(told())))
    assert main(["diff", "main"]) == 1
    out = capsys.readouterr().out
    told_in_one_line = " ".join(out.split())
    for said in (
        "system prompt changed",
        "Think before every step",
        "first turn 1 of 5",
        "turn 5: answer changed",
    ):
        assert said in told_in_one_line
    assert "in 500 -> 1,000 (+500: system prompt +500)" in out
    assert "cost     $0.001750 -> $0.003000 (+71.4 %)" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "\x1b" not in out


def test_the_object_for_programs(change, capsys):
    change(chattier(dearer(told())))
    status, said = as_json(capsys, "main")
    assert (status, said["schema"], said["changed"], said["compared"]) == (1, 1, True, 1)
    (test,) = said["tests"]
    assert (test["test"], test["state"], test["first_turn"]) == ("tests/test_guide.py::test_way", "changed", 1)
    assert [cause["kind"] for cause in test["causes"]] == ["message_changed"]
    assert [(effect["kind"], effect["turn"]) for effect in test["effects"]] == [("answer_changed", 5)]
    assert test["growth"] == [{"what": "system prompt", "input_tokens": 500}]
    assert (test["old"]["input_tokens"], test["new"]["cost_usd"]) == (500, 0.003)
    assert said["causes"][0]["affected"] == [test["test"]]


def test_the_comment_for_a_review(change, capsys):
    change(chattier(dearer(told())))
    assert main(["diff", "main", "--markdown"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("### What changed from `main` to `work tree`")
    assert "| `tests/test_guide.py::test_way` |" in out


IGNORED = [
    (chattier, "answer", 0),
    (chattier, "cause,tokens,cost,tool-arguments", 1),
    (dearer, "cause,tokens,cost", 0),
    (dearer, "cause,tokens", 1),
    (dearer, "cost,tokens", 1),
]


@pytest.mark.parametrize(("edit", "ignored", "status"), IGNORED)
def test_what_is_ignored_is_no_reason_to_fail(change, edit, ignored, status):
    change(edit(told()))
    assert main(["diff", "main", "--ignore", ignored]) == status
    assert main(["diff", "main", *(word for name in ignored.split(",") for word in ("--ignore", name))]) == status


LIMITS = [
    ("--max-cost", "+5%", 1),
    ("--max-cost", "+100%", 0),
    ("--max-cost", "+0.001", 1),
    ("--max-cost", "+$0.01", 0),
    ("--max-cost", "0.002", 1),
    ("--max-tokens", "+10%", 1),
    ("--max-tokens", "+500", 0),
    ("--max-tokens", "1000", 1),
    ("--max-tokens", "50,000", 0),
]


@pytest.mark.parametrize(("option", "limit", "status"), LIMITS)
def test_a_ratchet_holds(change, option, limit, status, capsys):
    change(dearer(told()))
    assert main(["diff", "main", "--ignore=cause,tokens,cost", option, limit]) == status
    said = capsys.readouterr().err
    assert ("tests/test_guide.py::test_way, from turn 1" in said and "system prompt +500" in said) == bool(status)
    assert ("all tests together" in said) == bool(status)


def test_a_price_that_is_not_known_fails_only_if_asked(project, capsys):
    commit(project, {"cassettes/test_guide/test_way.yaml": written(told(model=UNKNOWN))})
    (project / "cassettes/test_guide/test_way.yaml").write_text(written(dearer(told(model=UNKNOWN))), "utf-8")
    quiet = ["diff", "HEAD", "--ignore=cause,tokens,cost", "--max-cost=+5%"]
    assert main(quiet) == 0
    assert main([*quiet, "--fail-unknown"]) == 1
    assert "unknown" in capsys.readouterr().err


def test_new_and_removed_tests_are_said(project, capsys):
    (project / "cassettes/test_guide/test_way.yaml").unlink()
    (project / "cassettes/other.yaml").write_text(written(told(model="gpt-4o-mini"), "tests/x.py::test_new"), "utf-8")
    status, said = as_json(capsys, "HEAD")
    assert status == 1
    assert sorted((test["test"], test["state"]) for test in said["tests"]) == [
        ("tests/test_guide.py::test_way", "removed"),
        ("tests/x.py::test_new", "added"),
    ]


def test_a_test_that_moved_is_compared_and_said(project, capsys):
    old = project / "cassettes/test_guide/test_way.yaml"
    (project / "cassettes/moved.yaml").write_text(written(told(), "tests/new.py::test_way"), "utf-8")
    old.unlink()
    assert main(["diff", "HEAD"]) == 0
    assert "moved: cassettes/test_guide/test_way.yaml -> cassettes/moved.yaml" in capsys.readouterr().out


def test_damage_is_said_and_is_misuse_only_if_nothing_can_be_compared(project, capsys):
    broken = "<<<<<<< ours\n" + written(told())
    (project / "cassettes/test_guide/test_way.yaml").write_text(broken, "utf-8")
    assert main(["diff", "HEAD"]) == 2
    out = capsys.readouterr().out
    assert "nothing could be compared" in out
    assert "merge conflict" in out
    (project / "cassettes/more.yaml").write_text(written(told(), "t.py::more"), "utf-8")
    assert main(["diff", "HEAD"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [["nowhere"], ["HEAD~7"], ["HEAD", "--ignore=weather"], ["HEAD", "--max-cost=dear"], ["HEAD", "--max-tokens=-5"]],
)
def test_misuse_is_said(project, arguments, capsys):
    assert main(["diff", *arguments]) == 2
    assert capsys.readouterr().err.startswith("replay-agent: ")


def test_nothing_is_written(change, project):
    change(dearer(told()))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in project.rglob("*")}
    main(["diff", "main"])
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in project.rglob("*")} == before


def test_another_folder_of_cassettes_is_read_from_the_ini_file(project, capsys):
    commit(project, {"recorded/bad.yaml": "<<<<<<< theirs\n"})
    (project / "recorded/bad.yaml").write_text("<<<<<<< ours\n", "utf-8")
    assert main(["diff", "HEAD"]) == 0
    assert "bad.yaml" not in capsys.readouterr().out
    (project / "pytest.ini").write_text("[pytest]\nreplay_cassette_dir = recorded\n", "utf-8")
    assert main(["diff", "HEAD"]) == 1
    assert "bad.yaml" in capsys.readouterr().out


def test_a_reader_that_stops_is_no_error(change, project):
    change(dearer(told()))
    code = "from replay_agent.cli import main; raise SystemExit(main(['diff', 'main', '--json']))"
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=project
    )
    program.stdout.close()
    said = program.stderr.read()
    program.stderr.close()
    program.wait()
    assert b"Traceback" not in said


DOCS = Path(__file__).parents[3] / "docs" / "diff.md"


def test_the_jobs_in_the_docs_are_yaml_and_their_commands_exist():
    jobs = re.findall(r"^```yaml\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(jobs) == 2
    for job in jobs:
        assert isinstance(yaml.safe_load(job), dict)
        for line in re.findall(r"replay-agent (diff .*)", job):
            words = shlex.split(line.partition(" > ")[0])
            assert parser().parse_args(words).run is not None


def test_the_kinds_in_the_docs_are_those_there_are():
    said = set(
        re.findall(r"`([a-z]+(?:_[a-z]+)+)`", "".join(re.findall(r"^\| `.*", DOCS.read_text("utf-8"), re.MULTILINE)))
    )
    assert said == {*CAUSES, *EFFECTS}
