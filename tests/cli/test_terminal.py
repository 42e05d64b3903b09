"""What a stranger wrote in a cassette, and what every command and every error prints of it."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx
import pytest

from replay_agent import use_cassette
from replay_agent.exceptions import CassetteError, CassetteMiss
from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

BAD = "\x1b[2J\x07\u202e\u200b\u2066\U000e0041\x9b\u2028"
"""A sequence that clears the screen, a bell, a turn to the left, a blank of no width, an isolate, a tag, CSI, a line end."""
URL = "https://api.openai.com/v1/chat/completions"


def planted(word):
    return f"{word}{BAD}"


def call(**more):
    return {
        "model": planted("gpt"),
        "messages": [
            {"role": "system", "content": planted("be")},
            {"role": "user", "name": planted("ann"), "content": planted("hello")},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": planted("add"),
                    "description": planted("adds"),
                    "parameters": {"type": "object", "properties": {planted("a"): {"type": "integer"}}},
                },
            }
        ],
        planted("setting"): planted("on"),
        **more,
    }


ANSWER = {
    "id": planted("id"),
    "model": planted("gpt"),
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": planted("hi"),
                "tool_calls": [
                    {
                        "id": planted("call"),
                        "type": "function",
                        "function": {"name": planted("add"), "arguments": json.dumps({planted("a"): planted("1")})},
                    }
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
HEADERS = (("content-type", "application/json"),)


def body(value):
    return json.dumps(value, ensure_ascii=False).encode()


def answered(request, value, status=200):
    return Interaction(
        Request("POST", request, HEADERS, body(call())),
        Response(status, HEADERS, (Chunk(body(value)),), reason=planted("OK")),
        test=planted("tests/test_x.py::test_y"),
    )


@pytest.fixture
def cassette(tmp_path):
    path = tmp_path / f"c{BAD.replace(chr(0x2028), '')}.yaml"
    interactions = [
        answered(URL, ANSWER),
        answered(URL, {"error": {"message": planted("no"), "type": planted("bad")}}, 400),
        answered(f"https://h.example/{planted('path')}?q={planted('q')}", {planted("k"): planted("v")}),
        Interaction(
            Request("POST", URL, HEADERS, body(call(n=1))),
            Failure(planted("ConnectError"), Phase.CONNECT, planted("refused")),
            test=planted("t"),
        ),
        answered(URL, {"api_key": f"sk-proj-{'Ab3' * 16}{BAD}"}),
    ]
    store.save(path, Header(keying="meaning-1"), [new_item(each, None) for each in interactions])
    return path


def safe(text):
    assert [ascii(each) for each in text if not (each.isprintable() or each in "\n\t")] == []


COMMANDS = {
    "show": ["show"],
    "show as JSON": ["show", "--json"],
    "scan": ["scan"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_nothing_unseen(cassette, name):
    command = [sys.executable, "-m", "replay_agent", *COMMANDS[name], str(cassette)]
    found = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert found.stdout
    assert "Traceback" not in found.stderr
    safe(found.stdout)
    safe(found.stderr)


def test_prune_prints_nothing_unseen(cassette):
    folder = cassette.parent
    (folder / "cassettes").mkdir()
    cassette.rename(folder / "cassettes" / cassette.name)
    (folder / "test_x.py").write_text("def test_nothing(): pass\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "replay_agent", "prune"]
    found = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert "no test plays it" in found.stdout + found.stderr
    safe(found.stdout)
    safe(found.stderr)


@pytest.mark.parametrize("request_body", [call(temperature=1), call(messages=[{"role": "user", "content": "other"}])])
def test_a_miss_says_nothing_unseen(cassette, request_body):
    with pytest.raises(CassetteMiss) as caught, use_cassette(cassette):
        httpx.post(URL, json=request_body)
    safe(str(caught.value))


def test_a_miss_of_other_traffic_says_nothing_unseen(cassette):
    with pytest.raises(CassetteMiss) as caught, use_cassette(cassette):
        httpx.post("https://h.example/path", json={planted("k"): 1})
    safe(str(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "version: '{BAD}'\nkeying: a\ninteractions: []\n",
        "interactions:\n- request: {method: !<tag:{BAD}> a}\n",
        "interactions:\n- request: {method: *a{BAD} }\n",
        "interactions:\n- request: {method: a, uri: b, body: {type: '{BAD}'}}\n  response: {}\n",
        "version: '{BAD}'\ninteractions: []\n",
        "interactions:\n- request: {method: a, uri: b, body: c}\n  response: {status: '{BAD}', body: d}\n",
    ],
)
def test_an_unreadable_file_is_told_of_safely(tmp_path, text):
    path = tmp_path / "c\x1b[2J\u202e.yaml"
    path.write_text(text.replace("{BAD}", "\u202e\u200b\u2066\U000e0041"), encoding="utf-8")
    with pytest.raises(CassetteError) as caught:
        store.load(path)
    safe(str(caught.value))
    command = [sys.executable, "-m", "replay_agent", "show", str(path)]
    found = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert found.returncode == 2
    safe(found.stderr)
