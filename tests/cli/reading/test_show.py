"""What `show` says of a cassette."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from replay_agent.cli.reading.show import show
from replay_agent.exceptions import CassetteNotFound, CassetteUnreadable
from replay_agent.messages import ModelMessagesTypeAdapter

CHAT = "https://api.openai.com/v1/chat/completions"


def interaction(body, answer, status=200, uri=CHAT):
    return {
        "request": {"method": "POST", "uri": uri, "headers": {"content-type": ["application/json"]}, "body": json.dumps(body)},
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {"content-type": ["application/json"]},
            "body": {"string": json.dumps(answer)},
        },
    }  # fmt: skip


ASKED = {
    "model": "gpt-4o",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi there"}],
    "temperature": 0.2,
    "tools": [{"type": "function", "function": {"name": "lookup", "parameters": {"properties": {"city": {}}}}}],
}
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "created": 1_732_270_000,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 1_000,
        "completion_tokens": 10,
        "total_tokens": 1_010,
        "prompt_tokens_details": {"cached_tokens": 500},
    },
}
REFUSAL = {"error": {"message": "slow down", "type": "rate_limit_error"}}


@pytest.fixture
def cassette(tmp_path):
    def write(*interactions) -> Path:
        path = tmp_path / "cassette.yaml"
        path.write_text(yaml.safe_dump({"interactions": list(interactions), "version": 1}), "utf-8")
        return path

    return write


def test_a_page_begins_with_what_it_is_about(cassette):
    path = cassette(interaction(ASKED, ANSWER))
    assert str(show(path)).splitlines()[:4] == [
        str(path),
        "1 call of gpt-4o (openai_chat), 1,000 tokens in, 10 out, about $0.0020",
        "tools: lookup(city)",
        "settings: temperature=0.2",
    ]


def test_a_page_shows_the_conversation(cassette):
    text = show(cassette(interaction(ASKED, ANSWER))).text
    assert "system:\n  Be brief.\n\nuser:\n  Hi there\n\nassistant (gpt-4o-2024-08-06):\n  Hello.\n" in text
    assert text.endswith("requests: 1\ninput tokens: 1000\noutput tokens: 10\ncache read tokens: 500\n")


def test_long_messages_are_cut_unless_wanted_whole(cassette):
    asked = {**ASKED, "messages": [{"role": "user", "content": "\n".join(f"line {n}" for n in range(100))}]}
    path = cassette(interaction(asked, ANSWER))
    assert "line 50" not in show(path).text
    assert "more lines" in show(path).text
    assert "line 50" in show(path, whole=True).text


def test_other_traffic_is_shown(cassette):
    path = cassette(interaction({"x": 1}, {}, uri="https://example.com/x"))
    assert "no call of a model" in show(path).text
    assert "POST https://example.com/x -> 200" in show(path).text
    assert json.loads(show(path).json) == {
        "file": str(path),
        "exchanges": [],
        "unknown": [
            {"interaction": 0, "method": "POST", "url": "https://example.com/x", "status": 200, "reason": None}
        ],
    }


def test_a_line_of_json_has_the_promised_form(cassette):
    path = cassette(interaction(ASKED, ANSWER))
    line = show(path).json
    assert "\n" not in line
    document = json.loads(line)
    assert list(document) == ["file", "exchanges"]
    assert document["file"] == str(path)
    [exchange] = document["exchanges"]
    assert list(exchange) == ["interaction", "format", "call", "response", "finish_reason", "usage", "error"]
    assert exchange["interaction"] == 0
    assert exchange["format"] == "openai_chat"
    assert exchange["response"]["model_name"] == "gpt-4o-2024-08-06"
    assert exchange["response"]["parts"] == [{"part_kind": "text", "content": "Hello."}]
    assert exchange["finish_reason"] == "stop"
    assert exchange["usage"]["request_tokens"] == 1_000
    assert exchange["usage"]["response_tokens"] == 10
    assert exchange["usage"]["details"]["cache_read_tokens"] == 500
    assert exchange["error"] is None


def test_the_call_is_dumped_too(cassette):
    [exchange] = json.loads(show(cassette(interaction(ASKED, ANSWER))).json)["exchanges"]
    call = exchange["call"]
    assert call["model"] == "gpt-4o"
    assert [part["part_kind"] for part in call["messages"][0]["parts"]] == ["system-prompt", "user-prompt"]
    assert call["tools"][0]["name"] == "lookup"
    assert call["settings"] == {"temperature": 0.2}
    assert call["stream"] is False


def test_a_refusal_has_an_error_and_no_answer(cassette):
    [exchange] = json.loads(show(cassette(interaction(ASKED, REFUSAL, 429))).json)["exchanges"]
    assert exchange["error"] == {"status": 429, "message": "slow down"}
    assert (exchange["response"], exchange["finish_reason"], exchange["usage"]) == (None, None, None)


def test_an_answer_without_usage_has_empty_counters(cassette):
    answer = {name: value for name, value in ANSWER.items() if name != "usage"}
    [exchange] = json.loads(show(cassette(interaction(ASKED, answer))).json)["exchanges"]
    assert exchange["usage"] == {"request_tokens": None, "response_tokens": None, "details": {}}


def test_broken_unicode_can_be_printed(cassette):
    asked = {**ASKED, "messages": [{"role": "user", "content": "half \ud83d \x1b[31m"}]}
    path = cassette(interaction(asked, ANSWER))
    show(path).json.encode("ascii")
    show(path).text.encode()
    assert "\x1b" not in show(path).text


def test_what_is_no_cassette_is_an_error(tmp_path):
    with pytest.raises(CassetteNotFound):
        show(tmp_path / "none.yaml")
    (tmp_path / "other.yaml").write_text("hello: world\n")
    with pytest.raises(CassetteUnreadable):
        show(tmp_path / "other.yaml")


def test_real_cassettes_are_shown(real_cassettes):
    oracle = json.loads((real_cassettes / "oracle.json").read_bytes())
    seen = set()
    for path in sorted(real_cassettes.glob("*/*.yaml")):
        shown = show(path)
        assert shown.text.encode()
        for exchange in json.loads(shown.json)["exchanges"]:
            key = f"{path.parent.name}/{path.name}#{exchange['interaction']}"
            seen.add(key)
            _check(key, exchange, oracle[key])
    assert seen == set(oracle)


def _check(key, exchange, wanted):
    if wanted["outcome"] == "http_error":
        assert exchange["error"]["status"] == wanted["error"]["status"], key
        return
    assert exchange["error"] is None, key
    assert exchange["finish_reason"] == wanted["finish_reason"], key
    parts = exchange["response"]["parts"]
    text = "".join(part["content"] for part in parts if part["part_kind"] == "text")
    assert text == "".join(part["text"] for part in wanted["parts"] if part["type"] == "text"), key
    tokens = exchange["usage"]
    assert (tokens["request_tokens"] or 0) == (wanted["usage"]["input_tokens"] or 0), key
    assert (tokens["response_tokens"] or 0) == (wanted["usage"]["output_tokens"] or 0), key
    ModelMessagesTypeAdapter.validate_python([exchange["response"]])
    ModelMessagesTypeAdapter.validate_python(exchange["call"]["messages"])
