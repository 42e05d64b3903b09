from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypeAliasType, TypedDict

from replay_agent import Agent, ModelRetry, RunContext, UnexpectedModelBehavior, UserError
from replay_agent.agent.output import ResultSchema, ToolRetryError
from replay_agent.messages import RetryPromptPart, ToolCallPart
from replay_agent.models.test import TestModel

T = TypeVar("T")
DEFAULT = "The final response which ends this conversation"


class City(BaseModel):
    name: str


class River(BaseModel):
    """Water that flows."""

    name: str


@dataclass
class Island:
    name: str


class Mountain(TypedDict):
    name: str


class Box(BaseModel, Generic[T]):
    value: T


def other_city() -> type[BaseModel]:
    class City(BaseModel):
        country: str

    return City


Alias = TypeAliasType("Alias", City | Island)
Nested = TypeAliasType("Nested", Alias | str)
GenericAlias = TypeAliasType("GenericAlias", T | City, type_params=(T,))
Plain = TypeAliasType("Plain", City)


def build(type_: Any, description: str | None = None) -> ResultSchema:
    return ResultSchema.build(type_, "final_result", description)


def definitions(type_: Any, description: str | None = None) -> dict[str, str | None]:
    return {tool.name: tool.description for tool in build(type_, description).tool_defs()}


class TestSchema:
    def test_text_needs_no_tool(self):
        assert build(str) == ResultSchema(tools={}, allow_text_result=True)

    @pytest.mark.parametrize(
        ("type_", "text", "names"),
        [
            (City, False, ["final_result"]),
            (int, False, ["final_result"]),
            (City | Island, False, ["final_result_City", "final_result_Island"]),
            (City | int | list[str], False, ["final_result_City", "final_result_int", "final_result_list"]),
            (str | City, True, ["final_result"]),
            (City | str, True, ["final_result"]),
            (City | str | Island, True, ["final_result_City", "final_result_Island"]),
            (Alias, False, ["final_result_City", "final_result_Island"]),
            (Nested, True, ["final_result_City", "final_result_Island"]),
            (GenericAlias[int], False, ["final_result_int", "final_result_City"]),
            (Plain, False, ["final_result"]),
            (Box[int] | City, False, ["final_result_Box_int_", "final_result_City"]),
            (Annotated[int, Field(gt=0)] | None, False, ["final_result_int", "final_result_NoneType"]),
        ],
    )
    def test_tools_of_a_type(self, type_, text, names):
        schema = build(type_)
        assert schema.allow_text_result is text
        assert schema.tool_names() == names

    def test_a_clash_of_names_takes_the_position(self):
        assert build(City | Island | other_city()).tool_names() == [
            "final_result_City",
            "final_result_Island",
            "final_result_City_3",
        ]

    @pytest.mark.parametrize("type_", [City, Island, Mountain])
    def test_a_model_is_its_own_schema(self, type_):
        (tool,) = build(type_).tool_defs()
        assert tool.outer_typed_dict_key is None
        assert tool.parameters_json_schema == {
            "type": "object",
            "title": type_.__name__,
            "properties": {"name": {"title": "Name", "type": "string"}},
            "required": ["name"],
        }

    def test_anything_else_is_wrapped(self):
        (tool,) = build(tuple[str, int]).tool_defs()
        assert dataclasses.asdict(tool) == {
            "name": "final_result",
            "description": DEFAULT,
            "parameters_json_schema": {
                "type": "object",
                "properties": {
                    "response": {
                        "title": "Response",
                        "type": "array",
                        "prefixItems": [{"type": "string"}, {"type": "integer"}],
                        "minItems": 2,
                        "maxItems": 2,
                    }
                },
                "required": ["response"],
            },
            "outer_typed_dict_key": "response",
        }

    def test_descriptions(self):
        assert definitions(City) == {"final_result": DEFAULT}
        assert definitions(City, "Mine") == {"final_result": "Mine"}
        assert definitions(River) == {"final_result": "Water that flows."}
        assert definitions(River, "Mine") == {"final_result": "Mine. Water that flows."}
        assert definitions(City | River) == {
            "final_result_City": f"City: {DEFAULT}",
            "final_result_River": "Water that flows.",
        }
        assert "description" not in build(River).tool_defs()[0].parameters_json_schema

    def test_a_root_that_is_no_object_is_refused(self):
        from pydantic import RootModel

        with pytest.raises(UserError, match="Schema must be an object"):
            Agent("test", result_type=RootModel[list[int]])


