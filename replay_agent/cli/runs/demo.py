"""The main job, shown: record an agent's run, replay it offline, see its snapshot, change its prompt, read the drift."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from replay_agent import use_cassette
from replay_agent.exceptions import CassetteMiss
from replay_agent.messages import ToolCallPart
from replay_agent.provider.script import Script
from replay_agent.provider.server import serve
from replay_agent.report.snapshots.extension import describe

if TYPE_CHECKING:
    from replay_agent import Agent

__all__ = "PROMPT", "Step", "demo"

SYSTEM = "You are a geographer.\nUse the tool for every population; never guess."
PROMPT = "Tell me about the capital of France."
EDITED = "Tell me about the old capital of France."


class City(BaseModel):
    """What the agent of the demonstration returns."""

    name: str
    country: str
    population: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demonstration: what was done, and what there is to see."""

    title: str
    text: str


def demo(folder: Path, *, edited: str = EDITED) -> Iterator[Step]:
    """Run the demonstration in a folder and yield its steps as they are done.

    Nothing is canned: the answers come over HTTP from a provider on loopback, then from the cassette that was
    recorded, and the drift is what a test would print for the prompt ``edited``. Raises `UserError` without the extra
    ``server``, and `RuntimeError` if the edited prompt went unnoticed.
    """
    cassette = folder / "demo.yaml"
    script = Script(
        [ToolCallPart("population", {"city": "Paris"}), City(name="Paris", country="France", population=2_102_650)]
    )
    with serve(script.answer) as address:
        agent = _agent(address)
        with use_cassette(cassette, record_mode="rewrite") as recording:
            agent.run_sync(PROMPT)
        yield Step(
            f"Recorded from a provider at {address}: {len(recording.requests)} calls of the model",
            f"{cassette.name}, {cassette.stat().st_size:,} bytes. It begins:\n\n{_head(cassette)}",
        )
    started = time.process_time()
    with use_cassette(cassette) as recording:
        result = agent.run_sync(PROMPT)
    spent = (time.process_time() - started) * 1000
    yield Step(
        "Replayed. The provider is stopped, the network is shut, there is no API key",
        f"{recording.play_count} calls answered from the cassette in {spent:.0f} ms of CPU.\n{result.data!r}",
    )
    yield Step("The snapshot that `assert result == run_snapshot` keeps", describe(result))
    yield Step("Changed the prompt. The test fails and says", _drift(agent, cassette, edited))


def _agent(address: str) -> Agent[None, City]:
    from replay_agent import Agent
    from replay_agent.models.openai import OpenAIModel

    model = OpenAIModel("gpt-4o", base_url=f"{address}/v1", api_key="demo")
    agent: Agent[None, City] = Agent(model, result_type=City, system_prompt=SYSTEM)

    @agent.tool_plain
    def population(city: str) -> int:
        """How many people live in a city.

        Args:
            city: Name of the city.
        """
        return {"Paris": 2_102_650, "Lyon": 522_250}[city]

    return agent


def _head(cassette: Path, lines: int = 24) -> str:
    text = cassette.read_text("utf-8").splitlines()
    return "\n".join([*text[:lines], f"... and {len(text) - lines} lines more"] if len(text) > lines else text)


def _drift(agent: Agent[None, City], cassette: Path, edited: str) -> str:
    try:
        with use_cassette(cassette):
            agent.run_sync(edited)
    except CassetteMiss as miss:
        return str(miss)
    raise RuntimeError("the edited prompt was answered from the cassette; this should never happen")
