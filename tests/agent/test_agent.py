from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections import Counter

import anyio
import pytest

from replay_agent import Agent, ModelRetry, RunContext, Tool, UserError
from replay_agent.messages import AudioUrl, BinaryContent, DocumentUrl, ImageUrl, ModelResponse, TextPart, ToolCallPart
from replay_agent.models.function import FunctionModel
from replay_agent.models.test import TestModel
from replay_agent.usage import UsageLimits

anonymous = Agent("test")
known_globally = Agent("test")


def nothing(value: str = "") -> str:
    return value


class TestConstruction:
    def test_public_attributes(self):
        model = TestModel()
        agent = Agent(
            model, result_type=int, name="mine", model_settings={"seed": 1}, end_strategy="exhaustive", instrument=False
        )
        assert dataclasses.is_dataclass(agent)
        assert (
            agent.model,
            agent.name,
            agent.end_strategy,
            agent.model_settings,
            agent.result_type,
            agent.instrument,
        ) == (
            model,
            "mine",
            "exhaustive",
            {"seed": 1},
            int,
            False,
        )

    def test_defaults(self):
        agent = Agent()
        assert (agent.model, agent.name, agent.end_strategy, agent.model_settings, agent.instrument) == (
            None,
            None,
            "early",
            None,
            None,
        )
        assert agent.result_type is str

    @pytest.mark.parametrize(
        "other",
        [
            {"result_type": int},
            {"system_prompt": "Be brief."},
            {"retries": 3},
            {"result_retries": 3},
            {"name": "other"},
            {"model_settings": {"seed": 1}},
            {"end_strategy": "exhaustive"},
            {"deps_type": int},
            {"tools": [Tool(len, name="len")]},
            {"result_tool_name": "answer"},
            {"result_tool_description": "The answer."},
            {"model": TestModel(seed=1)},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_agents_are_equal_that_were_made_alike(self, other):
        assert Agent("test") == Agent("test")
        assert Agent("test") != Agent(**{"model": "test", **other})
        assert Agent(**{"model": "test", **other}) == Agent(**{"model": "test", **other})

    def test_what_is_registered_later_tells_agents_apart(self):
        for register in ("system_prompt", "result_validator", "tool_plain"):
            agent = Agent("test")
            getattr(agent, register)(nothing)
            assert agent != Agent("test")

    def test_the_messages_of_the_last_run_are_found_elsewhere(self):
        with pytest.raises(AttributeError, match="capture_run_messages"):
            Agent("test").last_run_messages  # noqa: B018

    def test_it_can_be_subscripted(self):
        assert Agent[int, str]("test", deps_type=int).run_sync("Hello", deps=1).data == "success (no tool calls)"

    def test_a_name_becomes_a_model_at_once(self):
        assert isinstance(Agent("test").model, TestModel)
        with pytest.raises(UserError, match="Unknown model: nonsense"):
            Agent("nonsense")

    @pytest.mark.anyio
    async def test_a_deferred_name_becomes_one_at_the_first_run(self):
        agent = Agent("test", defer_model_check=True)
        assert agent.model == "test"
        await agent.run("Hello")
        model = agent.model
        assert isinstance(model, TestModel)
        await agent.run("Hello")
        assert agent.model is model

    @pytest.mark.anyio
    async def test_without_any_model_a_run_is_refused(self):
        with pytest.raises(
            UserError, match=r"^`model` must be set either when creating the agent or when calling it.$"
        ):
            await Agent().run("Hello")

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("name", "variable"),
        [
            ("deepseek:deepseek-chat", "DEEPSEEK_API_KEY"),
            ("groq:llama", "GROQ_API_KEY"),
            ("gemini-1.5-flash", "GEMINI_API_KEY"),
            ("anthropic:claude-3-5-haiku-latest", "ANTHROPIC_API_KEY"),
        ],
    )
    async def test_an_agent_is_made_without_a_key_and_its_run_names_it(self, monkeypatch, name, variable):
        for unset in (variable, "GOOGLE_API_KEY"):
            monkeypatch.delenv(unset, raising=False)
        agent = Agent(name)
        with pytest.raises(ValueError, match=variable):
            await agent.run("Hello")
        with pytest.raises(ValueError, match=variable):
            async with agent.run_stream("Hello"):
                pass

    def test_a_name_waits_where_that_is_wanted(self):
        assert Agent("deepseek:deepseek-chat", defer_model_check=True).model == "deepseek:deepseek-chat"

    def test_providers_stay_unloaded(self):
        code = "import sys; from replay_agent import Agent; Agent('test'); print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert {
            "griffe",
            "replay_agent.wire.openai_chat",
            "replay_agent.models.openai",
            "opentelemetry",
            "trio",
        }.isdisjoint(loaded)


