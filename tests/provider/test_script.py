from __future__ import annotations

import json
import threading

import pytest
from pydantic import BaseModel

from replay_agent.calls import AnswerError
from replay_agent.exceptions import UserError
from replay_agent.messages import ModelResponse, TextPart, ToolCallPart
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
def test_a_typed_result_without_one_fitting_tool_is_a_user_error(tools):
    with pytest.raises(UserError, match="script a ToolCallPart"):
        Script([City(name="Paris", country="France")]).answer(chat(tools=tools))


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
