from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel, model_serializer

from replay_agent import Agent
from replay_agent.exceptions import ModelHTTPError
from replay_agent.messages import (
    BinaryContent,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.fallback import FallbackModel
from replay_agent.models.function import FunctionModel
from replay_agent.models.instrumented import InstrumentationSettings, InstrumentedModel
from replay_agent.models.telemetry import (
    dumped,
    event_log,
    events_json,
    jsonable,
    message_events,
    messages_json,
    response_events,
)
from replay_agent.models.test import TestModel

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
PARTS = [
    (SystemPromptPart("Be kind."), "gen_ai.system.message", {"content": "Be kind.", "role": "system"}),
    (UserPromptPart("Hello"), "gen_ai.user.message", {"content": "Hello", "role": "user"}),
    (
        UserPromptPart(["Look:", ImageUrl("https://a.example/b.png"), BinaryContent(b"x", "audio/wav")]),
        "gen_ai.user.message",
        {"content": ["Look:", {"kind": "image-url"}, {"kind": "binary"}], "role": "user"},
    ),
    (
        ToolReturnPart("add", {"sum": 3}, "c1"),
        "gen_ai.tool.message",
        {"content": {"sum": 3}, "role": "tool", "id": "c1", "name": "add"},
    ),
    (
        RetryPromptPart("No.", "add", "c1"),
        "gen_ai.tool.message",
        {"content": RetryPromptPart("No.").model_response(), "role": "tool", "id": "c1", "name": "add"},
    ),
    (
        RetryPromptPart("Call a tool."),
        "gen_ai.user.message",
        {"content": RetryPromptPart("Call a tool.").model_response(), "role": "user"},
    ),
]


@pytest.mark.parametrize(("part", "name", "body"), PARTS, ids=lambda value: type(value).__name__)
def test_each_part_of_a_request_is_an_event(part, name, body):
    event = part.otel_event()
    assert (event.name, event.body) == (name, body)
    assert event.attributes == {"event.name": name}


@pytest.mark.parametrize(
    ("parts", "bodies"),
    [
        ([], [{"role": "assistant"}]),
        ([TextPart("a")], [{"role": "assistant", "content": "a"}]),
        (
            [TextPart("a"), ToolCallPart("add", {"a": 1}, "c1")],
            [{"role": "assistant", "content": "a", "tool_calls": [CALL]}],
        ),
        (
            [ToolCallPart("add", {"a": 1}, "c1"), TextPart("a"), TextPart("b")],
            [{"role": "assistant", "tool_calls": [CALL], "content": "a"}, {"role": "assistant", "content": "b"}],
        ),
        ([ThinkingPart("hm")], [{"role": "assistant"}]),
    ],
)
def test_a_response_is_an_event_for_each_of_its_texts(parts, bodies):
    events = ModelResponse(parts).otel_events()
    assert [event.body for event in events] == bodies
    assert {event.name for event in events} == {"gen_ai.assistant.message"}


def test_events_know_their_message():
    events = message_events([ModelRequest([UserPromptPart("a"), UserPromptPart("b")]), ModelResponse([TextPart("c")])])
    assert [event.attributes["gen_ai.message.index"] for event in events] == [0, 0, 1]


def test_a_part_that_tells_nothing_is_left_out():
    assert message_events([ModelRequest([{}])]) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": (1, 2)}, {"a": [1, 2]}),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00Z"),
        (b"text", "text"),
        ({"a": b"\xff"}, {"a": "_w=="}),
        ({1}, [1]),
    ],
)
def test_values_are_told_as_json(value, told):
    assert jsonable(value) == told


def test_what_json_has_no_form_for_is_told_as_text():
    class Odd:
        def __repr__(self):
            return "odd"

    (event,) = message_events([ModelRequest([ToolReturnPart("t", [Odd(), 1])])])
    assert event.body["content"] == ["odd", 1]


def test_a_choice_holds_the_message():
    (event,) = response_events(ModelResponse([TextPart("hi")]))
    assert json.loads(events_json([event])) == [
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "event.name": "gen_ai.choice"}
    ]


class Records:
    """A provider of loggers."""

    def __init__(self):
        self.emitted = []

    def get_logger(self, name, version=None):
        self.scope = name
        return self

    def emit(self, record):
        self.emitted.append(record)


@pytest.mark.anyio
async def test_events_go_to_a_log_where_that_is_wanted():
    log = Records()
    settings = InstrumentationSettings(event_mode="logs", tracer_provider=TracerProvider(), event_logger_provider=log)
    model = InstrumentedModel(TestModel(custom_result_text="hi"), settings)
    await model.request([ModelRequest([UserPromptPart("hello")])], None, ModelRequestParameters())
    assert log.scope == "pydantic-ai"
    names = ["gen_ai.user.message", "gen_ai.choice"]
    assert [record.attributes["event.name"] for record in log.emitted] == names
    assert [getattr(record, "event_name", name) for record, name in zip(log.emitted, names, strict=True)] == names
    assert log.emitted[0].body == {"content": "hello", "role": "user"}
    assert log.emitted[0].attributes["gen_ai.system"] == "test"


