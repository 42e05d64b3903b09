from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from copy import copy

import anyio
import pytest
from pydantic import BaseModel, ValidationError

from replay_agent import Agent, AgentRunError, CassetteMiss, ModelRetry, UnexpectedModelBehavior, UserError
from replay_agent.agent.output import ToolRetryError
from replay_agent.exceptions import UsageLimitExceeded
from replay_agent.messages import ModelResponse, TextPart
from replay_agent.models.base import Model
from replay_agent.models.function import DeltaToolCall, FunctionModel
from replay_agent.models.test import TestModel, TestStreamedResponse
from replay_agent.traffic import Request
from replay_agent.usage import Usage, UsageLimits

pytestmark = pytest.mark.anyio

CAT = "The cat sat on the mat."
SO_FAR = ["The ", "The cat ", "The cat sat ", "The cat sat on ", "The cat sat on the ", CAT]


class City(BaseModel):
    name: str
    country: str


class SilentResponse(TestStreamedResponse):
    """Has text in the end without having told of it."""

    def get(self):
        return ModelResponse([TextPart("unannounced")])

    async def _get_event_iterator(self):
        return
        yield


class SilentModel(TestModel):
    @asynccontextmanager
    async def request_stream(self, messages, model_settings, model_request_parameters):
        yield SilentResponse("test", ModelResponse([]), messages)


def call(args=None, name=None, index=0, call_id=None):
    return {index: DeltaToolCall(name, args, call_id)}


@pytest.fixture
def cat():
    return Agent(TestModel(custom_result_text=CAT))


@pytest.fixture
def shouting(cat):
    @cat.result_validator
    def shout(text: str) -> str:
        return text.upper()

    return cat


class TestText:
    async def test_stream_gives_the_full_text_twice(self, cat):
        async with cat.run_stream("Hello") as result:
            assert [text async for text in result.stream(debounce_by=None)] == [*SO_FAR, CAT]
        async with cat.run_stream("Hello") as result:
            assert [text async for text in result.stream(debounce_by=3600)] == [CAT, CAT]

    async def test_stream_text_gives_it_once(self, cat):
        async with cat.run_stream("Hello") as result:
            assert [text async for text in result.stream_text(debounce_by=None)] == SO_FAR
        async with cat.run_stream("Hello") as result:
            assert [text async for text in result.stream_text(debounce_by=3600)] == [CAT]

    async def test_deltas(self, cat):
        async with cat.run_stream("Hello") as result:
            deltas = [text async for text in result.stream_text(delta=True, debounce_by=None)]
        assert deltas == ["The ", "cat ", "sat ", "on ", "the ", "mat."]

    async def test_validators_see_each_text_but_no_delta(self, shouting):
        async with shouting.run_stream("Hello") as result:
            assert [text async for text in result.stream_text(debounce_by=None)] == [text.upper() for text in SO_FAR]
        async with shouting.run_stream("Hello") as result:
            deltas = [text async for text in result.stream_text(delta=True, debounce_by=None)]
        assert deltas[0] == "The "
        async with shouting.run_stream("Hello") as result:
            assert await result.get_data() == CAT.upper()

    async def test_text_that_was_read_to_find_the_start_is_not_lost(self, streaming):
        async with Agent(streaming(["one ", "two ", "", "three"])).run_stream("Hello") as result:
            texts = [text async for text in result.stream_text(delta=True, debounce_by=None)]
        assert texts == ["one ", "two ", "three"]

    async def test_a_validator_may_refuse_a_text_that_is_not_whole_yet(self, cat):
        @cat.result_validator
        def ends(text: str) -> str:
            if not text.endswith("."):
                raise ModelRetry("end with a stop")
            return text

        async with cat.run_stream("Hello") as result:
            assert [text async for text in result.stream_text(debounce_by=None)] == [CAT]
        async with cat.run_stream("Hello") as result:
            assert [text async for text in result.stream(debounce_by=None)] == [CAT, CAT]

    @pytest.mark.parametrize("consume", ["stream", "stream_text", "get_data"])
    async def test_a_result_that_is_refused_is_not_asked_for_again(self, cat, consume):
        @cat.result_validator
        def never(text: str) -> str:
            raise ModelRetry("no")

        with pytest.raises(ToolRetryError, match="no") as caught:
            async with cat.run_stream("Hello") as result:
                if consume == "get_data":
                    await result.get_data()
                else:
                    async for _ in getattr(result, consume)():
                        pytest.fail("gave a refused text")
        assert isinstance(caught.value.__cause__, ModelRetry)

    async def test_text_must_be_permitted(self):
        async with Agent("test", result_type=int).run_stream("Hello") as result:
            with pytest.raises(UserError, match=r"stream_text\(\) can only be used with text responses"):
                await anext(result.stream_text())

    async def test_another_reader_goes_on_where_one_stopped(self, streaming):
        agent = Agent(streaming(["a", "b", "c", "d"]))
        for debounce_by in (None, 0.001):
            async with agent.run_stream("Hello") as result:
                async with aclosing(result.stream_text(debounce_by=debounce_by)) as texts:
                    await anext(texts)
                assert [text async for text in result.stream_text()][-1] == "abcd"
                assert await result.get_data() == "abcd"