@pytest.mark.anyio
class TestRunParameters:
    @pytest.mark.parametrize(
        "prompt",
        [
            "Hello",
            "",
            ["see", ImageUrl("https://example.org/a.png"), AudioUrl("https://example.org/a.mp3")],
            (DocumentUrl("https://example.org/a.pdf"), BinaryContent(b"x", "text/plain")),
        ],
    )
    async def test_a_prompt_is_stored_as_given(self, prompt):
        result = await Agent("test").run(prompt)
        assert result.all_messages()[0].parts[0].content is prompt

    async def test_the_runs_model_wins(self):
        agent = Agent("test")
        assert (await agent.run("Hello", model=TestModel(custom_result_text="mine"))).data == "mine"
        assert (await Agent().run("Hello", model="test")).data == "success (no tool calls)"

    @pytest.mark.parametrize(
        ("of_agent", "of_run", "merged"),
        [
            (None, None, None),
            ({"seed": 1}, None, {"seed": 1}),
            (None, {"seed": 2}, {"seed": 2}),
            ({"seed": 1, "top_p": 1.0}, {"seed": 2}, {"seed": 2, "top_p": 1.0}),
        ],
    )
    async def test_settings_merge_key_by_key(self, of_agent, of_run, merged, answering):
        model = answering("end")
        await Agent(model, model_settings=of_agent).run("Hello", model_settings=of_run)
        assert model.seen[0][1].model_settings == merged

    async def test_deps_reach_the_functions_untouched(self):
        deps = object()
        agent = Agent("test", deps_type=str)

        @agent.tool
        def same(ctx: RunContext[str]) -> bool:
            return ctx.deps is deps

        assert (await agent.run("Hello", deps=deps)).data == '{"same":true}'

    async def test_fifty_requests_are_the_default_limit(self, answering):
        agent = Agent(answering(*[ToolCallPart("again", {})] * 60, "end"))
        agent.tool_plain(name="again")(lambda: 1)
        with pytest.raises(Exception, match="The next request would exceed the request_limit of 50"):
            await agent.run("Hello")
        assert (await agent.run("Hello", usage_limits=UsageLimits(request_limit=None))).data == "end"

    @pytest.mark.parametrize("limit", [1, 2, 3])
    async def test_limit_n_allows_n_requests(self, limit, answering):
        model = answering(*[ToolCallPart("again", {})] * 9)
        agent = Agent(model)
        agent.tool_plain(name="again")(lambda: 1)
        with pytest.raises(Exception, match=f"request_limit of {limit}"):
            await agent.run("Hello", usage_limits=UsageLimits(request_limit=limit))
        assert len(model.seen) == limit

    async def test_a_token_limit_may_be_reached(self):
        agent = Agent("test")
        assert await agent.run("Hello", usage_limits=UsageLimits(request_tokens_limit=51, response_tokens_limit=4))
        for limits in (UsageLimits(request_tokens_limit=50), UsageLimits(response_tokens_limit=3)):
            with pytest.raises(Exception, match="Exceeded the"):
                await agent.run("Hello", usage_limits=limits)

    async def test_the_callers_history_is_not_extended(self):
        agent = Agent("test")
        history = (await agent.run("one")).all_messages()
        before = list(history)
        await agent.run("two", message_history=history)
        assert history == before


