from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import anyio
import pytest
from typing_extensions import TypedDict

from replay_agent import Agent, ModelRetry, RunContext, Tool, UnexpectedModelBehavior, UserError
from replay_agent.agent import ToolDefinition
from replay_agent.messages import RetryPromptPart, ToolCallPart, ToolReturnPart
from replay_agent.models.test import TestModel
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio


def context(**fields) -> RunContext[Any]:
    return RunContext(deps=None, model=TestModel(), usage=Usage(), prompt="", **fields)


def add(a: int, b: int = 1) -> int:
    """Adds."""
    return a + b


class TestToolAlone:
    async def test_a_call_becomes_a_return(self):
        part = await Tool(add).run(ToolCallPart("add", '{"a": 1}', "id"), context())
        assert isinstance(part, ToolReturnPart)
        assert (part.tool_name, part.content, part.tool_call_id) == ("add", 2, "id")

    async def test_the_function_is_told_of_its_call(self):
        def look(ctx: RunContext[None]) -> list[Any]:
            return [ctx.tool_name, ctx.tool_call_id, ctx.retry, ctx.deps]

        part = await Tool(look).run(ToolCallPart("look", {}, "id"), context(retry=2))
        assert part.content == ["look", "id", 2, None]

    async def test_wrong_arguments_become_a_retry(self):
        part = await Tool(add, max_retries=1).run(ToolCallPart("add", {"a": "x"}, "id"), context())
        assert isinstance(part, RetryPromptPart)
        assert (part.tool_name, part.tool_call_id) == ("add", "id")
        assert part.content == [
            {
                "type": "int_parsing",
                "loc": ("a",),
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "input": "x",
            }
        ]

    async def test_a_budget_that_is_passed_raises_with_its_cause(self):
        with pytest.raises(UnexpectedModelBehavior, match="Tool exceeded max retries count of 0") as caught:
            await Tool(add, max_retries=0).run(ToolCallPart("add", {}), context())
        assert type(caught.value.__cause__).__name__ == "ValidationError"

    async def test_failures_are_counted_in_the_context(self):
        tool, ctx = Tool(add, max_retries=2), context()
        for expected in (1, 2):
            await tool.run(ToolCallPart("add", {}), ctx)
            assert ctx.tool_failures == {"add": expected}
        await tool.run(ToolCallPart("add", {"a": 1}), ctx)
        assert ctx.tool_failures == {"add": 0}

    def test_names_and_descriptions_may_be_given(self):
        tool = Tool(add, name="plus", description="Sums.")
        assert (tool.name, tool.description, tool.takes_ctx, tool.max_retries) == ("plus", "Sums.", False, None)
        assert (Tool(add).name, Tool(add).description) == ("add", "Adds.")

    async def test_its_definition(self):
        definition = await Tool(add).prepare_tool_def(context())
        assert definition is not None
        assert (definition.name, definition.description, definition.outer_typed_dict_key) == ("add", "Adds.", None)
        assert definition.parameters_json_schema["required"] == ["a"]

    def test_misuse_of_the_context_is_an_error(self):
        def with_context(ctx: RunContext[None]) -> None: ...

        with pytest.raises(UserError, match="First parameter of tools that take context"):
            Tool(add, takes_ctx=True)
        with pytest.raises(UserError, match="can only be used with tools that take context"):
            Tool(with_context, takes_ctx=False)


