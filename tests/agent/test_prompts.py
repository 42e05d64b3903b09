from __future__ import annotations

from typing import Any

import pytest

from replay_agent import Agent, RunContext
from replay_agent.messages import ModelMessagesTypeAdapter, ModelResponse, SystemPromptPart, TextPart
from replay_agent.models.function import FunctionModel
from replay_agent.models.test import TestModel

pytestmark = pytest.mark.anyio


def refs(result):
    return [part.dynamic_ref for part in result.all_messages()[0].parts if isinstance(part, SystemPromptPart)]


async def test_order_is_static_then_functions_then_the_user(outline):
    agent = Agent("test", system_prompt=("one", "two"), deps_type=int)

    @agent.system_prompt
    def three() -> str:
        return "three"

    @agent.system_prompt()
    async def four(ctx: RunContext[int]) -> str:
        return f"four: {ctx.deps} {ctx.prompt} {ctx.run_step} {ctx.messages}"

    result = await agent.run("Hello", deps=5)
    kinds = ["system-prompt"] * 4 + ["user-prompt"]
    texts = ["one", "two", "three", "four: 5 Hello 0 []", "Hello"]
    assert outline(result.all_messages())[0] == list(zip(kinds, texts, strict=True))
    assert refs(result) == [None] * 4


async def test_an_empty_prompt_is_legal(outline):
    assert outline((await Agent("test", system_prompt="").run("")).all_messages())[0] == [
        ("system-prompt", ""),
        ("user-prompt", ""),
    ]


async def test_history_brings_its_own_prompts(outline):
    agent = Agent("test", system_prompt="static")
    prompts = iter("ab")

    @agent.system_prompt
    def function() -> str:
        return next(prompts)

    first = await agent.run("Hello")
    second = await agent.run("Again", message_history=first.all_messages())
    assert outline(second.new_messages())[0] == [("user-prompt", "Again")]
    assert outline(second.all_messages())[0] == [
        ("system-prompt", "static"),
        ("system-prompt", "a"),
        ("user-prompt", "Hello"),
    ]


@pytest.mark.parametrize("history", [None, []])
async def test_no_history_means_prompts(history, outline):
    result = await Agent("test", system_prompt="static").run("Hello", message_history=history)
    assert outline(result.all_messages())[0][0] == ("system-prompt", "static")


async def test_a_dynamic_prompt_is_written_anew(outline):
    agent = Agent("test", system_prompt="static", deps_type=str)

    @agent.system_prompt(dynamic=True)
    async def mood(ctx: RunContext[str]) -> str:
        return ctx.deps

    first = await agent.run("Hello", deps="calm")
    assert refs(first) == [None, mood.__qualname__]
    history = ModelMessagesTypeAdapter.validate_json(first.all_messages_json())
    second = await agent.run("Again", deps="angry", message_history=history)
    assert outline(second.all_messages())[0] == [
        ("system-prompt", "static"),
        ("system-prompt", "angry"),
        ("user-prompt", "Hello"),
    ]
    assert refs(second) == [None, mood.__qualname__]
    assert outline(second.new_messages())[0] == [("user-prompt", "Again")]


async def test_every_request_of_the_history_is_refreshed(outline):
    agent: Agent[Any, str] = Agent("test")

    @agent.system_prompt(dynamic=True)
    def mood(ctx: RunContext[Any]) -> str:
        return ctx.deps

    history = (await agent.run("one", deps="a")).all_messages() + (await agent.run("two", deps="b")).all_messages()
    result = await agent.run("three", deps="c", message_history=history)
    assert [outline(result.all_messages())[index][0] for index in (0, 2)] == [("system-prompt", "c")] * 2


async def test_unknown_references_stay():
    agent = Agent("test")

    @agent.system_prompt(dynamic=True)
    def known() -> str:
        return "new"

    first = await agent.run("Hello")
    stranger = SystemPromptPart("stays", dynamic_ref="stranger")
    first.all_messages()[0].parts.insert(0, stranger)
    second = await agent.run("Again", message_history=first.all_messages())
    assert second.all_messages()[0].parts[0] is stranger


async def test_what_a_prompt_raises_comes_through():
    agent = Agent("test")

    @agent.system_prompt
    def failing() -> str:
        raise LookupError("no prompt today")

    with pytest.raises(LookupError, match="no prompt today"):
        await agent.run("Hello")


@pytest.mark.parametrize("prompt", [None, ""])
async def test_a_prompt_of_nothing_does_not_break_a_run(prompt):
    agent = Agent("test")

    @agent.system_prompt
    def nothing():
        return prompt

    @agent.system_prompt(dynamic=True)
    async def nothing_later():
        return prompt

    answered = FunctionModel(lambda messages, info: ModelResponse([TextPart("hi")]))
    for model in (TestModel(), answered):
        result = await agent.run("Hello", model=model)
        assert [part.content for part in result.all_messages()[0].parts] == [prompt, prompt, "Hello"]
        assert result.usage().request_tokens == 51
