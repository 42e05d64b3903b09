from __future__ import annotations

import pytest

from replay_agent import Agent, UnexpectedModelBehavior, UsageLimitExceeded, capture_run_messages
from replay_agent.models.function import FunctionModel
from replay_agent.usage import UsageLimits

pytestmark = pytest.mark.anyio


async def test_nested_blocks_share_one_list():
    with capture_run_messages() as outer, capture_run_messages() as inner:
        await Agent("test").run("Hello")
    assert outer is inner
    assert len(outer) == 2


async def test_only_the_first_run_is_kept(outline):
    agent = Agent("test")
    with capture_run_messages() as messages:
        result = await agent.run("first")
        await agent.run("second")
    assert messages is result.all_messages()
    assert outline(messages)[0] == [("user-prompt", "first")]


async def test_a_run_inside_a_tool_leaves_the_list_alone(outline):
    agent, delegate = Agent("test"), Agent("test")

    @agent.tool_plain
    async def ask(question: str) -> str:
        return (await delegate.run(question)).data

    with capture_run_messages() as messages:
        await agent.run("outer")
    assert [message.kind for message in messages] == ["request", "response"] * 2
    assert outline(messages)[2] == [("tool-return", "success (no tool calls)")]


async def test_a_failed_run_keeps_what_was_exchanged(answering, outline):
    with capture_run_messages() as messages, pytest.raises(UnexpectedModelBehavior):
        await Agent(answering([])).run("Hello")
    assert outline(messages) == [[("user-prompt", "Hello")], []]


async def test_the_refused_request_is_kept(outline):
    with capture_run_messages() as messages, pytest.raises(UsageLimitExceeded):
        await Agent("test").run("Hello", usage_limits=UsageLimits(request_limit=0))
    assert outline(messages) == [[("user-prompt", "Hello")]]


async def test_the_response_that_breaks_a_limit_is_left_out(outline):
    with capture_run_messages() as messages, pytest.raises(UsageLimitExceeded):
        await Agent("test").run("Hello", usage_limits=UsageLimits(response_tokens_limit=1))
    assert outline(messages) == [[("user-prompt", "Hello")]]


async def test_iter_and_run_stream_are_captured():
    agent = Agent("test")
    with capture_run_messages() as stepped:
        async with agent.iter("Hello") as run:
            async for _ in run:
                pass
    with capture_run_messages() as streamed:
        async with agent.run_stream("Hello") as result:
            await result.get_data()
    assert len(stepped) == len(streamed) == 2


async def test_a_streamed_result_tool_is_captured_with_its_answer(outline):
    with capture_run_messages() as messages:
        async with Agent("test", result_type=int).run_stream("Hello") as result:
            await result.get_data()
    assert outline(messages)[-1] == [("tool-return", "Final result processed.")]
    assert messages == result.all_messages()


def test_run_sync_is_captured():
    with capture_run_messages() as messages:
        Agent("test").run_sync("Hello")
    assert len(messages) == 2


def test_a_later_error_of_the_user_carries_no_context():
    with pytest.raises(ZeroDivisionError) as caught, capture_run_messages():
        Agent("test").run_sync("Hello")
        raise ZeroDivisionError
    assert caught.value.__context__ is None


async def test_an_error_before_the_run_uses_nothing_up():
    def never(messages, info):
        raise AssertionError

    with capture_run_messages() as messages:
        with pytest.raises(Exception, match="must be set"):
            await Agent().run("Hello")
        with pytest.raises(AssertionError):
            await Agent(FunctionModel(never)).run("Again")
    assert len(messages) == 1
