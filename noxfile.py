"""Development commands that do not fit the everyday test run: ``nox -l`` lists them."""

from __future__ import annotations

import re
from pathlib import Path

import nox

nox.options.sessions = ["tests"]

PYTHONS = ["3.11", "3.12", "3.13"]
"""What the suite is run on, and so what README and classifiers may claim."""


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite in a fresh environment, one for each Python that is there; arguments go to pytest."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The suite on the lowest versions that pyproject.toml names."""
    # Some SDKs of the tests ask for younger versions of our own dependencies than we do. Those are held at our floors
    # all the same, since the floors are what a project may have that uses none of these SDKs.
    floors = Path(session.create_tmp(), "floors.txt")
    floors.write_text("\n".join(_floors()), "utf-8")
    session.install("uv")
    session.run("uv", "pip", "install", "--quiet", "--resolution=lowest-direct", f"--override={floors}", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


def _floors() -> list[str]:
    """Return what a user installs, each at the lowest version that is named: ``pytest>=8.2`` as ``pytest==8.2``."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    return [re.sub(r">=(\S+)$", r"==\1", need) for need in project["dependencies"]]


@nox.session
def newest(session: nox.Session) -> None:
    """The suite on the newest of everything, pre-releases among them."""
    session.install("--pre", "--upgrade", "--upgrade-strategy=eager", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def sdk2(session: nox.Session) -> None:
    """The client tests with the generation of provider SDKs that is built on httpx."""
    session.install(".[test]")
    session.install("openai<3", "anthropic<1", "mistralai<2")  # in the place of the younger ones that `test` names
    session.run("python", "-m", "pytest", "tests/integration", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """The property tests with many more examples."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", "--hypothesis-profile=fuzz", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Every fault at every client in each of its ways, which share them out every day."""
    session.install(".[test]")
    modules = [f"tests/integration/test_fault_{name}.py" for name in ("parity", "waits", "table")]
    session.run("python", "-m", "pytest", *modules, *session.posargs, env={"REPLAY_AGENT_EVERY_FAULT": "1"})


@nox.session
def mutate(session: nox.Session) -> None:
    """Which changes of the code does no test notice? Arguments narrow it: ``-- 'replay_agent.report.nearest*'``."""
    session.install(".[test]", "mutmut>=3.8")
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def bench(session: nox.Session) -> None:
    """CPU time beside vcrpy with pytest-recording and cassetter."""
    session.install(".", "pytest-recording", "vcrpy", "cassetter", "pydantic-ai-slim>=2", "trio")
    session.run("python", "-m", "benchmarks", *session.posargs)


RECIPES = ["langchain-openai", "langgraph", "litellm", "llama-index-llms-openai", "mcp>=2", "fastapi"]
"""What the cookbook's recipes import beyond what the tests need."""


@nox.session
def recipes(session: nox.Session) -> None:
    """Every recipe of the cookbook, recorded and replayed with its library."""
    session.install(".[test]", *RECIPES)
    session.run("python", "-m", "pytest", "-rs", "tests/test_docs.py", "-k", "recipe", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as HTML in docs/_build."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build")
