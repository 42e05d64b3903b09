from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from replay_agent.cli.runs.demo import demo
from replay_agent.harness import load_transcript


@pytest.fixture
def steps(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    word = f"w{secrets.token_hex(6)}"
    return word, list(demo(tmp_path, edited=f"Tell me about the {word} of France.")), tmp_path


@pytest.mark.filterwarnings("default")  # run_sync leaves its event loop to the interpreter
def test_the_demonstration_shows_what_it_did(steps):
    word, (recorded, replayed, snapshot, drift), folder = steps
    assert "2 calls" in recorded.title
    assert "Tell me about the capital of France." in recorded.text
    assert "City(name='Paris', country='France', population=2102650)" in replayed.text
    assert "population" in snapshot.text
    assert word in drift.text
    assert "user prompt" in drift.text
    assert "record_mode='refresh'" in drift.text
    messages = load_transcript(folder / "demo.yaml").messages
    assert [message.kind for message in messages] == ["request", "response", "request", "response"]


def test_the_command_leaves_nothing_behind(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "replay_agent", "demo", "--keep", str(tmp_path / "kept"), "--prompt", "Zanzibar?"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zanzibar" in done.stdout
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["demo.yaml"]