@pytest.fixture
def halting():
    """An agent whose model halts after its first word until ``go_on`` is set."""

    async def words(messages, info):
        yield "one "
        await agent.go_on.wait()
        yield "two three"

    agent = Agent(FunctionModel(stream_function=words))
    agent.go_on = anyio.Event()
    return agent


class TestLeavingWhileTheModelIsAwaited:
    """The reader's task is waiting for the model at that moment, and must not be cut off."""

    @pytest.fixture
    async def later(self, halting):
        async def go_on():
            await anyio.wait_all_tasks_blocked()
            halting.go_on.set()

        return go_on

    async def test_run_stream_reads_the_rest(self, halting, later):
        usage = Usage()
        async with anyio.create_task_group() as tasks, halting.run_stream("Hello", usage=usage) as result:
            async with aclosing(result.stream_text(debounce_by=0.001)) as texts:
                assert await anext(texts) == "one "
            tasks.start_soon(later)
        assert usage.response_tokens == 3

    async def test_a_streamed_node_reads_the_rest(self, halting, later):
        async with anyio.create_task_group() as tasks, halting.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                async with aclosing(stream.stream_responses(debounce_by=0.001)) as responses:
                    await anext(responses)
                tasks.start_soon(later)
            assert run.usage().response_tokens == 3
            assert run.ctx.state.message_history[-1].parts == [TextPart("one two three")]


class TestStructured:
    async def test_partial_values_on_the_way(self, streaming):
        text = json.dumps({"response": [1, 2, 3, 4]})
        agent = Agent(streaming([call(name="final_result"), call(text[:15]), call(text[15:])]), result_type=list[int])
        async with agent.run_stream("Hello") as result:
            values = [value async for value in result.stream(debounce_by=None)]
        assert values == [[1], [1, 2, 3, 4], [1, 2, 3, 4]]

    async def test_what_is_not_valid_yet_is_passed_over(self, streaming):
        pieces = ['{"name": "Ro', 'me", "country', '": "It', 'aly"}']
        agent = Agent(streaming([call(name="final_result", args=""), *map(call, pieces)]), result_type=City)
        async with agent.run_stream("Hello") as result:
            values = [value async for value in result.stream(debounce_by=None)]
        assert values == [City(name="Rome", country=country) for country in ("It", "Italy", "Italy")]

    async def test_messages_so_far(self, streaming):
        text = '{"response": 1}'
        agent = Agent(streaming([call(text[:5], "final_result"), call(text[5:])]), result_type=int)
        async with agent.run_stream("Hello") as result:
            seen = [
                (response.parts[0].args, last) async for response, last in result.stream_structured(debounce_by=None)
            ]
        assert seen == [(text[:5], False), (text, False), (text, True)]

    async def test_one_message_can_be_validated(self):
        async with Agent("test", result_type=int).run_stream("Hello") as result:
            async for response, last in result.stream_structured():
                assert await result.validate_structured_result(response, allow_partial=not last) == 0
            with pytest.raises(UnexpectedModelBehavior, match=r"unable to find tool: \['final_result'\]"):
                await result.validate_structured_result(ModelResponse([TextPart("no call")]))

    async def test_the_last_value_is_validated_strictly(self, streaming):
        model = streaming([call('{"name": "Rome"', "final_result"), call("}")])
        agent = Agent(model, result_type=City)
        for consume in ("get_data", "stream"):
            with pytest.raises(ValidationError):
                async with agent.run_stream("Hello") as result:
                    if consume == "get_data":
                        await result.get_data()
                    else:
                        async for _ in result.stream():
                            pytest.fail("gave an invalid value")

    async def test_validators_are_called_with_the_tool(self, streaming):
        agent = Agent(streaming([call('{"response": 1}', "final_result", call_id="id")]), result_type=int)
        names = []

        @agent.result_validator
        async def look(ctx, value):
            names.append(ctx.tool_name)
            return value + 1

        async with agent.run_stream("Hello") as result:
            assert await result.get_data() == 2
        assert names == ["final_result"]


