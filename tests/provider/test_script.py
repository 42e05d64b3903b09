from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel

from replay_agent.calls import AnswerError
from replay_agent.exceptions import CassetteMiss, UserError, WireError
from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
from replay_agent.provider.replies import tool_call
from replay_agent.provider.script import Script
from replay_agent.traffic import Request
from replay_agent.usage import Usage
from replay_agent.wire.registry import codec_for


def tool(name, *fields):
    properties = {field: {"type": "string"} for field in fields}
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}


def chat(prompt="hi", **more):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": prompt}], **more}
    headers = (("content-type", "application/json"),)
    return Request("POST", "https://api.openai.com/v1/chat/completions", headers, json.dumps(body).encode())


def decoded(script, request):
    codec = codec_for(request)
    encoded = script.answer(request)
    return codec.decode_answer(codec.decode_call(request), encoded.status, encoded.headers, b"".join(encoded.chunks))


class City(BaseModel):
    name: str
    country: str


def test_answers_come_in_order():
    script = Script(["one"])
    script.add("two")
    texts = [decoded(script, chat()).response.parts[0].content for _ in range(2)]
    assert texts == ["one", "two"]
    assert script.left == 0


def test_a_used_up_script_says_so():
    answer = decoded(Script(["one"]), chat())
    assert answer.error is None
    refused = decoded(Script(), chat())
    assert (refused.error.status, "0 answers" in refused.error.message) == (500, True)


def test_a_typed_result_finds_its_tool():
    response = decoded(
        Script([City(name="Paris", country="France")]),
        chat(tools=[tool("look_up", "name"), tool("final_result", "name", "country")]),
    ).response
    (call,) = response.parts
    assert call.tool_name == "final_result"
    assert call.args_as_dict() == {"name": "Paris", "country": "France"}
    assert response.finish_reason == "tool_call"


@pytest.mark.parametrize("tools", [[], [tool("a", "name", "country"), tool("b", "name", "country")]])
def test_a_typed_result_without_one_fitting_tool_says_so(tools):
    script = Script([City(name="Paris", country="France")])
    refused = decoded(script, chat(tools=tools))
    assert (refused.error.status, "script a ToolCallPart" in refused.error.message) == (500, True)
    with pytest.raises(CassetteMiss, match="all are used up"):
        script.begin(chat())
    assert len(script.misses) == 2


def test_tool_calls_get_ids_that_repeat():
    answers = [ToolCallPart("a", {}), ToolCallPart("b", {})]
    one, two = (decoded(Script([answers]), chat(tools=[tool("a"), tool("b")])) for _ in range(2))
    ids = [part.tool_call_id for part in one.response.parts]
    assert len(set(ids)) == 2
    assert one.response == two.response


def test_a_whole_response_goes_out_as_it_is():
    usage = Usage(request_tokens=7, response_tokens=3, total_tokens=10)
    script = Script([ModelResponse([TextPart("cut")], model_name="gpt-4o", finish_reason="length", usage=usage)])
    response = decoded(script, chat()).response
    assert (response.finish_reason, response.usage.request_tokens) == ("length", 7)


def test_an_answer_may_depend_on_the_call():
    script = Script([lambda call: f"{len(call.messages)} message"])
    assert decoded(script, chat()).response.parts[0].content == "1 message"
    assert script.calls[0].call.model == "gpt-4o"
    assert script.calls[0].request == chat()


def test_a_refusal_has_the_providers_shape():
    encoded = Script([AnswerError(429, "slow down")]).answer(chat())
    assert encoded.status == 429
    assert json.loads(b"".join(encoded.chunks))["error"]["message"] == "slow down"


def test_traffic_that_nobody_claims_is_not_found():
    encoded = Script(["never"]).answer(Request("GET", "https://example.com/prices"))
    assert encoded.status == 404
    assert b"example.com/prices" in encoded.chunks[0]


def test_every_answer_is_given_once_under_threads():
    script = Script(map(str, range(64)))
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(decoded(script, chat()).response.parts[0].content))
        for _ in range(64)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=int) == list(map(str, range(64)))


def test_a_conversation_gets_the_answers_that_are_meant_for_it():
    script = Script(["for anyone"])
    script.reply("about Oslo", when="Oslo")
    script.reply("cold", when=lambda call: call.settings.get("temperature") == 0)
    asked = [chat("Bergen"), chat("Oslo?"), chat("Rome", temperature=0)]
    assert [decoded(script, request).response.parts[0].content for request in asked] == [
        "for anyone",
        "about Oslo",
        "cold",
    ]


@pytest.mark.parametrize(("times", "left"), [(1, 0), (3, 2), (None, 0)])
def test_an_answer_may_be_given_several_times(times, left):
    script = Script()
    script.reply("again", times=times)
    script.begin(chat())
    assert script.left == left
    assert bool(script.unused_text()) == bool(left)


def test_unused_answers_are_named():
    script = Script(["one", "two"], name="test_it")
    script.reply(tool_call("get_weather", city="Oslo"), when="Oslo")
    script.begin(chat())
    text = script.unused_text()
    for words in ("test_it: 2 of 3", "'two'", "get_weather", "when 'Oslo'", "provider.allow('unused_answers')"):
        assert words in text
    script.allow("unused_answers")
    assert script.unused_text() == ""


