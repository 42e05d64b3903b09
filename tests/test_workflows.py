"""The workflows in the docs: valid YAML, steps that exist, commands that this release has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from replay_agent.cli import parser

DOCS = Path(__file__).parent.parent / "docs"
_BLOCK = re.compile(r"^```yaml\n(# \.git(?:hub|lab)[^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WORKFLOWS = {
    f"{path.stem} {match[1].lstrip('# ')}": match[2]
    for path in sorted(DOCS.glob("*.md"))
    for match in _BLOCK.finditer(path.read_text("utf-8"))
}
ENDS = {"|", "||", "&&", ">", ">>", ";"}


def lines(workflow):
    """Return the lines of shell in a workflow of GitHub's or GitLab's."""
    if "jobs" in workflow:
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        assert all(("uses" in step) != ("run" in step) for step in steps)
        return [step["run"] for step in steps if "run" in step]
    return [line for job in workflow.values() for line in (*job["script"], *job.get("after_script", ()))]


def commands(line):
    """Yield the arguments of each call of ours in a line of shell."""
    words = shlex.split(line)
    for place, word in enumerate(words):
        if word == "replay-agent":
            rest = words[place + 1 :]
            end = next((n for n, each in enumerate(rest) if each in ENDS), len(rest))
            yield rest[:end]


def test_there_are_workflows_for_both():
    for page in ("diff", "nightly", "matrix"):
        found = [name for name in WORKFLOWS if name.startswith(f"{page} ")]
        assert any(".github/workflows/" in name for name in found), page
        assert any(".gitlab-ci.yml" in name for name in found), page


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_yaml_and_its_commands_exist(name):
    workflow = yaml.safe_load(WORKFLOWS[name])
    found = [command for line in lines(workflow) for command in commands(line)]
    assert found
    for command in found:
        assert callable(parser().parse_args(command).run)


@pytest.mark.parametrize("name", [name for name in WORKFLOWS if ".github" in name])
def test_a_workflow_of_github_asks_for_no_more_than_it_needs(name):
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert {"name", "permissions", "jobs"} <= set(workflow)
    assert workflow["permissions"].get("contents") == "read"
    assert True in workflow or "on" in workflow  # YAML 1.1 reads the word as true


def test_only_a_schedule_goes_live():
    for name, text in WORKFLOWS.items():
        if "verify" in text:
            assert "schedule" in text, name
            assert "pull_request" not in text, name