class TestRegistering:
    def test_decorators_return_the_function(self):
        agent = Agent("test")
        assert agent.tool_plain(add) is add
        assert agent.tool_plain(name="plus")(add) is add

    async def test_options_of_the_decorators(self, answering):
        model = answering(ToolCallPart("plus", {}), "end")
        agent = Agent(model, retries=0)
        agent.tool_plain(name="plus", retries=1, docstring_format="google")(add)
        result = await agent.run("Hello")
        assert isinstance(result.all_messages()[2].parts[0], RetryPromptPart)
        assert [tool.name for tool in model.seen[0][1].function_tools] == ["plus"]

    def test_undescribed_parameters_can_be_refused(self):
        with pytest.raises(UserError, match="Missing parameter descriptions for a, b"):
            Agent("test").tool_plain(require_parameter_descriptions=True)(add)

    def test_tool_wants_a_context_and_tool_plain_refuses_one(self):
        def with_context(ctx: RunContext[None]) -> None: ...

        with pytest.raises(UserError, match="must be annotated with RunContext"):
            Agent("test").tool(add)
        with pytest.raises(UserError, match="can only be used with tools that take context"):
            Agent("test").tool_plain(with_context)

    @pytest.mark.parametrize("second", [add, Tool(add)])
    def test_a_name_is_taken_once(self, second):
        with pytest.raises(UserError, match="Tool name conflicts with existing tool: 'add'"):
            Agent("test", tools=[Tool(add), second])

    def test_a_result_tool_keeps_its_name(self):
        with pytest.raises(UserError, match="Tool name conflicts with result schema name: 'add'"):
            Agent("test", tools=[add], result_type=int, result_tool_name="add")
        assert Agent("test", tools=[add], result_tool_name="add")

    async def test_bare_functions_and_tools_mix(self):
        def look(ctx: RunContext[int]) -> int:
            return ctx.deps

        agent = Agent("test", tools=[add, Tool(look)], deps_type=int)
        assert (await agent.run("Hello", deps=5)).data == '{"add":1,"look":5}'

    async def test_a_shared_tool_takes_each_agents_budget(self, answering):
        tool = Tool(add)
        for retries in (0, 2):
            model = answering(*[ToolCallPart("add", {})] * 5)
            with pytest.raises(UnexpectedModelBehavior, match=f"max retries count of {retries}"):
                await Agent(model, tools=[tool], retries=retries).run("Hello")
            assert len(model.seen) == retries + 1
        assert tool.max_retries is None


class TestRetries:
    async def test_a_tool_shows_how_the_last_call_left_it(self):
        wanted = iter([ModelRetry("no"), ModelRetry("no"), None])

        def function():
            failure = next(wanted)
            if failure:
                raise failure

        tool = Tool(function, max_retries=5)
        assert tool.current_retry == 0
        seen = []
        run_context = context()
        for _ in range(3):
            await tool.run(ToolCallPart("function", {}), run_context)
            seen.append(tool.current_retry)
        assert seen == [1, 2, 0]
        assert tool == Tool(function, max_retries=5)

    @pytest.mark.parametrize("retries", [0, 1, 2, 5])
    async def test_budget_n_means_n_plus_one_calls(self, retries, answering):
        calls = []
        agent = Agent(answering(*[ToolCallPart("fail", {}, "id")] * 9))

        @agent.tool(retries=retries)
        def fail(ctx: RunContext[None]) -> None:
            calls.append(ctx.retry)
            raise ModelRetry("not yet")

        with pytest.raises(UnexpectedModelBehavior, match=f"Tool exceeded max retries count of {retries}") as caught:
            await agent.run("Hello")
        assert calls == list(range(retries + 1))
        assert isinstance(caught.value.__cause__, ModelRetry)

    async def test_the_agents_default_budget_is_one(self, answering):
        model = answering(*[ToolCallPart("add", {})] * 5)
        with pytest.raises(UnexpectedModelBehavior):
            await Agent(model, tools=[add]).run("Hello")
        assert len(model.seen) == 2

    async def test_success_resets_the_count(self, answering, outline):
        bad, good = ToolCallPart("add", {}), ToolCallPart("add", {"a": 1})
        result = await Agent(answering(bad, good, bad, good, bad, good, "end"), tools=[add]).run("Hello")
        kinds = [kind for message in outline(result.all_messages()) for kind, _ in message]
        assert kinds.count("retry-prompt") == kinds.count("tool-return") == 3

    async def test_each_tool_has_its_own_count(self, answering):
        def subtract(a: int) -> int:
            return -a

        model = answering(ToolCallPart("add", {}), ToolCallPart("subtract", {}), "end")
        assert (await Agent(model, tools=[add, subtract]).run("Hello")).data == "end"

    async def test_parallel_failures_of_one_tool_add_up(self, answering):
        model = answering([ToolCallPart("add", {}, "1"), ToolCallPart("add", {}, "2")], "end")
        with pytest.raises(UnexpectedModelBehavior, match="max retries count of 1"):
            await Agent(model, tools=[add]).run("Hello")
        assert (await Agent(model, tools=[add], retries=2).run("Hello")).data == "end"

    async def test_a_run_starts_at_zero(self, answering):
        agent = Agent(answering(ToolCallPart("add", {}), "end"), tools=[add])
        for _ in range(3):
            assert (await agent.run("Hello")).data == "end"

    async def test_a_retry_says_what_was_wrong(self, answering):
        agent = Agent(answering(ToolCallPart("find", {}, "id"), "end"))

        @agent.tool_plain
        async def find() -> str:
            raise ModelRetry("look elsewhere")

        part = (await agent.run("Hello")).all_messages()[2].parts[0]
        assert part == RetryPromptPart("look elsewhere", "find", "id", timestamp=part.timestamp)

    async def test_other_exceptions_come_through(self):
        agent = Agent("test")
        cause = KeyError("gone")

        @agent.tool_plain
        def find() -> str:
            raise cause

        with pytest.raises(KeyError) as caught:
            await agent.run("Hello")
        assert caught.value is cause