def test_the_global_log_is_the_default():
    event_log().emit(UserPromptPart("hello").otel_event())


@dataclass
class Event:
    name: str
    body: object
    attributes: dict[str, object]


class Events(Records):
    """A provider of event loggers."""

    def get_event_logger(self, name, version=None):
        return self.get_logger(name, version)


@pytest.mark.parametrize("given", [True, False])
def test_older_releases_have_events_of_their_own(monkeypatch, given):
    class OldRecord:
        def __init__(self, timestamp=None, severity_number=None, body=None, attributes=None): ...

    log = Events()
    module = ModuleType("opentelemetry._events")
    module.Event, module.get_event_logger_provider = Event, lambda: log
    monkeypatch.setitem(sys.modules, "opentelemetry._events", module)
    monkeypatch.setattr("opentelemetry._logs.LogRecord", OldRecord)
    event = UserPromptPart("hello").otel_event()
    event_log(log if given else None).emit(event)
    assert log.scope == "pydantic-ai"
    assert log.emitted == [Event(event.name, event.body, event.attributes)]
    records = Records()
    event_log(records).emit(event)
    assert isinstance(records.emitted[0], OldRecord)


def refuse(messages, info):
    raise ModelHTTPError(503, "first")


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True])
async def test_a_fallback_names_who_answered(stream):
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    async def refuse_stream(messages, info):
        raise ModelHTTPError(503, "first")
        yield ""

    first = FunctionModel(refuse, stream_function=refuse_stream, model_name="first")
    fallback = FallbackModel(first, TestModel())
    model = InstrumentedModel(fallback, InstrumentationSettings(tracer_provider=provider))
    asked = [ModelRequest([UserPromptPart("hello")])], None, ModelRequestParameters()
    if stream:
        async with model.request_stream(*asked) as response:
            async for _ in response:
                pass
    else:
        await model.request(*asked)
    (span,) = spans.get_finished_spans()
    assert span.name == "chat test"
    assert (span.attributes["gen_ai.system"], span.attributes["gen_ai.request.model"]) == ("test", "test")


class Mute:
    def __repr__(self):
        raise LookupError("no words")


class Faulty(BaseModel):
    @model_serializer
    def write(self):
        raise ZeroDivisionError


def holding_itself():
    values = []
    values.append(values)
    return values


UNWRITABLE = [
    (holding_itself(), "[[...]]"),
    (Faulty(), ""),
    ({"deep": [Faulty()]}, "{'deep': [Faulty()]}"),
    ([Mute(), holding_itself()], "Unable to serialize: no words"),
]


@pytest.mark.parametrize(("value", "text"), UNWRITABLE, ids=["cycle", "serializer", "deep", "wordless"])
def test_what_cannot_be_written_becomes_text(value, text):
    assert jsonable(value) == InstrumentedModel.serialize_any(value) == text
    messages = [ModelRequest([ToolReturnPart("t", value)])]
    assert isinstance(json.loads(messages_json(messages)), str)
    assert text in str(json.loads(events_json(message_events(messages))))


def test_long_numbers_are_written():
    assert dumped([10**5000]) == f"[1{'0' * 5000}]"


def test_a_broken_iterator_is_no_error():
    def numbers():
        yield 1
        raise LookupError

    assert jsonable({"numbers": numbers()}) == {"numbers": []}


def test_an_instrumented_model_tells_how_it_tells():
    (event,) = InstrumentedModel.messages_to_otel_events([ModelRequest([UserPromptPart("hi")])])
    assert InstrumentedModel.event_to_dict(event) == {
        "content": "hi",
        "role": "user",
        "gen_ai.message.index": 0,
        "event.name": "gen_ai.user.message",
    }
    event.body = "text"
    assert InstrumentedModel.event_to_dict(event)["body"] == "text"
    assert InstrumentedModel.model_attributes(TestModel()) == {
        "gen_ai.system": "test",
        "gen_ai.request.model": "test",
    }


@pytest.mark.anyio
@pytest.mark.parametrize("value", [holding_itself(), Faulty(), {"a": Faulty()}], ids=["cycle", "serializer", "deep"])
async def test_a_run_does_not_fail_for_its_trace(value):
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    agent = Agent(TestModel(), instrument=InstrumentationSettings(tracer_provider=provider))
    agent.result_validator(lambda text: value)
    assert (await agent.run("Hello")).data is value
    (told,) = [span.attributes for span in spans.get_finished_spans() if span.name == "agent run"]
    assert json.loads(told["final_result"]) == str(value)
