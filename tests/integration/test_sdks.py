"""Real SDKs over real HTTP: recorded once, replayed with the provider gone and no credential variable set."""

from __future__ import annotations

import textwrap

import pytest

from replay_agent.messages import TextPart, ToolCallPart

pytestmark = pytest.mark.filterwarnings("default")  # SDKs leave sockets to the garbage collector

SDK = """
    import json
    import pytest
    from pydantic import BaseModel

    BASE = {base!r}
    KEY = {key!r}
    TOOLS = [{{"type": "function", "function": {{"name": "get_weather", "description": "The weather.",
              "parameters": {{"type": "object", "properties": {{"city": {{"type": "string"}}}}, "required": ["city"]}}}}}}]
    MESSAGES = [{{"role": "user", "content": "Say it."}}]
"""


def write(project, base, test, *, key="sk-test-not-a-real-key-000"):
    source = textwrap.dedent(SDK.format(base=base, key=key)) + "\n" + textwrap.dedent(test)
    project.makepyfile(test_sdk=source)


def record_and_replay(project, provide, test, *answers):
    base, script, stop = provide(*answers)
    write(project, base, test)
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    assert script.left == 0
    stop()
    write(project, base, test, key=None)
    project.runpytest().assert_outcomes(passed=1)


OPENAI = ["openai:OpenAI", "groq:Groq"]
ASYNC_OPENAI = ["openai:AsyncOpenAI", "groq:AsyncGroq"]


def client(spec, *, asynchronous=False):
    module, name = spec.split(":")
    path = "/v1" if module == "openai" else ""
    return f"from {module} import {name} as Client\n\ndef client():\n    return Client(base_url=BASE + {path!r}, api_key=KEY)\n"


@pytest.mark.parametrize("sdk", OPENAI)
def test_json(project, provide, sdk):
    test = client(sdk) + textwrap.dedent(
        """
        @pytest.mark.replay
        def test_sdk(replay):
            answer = client().chat.completions.create(model="gpt-4o", messages=MESSAGES)
            assert answer.choices[0].message.content == "Grüße 🎉"
            assert answer.choices[0].finish_reason == "stop"
            assert answer.usage.total_tokens == replay.usage.total_tokens
        """
    )
    record_and_replay(project, provide, test, "Grüße 🎉")


@pytest.mark.parametrize("sdk", OPENAI)
def test_stream(project, provide, sdk):
    test = client(sdk) + textwrap.dedent(
        """
        @pytest.mark.replay
        def test_sdk(replay):
            chunks = list(client().chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            assert text == "one two three — vier"
            assert replay.messages[-1].parts[0].content == text
        """
    )
    record_and_replay(project, provide, test, "one two three — vier")


@pytest.mark.parametrize("sdk", OPENAI)
def test_tool_call(project, provide, sdk):
    test = client(sdk) + textwrap.dedent(
        """
        @pytest.mark.replay
        def test_sdk(replay):
            asked = list(MESSAGES)
            answer = client().chat.completions.create(model="gpt-4o", messages=asked, tools=TOOLS)
            message = answer.choices[0].message
            call = message.tool_calls[0]
            assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Oslo"})
            asked += [message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
            answer = client().chat.completions.create(model="gpt-4o", messages=asked, tools=TOOLS)
            assert answer.choices[0].message.content == "It rains."
            assert [call.tool_name for call in replay.tool_calls] == ["get_weather"]
            assert replay.usage.requests == 2
            assert len(replay.messages) == 4
        """
    )
    record_and_replay(project, provide, test, ToolCallPart("get_weather", {"city": "Oslo"}), "It rains.")


@pytest.mark.parametrize("sdk", ASYNC_OPENAI)
def test_async_json_and_stream(project, provide, sdk):
    test = client(sdk) + textwrap.dedent(
        """
        @pytest.mark.anyio
        @pytest.mark.replay
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_sdk(replay):
            async with client() as sdk:
                answer = await sdk.chat.completions.create(model="gpt-4o", messages=MESSAGES)
                assert answer.choices[0].message.content == "first"
                stream = await sdk.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
                text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
                assert text == "second answer"
        """
    )
    record_and_replay(project, provide, test, "first", "second answer")


def test_openai_responses(project, provide):
    test = """
        from openai import OpenAI

        @pytest.mark.replay
        def test_sdk(replay):
            answer = OpenAI(base_url=BASE + "/v1", api_key=KEY).responses.create(model="gpt-4o", input="Say it.")
            assert answer.output_text == "said"
            assert replay.messages[-1].parts[-1].content == "said"
    """
    record_and_replay(project, provide, test, "said")


@pytest.mark.parametrize("streaming", [False, True])
def test_anthropic(project, provide, streaming):
    test = f"""
        from anthropic import Anthropic

        @pytest.mark.replay
        def test_sdk(replay):
            ask = dict(model="claude-sonnet-4-5", max_tokens=100, messages=MESSAGES)
            sdk = Anthropic(base_url=BASE, api_key=KEY)
            if {streaming}:
                with sdk.messages.stream(**ask) as stream:
                    message = stream.get_final_message()
            else:
                message = sdk.messages.create(**ask)
            assert message.content[0].text == "said by Claude"
            assert replay.messages[-1].parts[0].content == "said by Claude"
    """
    record_and_replay(project, provide, test, "said by Claude")


PYDANTIC_AI = """
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    class City(BaseModel):
        name: str
        country: str

    @pytest.mark.anyio
    @pytest.mark.replay
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_sdk(replay, run_snapshot):
        async with AsyncOpenAI(base_url=BASE + "/v1", api_key=KEY) as client:
            model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
            agent = Agent(model, output_type=City, system_prompt="Be a geographer.")

            @agent.tool_plain
            def population(city: str) -> int:
                return 2_102_650

            result = await replay.run(agent, "What is the capital of France?")
        assert result.output == City(name="Paris", country="France")
        assert result == run_snapshot
        assert replay == run_snapshot(name="wire")
"""


def test_pydantic_ai_and_its_snapshot(project, provide):
    base, script, stop = provide(
        ToolCallPart("population", {"city": "Paris"}),
        ToolCallPart("final_result", {"name": "Paris", "country": "France"}),
    )
    write(project, base, PYDANTIC_AI)
    project.runpytest("--record-mode=once", "--snapshot-update").assert_outcomes(passed=1)
    assert script.left == 0
    stop()
    write(project, base, PYDANTIC_AI, key=None)
    project.runpytest().assert_outcomes(passed=1)
    folder = project.path / "__snapshots__" / "test_sdk"
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert sorted(texts) == ["test_sdk.run.snap", "test_sdk.wire.run.snap"]
    for text in texts.values():
        assert "Be a geographer." in text
        assert "population" in text
        assert "Paris" in text
    write(project, base, PYDANTIC_AI.replace("Be a geographer.", "Be a poet."), key=None)
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*system*"])
    assert "poet" in result.stdout.str()


def test_text_next_to_a_tool_call_survives(project, provide):
    test = client("openai:OpenAI") + textwrap.dedent(
        """
        @pytest.mark.replay
        def test_sdk(replay):
            answer = client().chat.completions.create(model="gpt-4o", messages=MESSAGES, tools=TOOLS)
            assert answer.choices[0].message.content == "Let me look."
            assert [part.part_kind for part in replay.messages[-1].parts] == ["text", "tool-call"]
        """
    )
    record_and_replay(project, provide, test, [TextPart("Let me look."), ToolCallPart("get_weather", {"city": "Oslo"})])