class TestStreamedResult:
    async def test_earlier_steps_have_run(self, outline):
        agent = Agent("test")
        agent.tool_plain(name="double")(lambda number: 2)
        async with agent.run_stream("Hello") as result:
            assert outline(result.all_messages()) == [
                [("user-prompt", "Hello")],
                [("tool-call", {"number": "a"})],
                [("tool-return", 2)],
            ]
            assert result.usage().requests == 2
            assert not result.is_complete
            await result.get_data()
            assert result.is_complete
            assert outline(result.new_messages())[3:] == [[("text", '{"double":2}')]]

    @pytest.mark.parametrize("consume", ["stream", "stream_text", "stream_structured", "get_data"])
    async def test_each_way_of_reading_completes_it_once(self, cat, consume):
        async with cat.run_stream("Hello") as result:
            before = list(result.all_messages())
            if consume == "get_data":
                await result.get_data()
            else:
                async for _ in getattr(result, consume)():
                    assert result.all_messages() == before
            assert result.is_complete
            assert [message.kind for message in result.all_messages()] == ["request", "response"]
            await result.get_data()
            assert len(result.all_messages()) == 2

    async def test_tools_of_the_last_response_are_handled(self, streaming, outline):
        pieces = [call("{}", "tool", 1), call('{"response": 1}', "final_result", 2), call("{}", "nonsense", 3)]
        for strategy, executed in (
            ("early", "Tool not executed - a final result was already processed."),
            ("exhaustive", 5),
        ):
            agent = Agent(streaming(pieces), result_type=int, end_strategy=strategy)
            agent.tool_plain(name="tool")(lambda: 5)
            async with agent.run_stream("Hello") as result:
                await result.get_data()
            answers = dict.fromkeys(content for _, content in outline(result.all_messages())[-1])
            assert executed in answers
            assert "Final result processed." in answers
            assert "Unknown tool name: 'nonsense'. Available tools: tool, final_result" in answers

    async def test_tools_beside_a_streamed_text_are_executed(self, streaming, outline):
        agent = Agent(streaming(["text ", call("{}", "tool", 1)]))
        agent.tool_plain(name="tool")(lambda: 5)
        async with agent.run_stream("Hello") as result:
            assert await result.get_data() == "text "
        assert outline(result.all_messages())[-1] == [("tool-return", 5)]

    async def test_usage_grows_with_the_response(self, streaming):
        async with Agent(streaming(["one two ", "three"])).run_stream("Hello", usage=Usage(requests=2)) as result:
            assert result.usage() == Usage(requests=3, request_tokens=50, response_tokens=2, total_tokens=52)
            await result.get_data()
            assert result.usage() == Usage(requests=3, request_tokens=50, response_tokens=3, total_tokens=53)

    async def test_timestamp_is_that_of_the_response(self, cat):
        async with cat.run_stream("Hello") as result:
            await result.get_data()
            assert result.timestamp() == result.all_messages()[-1].timestamp

    async def test_return_content_is_not_supported(self, cat):
        async with cat.run_stream("Hello") as result:
            for method in (result.all_messages, result.new_messages, result.all_messages_json):
                with pytest.raises(NotImplementedError, match="not supported for this result type"):
                    method(result_tool_return_content="x")

    async def test_what_was_not_read_is_read_on_leaving(self, cat):
        usage = Usage()
        async with cat.run_stream("Hello", usage=usage) as result:
            assert usage == Usage(requests=1)
        assert usage == Usage(requests=1, request_tokens=51, response_tokens=7, total_tokens=58)
        assert result.usage() == usage
        assert not result.is_complete

    async def test_limits_are_checked_on_leaving(self, cat):
        entered = False
        with pytest.raises(UsageLimitExceeded, match="response_tokens=7"):
            async with cat.run_stream("Hello", usage_limits=UsageLimits(response_tokens_limit=5)) as result:
                assert [text async for text in result.stream_text()] == [CAT]
                entered = True
        assert entered

    async def test_get_data_checks_limits_at_every_event(self, cat):
        with pytest.raises(UsageLimitExceeded, match="response_tokens=3"):
            async with cat.run_stream("Hello", usage_limits=UsageLimits(response_tokens_limit=2)) as result:
                await result.get_data()

    async def test_retries_before_the_result(self, streaming, outline):
        model = streaming(["just talk"], [call('{"response": 1}', "final_result")])
        async with Agent(model, result_type=int).run_stream("Hello") as result:
            assert await result.get_data() == 1
        assert outline(result.all_messages())[2][0][0] == "retry-prompt"
        with pytest.raises(UnexpectedModelBehavior, match=r"Exceeded maximum retries \(1\) for result validation"):
            async with Agent(streaming(["talk"], ["talk"]), result_type=int).run_stream("Hello"):
                pytest.fail("entered without a result")

    async def test_a_run_that_ends_without_its_result_having_begun_is_an_error(self):
        with pytest.raises(AgentRunError, match="finished without producing a final result"):
            async with Agent(SilentModel()).run_stream("Hello"):
                pytest.fail("entered without a result")

    async def test_an_error_in_the_block_comes_through_and_closes_the_model(self):
        closed = []

        async def endless(messages, info):
            try:
                while True:
                    yield "word "
            finally:
                closed.append("model")

        agent = Agent(FunctionModel(stream_function=endless))
        for debounce_by in (None, 0.001):
            with pytest.raises(LookupError, match="mine"):
                async with agent.run_stream("Hello") as result:
                    async with aclosing(result.stream_text(debounce_by=debounce_by)) as texts:
                        await anext(texts)
                    raise LookupError("mine")
        assert closed == ["model"] * 2

    async def test_a_miss_in_the_model_comes_through(self):
        async def missing(messages, info):
            yield "word "
            raise CassetteMiss("no answer", Request("GET", "https://example.org/", (), b""))

        with pytest.raises(CassetteMiss):
            async with Agent(FunctionModel(stream_function=missing)).run_stream("Hello") as result:
                async for _ in result.stream_text():
                    pass

    async def test_a_cancelled_reader_ends_the_run(self):
        async def stuck(messages, info):
            yield "word "
            await anyio.sleep_forever()

        with anyio.CancelScope() as scope:
            async with Agent(FunctionModel(stream_function=stuck)).run_stream("Hello") as result:
                async for _ in result.stream_text(debounce_by=0.001):
                    scope.cancel()
        assert scope.cancelled_caught


