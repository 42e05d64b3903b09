"""Our agent against the scripted provider over real HTTP, in every format that a model of ours speaks."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from replay_agent import Agent, ModelHTTPError
from replay_agent.calls import AnswerError
from replay_agent.messages import ToolCallPart
from replay_agent.models.anthropic import AnthropicModel
from replay_agent.models.bedrock import BedrockConverseModel
from replay_agent.models.cohere import CohereModel
from replay_agent.models.gemini import GeminiModel
from replay_agent.models.groq import GroqModel
from replay_agent.models.mistral import MistralModel
from replay_agent.models.openai import OpenAIModel

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("default")]

MODELS = {
    "openai_chat": lambda base: OpenAIModel("gpt-4o", base_url=f"{base}/v1", api_key="k"),
    "groq": lambda base: GroqModel("llama-3.3-70b-versatile", base_url=f"{base}/openai/v1", api_key="k"),
    "anthropic": lambda base: AnthropicModel("claude-sonnet-4-5", base_url=base, api_key="k"),
    "gemini": lambda base: GeminiModel("gemini-2.0-flash", base_url=f"{base}/v1beta/models/", api_key="k"),
    "mistral": lambda base: MistralModel("mistral-large-latest", base_url=f"{base}/v1", api_key="k"),
    "cohere": lambda base: CohereModel("command-r", base_url=f"{base}/v2", api_key="k"),
    "bedrock": lambda base: BedrockConverseModel("anthropic.claude-3-5-sonnet-20240620-v1:0", base_url=base),
}


class City(BaseModel):
    name: str
    country: str


@pytest.fixture(params=sorted(MODELS))
def model(request, provide, monkeypatch):
    """Gives a model of one format whose provider says these answers."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def make(*answers):
        base, _, _ = provide(*answers)
        return MODELS[request.param](base)

    return make


async def test_text(model):
    result = await Agent(model("Grüße 🎉"), system_prompt="Be kind.").run("Hello?")
    assert result.data == "Grüße 🎉"
    assert result.usage().response_tokens > 0


async def test_tool_call(model):
    agent = Agent(model(ToolCallPart("population", {"city": "Paris"}), "Five."))

    @agent.tool_plain
    def population(city: str) -> int:
        """How many people live in a city."""
        assert city == "Paris"
        return 5

    result = await agent.run("How many?")
    assert result.data == "Five."
    assert result.usage().requests == 2


async def test_typed_result(model):
    agent = Agent(model(City(name="Paris", country="France")), result_type=City)
    assert (await agent.run("Capital of France?")).data == City(name="Paris", country="France")


async def test_stream(model, request):
    agent = Agent(model("one two three"))
    if "cohere" in request.node.name:
        with pytest.raises(NotImplementedError):
            async with agent.run_stream("Count."):
                pytest.fail("Cohere's model does not stream")
        return
    async with agent.run_stream("Count.") as result:
        texts = [text async for text in result.stream_text(debounce_by=None)]
    assert texts[-1] == "one two three"
    assert result.usage().requests == 1


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_error_status(model, status):
    with pytest.raises(ModelHTTPError) as refused:
        await Agent(model(AnswerError(status, "not today"))).run("Hello?")
    assert refused.value.status_code == status
    assert "not today" in str(refused.value)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_boto3_reads_the_scripted_provider(provide, monkeypatch, streaming):
    import boto3

    base, _, _ = provide("said over Bedrock")
    credentials = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "no", "region_name": "us-east-1"}
    client = boto3.client("bedrock-runtime", endpoint_url=base, **credentials)
    ask = {"modelId": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": "Say it."}]}]}
    if streaming:
        events = list(client.converse_stream(**ask)["stream"])
        deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
        assert "".join(delta["text"] for delta in deltas) == "said over Bedrock"
    else:
        assert client.converse(**ask)["output"]["message"]["content"] == [{"text": "said over Bedrock"}]
    client.close()
