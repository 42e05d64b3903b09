"""One recorded example for each parameter of ``Agent.run``.

The cassettes are recorded from scripted answers that stand in for the model:
``pytest tests/test_run_parameters.py --replay-mode=rewrite``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from replay_agent import Agent, RunContext, UsageLimitExceeded
from replay_agent.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from replay_agent.usage import Usage, UsageLimits

pytestmark = [pytest.mark.anyio, pytest.mark.replay]


class City(BaseModel):
    name: str
    country: str


PARIS = City(name="Paris", country="France")


@pytest.fixture(autouse=True)
def scripted(request, monkeypatch) -> Iterator[None]:
    """While recording, let a script answer in the model's place; in replay there is nobody."""
    answers = request.node.get_closest_marker("answers")
    with ExitStack() as stand_in:
        if request.config.getoption("replay_mode") not in (None, "none"):
            from replay_agent.provider.router import routed
            from replay_agent.provider.script import Script

            monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
            stand_in.enter_context(routed(Script(answers.args).answer, host="api.openai.com"))
        yield


@pytest.mark.answers("Paris.")
async def test_user_prompt(run_snapshot):
    agent = Agent("openai:gpt-4o", system_prompt="Be brief.", defer_model_check=True)
    result = await agent.run("What is the capital of France?")
    assert result.data == "Paris."
    assert result == run_snapshot


@pytest.mark.answers(PARIS)
async def test_result_type(run_snapshot):
    agent = Agent("openai:gpt-4o", defer_model_check=True)
    result = await agent.run("What is the capital of France?", result_type=City)
    assert result.data == PARIS
    assert result == run_snapshot


@pytest.mark.answers("About two million.")
async def test_message_history(run_snapshot):
    agent = Agent("openai:gpt-4o", system_prompt="Not sent again: the history has begun.", defer_model_check=True)
    history = [
        ModelRequest([UserPromptPart("What is the capital of France?")]),
        ModelResponse([TextPart("Paris.")]),
    ]
    result = await agent.run("How many people live there?", message_history=history)
    assert [part.content for message in result.new_messages() for part in message.parts] == [
        "How many people live there?",
        "About two million.",
    ]
    assert result == run_snapshot


@pytest.mark.answers("Bonjour.")
async def test_model(replay):
    agent = Agent("openai:gpt-4o", defer_model_check=True)
    await agent.run("Say hello in French.", model="openai:gpt-4o-mini")
    assert [exchange.call.model for exchange in replay.transcript.exchanges] == ["gpt-4o-mini"]


@dataclass
class Deps:
    population: dict[str, int]


@pytest.mark.answers(ToolCallPart("population", {"city": "Paris"}), "2102650 people live in Paris.")
async def test_deps(run_snapshot):
    agent = Agent("openai:gpt-4o", deps_type=Deps, defer_model_check=True)

    @agent.tool
    def population(ctx: RunContext[Deps], city: str) -> int:
        """How many people live in a city."""
        return ctx.deps.population[city]

    result = await agent.run("How many people live in Paris?", deps=Deps({"Paris": 2_102_650}))
    assert result.data == "2102650 people live in Paris."
    assert result == run_snapshot


@pytest.mark.answers("Rain.")
async def test_model_settings(replay):
    agent = Agent("openai:gpt-4o", model_settings={"temperature": 1.0, "max_tokens": 50}, defer_model_check=True)
    await agent.run("One word for the weather in Bergen.", model_settings={"temperature": 0.0})
    assert replay.transcript.exchanges[0].call.settings == {"temperature": 0.0, "max_tokens": 50}


@pytest.mark.answers(ToolCallPart("again", {}), ToolCallPart("again", {}))
async def test_usage_limits():
    agent = Agent("openai:gpt-4o", defer_model_check=True)

    @agent.tool_plain
    def again() -> str:
        """Ask for more."""
        return "once more"

    with pytest.raises(UsageLimitExceeded, match="request_limit of 2"):
        await agent.run("Go on.", usage_limits=UsageLimits(request_limit=2))


@pytest.mark.answers("Done.")
async def test_usage(replay):
    agent = Agent("openai:gpt-4o", defer_model_check=True)
    shared = Usage(requests=3, request_tokens=10)
    result = await agent.run("Do it.", usage=shared)
    assert result.usage() is shared
    assert shared.requests == 4
    assert shared.request_tokens == 10 + replay.usage.request_tokens


@pytest.mark.answers("Hello.", "Hello again.")
async def test_infer_name():
    geographer = Agent("openai:gpt-4o", defer_model_check=True)
    await geographer.run("Hello?", infer_name=False)
    assert geographer.name is None
    await geographer.run("Hello again?")
    assert geographer.name == "geographer"
