"""Scripted answers as the providers' own clients and pydantic-ai read them."""

from __future__ import annotations

import asyncio
from contextlib import closing

import anyio
import httpx
import httpx2
import pytest

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.messages import ModelRequest, TextPart, UserPromptPart
from replay_agent.provider.replies import tool_call
from replay_agent.traffic import Request
from replay_agent.wire.registry import CODECS
from tests.integration.faulty import QUIET
from tests.provider.sdks import ASKED, SCHEMA, SDKS, Got
from tests.provider.typed_sdks import PARIS, TYPED, City

NAMES = list(SDKS)
ASYNC = [name for name in NAMES if SDKS[name].async_ask]


@pytest.fixture(params=["ask", "stream"])
def way(request):
    return request.param


@pytest.mark.parametrize("name", NAMES)
def test_an_sdk_reads_text_and_tool_calls(provider, name, way):
    provider.reply("It rains — häufig.", tool_call("get_weather", city="Oslo"))
    ask = getattr(SDKS[name], way)
    assert ask() == Got("It rains — häufig.")
    assert ask(tools=True) == Got("", [("get_weather", {"city": "Oslo"})])
    first, second = provider.calls
    assert (first.prompt, first.tools, first.stream) == (ASKED, [], way == "stream")
    assert [tool.name for tool in second.tools] == ["get_weather"]


def skip_on(loop, name):
    if loop == "trio" and not SDKS[name].trio:
        pytest.skip("its async client needs asyncio")


@QUIET
@pytest.mark.anyio
@pytest.mark.parametrize("name", ASYNC)
async def test_an_async_sdk_reads_text_and_tool_calls(provider, name, way, anyio_backend_name):
    sdk = SDKS[name]
    skip_on(anyio_backend_name, name)
    provider.reply("It rains.", tool_call("get_weather", city="Oslo"))
    ask = sdk.async_ask if way == "ask" else sdk.async_stream
    assert await ask() == Got("It rains.")
    assert await ask(tools=True) == Got("", [("get_weather", {"city": "Oslo"})])


def is_its_own(error, name):
    package = name.split()[0].replace("-", ".").replace("boto3", "botocore").replace("google.genai", "google")
    return type(error).__module__.startswith(package)


@pytest.mark.parametrize("name", NAMES)
def test_an_sdk_raises_its_own_error_for_a_refusal(provider, name, way):
    provider.refuse(429, "slow down")
    with pytest.raises(Exception, match="slow down") as caught:
        getattr(SDKS[name], way)()
    assert is_its_own(caught.value, name)


@QUIET
@pytest.mark.anyio
@pytest.mark.parametrize("name", ASYNC)
async def test_an_async_sdk_raises_its_own_error_for_a_refusal(provider, name, way, anyio_backend_name):
    skip_on(anyio_backend_name, name)
    provider.refuse(429, "slow down")
    ask = SDKS[name].async_ask if way == "ask" else SDKS[name].async_stream
    with pytest.raises(Exception, match="slow down") as caught:
        await ask()
    assert is_its_own(caught.value, name)


@pytest.mark.parametrize("name", NAMES)
def test_an_sdk_reads_a_typed_result(provider, name):
    provider.reply(PARIS)
    assert TYPED[name].result() == PARIS


@QUIET
@pytest.mark.anyio
@pytest.mark.parametrize("name", ASYNC)
async def test_an_async_sdk_reads_a_typed_result(provider, name, anyio_backend_name):
    skip_on(anyio_backend_name, name)
    provider.reply(PARIS)
    assert await TYPED[name].async_result() == PARIS


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_has_the_pieces_that_were_asked_for(provider, name):
    provider.reply(stream=["Pa", "ri", "s, of course"])
    assert SDKS[name].stream() == Got("Paris, of course")


def models():
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.models.bedrock import BedrockConverseModel
    from pydantic_ai.models.cohere import CohereModel
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.models.groq import GroqModel
    from pydantic_ai.models.mistral import MistralModel
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel

    return {
        "openai": lambda: OpenAIChatModel("gpt-4o"),
        "responses": lambda: OpenAIResponsesModel("gpt-4o"),
        "anthropic": lambda: AnthropicModel("claude-sonnet-5"),
        "google": lambda: GoogleModel("gemini-2.0-flash"),
        "groq": lambda: GroqModel("llama-3.3-70b-versatile"),
        "mistral": lambda: MistralModel("mistral-large-latest"),
        "cohere": lambda: CohereModel("command-a-03-2025"),
        "bedrock": lambda: BedrockConverseModel("amazon.nova-lite-v1:0"),
    }


PYDANTIC_AI = ["openai", "responses", "anthropic", "google", "groq", "mistral", "cohere", "bedrock"]
"""What pydantic-ai asks in: seven of the eight formats, for it speaks OpenAI's with Ollama."""
STREAMS = [name for name in PYDANTIC_AI if name != "cohere"]  # whose model of pydantic-ai does not stream
ON_ASYNCIO = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # where pydantic-ai's agents run


def geographer(name):
    from pydantic_ai import Agent

    agent = Agent(models()[name](), output_type=City, system_prompt="Be a geographer.")

    @agent.tool_plain
    def population(city: str) -> int:
        return 2_102_650

    return agent


@pytest.mark.anyio
@ON_ASYNCIO
@pytest.mark.parametrize("name", PYDANTIC_AI)
async def test_pydantic_ai_reads_tools_and_typed_results(provider, name):
    provider.reply(tool_call("population", city="Paris"), PARIS)
    result = await geographer(name).run("What is the capital of France?")
    assert result.output == PARIS
    assert len(provider.calls) == 2
    assert "Be a geographer." in str(provider.calls[0].messages)


