"""A project's everyday life: what changes in one, what the terminal says then, and that the command it prints helps.

Each test changes one thing, looks at what is said, pastes the command that is printed as it is, and expects the next plain
run to be green, with no more changed than what was meant.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest

from tests.integration.everyday_provider import KEY, providing

APP = """
    import os
    import httpx

    SYSTEM = "You are a support agent.\\nAnswer in one sentence."
    MODEL = "gpt-4o"
    BASE = os.environ.get("MODEL_BASE", "{base}")

    def ask(*prompts, **more):
        messages = [{{"role": "system", "content": SYSTEM}}]
        for prompt in prompts:
            messages.append({{"role": "user", "content": prompt}})
            body = {{"model": MODEL, "messages": messages, **more}}
            key = os.environ.get("OPENAI_API_KEY", "")
            with httpx.Client() as client:
                answer = client.post(BASE + "/chat/completions", json=body, headers={{"authorization": "Bearer " + key}})
            if answer.status_code != 200:
                raise RuntimeError(answer.json()["error"]["message"])
            messages.append(answer.json()["choices"][0]["message"])
        return messages[-1]["content"]
"""

TESTS = """
    import pytest
    from app import ask

    @pytest.mark.replay
    def test_order(replay, run_snapshot):
        ask("Where is my order?")
        assert replay == run_snapshot

    @pytest.mark.replay
    def test_refund(replay, run_snapshot):
        ask("May I have a refund?", "Really?")
        assert replay == run_snapshot

    @pytest.mark.replay
    def test_plain():
        assert "hours" in ask("What are your hours?")
"""


class Day:
    """A small project, its provider, and somebody who runs pytest in it and does what it says."""

    def __init__(self, pytester, monkeypatch, provider):
        self.pytester, self.monkeypatch, self.provider = pytester, monkeypatch, provider
        self.path: Path = pytester.path

    def write(self, name, source):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip("\n"), "utf-8")

    def edit(self, name, before, after):
        path = self.path / name
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after), "utf-8")

    def run(self, *arguments, live=False):
        """Run pytest with a key and the provider, or with neither."""
        with self.monkeypatch.context() as patch:
            if live:
                patch.setenv("OPENAI_API_KEY", KEY)
            asked = len(self.provider.asked)
            result = self.pytester.runpytest(*arguments)
            assert live or len(self.provider.asked) == asked
        return result

    def record(self, *arguments):
        self.run("--replay-accept", *arguments, live=True)
        self.green()

    def green(self):
        result = self.run()
        assert result.ret == 0, result.stdout.str()
        return result

    def accept(self, result, *, asks=None):
        """Paste the one command that is printed, and see that the next run is green."""
        (command,) = commands(result)
        before = len(self.provider.asked)
        accepted = self.run(*shlex.split(command)[1:], live=True)
        assert accepted.ret == 0, accepted.stdout.str()
        assert asks is None or len(self.provider.asked) - before == asks
        self.green()
        return accepted

    def files(self):
        found = [*self.path.glob("cassettes/**/*"), *self.path.glob("**/__snapshots__/**/*")]
        return {str(path.relative_to(self.path)): path.read_text("utf-8") for path in found if path.is_file()}


def commands(result):
    """Return the commands that are printed, each once."""
    lines = (line.strip() for line in result.stdout.lines)
    return list(dict.fromkeys(line for line in lines if re.match(r"(pytest|replay-agent) \S", line)))


def changed(before, after):
    """Return the lines that differ between two states of one file, those that are gone and those that are new."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.fixture
def day(project, monkeypatch):
    monkeypatch.syspath_prepend(project.path)
    with providing() as provider:
        made = Day(project, monkeypatch, provider)
        made.write("app.py", APP.format(base=provider.base))
        made.write("tests/test_support.py", TESTS)
        yield made


@pytest.fixture
def recorded(day):
    day.record()
    return day


def test_a_new_project_is_recorded_and_snapshots_made_in_one_run(day):
    result = day.run()
    result.assert_outcomes(failed=3)
    day.accept(result, asks=4)
    assert len(day.files()) == 5


def test_a_system_prompt(recorded):
    before = recorded.files()
    recorded.edit("app.py", "one sentence", "two sentences")
    result = recorded.run()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*system prompt changed*"])
    accepted = recorded.accept(result, asks=4)
    accepted.stdout.fnmatch_lines(["4 answers recorded, 3 cassettes written*", "3 tests asked anew*means the same*"])
    after = recorded.files()
    assert after.keys() == before.keys()
    for name in before:
        gone, new = changed(before[name], after[name])
        lines = 2 if name.endswith(".yaml") and "refund" in name else 1
        assert len(gone) == len(new) == (2 * lines if name.endswith(".yaml") else 1), (name, gone, new)
