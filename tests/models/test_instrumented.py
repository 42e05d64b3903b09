from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import ModelHTTPError
from replay_agent.messages import ModelRequest, ModelResponse, TextPart, ToolReturnPart, UserPromptPart
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.function import FunctionModel
from replay_agent.models.instrumented import InstrumentationSettings, InstrumentedModel, instrumented
from replay_agent.models.test import TestModel
from replay_agent.models.wrapper import WrapperModel

pytestmark = pytest.mark.anyio

TEXT = ModelRequestParameters()
PROMPT = ModelRequest([UserPromptPart("hello", timestamp=datetime(2024, 1, 1, tzinfo=UTC))])


class Somewhere(WrapperModel):
    base_url = "https://models.example:8443/v1"


@pytest.fixture
def spans():
    return InMemorySpanExporter()


@pytest.fixture
def settings(spans):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return InstrumentationSettings(tracer_provider=provider)


def only(spans):
    (span,) = spans.get_finished_spans()
    return span


async def test_a_request_is_a_span(spans, settings):
    tool = ToolDefinition("add", "Add.", {"type": "object"})
    model = InstrumentedModel(Somewhere(TestModel(custom_result_text="hi", call_tools=[])), settings)
    response, usage = await model.request(
        [PROMPT], {"temperature": 0.5, "max_tokens": 9, "timeout": 3}, ModelRequestParameters([tool])
    )
    assert response.parts == [TextPart("hi")]
    span = only(spans)
    assert span.name == "chat test"
    told = dict(span.attributes)
    assert json.loads(told.pop("gen_ai.tool.definitions")) == [
        {"name": "add", "description": "Add.", "parameters": {"type": "object"}}
    ]
    assert json.loads(told.pop("gen_ai.input.messages"))[0]["parts"][0]["content"] == "hello"
    assert json.loads(told.pop("gen_ai.output.messages"))[0]["parts"] == [{"content": "hi", "part_kind": "text"}]
    events = json.loads(told.pop("events"))
    assert [(event["event.name"], event["gen_ai.system"]) for event in events] == [
        ("gen_ai.user.message", "test"),
        ("gen_ai.choice", "test"),
    ]
    assert events[1]["message"] == {"role": "assistant", "content": "hi"}
    assert json.loads(told.pop("logfire.json_schema"))["properties"] == {"events": {"type": "array"}}
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "test",
        "gen_ai.request.model": "test",
        "gen_ai.response.model": "test",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.usage.input_tokens": usage.request_tokens,
        "gen_ai.usage.output_tokens": usage.response_tokens,
        "server.address": "models.example",
        "server.port": 8443,
    }


async def test_a_stream_is_a_span(spans, settings):
    model = InstrumentedModel(TestModel(custom_result_text="good day"), settings)
    async with model.request_stream([PROMPT], None, TEXT) as response:
        assert not spans.get_finished_spans()
        async for _ in response:
            pass
    told = only(spans).attributes
    assert told["gen_ai.usage.output_tokens"] == 2
    assert "good day" in told["gen_ai.output.messages"]


async def test_a_left_stream_tells_what_came(spans, settings):
    model = InstrumentedModel(TestModel(custom_result_text="good day"), settings)
    with pytest.raises(LookupError):
        async with model.request_stream([PROMPT], None, TEXT) as response:
            await anext(aiter(response))
            raise LookupError
    assert only(spans).status.status_code is StatusCode.ERROR
    assert '"content":""' in only(spans).attributes["gen_ai.output.messages"]


async def test_an_error_is_told_and_raised(spans, settings):
    def refuse(messages, info):
        raise ModelHTTPError(500, "m")

    with pytest.raises(ModelHTTPError):
        await InstrumentedModel(FunctionModel(refuse), settings).request([PROMPT], None, TEXT)
    assert only(spans).status.status_code is StatusCode.ERROR


async def test_what_the_provider_says_is_told(spans, settings):
    def answer(messages, info):
        return ModelResponse([TextPart("hi")], finish_reason="stop", provider_response_id="r1")

    await InstrumentedModel(FunctionModel(answer), settings).request([PROMPT], None, TEXT)
    told = only(spans).attributes
    assert told["gen_ai.response.finish_reasons"] == ("stop",)
    assert told["gen_ai.response.id"] == "r1"


async def test_content_can_be_left_out(spans, settings):
    settings.include_content = False
    await InstrumentedModel(TestModel(custom_result_text="secret"), settings).request([PROMPT], None, TEXT)
    assert "secret" not in str(dict(only(spans).attributes))
    assert "hello" not in str(dict(only(spans).attributes))


class Deaf(WrapperModel):
    async def request(self, messages, model_settings, model_request_parameters):
        return await super().request([], model_settings, model_request_parameters)


async def test_content_that_is_no_json_does_not_break_the_run(settings):
    returned = ModelRequest([ToolReturnPart("t", object())])
    response, _ = await InstrumentedModel(Deaf("test"), settings).request([returned], None, TEXT)
    assert response.parts == [TextPart("success (no tool calls)")]


async def test_the_global_provider_is_the_default():
    response, _ = await InstrumentedModel("test").request([PROMPT], None, TEXT)
    assert response.parts == [TextPart("success (no tool calls)")]


def test_instrumenting_is_asked_for(settings):
    model = TestModel()
    assert instrumented(model, None) is model
    assert instrumented(model, False) is model
    wrapped = instrumented(model, settings)
    assert isinstance(wrapped, InstrumentedModel)
    assert wrapped.options is settings
    assert instrumented(wrapped, True) is wrapped
    assert isinstance(instrumented(model, True), InstrumentedModel)


def test_without_opentelemetry_the_extra_is_named():
    code = """
import sys
sys.modules["opentelemetry.trace"] = None
from replay_agent.exceptions import UserError
from replay_agent.models.instrumented import InstrumentationSettings
try:
    InstrumentationSettings()
except UserError as exc:
    print(exc)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pytest-replay-agent[instrument]" in told
