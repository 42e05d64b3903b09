from __future__ import annotations

import copy
import pickle
import sys
from dataclasses import dataclass
from types import ModuleType

import anyio
import pytest

from replay_agent import Agent, AgentRunError, UnexpectedModelBehavior, UsageLimitExceeded
from replay_agent.agent import CallToolsNode, End, FinalResult, ModelRequestNode, UserPromptNode
from replay_agent.messages import (
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelRequest,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from replay_agent.models.test import TestModel
from replay_agent.usage import Usage, UsageLimits

pytestmark = pytest.mark.anyio


@pytest.fixture
def agent():
    agent = Agent("test")

    @agent.tool_plain
    async def double(number: int) -> int:
        return 2 * number

    return agent


class TestSteps:
    async def test_iteration_begins_after_the_user_prompt(self):
        async with Agent("test").iter("Hello") as run:
            assert isinstance(run.next_node, UserPromptNode)
            nodes = [node async for node in run]
        assert [type(node) for node in nodes] == [ModelRequestNode, CallToolsNode, End]
        assert nodes[-1] == End(FinalResult("success (no tool calls)", None, None))

    async def test_next_runs_a_node_and_returns_the_one_after(self, agent):
        async with agent.iter("Hello") as run:
            request = await run.next(run.next_node)
            assert Agent.is_model_request_node(request)
            assert run.ctx.state.message_history == []
            calls = await run.next(request)
            assert Agent.is_call_tools_node(calls)
            assert calls.model_response is run.ctx.state.message_history[-1]
            assert run.next_node is calls
            assert run.result is None

    async def test_the_caller_may_change_a_node_first(self):
        model = TestModel(custom_result_text="answer")
        async with Agent(model).iter("Hello") as run:
            request = await run.next(run.next_node)
            request.request.parts.append(UserPromptPart("and this"))
            await run.next(request)
        assert [part.content for part in run.ctx.state.message_history[0].parts] == ["Hello", "and this"]

    async def test_a_node_of_the_callers_own_is_run(self):
        async with Agent("test").iter("Hello") as run:
            await run.next(run.next_node)
            await run.next(ModelRequestNode(ModelRequest([UserPromptPart("instead")])))
            assert run.ctx.state.message_history[0].parts[0].content == "instead"

    @pytest.mark.parametrize("attribute", ["End", None, "Graph"])
    async def test_an_end_is_the_end_of_the_graph_package_where_that_is_imported(self, monkeypatch, attribute):
        @dataclass
        class Theirs:
            data: str

        module = ModuleType("pydantic_graph")
        if attribute is not None:
            setattr(module, attribute, Theirs)
        monkeypatch.setitem(sys.modules, "pydantic_graph", module)
        async with Agent("test").iter("Hello") as run:
            *_, node, last = [node async for node in run]
        assert [isinstance(each, Theirs) for each in (node, last)] == [False, attribute == "End"]
        assert isinstance(last, End)
        assert Agent.is_end_node(last)
        assert last == End(FinalResult("success (no tool calls)", None, None)) != End("other")
        assert "(data=FinalResult(" in repr(last)
        for copied in (pickle.loads(pickle.dumps(End([1]))), copy.copy(End([1])), copy.deepcopy(End([1]))):
            assert (type(copied), copied.data) == (End, [1])

    @pytest.mark.parametrize("thing", [None, End("over"), "node"])
    async def test_only_nodes_can_be_run(self, thing):
        async with Agent("test").iter("Hello") as run:
            with pytest.raises(TypeError, match="`next` takes a node of the run"):
                await run.next(thing)

    async def test_the_guards_tell_nodes_apart(self):
        guards = [
            Agent.is_user_prompt_node,
            Agent.is_model_request_node,
            Agent.is_call_tools_node,
            Agent.is_end_node,
        ]
        async with Agent("test").iter("Hello") as run:
            nodes = [run.next_node, *[node async for node in run]]
        assert [[guard(node) for guard in guards] for node in nodes] == [
            [row == column for column in range(4)] for row in range(4)
        ]

    async def test_a_run_may_be_left_early(self, agent):
        async with agent.iter("Hello") as run:
            async for node in run:
                if Agent.is_call_tools_node(node):
                    break
        assert run.result is None
        assert run.usage().requests == 1

    async def test_user_prompt_node_resets_failures(self):
        async with Agent("test").iter("Hello") as run:
            run.ctx.state.tool_failures["double"] = 3
            await run.next(run.next_node)
            assert run.ctx.state.tool_failures == {}


class TestModelRequest:
    async def test_a_second_run_asks_nothing(self):
        async with Agent("test").iter("Hello") as run:
            request = await run.next(run.next_node)
            first, second = await run.next(request), await run.next(request)
        assert first is second
        assert run.usage().requests == 1

    async def test_order_of_a_refused_request(self):
        prepared = []

        async def prepare(ctx, definition):
            prepared.append(ctx.run_step)
            return definition

        agent = Agent("test")
        agent.tool_plain(prepare=prepare)(lambda: 1)
        async with agent.iter("Hello", usage_limits=UsageLimits(request_limit=0)) as run:
            request = await run.next(run.next_node)
            with pytest.raises(UsageLimitExceeded, match="The next request would exceed the request_limit of 0"):
                await run.next(request)
        state = run.ctx.state
        assert (len(state.message_history), state.run_step, prepared, state.usage.requests) == (1, 0, [], 0)

    async def test_order_of_a_response_beyond_the_limits(self):
        async with Agent("test").iter("Hello", usage_limits=UsageLimits(total_tokens_limit=1)) as run:
            request = await run.next(run.next_node)
            with pytest.raises(UsageLimitExceeded, match=r"Exceeded the total_tokens_limit of 1 \(total_tokens=55\)"):
                await run.next(request)
        state = run.ctx.state
        assert (len(state.message_history), state.run_step) == (1, 1)
        assert state.usage == Usage(requests=1, request_tokens=51, response_tokens=4, total_tokens=55)

    async def test_a_streamed_node_needs_no_second_request(self, agent):
        async with agent.iter("Hello") as run:
            async for node in run:
                if Agent.is_model_request_node(node):
                    async with node.stream(run.ctx):
                        pass
        assert run.result.data == '{"double":0}'
        assert run.usage().requests == 2

    async def test_requests_count_once_the_stream_is_open(self):
        async with Agent("test").iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                assert run.usage() == Usage(requests=1)
                assert stream.usage().requests == 1
                assert len(run.ctx.state.message_history) == 1
            assert run.usage() == stream.usage()
            assert len(run.ctx.state.message_history) == 2

    async def test_run_waits_for_the_stream_to_end(self):
        async with Agent("test").iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx):
                with pytest.raises(AgentRunError, match=r"You must finish streaming before calling run\(\)"):
                    await request.run(run.ctx)
            with pytest.raises(AssertionError, match="only be called once"):
                async with request.stream(run.ctx):
                    pass

    async def test_limits_are_checked_while_a_stream_is_read(self):
        model = TestModel(custom_result_text="one two three four five")
        async with Agent(model).iter("Hello", usage_limits=UsageLimits(response_tokens_limit=2)) as run:
            request = await run.next(run.next_node)
            seen = []
            with pytest.raises(UsageLimitExceeded, match="response_tokens=3"):
                async with request.stream(run.ctx) as stream:
                    async for event in stream:
                        seen += [event.event_kind]
        assert seen == ["part_start", "final_result", "part_delta", "part_delta"]