@pytest.fixture
def own_loop():
    """The event loop that ``run_sync`` finds, and would leave open if it had to make one."""
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        yield loop
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("name", PYDANTIC_AI)
def test_pydantic_ai_reads_tools_and_typed_results_where_nothing_is_awaited(provider, own_loop, name):
    provider.reply(tool_call("population", city="Paris"), PARIS)
    assert geographer(name).run_sync("What is the capital of France?").output == PARIS


@pytest.mark.anyio
@ON_ASYNCIO
@pytest.mark.parametrize("name", STREAMS)
async def test_pydantic_ai_streams_text_tools_and_typed_results(provider, name):
    from pydantic_ai import Agent

    provider.reply("one two three")
    async with Agent(models()[name]()).run_stream("Count.") as run:
        assert await run.get_output() == "one two three"
    provider.reply(tool_call("population", city="Paris"), PARIS)
    async with geographer(name).run_stream("What is the capital of France?") as run:
        assert await run.get_output() == PARIS
    assert all(call.stream for call in provider.calls)


@pytest.mark.anyio
@ON_ASYNCIO
@pytest.mark.parametrize("name", PYDANTIC_AI)
async def test_pydantic_ai_raises_its_own_error_for_a_refusal(provider, name):
    from pydantic_ai import Agent
    from pydantic_ai.exceptions import ModelHTTPError

    provider.refuse(400, "no such thing", times=None)
    with pytest.raises(ModelHTTPError, match="no such thing") as caught:
        await Agent(models()[name]()).run("Count.")
    assert caught.value.status_code == 400


# Its agents run on asyncio alone; its models are asked on either loop, as far as the SDK below can.
@QUIET
@pytest.mark.anyio
@pytest.mark.parametrize("name", ["openai", "responses", "anthropic", "groq", "cohere"])
async def test_models_of_pydantic_ai_are_asked_on_both_event_loops(provider, name):
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest as Asked

    provider.reply("Bonjour.")
    response = await model_request(models()[name](), [Asked.user_text_prompt("Hello")])
    assert response.text == "Bonjour."


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_automatic_answers_call_the_tools_and_then_fit_the_result(provider):
    from pydantic_ai import Agent

    called = []
    agent = Agent(models()["anthropic"](), output_type=City)
    agent.tool_plain(lambda city: called.append(city) or "rain", name="get_weather")
    provider.auto(seed=3)
    first = (await agent.run("Say it.")).output
    assert len(called) == 1
    assert (await agent.run("Say it.")).output == first


CALL = ModelCall(
    [ModelRequest([UserPromptPart("hi")])],
    model="anthropic.claude",
    tools=[ToolDefinition("get_weather", "", SCHEMA), ToolDefinition("final_result", "", City.model_json_schema())],
)
SAID = {"text": "Bonjour.", "tool call": tool_call("get_weather", city="Oslo"), "typed result": PARIS}
EXPECTED = {
    "text": "Bonjour.",
    "tool call": ("get_weather", {"city": "Oslo"}),
    "typed result": ("final_result", PARIS.model_dump()),
    "error": "slow down",
}
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request):
    return request.param


@pytest.fixture(params=EXPECTED)
def kind(request):
    return request.param


def scripted(provider, kind):
    if kind == "error":
        provider.refuse(429, "slow down")
    else:
        provider.reply(SAID[kind])


def sent(codec, stream):
    call = ModelCall(CALL.messages, model=CALL.model, tools=CALL.tools, stream=stream)
    encoded = codec.encode_call(call)
    host = "https://api.mistral.ai/v1" if codec.name == "mistral" else "https://model.example/v1"
    return Request("POST", host + encoded.path, encoded.headers, encoded.body)


def received(codec, request, response):
    headers = tuple(response.headers.items())
    answer = codec.decode_answer(codec.decode_call(request), response.status_code, headers, response.content)
    if answer.error is not None:
        return answer.error.message
    (part,) = answer.response.parts
    return part.content if isinstance(part, TextPart) else (part.tool_name, part.args_as_dict())


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@LIBRARIES
def test_each_format_is_answered_on_both_libraries(provider, codec, stream, library, kind):
    scripted(provider, kind)
    request = sent(codec, stream)
    response = library.post(request.url, content=request.body, headers=dict(request.headers))
    assert received(codec, request, response) == EXPECTED[kind]


@pytest.mark.anyio
@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@LIBRARIES
async def test_each_format_is_answered_on_both_event_loops(provider, codec, stream, library, kind):
    scripted(provider, kind)
    request = sent(codec, stream)
    async with library.AsyncClient() as client:
        response = await client.post(request.url, content=request.body, headers=dict(request.headers))
    assert received(codec, request, response) == EXPECTED[kind]


@pytest.mark.anyio
async def test_many_conversations_at_once_get_their_own_answers(provider, anyio_backend_name):
    names = [f"city-{number:02}" for number in range(64)]
    for name in reversed(names):
        provider.reply(f"first of {name}", f"second of {name}", when=f"<{name}>")
    got = {}

    async def converse(name):
        async with httpx.AsyncClient() as client:
            for turn in ("first", "second"):
                body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"<{name}> {turn}"}]}
                response = await client.post("https://api.openai.com/v1/chat/completions", json=body)
                got[name, turn] = response.json()["choices"][0]["message"]["content"]

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(converse, name)
    assert got == {(name, turn): f"{turn} of {name}" for name in names for turn in ("first", "second")}
