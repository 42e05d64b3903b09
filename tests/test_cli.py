from __future__ import annotations

import gc
import json
import os
import select
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest

from replay_agent.cli import main
from replay_agent.exceptions import UserError
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


OFFERED = [
    ("replay-agent do", {"doctor"}),
    ("replay-agent init --ci ", {"github", "gitlab"}),
    ("replay-agent show --", {"--json", "--textconv", "--help"}),
    ("replay-agent nonsense", set()),
]


@pytest.fixture
def shell(tmp_path):
    """The environment of a shell that finds `replay-agent`, and starts as for somebody who has set nothing up."""
    program = tmp_path / "replay-agent"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m replay_agent "$@"\n', "utf-8")
    program.chmod(0o755)
    home = {"HOME": str(tmp_path), "ZDOTDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "TERM": "dumb"}
    return {**os.environ, **home, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}


def needs(name):
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"there is no {name}")


def offered(command, environment, typed):
    done = subprocess.run(
        command, env={**environment, "TYPED": typed}, check=True, capture_output=True, encoding="utf-8"
    )
    return {line.partition("\t")[0].strip() for line in done.stdout.split("\n")} - {""}


@needs("bash")
@pytest.mark.parametrize(("typed", "completed"), OFFERED)
def test_bash_completes(typed, completed, shell):
    script = """
        eval "$(replay-agent completion bash)"
        COMP_LINE="$TYPED" COMP_POINT=${#TYPED} COMP_TYPE=9 COMP_WORDS=($TYPED) COMP_CWORD=1 IFS=$'\\n'
        _python_argcomplete replay-agent
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    found = offered(["bash", "-c", script], shell, typed)
    assert found >= completed
    assert completed or not found


@needs("fish")
@pytest.mark.parametrize(("typed", "completed"), OFFERED)
def test_fish_completes(typed, completed, shell):
    script = 'replay-agent completion fish | source; complete -C "$TYPED"'
    found = offered(["fish", "-c", script], shell, typed)
    assert found >= completed
    assert completed or not found


ZSHRC = """
unsetopt prompt_sp
PS1='ready> '
autoload -U compinit && compinit -u -D
eval "$(replay-agent completion zsh)"
complete-and-show() { zle complete-word; print -r -- "[$BUFFER]" }
zle -N complete-and-show
bindkey '^I' complete-and-show
"""


@needs("zsh")
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("replay-agent do", "replay-agent doctor "),
        ("replay-agent init --ci gi", "replay-agent init --ci git"),
        ("replay-agent show --te", "replay-agent show --textconv "),
        ("replay-agent nonsense", "replay-agent nonsense"),
    ],
)
def test_zsh_completes(typed, becomes, shell, tmp_path):
    """zsh completes within its line editor only, which wants a terminal and somebody who types."""
    import pty

    tmp_path.joinpath(".zshrc").write_text(ZSHRC, "utf-8")
    ours, theirs = pty.openpty()
    with subprocess.Popen(["zsh", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=shell) as process:
        os.close(theirs)
        try:
            read_until(ours, b"ready> ")
            os.write(ours, f"{typed}\t".encode())
            shown = read_until(ours, b"]\r\n")
        finally:
            process.kill()
            os.close(ours)
    assert f"[{becomes}]" in shown.decode()


def read_until(terminal, mark):
    """Return what a terminal shows up to a mark; half a minute without a word ends the wait."""
    seen = b""
    while mark not in seen:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, seen
        seen += os.read(terminal, 4096)
    return seen


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


def test_garbage_is_looked_for_seldom_while_a_command_runs(monkeypatch):
    before, within = gc.get_threshold(), []

    def shown(*_args):
        within.append(gc.get_threshold())
        raise UserError("stop here")

    monkeypatch.setattr("replay_agent.cli.reading.show.show", shown)
    assert main(["show", "pyproject.toml"]) == 2
    assert within[0][0] > 10 * before[0]
    assert gc.get_threshold() == before
