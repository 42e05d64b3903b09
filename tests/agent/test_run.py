from __future__ import annotations

import json

import pytest

from replay_agent import Agent
from replay_agent.agent import AgentRunResult, RunContext
from replay_agent.messages import BinaryContent, ModelMessagesTypeAdapter, ToolReturnPart
from replay_agent.models.test import TestModel
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio


async def test_a_result_shows_its_data():
    result = await Agent("test").run("Hello")
    assert repr(result) == "AgentRunResult(data='success (no tool calls)')"
    assert result.output == result.data


async def test_output_is_read_only():
    result = await Agent("test").run("Hello")
    with pytest.raises(AttributeError):
        result.output = "other"


async def test_new_messages_begin_after_the_history():
    agent = Agent("test", system_prompt="static", result_type=int)
    first = await agent.run("one")
    assert first.new_messages() == first.all_messages()
    history = first.all_messages()
    second = await agent.run("two", message_history=history)
    assert len(history) == 3
    assert second.all_messages()[:3] == history
    assert all(one is other for one, other in zip(second.all_messages(), history, strict=False))
    assert second.new_messages() == second.all_messages()[3:]
    assert second.new_messages()[0].parts[0].content == "two"


async def test_messages_as_json():
    result = await Agent("test").run(["see", BinaryContent(b"\x00\xff", "image/png")])
    again = await Agent("test").run("again", message_history=result.all_messages())
    assert ModelMessagesTypeAdapter.validate_json(result.all_messages_json()) == result.all_messages()
    assert json.loads(again.new_messages_json()) == json.loads(again.all_messages_json())[2:]


async def test_return_content_is_set_in_a_copy():
    result = await Agent("test", result_type=int).run("Hello")
    stored = result.all_messages()[-1].parts[0].content
    for messages in (
        result.all_messages(result_tool_return_content="kept"),
        result.new_messages(result_tool_return_content="kept"),
        ModelMessagesTypeAdapter.validate_json(result.all_messages_json(result_tool_return_content="kept")),
        ModelMessagesTypeAdapter.validate_json(result.new_messages_json(result_tool_return_content="kept")),
    ):
        assert messages[-1].parts[0].content == "kept"
        assert messages[:-1] == result.all_messages()[:-1]
    assert result.all_messages()[-1].parts[0].content == stored == "Final result processed."


async def test_return_content_needs_a_result_tool():
    result = await Agent("test").run("Hello")
    with pytest.raises(ValueError, match="Cannot set result tool return content when the return type is `str`"):
        result.all_messages(result_tool_return_content="kept")


async def test_return_content_needs_a_return():
    result = await Agent("test", result_type=int).run("Hello")
    result.all_messages()[-1].parts = [ToolReturnPart("other", "x")]
    with pytest.raises(LookupError, match="No tool call found with tool name 'final_result'"):
        result.all_messages(result_tool_return_content="kept")


async def test_a_run_has_a_result_at_its_end():
    async with Agent("test", result_type=int).iter("Hello") as run:
        assert run.result is None
        async for _ in run:
            pass
    assert isinstance(run.result, AgentRunResult)
    assert run.result.data == 0
    assert run.result.usage() is run.usage()


async def test_usage_is_counted_on_in_the_given_object():
    usage = Usage(requests=3, total_tokens=100)
    result = await Agent("test").run("Hello", usage=usage)
    assert result.usage() is usage
    assert usage == Usage(requests=4, request_tokens=51, response_tokens=4, total_tokens=155)


async def test_a_delegate_may_share_the_usage():
    delegate, controller = Agent(TestModel(), result_type=int), Agent(TestModel())

    @controller.tool
    async def ask(ctx: RunContext[None], sentence: str) -> int:
        return (await delegate.run(sentence, usage=ctx.usage)).data

    separate = Agent(TestModel())

    @separate.tool_plain(name="ask")
    async def ask_alone(sentence: str) -> int:
        return (await delegate.run(sentence)).data

    shared_usage = (await controller.run("Hello")).usage()
    alone = (await separate.run("Hello")).usage()
    assert shared_usage == alone + (await delegate.run("a")).usage()
    assert (shared_usage.requests, alone.requests) == (3, 2)


async def test_two_runs_without_usage_count_apart():
    agent = Agent("test")
    assert (await agent.run("Hello")).usage() == (await agent.run("Hello")).usage()


async def test_a_run_shows_how_far_it_is():
    async with Agent("test").iter("Hello") as run:
        assert repr(run) == f"<AgentRun result=<run not finished> usage={run.usage()}>"
        *_, last = [node async for node in run]
    assert repr(run) == f"<AgentRun result={last.data} usage={run.usage()}>"
    assert run.results() == ["success (no tool calls)"]