@pytest.mark.anyio
class TestResults:
    @pytest.mark.parametrize(
        ("type_", "args", "value"),
        [
            (City, '{"name": "Rome"}', City(name="Rome")),
            (Island, {"name": "Malta"}, Island("Malta")),
            (Mountain, {"name": "Etna"}, {"name": "Etna"}),
            (int, '{"response": "3"}', 3),
            (list[City], {"response": [{"name": "Rome"}]}, [City(name="Rome")]),
            (Literal["a", "b"], {"response": "b"}, "b"),
            (dict[str, int], {"response": {"a": 1}}, {"a": 1}),
        ],
    )
    async def test_every_kind_of_type(self, type_, args, value, answering, outline):
        result = await Agent(answering(ToolCallPart("final_result", args, "id")), result_type=type_).run("Hello")
        assert result.data == result.output == value
        assert outline(result.all_messages())[-1] == [("tool-return", "Final result processed.")]

    async def test_the_member_that_is_called_is_given(self):
        agent = Agent("test", result_type=City | Island)
        assert (await agent.run("Hello")).data == City(name="a")
        assert (await agent.run("Hello", model=TestModel(seed=1))).data == Island("b")

    async def test_the_model_is_told_how_it_may_answer(self):
        model = TestModel()
        await Agent(model, result_type=City | str, result_tool_name="say", result_tool_description="Say it").run(
            "Hello"
        )
        parameters = model.last_model_request_parameters
        assert parameters is not None
        assert parameters.allow_text_result is True
        assert [(tool.name, tool.description) for tool in parameters.result_tools] == [("say", "Say it")]

    async def test_a_type_for_one_run(self):
        agent = Agent("test", result_type=City, result_tool_name="say", result_tool_description="Say it")
        model = TestModel()
        assert (await agent.run("Hello", result_type=int, model=model)).data == 0
        assert model.last_model_request_parameters is not None
        assert [(tool.name, tool.description) for tool in model.last_model_request_parameters.result_tools] == [
            ("say", "Say it")
        ]
        assert (await agent.run("Hello", result_type=str)).data == "success (no tool calls)"
        assert (await agent.run("Hello")).data == City(name="a")

    async def test_validators_forbid_another_type(self):
        agent = Agent("test", result_type=int)
        agent.result_validator(lambda value: value)
        for type_ in (int, str):
            with pytest.raises(UserError, match="Cannot set a custom run `result_type`"):
                await agent.run("Hello", result_type=type_)

    async def test_wrong_values_are_asked_for_again(self, answering):
        wrong, right = ToolCallPart("final_result", {"name": 1}, "a"), ToolCallPart("final_result", {"name": "x"}, "b")
        result = await Agent(answering(wrong, right), result_type=City).run("Hello")
        (retry,) = result.all_messages()[2].parts
        assert isinstance(retry, RetryPromptPart)
        assert (retry.tool_name, retry.tool_call_id) == ("final_result", "a")
        assert retry.content == [
            {"type": "string_type", "loc": ("name",), "msg": "Input should be a valid string", "input": 1}
        ]

    @pytest.mark.parametrize("retries", [0, 1, 2])
    async def test_result_budget_n_means_n_plus_one_answers(self, retries, answering):
        model = answering(*[ToolCallPart("final_result", {})] * 9)
        with pytest.raises(
            UnexpectedModelBehavior, match=rf"Exceeded maximum retries \({retries}\) for result validation"
        ):
            await Agent(model, result_type=City, result_retries=retries, retries=7).run("Hello")
        assert len(model.seen) == retries + 1

    async def test_the_result_budget_defaults_to_retries(self, answering):
        model = answering(*[ToolCallPart("final_result", {})] * 9)
        with pytest.raises(UnexpectedModelBehavior):
            await Agent(model, result_type=City, retries=3).run("Hello")
        assert len(model.seen) == 4

    async def test_text_where_a_tool_is_wanted_is_asked_for_again(self, answering, outline):
        model = answering("Rome", ToolCallPart("final_result", {"name": "Rome"}))
        result = await Agent(model, result_type=City).run("Hello")
        assert outline(result.all_messages())[2] == [
            (
                "retry-prompt",
                "Plain text responses are not permitted, please call one of the functions instead.",
            )
        ]
        assert result.all_messages()[2].parts[0].tool_name is None

    async def test_result_retries_of_all_kinds_add_up_and_stay(self, answering):
        def fine() -> int:
            return 1

        wrong, unknown = ToolCallPart("final_result", {}), ToolCallPart("nonsense", {})
        model = answering("text", ToolCallPart("fine", {}), unknown, ToolCallPart("fine", {}), wrong)
        with pytest.raises(UnexpectedModelBehavior, match=r"\(2\)"):
            await Agent(model, result_type=City, tools=[fine], result_retries=2).run("Hello")
        assert len(model.seen) == 5

    async def test_texts_are_joined_by_a_blank_line(self, answering):
        assert (await Agent(answering(["one", "", "two"])).run("Hello")).data == "one\n\ntwo"

    @pytest.mark.parametrize("parts", [[], [""]])
    async def test_an_empty_response_ends_the_run(self, parts, answering):
        with pytest.raises(UnexpectedModelBehavior, match="Received empty model response"):
            await Agent(answering(parts)).run("Hello")


