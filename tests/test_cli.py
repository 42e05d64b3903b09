from __future__ import annotations

import json
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


def test_version_is_that_of_the_distribution(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.split() == ["replay-agent", version("pytest-replay-agent")]
