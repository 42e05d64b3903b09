"""Development commands that do not fit the everyday test run: ``nox -l`` lists them."""

from __future__ import annotations

import nox

nox.options.sessions = ["tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite in a fresh environment; arguments go to pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def sdk2(session: nox.Session) -> None:
    """The client tests with the generation of provider SDKs that is built on httpx."""
    session.install(".[test]")
    session.install("openai<3", "anthropic<1", "mistralai<2")  # in the place of the younger ones that `test` names
    session.run("pytest", "tests/integration", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """The property tests with many more examples."""
    session.install(".[test]")
    session.run("pytest", "-m", "not slow", "--hypothesis-profile=fuzz", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """CPU time beside vcrpy with pytest-recording and cassetter."""
    session.install(".", "pytest-recording", "vcrpy", "cassetter", "pydantic-ai-slim>=2", "trio")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as HTML in docs/_build."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build")
