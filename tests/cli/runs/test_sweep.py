from __future__ import annotations

import pytest

from replay_agent.cli.runs.sweep import sweep

pytestmark = pytest.mark.usefixtures("without_anyio")

TEST = """
import httpx, pytest

@pytest.mark.replay
def test_it(provider, replay):
    provider.reply("Paris")
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "capital?"}]}
    response = httpx.post("https://api.openai.com/v1/chat/completions", json=body, timeout=TIMEOUT)
    response.raise_for_status()
    assert response.json()["choices"][0]["message"]["content"] == "Paris"
"""


@pytest.mark.parametrize(("timeout", "code"), [("5", 0), ("None", 1)])
def test_it_tells_how_a_test_takes_faults(pytester, monkeypatch, timeout, code):
    pytester.makepyfile(test_it=TEST.replace("TIMEOUT", timeout))
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", "--record-mode=once").assert_outcomes(passed=1)
    monkeypatch.chdir(pytester.path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    assert sweep(["test_it.py::test_it"], "read_timeout,refused") == code


def test_a_test_that_is_not_there_is_misuse(pytester, monkeypatch):
    monkeypatch.chdir(pytester.path)
    assert sweep(["test_nothing.py::test_it"]) == 2


def test_a_fault_that_there_is_not_is_misuse_and_no_test_runs(pytester, monkeypatch, capfd):
    pytester.makepyfile(test_it=TEST.replace("TIMEOUT", "5") + "\n    open('ran', 'w')\n")
    monkeypatch.chdir(pytester.path)
    assert sweep(["test_it.py::test_it"], "meteorite") == 2
    told = capfd.readouterr()
    assert "meteorite" in told.out + told.err
    assert not (pytester.path / "ran").exists()