class TestCallTools:
    async def test_events_come_in_order_and_once(self, answering):
        agent = Agent(answering([ToolCallPart("wait", {}, "1"), ToolCallPart("go", {})], "end"))
        go_on, executed = anyio.Event(), []

        @agent.tool_plain
        async def wait() -> str:
            await go_on.wait()
            executed.append("wait")
            return "waited"

        @agent.tool_plain
        async def go() -> str:
            go_on.set()
            executed.append("go")
            return "went"

        async with agent.iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            events = []
            async with calls.stream(run.ctx) as stream:
                async for event in stream:
                    events.append(event)
                    if isinstance(event, FunctionToolCallEvent):
                        assert executed == []
            async with calls.stream(run.ctx) as again:
                assert [event async for event in again] == []
            request = await run.next(calls)
            assert await run.next(calls) is request

        started, finished = events[:2], events[2:]
        assert [event.part.tool_name for event in started] == ["wait", "go"]
        assert [event.result.content for event in finished] == ["went", "waited"]
        assert [event.tool_call_id for event in finished] == [started[1].call_id, "1"]
        assert [part.content for part in request.request.parts] == ["waited", "went"]
        assert executed == ["go", "wait"]

    async def test_unread_events_are_read_on_leaving(self, agent):
        async with agent.iter("Hello") as run:
            async for node in run:
                if Agent.is_call_tools_node(node):
                    async with node.stream(run.ctx) as events:
                        async for _ in events:
                            break
        assert run.result.data == '{"double":0}'

    async def test_run_goes_on_from_a_stream_half_read(self, agent):
        async with agent.iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            async with calls.stream(run.ctx) as events:
                assert (await anext(events)).event_kind == "function_tool_call"
                assert isinstance(await calls.run(run.ctx), ModelRequestNode)

    async def test_a_stream_after_run_is_empty(self, agent):
        async with agent.iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            await run.next(calls)
            async with calls.stream(run.ctx) as events:
                assert [event async for event in events] == []

    async def test_text_has_no_events(self):
        async with Agent("test").iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            async with calls.stream(run.ctx) as events:
                assert [event async for event in events] == []
            assert isinstance(await run.next(calls), End)

    async def test_what_a_tool_raises_comes_out_of_the_stream(self, agent):
        cause = ValueError("mine")

        @agent.tool_plain
        async def fail() -> None:
            raise cause

        async with agent.iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            with pytest.raises(ValueError, match="mine") as caught:
                async with calls.stream(run.ctx) as events:
                    async for _ in events:
                        pass
        assert caught.value is cause

    async def test_a_passed_budget_keeps_its_cause_in_the_stream(self, answering):
        agent = Agent(answering(ToolCallPart("double", {})), retries=0)
        agent.tool_plain(name="double")(lambda number: number)
        async with agent.iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            with pytest.raises(UnexpectedModelBehavior) as caught:
                async with calls.stream(run.ctx) as events:
                    async for _ in events:
                        pass
        assert caught.value.__cause__ is not None

    async def test_an_error_of_the_reader_stops_the_tools(self, answering):
        agent = Agent(answering([ToolCallPart("wait", {}), ToolCallPart("fine", {})]))
        ended = []

        @agent.tool_plain
        async def wait() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append("wait")

        agent.tool_plain(name="fine")(lambda: 1)
        async with agent.iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            with pytest.raises(LookupError):
                async with calls.stream(run.ctx) as events:
                    async for event in events:
                        if isinstance(event, FunctionToolResultEvent):
                            raise LookupError
        assert ended == ["wait"]

    async def test_an_empty_response_is_an_error(self, answering):
        async with Agent(answering([TextPart("")])).iter("Hello") as run:
            calls = await run.next(await run.next(run.next_node))
            with pytest.raises(UnexpectedModelBehavior, match="Received empty model response"):
                async with calls.stream(run.ctx) as events:
                    await anext(events)