class TestAgentStream:
    async def test_events_with_the_final_one_after_its_part(self, streaming):
        pieces = ["talk ", call("{}", "tool", 1), call('{"response": 1}', "final_result", 2, "id"), call("", None, 2)]
        agent = Agent(streaming(pieces), result_type=int)
        async with agent.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                events = [event async for event in stream]
        kinds = [event.event_kind for event in events]
        assert kinds[:4] == ["part_start", "part_start", "part_start", "final_result"]
        assert kinds.count("final_result") == 1
        assert (events[3].tool_name, events[3].tool_call_id) == ("final_result", "id")

    async def test_text_is_final_where_it_is_permitted(self, cat):
        async with cat.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                events = [event async for event in stream]
        assert [event.event_kind for event in events[:3]] == ["part_start", "final_result", "part_delta"]
        assert (events[1].tool_name, events[1].tool_call_id) == (None, None)

    async def test_output_so_far(self, shouting):
        async with shouting.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                values = [value async for value in stream.stream_output(debounce_by=None)]
        assert values == ["", *(text.upper() for text in SO_FAR), CAT.upper()]

    async def test_responses_so_far(self, shouting):
        async with shouting.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                texts = [response.parts[0].content async for response in stream.stream_responses(debounce_by=None)]
        assert texts == ["", "", *SO_FAR]

    async def test_no_output_without_a_result(self, streaming):
        agent = Agent(streaming(["talk"]), result_type=int)
        async with agent.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                assert [value async for value in stream.stream_output()] == []

    async def test_a_second_reader_begins_with_what_is_there(self, cat):
        async with cat.iter("Hello") as run:
            request = await run.next(run.next_node)
            async with request.stream(run.ctx) as stream:
                async with aclosing(stream.stream_responses()) as responses:
                    assert (await anext(responses)).parts == [TextPart(CAT)]
                assert [response.parts async for response in stream.stream_responses()] == [[TextPart(CAT)]]
                assert [value async for value in stream.stream_output()] == [CAT, CAT]


async def test_a_model_that_cannot_stream_says_so():
    class Whole(TestModel):
        request_stream = Model.request_stream

    with pytest.raises(NotImplementedError, match="Streamed requests not supported by this Whole"):
        async with Agent(Whole()).run_stream("Hello"):
            pytest.fail("entered without a stream")


def test_the_refusal_of_a_result_is_an_agent_run_error():
    assert issubclass(ToolRetryError, AgentRunError)


async def test_a_streamed_result_shows_itself_and_compares_by_value():
    async with Agent("test").run_stream("Hello") as result:
        assert repr(result).startswith("StreamedRunResult(")
        assert "is_complete=False" in repr(result)
        assert result == copy(result)
        before = copy(result)
        await result.get_data()
        assert result != before
