"""Whole runs: pytest inside pytest, against a provider on loopback."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

import replay_agent.pytest_plugin.scripting.scripted
import replay_agent.pytest_plugin.scripting.sweeping
import replay_agent.pytest_plugin.watched
import replay_agent.report.snapshots.extension  # noqa: F401
from replay_agent.provider.script import Script
from replay_agent.provider.server import serve

for name in ("yaml", "anthropic", "groq", "httpx2", "openai", "pydantic_ai.models.openai"):
    # What an inner run imports first, pytester forgets after it; what is imported here is imported once.
    importlib.import_module(name)


@pytest.fixture
def provide() -> Iterator[Callable[..., tuple[str, Script, Callable[[], None]]]]:
    """Start a scripted provider; gives its address, the script, and how to stop it."""
    given: set[str] = set()
    with ExitStack() as servers:

        def start(*answers):
            script = Script(answers)
            while True:
                server = ExitStack()
                servers.callback(server.close)
                base = server.enter_context(serve(script.answer))
                if base not in given:
                    given.add(base)
                    return base, script, server.close
                server.close()  # one was stopped, and the system has given its port again

        yield start


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with our plugin, no credentials, and pytest's summary as a person at a terminal sees it."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini(
        "[pytest]\naddopts = -p no:cacheprovider -p no:hypothesispytest -p no:xdist\nfilterwarnings = default\n"
    )
    return pytester
