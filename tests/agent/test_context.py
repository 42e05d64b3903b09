from __future__ import annotations

import pytest

from replay_agent import Agent, RunContext
from replay_agent.messages import ImageUrl
from replay_agent.models.test import TestModel
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio


def test_what_need_not_be_said():
    model, usage = TestModel(), Usage()
    ctx = RunContext(deps=None, model=model, usage=usage, prompt="Hello")
    assert (ctx.messages, ctx.tool_call_id, ctx.tool_name, ctx.retry, ctx.run_step) == ([], None, None, 0, 0)


async def test_a_tool_sees_the_live_run():
    model, agent = TestModel(), Agent(deps_type=list)
    usage = Usage()
    prompt = ["Hello", ImageUrl("https://example.org/a.png")]
    seen = []

    @agent.tool
    async def look(ctx: RunContext[list]) -> str:
        seen.append(ctx)
        return "seen"

    deps = [1]
    result = await agent.run(prompt, model=model, deps=deps, usage=usage)
    (ctx,) = seen
    assert ctx.deps is deps
    assert ctx.model is model
    assert ctx.usage is usage
    assert ctx.prompt is prompt
    assert ctx.messages is result.all_messages()
    assert (ctx.tool_name, ctx.run_step, ctx.retry) == ("look", 1, 0)


@pytest.mark.parametrize(
    ("given", "retry", "tool_name"),
    [({}, 1, "add"), ({"retry": 2}, 2, "add"), ({"tool_name": "sub"}, 1, "sub"), ({"tool_name": None}, 1, None)],
)
async def test_a_context_may_be_that_of_another_call(given, retry, tool_name):
    context = RunContext(deps=3, model=TestModel(), usage=Usage(), prompt="hi", retry=1, tool_name="add")
    other = context.replace_with(**given)
    assert (other.retry, other.tool_name, other.deps, context.retry) == (retry, tool_name, 3, 1)
    assert other.usage is context.usage
