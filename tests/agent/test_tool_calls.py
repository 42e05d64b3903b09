from __future__ import annotations

import anyio
import pytest

from replay_agent import Agent, CassetteMiss, ModelRetry, UnexpectedModelBehavior
from replay_agent.messages import RetryPromptPart, ToolCallPart
from replay_agent.traffic import Request

pytestmark = pytest.mark.anyio

PROCESSED = ("tool-return", "Final result processed.")
NOT_EXECUTED = ("tool-return", "Tool not executed - a final result was already processed.")
NOT_USED = ("tool-return", "Result tool not used - a final result was already processed.")
NOT_VALID = ("tool-return", "Result tool not used - result failed validation.")


def result(value, call_id=None):
    return ToolCallPart("final_result", {"response": value}, call_id)


def tool(call_id=None):
    return ToolCallPart("tool", {}, call_id)


UNKNOWN = ToolCallPart("nonsense", {}, "u")


def agent_of(model, **options):
    agent = Agent(model, result_type=int, **options)
    agent.executed = 0

    @agent.tool_plain(name="tool")
    def function() -> str:
        agent.executed += 1
        return "executed"

    return agent


async def test_early_leaves_function_tools_alone(answering, outline):
    agent = agent_of(answering([tool("1"), result(5), tool("2"), result(6)]))
    run = await agent.run("Hello")
    assert (run.data, agent.executed) == (5, 0)
    assert outline(run.all_messages())[-1] == [NOT_EXECUTED, PROCESSED, NOT_EXECUTED, NOT_USED]


async def test_exhaustive_executes_them_after_the_stubs(answering, outline):
    agent = agent_of(answering([tool("1"), result(5), tool("2"), result(6)]), end_strategy="exhaustive")
    run = await agent.run("Hello")
    assert (run.data, agent.executed) == (5, 2)
    executed = ("tool-return", "executed")
    assert outline(run.all_messages())[-1] == [PROCESSED, NOT_USED, executed, executed]
    assert [part.tool_call_id for part in run.all_messages()[-1].parts][2:] == ["1", "2"]


async def test_a_result_that_fails_before_the_accepted_one(answering, outline):
    run = await agent_of(answering([result("x", "1"), result(5, "2"), result(6, "3")])).run("Hello")
    assert run.data == 5
    assert outline(run.all_messages())[-1] == [NOT_VALID, PROCESSED, NOT_USED]
    assert [part.tool_call_id for part in run.all_messages()[-1].parts] == ["1", "2", "3"]


async def test_the_failed_one_stays_spent(answering):
    with pytest.raises(UnexpectedModelBehavior, match=r"\(0\) for result validation"):
        await agent_of(answering([result("x", "1"), result(5, "2")]), result_retries=0).run("Hello")


async def test_without_a_result_retries_come_before_answers(answering, outline):
    run = await agent_of(answering([tool(), result("x"), UNKNOWN], result(5)), result_retries=2).run("Hello")
    kinds = [kind for kind, _ in outline(run.all_messages())[2]]
    assert kinds == ["retry-prompt", "retry-prompt", "tool-return"]
    failed, unknown, executed = run.all_messages()[2].parts
    assert failed.tool_name == "final_result"
    assert unknown.content == "Unknown tool name: 'nonsense'. Available tools: tool, final_result"
    assert executed.content == "executed"


async def test_the_accepted_call_is_known_by_name_and_id(answering, outline):
    model = answering([result("x", "same"), result(5, "same")])
    run = await agent_of(model).run("Hello")
    assert run.data == 5
    assert outline(run.all_messages())[-1] == [PROCESSED, NOT_USED]


async def test_unknown_tools_spend_result_retries(answering, outline):
    agent = Agent(answering(UNKNOWN, UNKNOWN, "end"), result_retries=2, retries=0)
    run = await agent.run("Hello")
    unknown = run.all_messages()[2].parts[0]
    assert isinstance(unknown, RetryPromptPart)
    assert (unknown.tool_name, unknown.tool_call_id) == (None, None)
    assert unknown.content == "Unknown tool name: 'nonsense'. No tools available."
    with pytest.raises(UnexpectedModelBehavior, match=r"Exceeded maximum retries \(1\) for result validation"):
        await Agent(answering(UNKNOWN, UNKNOWN, "end")).run("Hello")


async def test_an_unknown_tool_beside_a_result_is_told_too(answering, outline):
    run = await agent_of(answering([UNKNOWN, result(5)])).run("Hello")
    assert run.data == 5
    assert [kind for kind, _ in outline(run.all_messages())[-1]] == ["retry-prompt", "tool-return"]


async def test_calls_win_over_text(answering):
    agent = Agent(answering(["not the answer", tool()], "the answer"))
    agent.tool_plain(name="tool")(lambda: 1)
    run = await agent.run("Hello")
    assert run.data == "the answer"
    assert len(run.all_messages()) == 4


async def test_answers_keep_the_order_of_the_calls(answering):
    agent = Agent(answering([ToolCallPart("wait", {}), ToolCallPart("go", {}), ToolCallPart("wait", {})], "end"))
    go_on = anyio.Event()

    @agent.tool_plain
    async def wait() -> str:
        await go_on.wait()
        return "waited"

    @agent.tool_plain
    async def go() -> str:
        go_on.set()
        return "went"

    run = await agent.run("Hello")
    assert [part.content for part in run.all_messages()[2].parts] == ["waited", "went", "waited"]


@pytest.mark.parametrize(
    "cause", [ValueError("mine"), CassetteMiss("no answer", Request("GET", "https://example.org/", (), b""))]
)
async def test_what_a_tool_raises_ends_the_run_and_the_other_tools(cause, answering):
    agent = Agent(answering([ToolCallPart("wait", {}), ToolCallPart("fail", {})], "end"))
    ended = []

    @agent.tool_plain
    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("wait")

    @agent.tool_plain
    async def fail() -> None:
        raise cause

    with pytest.raises(type(cause)) as caught:
        await agent.run("Hello")
    assert caught.value is cause
    assert ended == ["wait"]


async def test_one_tool_may_fail_while_another_answers(answering, outline):
    agent = Agent(answering([ToolCallPart("fail", {}), ToolCallPart("fine", {})], "end"))

    @agent.tool_plain
    async def fail() -> None:
        raise ModelRetry("again")

    @agent.tool_plain
    def fine() -> str:
        return "fine"

    run = await agent.run("Hello")
    assert outline(run.all_messages())[2] == [("retry-prompt", "again"), ("tool-return", "fine")]