class TestPrepare:
    async def test_none_hides_a_tool_from_one_request(self):
        agent = Agent("test", deps_type=bool)

        async def only_if_asked(ctx: RunContext[bool], definition: ToolDefinition) -> ToolDefinition | None:
            return definition if ctx.deps else None

        agent.tool_plain(prepare=only_if_asked)(add)
        assert (await agent.run("Hello", deps=True)).data == '{"add":1}'
        assert (await agent.run("Hello", deps=False)).data == "success (no tool calls)"

    async def test_a_hidden_tool_is_still_executed(self, answering):
        async def never(ctx: RunContext[None], definition: ToolDefinition) -> None:
            return None

        model = answering(ToolCallPart("add", {"a": 1}), "end")
        result = await Agent(model, tools=[Tool(add, prepare=never)]).run("Hello")
        assert model.seen[0][1].function_tools == []
        assert result.all_messages()[2].parts[0].content == 2

    async def test_it_is_asked_before_every_request(self, answering):
        seen = []

        async def look(ctx: RunContext[None], definition: ToolDefinition) -> ToolDefinition:
            seen.append((ctx.tool_name, ctx.retry, ctx.run_step, len(ctx.messages)))
            return definition

        model = answering(ToolCallPart("add", {}), ToolCallPart("add", {"a": 1}), "end")
        await Agent(model, tools=[Tool(add, prepare=look)]).run("Hello")
        assert seen == [("add", 0, 1, 1), ("add", 1, 2, 3), ("add", 0, 3, 5)]

    async def test_changes_do_not_outlast_the_request(self, answering):
        async def rename(ctx: RunContext[None], definition: ToolDefinition) -> ToolDefinition:
            definition.parameters_json_schema["properties"]["a"]["title"] += "!"
            return replace(definition, description=f"step {ctx.run_step}")

        model = answering(ToolCallPart("add", {"a": 1}), "end")
        agent = Agent(model, tools=[Tool(add, prepare=rename)])
        await agent.run("Hello")
        tools = [info.function_tools[0] for _, info in model.seen]
        assert [tool.description for tool in tools] == ["step 1", "step 2"]
        assert [tool.parameters_json_schema["properties"]["a"]["title"] for tool in tools] == ["A!"] * 2

    async def test_all_are_prepared_at_once_and_stay_in_order(self, answering):
        last_has_begun = anyio.Event()

        async def wait(ctx: RunContext[None], definition: ToolDefinition) -> ToolDefinition:
            await last_has_begun.wait()
            return definition

        async def begin(ctx: RunContext[None], definition: ToolDefinition) -> ToolDefinition:
            last_has_begun.set()
            return definition

        tools = [Tool(add, name="a", prepare=wait), Tool(add, name="b"), Tool(add, name="c", prepare=begin)]
        model = answering("end")
        await Agent(model, tools=tools).run("Hello")
        assert [tool.name for tool in model.seen[0][1].function_tools] == ["a", "b", "c"]

    async def test_what_it_raises_comes_through(self):
        async def fail(ctx: RunContext[None], definition: ToolDefinition) -> ToolDefinition:
            raise LookupError("cannot")

        with pytest.raises(LookupError, match="cannot"):
            await Agent("test", tools=[Tool(add, prepare=fail)]).run("Hello")

    async def test_a_subclass_may_prepare_itself(self):
        @dataclass
        class Greeter(Tool[int]):
            greeting: str

            def __init__(self, greeting: str) -> None:
                self.greeting = greeting
                super().__init__(self.greet, takes_ctx=False)

            def greet(self, name: str) -> str:
                return f"{self.greeting} {name}"

            async def prepare_tool_def(self, ctx: RunContext[int]) -> ToolDefinition | None:
                return await super().prepare_tool_def(ctx) if ctx.deps else None

        agent = Agent("test", tools=[Greeter("Hi")], deps_type=int)
        assert (await agent.run("Hello", deps=1)).data == '{"greet":"Hi a"}'
        assert (await agent.run("Hello", deps=0)).data == "success (no tool calls)"


