"""The file for a continuous integration: plain ``pytest`` for every change, a recording every night."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from replay_agent.models.providers import PROVIDERS

__all__ = "INCLUDE", "KINDS", "ci_file", "key_variables"

KINDS = ("github", "gitlab")
INCLUDE = "include:\n  - local: .gitlab/replay-agent.yml"
"""What a ``.gitlab-ci.yml`` that is there already needs to run ours."""
_USUAL = "openai"
"""The provider whose key is asked for where nothing says which one it is."""


def ci_file(kind: str, top: Path, root: Path) -> tuple[Path, str]:
    """Return path and text of the file, for a project at ``root`` in a repository at ``top``.

    On GitLab one file rules the repository: where there is one, ours is another, to be included.
    """
    folder = root.relative_to(top).as_posix()
    keys, install = key_variables(root), _install(root)
    if kind == "github":
        return top / ".github" / "workflows" / "replay-agent.yml", _github(folder, install, keys)
    rules = top / ".gitlab-ci.yml"
    own = rules.is_file() and not rules.read_text("utf-8", "replace").startswith(_HEAD)
    return top / ".gitlab" / "replay-agent.yml" if own else rules, _gitlab(folder, install)


def key_variables(root: Path) -> list[str]:
    """Return the variables that hold the keys of the providers which a project names among its dependencies."""
    text = "\n".join(path.read_text("utf-8", "replace") for path in _dependency_files(root))
    words = set(re.findall(r"[a-z]+", text.lower()))
    named = [row for name, row in PROVIDERS.items() if name.partition("-")[0] in words] or [PROVIDERS[_USUAL]]
    return list(dict.fromkeys(row.credential_variables[0] for row in named if row.credential_variables))


def _dependency_files(root: Path) -> list[Path]:
    names = [root / name for name in ("pyproject.toml", "setup.cfg", "setup.py")]
    return [*(path for path in names if path.is_file()), *sorted(root.glob("requirements*.txt"))]


def _install(root: Path) -> str:
    """Return the words behind ``pip install`` that bring the project and this plugin."""
    files = [f"-r {path.name}" for path in sorted(root.glob("requirements*.txt"))]
    return " ".join([*files, *(["-e ."] if _is_package(root) else []), "pytest-replay-agent"])


def _is_package(root: Path) -> bool:
    if (root / "setup.py").is_file():
        return True
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return "project" in document or "build-system" in document


_HEAD = "# Made by `replay-agent init`"
_NIGHTLY = "pytest --record-mode=rewrite --replay-accept"


def _github(folder: str, install: str, keys: Sequence[str]) -> str:
    place = "" if folder == "." else f"\n    defaults:\n      run:\n        working-directory: {folder}"
    secrets = "\n".join(f"          {key}: ${{{{ secrets.{key} }}}}" for key in keys)
    return f"""\
{_HEAD}, yours to change. Changes replay the cassettes; every night the models are asked again.
name: replay-agent
on:
  push:
  pull_request:
  schedule:
    - cron: "0 3 * * *"
  workflow_dispatch:
permissions:
  contents: read
jobs:
  replay:
    if: github.event_name == 'push' || github.event_name == 'pull_request'
    runs-on: ubuntu-latest{place}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install {install}
      - run: pytest
  record:
    if: github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-latest{place}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install {install}
      - run: {_NIGHTLY}
        env:
{secrets}
      # Status 1 if the models behave otherwise than in the cassettes that are committed.
      - run: replay-agent diff HEAD --markdown >> "$GITHUB_STEP_SUMMARY"
"""


def _gitlab(folder: str, install: str) -> str:
    place = "" if folder == "." else f"    - cd {folder}\n"
    return f"""\
{_HEAD}, yours to change. Changes replay the cassettes; a scheduled pipeline asks the models again,
# with the key of your provider among the variables of the project (masked, protected).
replay:
  image: python:3.12
  rules:
    - if: $CI_PIPELINE_SOURCE != "schedule"
  script:
{place}    - pip install {install}
    - pytest
record:
  image: python:3.12
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  script:
{place}    - pip install {install}
    - {_NIGHTLY}
    # Status 1 if the models behave otherwise than in the cassettes that are committed.
    - replay-agent diff HEAD
"""
