from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest

from replay_agent.cli import main
from replay_agent.harness import use_cassette


@pytest.fixture
def cassette(tmp_path):
    path = tmp_path / "old.yaml"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Capital of France?"}]}
    answer = {"model": "gpt-4o", "choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}]}
    interaction = {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "headers": {},
            "body": json.dumps(body),
        },
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": json.dumps(answer)}},
    }
    path.write_text(json.dumps({"interactions": [interaction], "version": 1}))
    return path


def test_show_prints_a_conversation(cassette, capsys):
    assert main(["show", str(cassette)]) == 0
    out = capsys.readouterr().out
    assert "Capital of France?" in out
    assert "Paris" in out


def test_show_json_is_one_object_a_line(cassette, capsys):
    assert main(["show", "--json", str(cassette), str(cassette)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [str(cassette)] * 2
    assert lines[0]["exchanges"][0]["finish_reason"] == "stop"


def test_a_file_that_cannot_be_read_does_not_hide_the_others(cassette, tmp_path, capsys):
    assert main(["show", str(tmp_path / "none.yaml"), str(cassette)]) == 2
    captured = capsys.readouterr()
    assert "none.yaml" in captured.err
    assert "Paris" in captured.out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["show"], ["show", "--colour", "x"]])
def test_misuse_is_status_two(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_help_says_what_each_command_answers(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "What was said?" in out
    assert "What does it do?" in out


def test_what_show_reads_also_replays(cassette):
    with use_cassette(cassette) as recording:
        import httpx

        body = {"messages": [{"role": "user", "content": "Capital of France?"}], "model": "gpt-4o"}
        answer = httpx.post("https://api.openai.com/v1/chat/completions", json=body)
    assert answer.json()["choices"][0]["message"]["content"] == "Paris"
    assert recording.play_count == 1


# --- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "replay-agent" in capsys.readouterr().out


def test_without_argcomplete_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'pytest-replay-agent[completion]'" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("replay-agent do", {"doctor "}),
        ("replay-agent init --ci ", {"github", "gitlab"}),
        ("replay-agent show --", {"--json", "--textconv", "--help"}),
        ("replay-agent nonsense", set()),
    ],
)
def test_bash_completes(typed, completed, tmp_path):
    program = tmp_path / "replay-agent"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m replay_agent "$@"\n', "utf-8")
    program.chmod(0o755)
    script = """
        eval "$(replay-agent completion bash)"
        COMP_LINE="$TYPED" COMP_POINT=${#TYPED} COMP_TYPE=9 COMP_WORDS=($TYPED) COMP_CWORD=1 IFS=$'\\n'
        _python_argcomplete replay-agent
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = {**os.environ, "TYPED": typed, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, check=True, capture_output=True, encoding="utf-8")
    found = set(filter(None, done.stdout.split("\n")))
    assert {word.strip() for word in found} >= {word.strip() for word in completed}
    assert found or not completed
    assert completed or not found


def test_help_does_not_take_long():
    """Under 60 ms of CPU time, on a machine that does little else; what it imports is the same on any."""
    code = (
        "import sys; from replay_agent.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8")
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint(
        {"pytest", "pydantic", "httpx", "yaml", "click", "rich", "argcomplete", "asyncio", "json.tool"}
    )


def test_version_is_that_of_the_distribution(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.split() == ["replay-agent", version("pytest-replay-agent")]