class Place(TypedDict):
    city: str


@dataclass
class Weather:
    degrees: int


class TestArguments:
    @pytest.mark.parametrize("args", ["", " ", "{", '{"city": "Ro', "Rome"])
    async def test_what_is_no_json_is_sent_back(self, answering, args):
        model = answering(ToolCallPart("where", args, "1"), ToolCallPart("where", "{}", "2"), "done")
        agent = Agent(model)
        calls = []
        agent.tool_plain(name="where")(lambda: calls.append(len(calls)))
        assert (await agent.run("Hello")).data == "done"
        (refused,) = model.seen[1][0][-1].parts
        assert (type(refused), refused.tool_name, refused.tool_call_id) == (RetryPromptPart, "where", "1")
        assert [found["type"] for found in refused.content] == ["json_invalid"]
        assert calls == [0]

    @pytest.mark.parametrize("args", ["", "{", "[1"])
    async def test_a_result_that_is_no_json_spends_a_retry(self, answering, args):
        agent = Agent(
            answering(ToolCallPart("final_result", args), ToolCallPart("final_result", '{"city": "Rome"}')),
            result_type=Place,
        )
        result = await agent.run("Hello")
        assert result.data == {"city": "Rome"}
        assert result.all_messages()[2].parts[0].content[0]["type"] == "json_invalid"
        with pytest.raises(UnexpectedModelBehavior, match="Exceeded maximum retries"):
            await agent.run("Hello", model=answering(*[ToolCallPart("final_result", args)] * 3))

    @pytest.mark.parametrize("as_text", [True, False])
    async def test_values_may_hold_more_than_their_types_know_and_arguments_may_not(self, answering, as_text):
        args = {"place": {"city": "Rome", "size": 3}, "weather": {"degrees": 20, "wind": 1}}
        calls = [args, args | {"more": 1}]
        agent = Agent(
            answering(*[ToolCallPart("tell", json.dumps(each) if as_text else each) for each in calls], "done")
        )
        seen = []

        @agent.tool_plain
        def tell(place: Place, weather: Weather) -> None:
            seen.append((place, weather))

        messages = (await agent.run("Hello")).all_messages()
        assert seen == [({"city": "Rome"}, Weather(20))]
        (refused,) = messages[4].parts
        assert [(found["type"], found["loc"]) for found in refused.content] == [("extra_forbidden", ("more",))]

    async def test_a_function_without_room_for_the_context_is_a_tool_until_it_is_called(self, answering):
        agent = Agent(answering("fine"))
        agent.tool(name="now")(lambda: 1)
        assert (await agent.run("Hello")).data == "fine"
        with pytest.raises(TypeError, match=r"takes no arguments.*`tool_plain`"):
            await agent.run("Hello", model=answering(ToolCallPart("now", {})))