@pytest.mark.anyio
class TestName:
    async def test_run_takes_it_from_the_callers_locals(self):
        local_name = Agent("test")
        await local_name.run("Hello", infer_name=False)
        assert local_name.name is None
        await local_name.run("Hello")
        assert local_name.name == "local_name"

    async def test_every_entry_point_takes_it(self):
        stepped, streamed = Agent("test"), Agent("test")
        async with stepped.iter("Hello"):
            assert stepped.name == "stepped"
        async with streamed.run_stream("Hello"):
            assert streamed.name == "streamed"

    async def test_globals_come_after_locals(self):
        await anonymous.run("Hello")
        assert anonymous.name == "anonymous"
        nearer = known_globally
        await nearer.run("Hello")
        assert known_globally.name == "nearer"

    async def test_it_sticks(self):
        first = Agent("test")
        await first.run("Hello")
        second = first
        del first
        await second.run("Hello")
        assert second.name == "first"

    async def test_a_given_name_stays(self):
        variable = Agent("test", name="given")
        await variable.run("Hello")
        assert variable.name == "given"

    async def test_no_variable_is_no_error(self):
        agents = [Agent("test")]
        await agents[0].run("Hello")
        assert agents[0].name is None


def test_run_sync_takes_the_name():
    synchronous = Agent("test")
    assert synchronous.run_sync("Hello").data == "success (no tool calls)"
    assert synchronous.name == "synchronous"


def test_run_sync_hands_everything_on():
    agent = Agent("test", deps_type=int)
    history = agent.run_sync("one", deps=0).all_messages()
    result = agent.run_sync(
        "two",
        result_type=int,
        message_history=history,
        model=TestModel(custom_result_args=7),
        deps=1,
        model_settings={"seed": 1},
        usage_limits=UsageLimits(request_limit=1),
        usage=None,
    )
    assert result.data == 7
    assert len(result.new_messages()) == 3


RUNS = 200


def two_steps_and_an_end(messages, info):
    """Call both tools twice, then say the prompt of this run."""
    answered = sum(isinstance(message, ModelResponse) for message in messages)
    if answered < 2:
        return ModelResponse([ToolCallPart("unsteady", {}, "u"), ToolCallPart("echo", {}, "e")])
    return ModelResponse([TextPart(messages[0].parts[0].content)])


async def answer(messages, info):
    return two_steps_and_an_end(messages, info)


@pytest.mark.anyio
async def test_many_runs_of_one_agent_do_not_disturb_each_other():
    agent = Agent(FunctionModel(answer), deps_type=int, retries=1)
    retries = Counter()
    all_have_failed, failed = anyio.Event(), []

    @agent.tool
    async def unsteady(ctx: RunContext[int]) -> int:
        retries[ctx.retry] += 1
        if ctx.retry == 0:
            failed.append(ctx.deps)
            if len(failed) == RUNS:
                all_have_failed.set()
            await all_have_failed.wait()
            raise ModelRetry("once more")
        return ctx.deps

    @agent.tool
    async def echo(ctx: RunContext[int]) -> str:
        await anyio.lowlevel.checkpoint()
        return f"{ctx.prompt} {ctx.deps}"

    results = {}

    async def run(number):
        results[number] = await agent.run(f"prompt {number}", deps=number)

    async with anyio.create_task_group() as tasks:
        for number in range(RUNS):
            tasks.start_soon(run, number)

    assert retries == {0: RUNS, 1: RUNS}
    for number, result in results.items():
        assert result.data == f"prompt {number}"
        assert result.usage().requests == 3
        first, second = (message.parts for message in result.all_messages()[2::2][:2])
        assert [part.part_kind for part in first] == ["retry-prompt", "tool-return"]
        assert [part.content for part in second] == [number, f"prompt {number} {number}"]


@pytest.mark.anyio
async def test_sync_functions_leave_the_loop_free():
    agent = Agent("test")
    threads = set()

    @agent.system_prompt
    def prompt() -> str:
        threads.add(threading.current_thread())
        return "prompt"

    @agent.tool_plain
    def tool() -> str:
        threads.add(threading.current_thread())
        return "tool"

    @agent.result_validator
    def validator(value: str) -> str:
        threads.add(threading.current_thread())
        return value

    await agent.run("Hello")
    assert threading.current_thread() not in threads


@pytest.mark.anyio
async def test_an_agent_serves_both_tools_and_functions():
    def plain(number: int) -> int:
        return number + 1

    async def with_context(ctx: RunContext[int], number: int) -> int:
        return ctx.deps

    agent = Agent("test", tools=(Tool(plain), with_context), deps_type=int)
    assert (await agent.run("Hello", deps=5)).data == '{"plain":1,"with_context":5}'