def test_what_is_allowed_for_one_answer_is_not_allowed_for_others():
    script = Script()
    script.reply(tool_call("nowhere"), allow="unoffered_tools")
    script.reply(tool_call("nowhere"))
    assert script.begin(chat()) is not None
    with pytest.raises(CassetteMiss, match="does not offer"):
        script.begin(chat())


@pytest.mark.parametrize("names", ["unused", ["unoffered_tools", "nonsense"]])
def test_an_unknown_name_to_allow_is_a_user_error(names):
    with pytest.raises(UserError, match="What can be allowed: unused_answers"):
        Script().reply("x", allow=names)


def test_a_reply_of_nothing_is_a_user_error():
    script = Script()
    with pytest.raises(UserError, match="nothing to reply"):
        script.reply()
    with pytest.raises(UserError, match="either a stream or answers"):
        script.reply("a", stream=["b"])


def test_a_call_beyond_the_script_may_be_allowed():
    script = Script()
    script.allow("unscripted_calls")
    assert script.begin(chat()).outcome.status == 500
    assert list(script.misses) == []


def broken(_call):
    raise KeyError("nothing")


@pytest.mark.parametrize("answer", [broken, lambda call: call.nothing, lambda call: 1 / 0])
def test_a_function_that_fails_is_told_as_itself(answer):
    with pytest.raises(CassetteMiss, match="A function that was to answer raised"):
        Script([answer]).begin(chat())


def test_a_call_that_cannot_be_read_is_told(monkeypatch):
    def unreadable(_codec, _asked):
        raise WireError("no conversation", "openai_chat")

    monkeypatch.setattr(type(codec_for(chat())), "read_call", unreadable)
    with pytest.raises(CassetteMiss, match="cannot be read as a call of a model"):
        Script(["x"]).begin(chat())


@pytest.mark.parametrize("url", ["https://example.org/x", "http://127.0.0.1:8000/v1/embeddings"])
def test_other_traffic_passes(url):
    assert Script().begin(Request("GET", url)) is None


def test_a_call_that_no_format_reads_is_told():
    body = b'{"model": "text-embedding-3-small", "input": "x"}'
    request = Request("POST", "https://api.openai.com/v1/embeddings", (("content-type", "application/json"),), body)
    with pytest.raises(CassetteMiss, match="no script can answer"):
        Script().begin(request)


def test_hosts_may_be_left_alone():
    script = Script(allowed_hosts=("model.example",))
    script.ignore("localhost:8000")
    assert not script.wants("https://model.example/v1")
    assert not script.wants("http://localhost:8000/v1")
    assert script.wants("https://api.openai.com/v1")
    script.close()
    assert not script.wants("https://api.openai.com/v1")


def test_usage_and_the_reason_for_the_end_are_said():
    script = Script()
    script.reply("cut", usage=Usage(request_tokens=7, response_tokens=3), finish_reason="length", model="gpt-9")
    response = decoded(script, chat()).response
    assert (response.finish_reason, response.usage.request_tokens, response.model_name) == ("length", 7, "gpt-9")


@pytest.mark.parametrize(
    ("result", "schema"),
    [([1, 2], {"type": "array"}), (7, {"type": "integer"}), ({"a": 1}, {"type": "object"})],
)
def test_a_result_that_is_no_object_is_wrapped_as_its_tool_wants(result, schema):
    parameters = {"type": "object", "properties": {"response": schema}, "required": ["response"]}
    offered = {"type": "function", "function": {"name": "final_result", "parameters": parameters}}
    (part,) = decoded(Script([result]), chat(tools=[offered])).response.parts
    assert part.args_as_dict() == {"response": result}


def test_a_typed_result_is_said_as_text_where_json_is_forced():
    schema = {"name": "city", "schema": City.model_json_schema()}
    request = chat(response_format={"type": "json_schema", "json_schema": schema})
    (part,) = decoded(Script([City(name="Paris", country="France")]), request).response.parts
    assert json.loads(part.content) == {"name": "Paris", "country": "France"}


def test_a_paced_stream_takes_its_time():
    script = Script()
    script.reply(stream=["a", "b", "c"], pace=0.02)
    chunks = script.begin(chat(stream=True)).outcome.chunks
    assert [chunk.offset_ms for chunk in chunks[:3]] == [0, 20, 40]
    assert sum(b'"content":"b"' in chunk.data for chunk in chunks) == 1


def test_what_a_recording_answers_is_counted():
    script = Script(["one", "two"])
    script.overhear(chat())
    assert (len(script.calls), script.left) == (1, 1)


def test_a_client_in_another_process_is_answered_over_http():
    code = """
import json, sys, urllib.request
body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()
request = urllib.request.Request(sys.argv[1] + "/v1/chat/completions", body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"])
"""
    script = Script(["Paris"])
    done = subprocess.run([sys.executable, "-c", code, script.url], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), script.calls[0].prompt) == ("Paris", "hi")
    port = urlsplit(script.url).port
    script.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