@pytest.mark.anyio
class TestValidators:
    async def test_they_chain_in_order(self):
        agent = Agent("test", result_type=int)

        @agent.result_validator
        def add(value: int) -> int:
            return value + 3

        @agent.result_validator
        async def double(ctx: RunContext[None], value: int) -> int:
            return value * 2

        assert (await agent.run("Hello")).data == 6

    async def test_they_are_told_of_the_result_tool(self):
        seen = []
        for type_ in (str, int):
            agent = Agent("test", result_type=type_)

            @agent.result_validator
            def look(ctx: RunContext[None], value: Any) -> Any:
                seen.append((ctx.tool_name, ctx.run_step, len(ctx.messages)))
                return value

            await agent.run("Hello")
        assert seen == [(None, 1, 2), ("final_result", 1, 2)]

    async def test_a_retry_from_a_tool_result(self, answering):
        agent = Agent(
            answering(
                ToolCallPart("final_result", {"response": 1}, "a"), ToolCallPart("final_result", {"response": 2})
            ),
            result_type=int,
        )

        @agent.result_validator
        def even(value: int) -> int:
            if value % 2:
                raise ModelRetry("even, please")
            return value

        result = await agent.run("Hello")
        (retry,) = result.all_messages()[2].parts
        assert result.data == 2
        assert (retry.content, retry.tool_name, retry.tool_call_id) == ("even, please", "final_result", "a")

    async def test_a_retry_from_text(self, answering):
        agent = Agent(answering("no", "yes"))

        @agent.result_validator
        async def yes(value: str) -> str:
            if value != "yes":
                raise ModelRetry("say yes")
            return value

        result = await agent.run("Hello")
        (retry,) = result.all_messages()[2].parts
        assert result.data == "yes"
        assert (retry.content, retry.tool_name, retry.tool_call_id) == ("say yes", None, None)

    async def test_a_budget_that_is_passed_shows_what_was_refused_last(self):
        agent = Agent("test", result_type=int, result_retries=0)

        @agent.result_validator
        def never(value: int) -> int:
            raise ModelRetry("no")

        with pytest.raises(UnexpectedModelBehavior) as caught:
            await agent.run("Hello")
        assert caught.value.__cause__ is None
        assert isinstance(caught.value.__context__, ToolRetryError)
        assert isinstance(caught.value.__context__.__cause__, ModelRetry)

    @pytest.mark.parametrize("retries", [0, 1, 2])
    async def test_refused_text_spends_result_retries(self, retries, answering):
        model = answering(*["no"] * 9)
        agent = Agent(model, result_retries=retries)

        @agent.result_validator
        def never(value: str) -> str:
            raise ModelRetry("no")

        with pytest.raises(UnexpectedModelBehavior, match=rf"\({retries}\) for result validation"):
            await agent.run("Hello")
        assert len(model.seen) == retries + 1

    async def test_other_exceptions_come_through(self):
        agent = Agent("test")

        @agent.result_validator
        def fail(value: str) -> str:
            raise LookupError("cannot judge")

        with pytest.raises(LookupError, match="cannot judge"):
            await agent.run("Hello")


def test_validation_can_be_partial():
    tool = build(list[int]).tools["final_result"]
    assert tool.validate(ToolCallPart("final_result", '{"response": [1, tr'), allow_partial=True) == [1]
    with pytest.raises(ValidationError):
        tool.validate(ToolCallPart("final_result", '{"response": [1, 2'))
