from __future__ import annotations

from contextvars import copy_context

import anyio
import pytest

from replay_agent import Agent, RunContext, UserError
from replay_agent.agent.override import Overridable
from replay_agent.models.test import TestModel


@pytest.fixture
def agent():
    agent = Agent("test", deps_type=str)

    @agent.tool
    def deps(ctx: RunContext[str]) -> str:
        return ctx.deps

    return agent


def saying(text):
    return TestModel(custom_result_text=text, call_tools=[])


@pytest.mark.anyio
async def test_an_override_wins_over_the_run(agent):
    with agent.override(deps="theirs"):
        assert (await agent.run("Hello", deps="mine")).data == '{"deps":"theirs"}'
    with agent.override(model=saying("theirs")):
        assert (await agent.run("Hello", deps="", model=saying("mine"))).data == "theirs"
    assert (await agent.run("Hello", deps="mine")).data == '{"deps":"mine"}'


@pytest.mark.anyio
async def test_overrides_nest(agent):
    with agent.override(deps="outer"):
        with agent.override(deps="inner"):
            assert (await agent.run("Hello", deps="")).data == '{"deps":"inner"}'
        with agent.override(model=saying("inner model")):
            assert (await agent.run("Hello", deps="")).data == "inner model"
        assert (await agent.run("Hello", deps="")).data == '{"deps":"outer"}'


@pytest.mark.anyio
async def test_none_is_a_value_like_others(agent):
    with agent.override(deps=None):
        assert (await agent.run("Hello", deps="mine")).data == '{"deps":null}'


@pytest.mark.anyio
async def test_an_override_ends_with_an_error(agent):
    with pytest.raises(LookupError), agent.override(deps="theirs"):
        raise LookupError
    assert (await agent.run("Hello", deps="mine")).data == '{"deps":"mine"}'


@pytest.mark.anyio
async def test_other_agents_are_left_alone(agent):
    with Agent("test").override(model=saying("other")):
        assert (await agent.run("Hello", deps="mine")).data == '{"deps":"mine"}'


def test_a_model_may_be_given_by_name(agent):
    with agent.override(model="test"):
        assert agent.run_sync("Hello", deps="mine", model=saying("mine")).data == '{"deps":"mine"}'
    with pytest.raises(UserError, match="Unknown model"), agent.override(model="nobody"):
        pytest.fail("entered with an unknown model")


@pytest.mark.anyio
async def test_it_does_not_hide_a_missing_model():
    agent = Agent()
    with agent.override(model="test"):
        with pytest.raises(UserError, match=r"`model` must be set either .*Even when `override\(model=...\)`"):
            await agent.run("Hello")
        assert (await agent.run("Hello", model=saying("mine"))).data == "success (no tool calls)"


@pytest.mark.anyio
async def test_concurrent_overrides_do_not_mix(agent):
    both_are_open = anyio.Event()
    answers = {}

    async def with_override(name, wait_for_other):
        with agent.override(deps=name):
            if wait_for_other:
                await both_are_open.wait()
            else:
                both_are_open.set()
            answers[name] = (await agent.run("Hello", deps="")).data

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(with_override, "one", True)
        tasks.start_soon(with_override, "two", False)
    assert answers == {name: f'{{"deps":"{name}"}}' for name in ("one", "two")}


def test_a_context_outside_the_block_sees_it():
    value, outside = Overridable(), copy_context()
    with value.replaced_by(1), value.replaced_by(2):
        assert outside.run(value.get) == [2]
    assert outside.run(value.get) == value.get() == []


def test_a_context_that_outlives_the_block_is_free_of_it():
    value = Overridable()
    with value.replaced_by(1):
        with value.replaced_by(2):
            inside = copy_context()
            assert inside.run(value.get) == [2]
        assert inside.run(value.get) == [1]
    assert inside.run(value.get) == []


def test_a_block_may_be_left_in_another_context():
    value = Overridable()
    block = value.replaced_by(1)
    copy_context().run(block.__enter__)
    assert value.get() == [1]
    block.__exit__(None, None, None)
    assert value.get() == []


@pytest.fixture
def overridden(agent):
    with agent.override(model=saying("from the fixture")):
        yield


@pytest.mark.anyio
@pytest.mark.usefixtures("overridden")
async def test_a_fixture_may_open_it(agent):
    assert (await agent.run("Hello", deps="")).data == "from the fixture"
