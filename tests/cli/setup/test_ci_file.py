from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from replay_agent.cli.setup.ci_file import ci_file, key_variables

PYPROJECT = '[project]\nname = "x"\ndependencies = ["pydantic-ai-slim[anthropic]", "groq>=1"]\n'


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    return tmp_path


def steps(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_github_replays_changes_and_records_at_night(project):
    path, text = ci_file("github", project, project)
    assert path == project / ".github/workflows/replay-agent.yml"
    workflow = yaml.safe_load(text)
    assert workflow[True]["schedule"]  # yaml 1.1 reads the key ``on`` as true
    replay, record = workflow["jobs"]["replay"], workflow["jobs"]["record"]
    assert steps(replay) == ["pip install -e . pytest-replay-agent", "pytest"]
    assert "--record-mode=rewrite" in steps(record)[1]
    assert [list(step["env"]) for step in record["steps"] if "env" in step] == [["ANTHROPIC_API_KEY", "GROQ_API_KEY"]]
    assert "defaults" not in replay


def test_a_project_in_a_folder_is_run_there(tmp_path):
    inner = tmp_path / "services" / "chat"
    inner.mkdir(parents=True)
    (inner / "requirements-dev.txt").write_text("openai\n", "utf-8")
    workflow = yaml.safe_load(ci_file("github", tmp_path, inner)[1])
    assert workflow["jobs"]["replay"]["defaults"]["run"]["working-directory"] == "services/chat"
    assert steps(workflow["jobs"]["replay"])[0] == "pip install -r requirements-dev.txt pytest-replay-agent"
    jobs = yaml.safe_load(ci_file("gitlab", tmp_path, inner)[1])
    assert jobs["replay"]["script"][0] == "cd services/chat"


def test_gitlab_has_a_file_or_an_included_one(project):
    path, text = ci_file("gitlab", project, project)
    assert path == project / ".gitlab-ci.yml"
    jobs = yaml.safe_load(text)
    assert jobs["replay"]["script"][-1] == "pytest"
    assert "--record-mode=rewrite" in jobs["record"]["script"][1]
    path.write_text(text, "utf-8")
    assert ci_file("gitlab", project, project)[0] == path
    path.write_text("test:\n  script: pytest\n", "utf-8")
    assert ci_file("gitlab", project, project) == (project / ".gitlab/replay-agent.yml", text)


@pytest.mark.parametrize(
    ("name", "text", "keys"),
    [
        ("pyproject.toml", "[project]\n", ["OPENAI_API_KEY"]),
        ("requirements.txt", "mistralai\nanthropic==1\n", ["ANTHROPIC_API_KEY"]),
        ("setup.cfg", "[options]\ninstall_requires =\n  mistral\n", ["MISTRAL_API_KEY"]),
        ("setup.py", "setup(install_requires=['cohere'])", ["CO_API_KEY"]),
        ("readme.txt", "anthropic", ["OPENAI_API_KEY"]),
    ],
)
def test_keys_are_those_of_the_providers_that_are_named(tmp_path, name, text, keys):
    (tmp_path / name).write_text(text, "utf-8")
    assert key_variables(tmp_path) == keys


def test_the_page_shows_what_is_written(tmp_path):
    (tmp_path / "setup.py").touch()
    page = (Path(__file__).parents[3] / "docs" / "everyday.md").read_text("utf-8")
    shown = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)]
    github = yaml.safe_load(ci_file("github", tmp_path, tmp_path)[1])
    del github["name"]
    assert shown == [github, yaml.safe_load(ci_file("gitlab", tmp_path, tmp_path)[1])]
