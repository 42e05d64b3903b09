"""The table: what may happen between a client and a provider, by client.

Every cell records a scenario over real HTTP, then replays it with the provider gone: the same result, no connection
made, every recorded answer played, none missing. `WHY_NOT` has the cells that cannot be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import anthropic
import anyio
import certifi
import groq
import httpx
import httpx2
import openai
import pytest

from replay_agent.exceptions import CassetteMiss
from replay_agent.harness import use_cassette
from replay_agent.recording.meaning.key import meaning
from replay_agent.traffic import StreamEnd, header
from tests.integration import model_provider as provider
from tests.integration.drivers.aws import boto
from tests.integration.drivers.driver import Client, Driver, Settings, on_asyncio, on_trio, trouble
from tests.integration.drivers.google import gemini
from tests.integration.drivers.plain import with_aiohttp, with_httpx, with_requests
from tests.integration.drivers.sdks import AnthropicDriver, ChatDriver, sdk
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import Peer, refused_url, rough_provider
from tests.integration.waits import refuse_long_sleeps

# The columns

CLIENTS: dict[str, Client] = {
    "openai": Client(sdk(openai.OpenAI, ChatDriver, "/v1")),
    "openai-asyncio": Client(sdk(openai.AsyncOpenAI, ChatDriver, "/v1"), on_asyncio),
    "openai-trio": Client(sdk(openai.AsyncOpenAI, ChatDriver, "/v1"), on_trio),
    "anthropic": Client(sdk(anthropic.Anthropic, AnthropicDriver)),
    "anthropic-asyncio": Client(sdk(anthropic.AsyncAnthropic, AnthropicDriver), on_asyncio),
    "google-genai": Client(gemini()),
    "google-genai-aiohttp": Client(gemini(asynchronous=True), on_asyncio),
    "google-genai-httpx": Client(gemini(asynchronous=True, over=httpx.AsyncClient), on_asyncio),
    "groq": Client(sdk(groq.Groq, ChatDriver)),
    "groq-asyncio": Client(sdk(groq.AsyncGroq, ChatDriver), on_asyncio),
    "boto3": Client(boto),
    "requests": Client(with_requests),
    "aiohttp": Client(with_aiohttp, on_asyncio),
    "httpx": Client(with_httpx(httpx.Client)),
    "httpx-asyncio": Client(with_httpx(httpx.AsyncClient), on_asyncio),
    "httpx-trio": Client(with_httpx(httpx.AsyncClient), on_trio),
    "httpx2": Client(with_httpx(httpx2.Client)),
    "httpx2-asyncio": Client(with_httpx(httpx2.AsyncClient), on_asyncio),
    "httpx2-trio": Client(with_httpx(httpx2.AsyncClient), on_trio),
}
BLOCKING = tuple(name for name, client in CLIENTS.items() if client.blocks)
WITHOUT_RETRIES = tuple(name for name in CLIENTS if name.startswith(("httpx", "aiohttp")))

# What the client does


@dataclass(frozen=True)
class Cell:
    """One client in one scenario, live or again in replay."""

    client: Client
    base: str
    settings: Settings
    again: bool = False

    def run(self, act: Act) -> Any:
        async def main() -> Any:
            async with self.client.open(self.base, self.settings) as driver:
                return await act(driver, self)

        return self.client.run(main)


Act: TypeAlias = Callable[[Driver, Cell], Awaitable[Any]]


async def ask(driver, cell):
    reply = await driver.ask("hi")
    assert reply.text == "you said hi"
    assert reply.all("x-request-id") == "req_7"
    return reply


async def read_a_stream(driver, cell):
    async with aclosing(driver.stream("hi")) as events:
        got = [event async for event in events]
    assert len(got) > 2
    assert " said" in str(got)
    return got


async def use_a_tool(driver, cell):
    first, second = await driver.use_a_tool()
    assert first.tool_calls == (("weather", {"city": "Oslo"}),)
    assert second.text == "It rains."
    return first, second


async def ask_five_times(driver, cell):
    replies = [await driver.ask("again") for _ in range(5)]
    assert [reply.text for reply in replies] == [f"answer {n}" for n in range(1, 6)]
    return replies


async def ask_64_at_once(driver, cell):
    """In replay the other way round."""
    questions = [f"question {n}" for n in range(64)][:: -1 if cell.again else 1]
    replies = await cell.client.together(*(partial(driver.ask, question) for question in questions))
    assert [reply.text for reply in replies] == [f"you said {question}" for question in questions]
    return dict(zip(questions, replies, strict=True))


async def ask_two_at_once(driver, cell):
    replies = await cell.client.together(partial(driver.ask, "first"), partial(driver.ask, "second"))
    assert [reply.text for reply in replies] == ["you said first", "you said second"]
    return replies


async def ask_in_16_threads(driver, cell):
    """A blocking client is shared by the threads; of an async one each thread has its own, and a loop."""
    questions = [f"question {n}" for n in range(16)][:: -1 if cell.again else 1]

    def one(question):
        if cell.client.blocks:
            return cell.client.run(partial(driver.ask, question))
        return cell.run(lambda own, _: own.ask(question))

    with ThreadPoolExecutor(16) as pool:
        replies = dict(zip(questions, pool.map(one, questions), strict=True))
    assert all(reply.text == f"you said {question}" for question, reply in replies.items())
    return replies


async def leave_early(driver, cell):
    async with aclosing(driver.stream("hi")) as events:
        return [await anext(events) for _ in range(2)]


async def be_cancelled(driver, cell):
    """While waiting for the stream's next piece; then another question is answered."""
    got, begun = [], anyio.Event()

    async def read():
        async with aclosing(driver.stream("hi")) as events:
            async for event in events:
                got.append(event)
                begun.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await begun.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert got
    return got, await ask(driver, cell)


def fail(sign):
    async def act(driver, cell):
        error = await trouble(driver.ask("hi"))
        assert sign in str(error)
        return error

    return act


async def break_off(driver, cell):
    got = []

    async def read():
        async with aclosing(driver.stream("hi")) as events:
            async for event in events:
                got.append(event)  # noqa: PERF401 - what came before the error counts

    error = await trouble(read())
    assert got
    return got, error


async def unpack(driver, cell):
    reply = await driver.ask("hi")
    assert reply.text == "packed"
    data = await driver.download()
    assert data == provider.BLOB
    return reply, data


async def see_headers(driver, cell):
    reply = await driver.ask("hi")
    assert reply.all("x-twice") == "one, two"
    return reply


async def delete(driver, cell):
    answer = await driver.delete()
    assert "204" in str(answer)
    return answer


async def download(driver, cell):
    data = await driver.download()
    assert data == provider.BLOB
    return data


# The rows

AS_USUAL = Settings()
IMPATIENT = Settings(timeout=0.2)
STUBBORN = Settings(retries=2)
GIVEN_UP = StreamEnd.FAILED, StreamEnd.ABANDONED
"""By a time-out of the transport, or of the client as a whole: aiohttp's ``total`` cancels what it runs."""


def as_recorded(path: Path) -> None:
    """Leave the cassette alone."""


def asking_for_a_long_wait(path: Path) -> None:
    """Have every refusal in the cassette want a wait of 50 seconds, which nobody may sleep for in replay."""
    text = path.read_text()
    for name, wait in (("Retry-After", 50), ("Retry-After-Ms", 50_000)):
        text, count = re.subn(rf"({name}): '\d'", rf"\1: '{wait}'", text)
        assert count == 1
    path.write_text(text)


@dataclass(frozen=True)
class Scenario:
    """What the client does, what the provider makes of it, how many requests that takes and how the first one ends."""

    act: Act
    provider: Callable[[], Callable[[Peer], None]]
    requests: int = 1
    settings: Settings = AS_USUAL
    ends: tuple[StreamEnd | None, ...] = (StreamEnd.COMPLETE,)
    """How the first response may have ended; None where none came."""
    edit: Callable[[Path], None] = as_recorded


def always(behaviour: Callable[[Peer], None]) -> Callable[[], Callable[[Peer], None]]:
    return lambda: behaviour


SCENARIOS: dict[str, Scenario] = {
    "plain": Scenario(ask, always(provider.answering)),
    "stream": Scenario(read_a_stream, always(provider.answering)),
    "tools": Scenario(use_a_tool, always(provider.calling_a_tool), 2),
    "five_repeats": Scenario(ask_five_times, always(provider.counting), 5),
    "64_concurrent_reversed": Scenario(ask_64_at_once, lambda: provider.holding_all_back_until(64), 64),
    "slow_first": Scenario(ask_two_at_once, provider.second_first, 2),
    "16_threads": Scenario(ask_in_16_threads, lambda: provider.holding_all_back_until(16), 16),
    "early_break": Scenario(leave_early, always(provider.endless), ends=(StreamEnd.CLOSED,)),
    "cancelled": Scenario(be_cancelled, always(provider.stopping_short), 2, ends=(StreamEnd.ABANDONED,)),
    "500": Scenario(fail("500"), always(provider.failing)),
    "500_and_retry": Scenario(ask, always(provider.failing_once), 2, STUBBORN, edit=asking_for_a_long_wait),
    "429_and_retry": Scenario(ask, always(provider.limiting_once), 2, STUBBORN, edit=asking_for_a_long_wait),
    "timeout": Scenario(fail("Timeout"), always(provider.stalling), 1, IMPATIENT, ends=(None,)),
    "timeout_mid_stream": Scenario(break_off, always(provider.stopping_short), 1, IMPATIENT, GIVEN_UP),
    "refused": Scenario(fail("Connect"), always(provider.answering), ends=(None,)),
    "reset": Scenario(fail("Error"), always(provider.hanging_up), ends=(None,)),
    "reset_and_retry": Scenario(ask, always(provider.hanging_up_once), 2, STUBBORN, ends=(None,)),
    "reset_mid_stream": Scenario(break_off, always(provider.breaking_off), ends=(StreamEnd.FAILED,)),
    "gzip": Scenario(unpack, lambda: provider.packing("gzip"), 2),
    "br": Scenario(unpack, lambda: provider.packing("br"), 2),
    "zstd": Scenario(unpack, lambda: provider.packing("zstd"), 2),
    "duplicate_headers": Scenario(see_headers, always(provider.saying_twice)),
    "204": Scenario(delete, always(provider.saying_nothing)),
    "binary_download": Scenario(download, always(provider.giving_a_file)),
}

# The cells that cannot be

RETRIES_NOTHING = dict.fromkeys(WITHOUT_RETRIES, "the client does not retry: its caller asks again, see five_repeats")
UNPACKS_NOTHING = {"boto3": "botocore asks for plain answers, and unpacks none"}
WHY_NOT: dict[str, dict[str, str]] = {
    "cancelled": dict.fromkeys(BLOCKING, "a blocking call cannot be cancelled"),
    "reset_and_retry": {
        **RETRIES_NOTHING,
        **dict.fromkeys(
            ("google-genai", "google-genai-httpx"), "the SDK tries again after refusals and time-outs only"
        ),
        "requests": "set up as most are, not to say twice what may have been heard",
    },
    **dict.fromkeys(("500_and_retry", "429_and_retry"), RETRIES_NOTHING),
    **dict.fromkeys(("gzip", "br", "zstd"), UNPACKS_NOTHING),
}


@pytest.fixture(scope="module")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of certificates that is soon read: clients read theirs when they are made, though nothing here is TLS."""
    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    path.write_text(first + end)
    return path


@pytest.fixture(autouse=True)
def _clients_are_soon_made(one_certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


SDKS_MAY = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning",
    "ignore:Exception ignored in. <async_generator:pytest.PytestUnraisableExceptionWarning",  # leave them to trio
)


def cells():
    for row in SCENARIOS:
        for column in CLIENTS:
            why_not = WHY_NOT.get(row, {}).get(column)
            marks = pytest.mark.skip(why_not) if why_not else ()
            yield pytest.param(row, column, id=f"{row}-{column}", marks=marks)


@pytest.mark.parametrize(("row", "column"), list(cells()))
@SDKS_MAY
def test_replay_gives_what_was_live(tmp_path, monkeypatch, row, column):
    scenario, client = SCENARIOS[row], CLIENTS[column]
    path = tmp_path / "c.yaml"
    with rough_provider(scenario.provider()) as server:
        cell = Cell(client, refused_url() if row == "refused" else server.url, scenario.settings)
        with connections() as made, recording(path, "once", key=meaning()) as recorded:
            live = cell.run(scenario.act)
        server.stop()
    assert made
    outcomes = [interaction.outcome for interaction in recorded.interactions]
    assert len(outcomes) == scenario.requests
    assert getattr(outcomes[0], "end", None) in scenario.ends
    if row in provider.PACKERS:
        packed = header(outcomes[0].headers, "content-encoding")
        if row == "zstd" and packed is None:
            pytest.skip("the client reads zstd from Python 3.14 on, or with backports.zstd")
        assert packed == row
    scenario.edit(path)
    refuse_long_sleeps(monkeypatch)
    with connections() as made, replaying(path, key=meaning()) as replayed:
        again = Cell(client, cell.base, scenario.settings, again=True).run(scenario.act)
    assert again == live
    assert replayed.play_count == scenario.requests
    assert made == []


# What is not in the cassette


@pytest.mark.parametrize("column", CLIENTS)
@SDKS_MAY
def test_miss_is_raised_at_once_and_as_itself(tmp_path, column):
    """One attempt is seen, where a client that retries would have made three, and backed off between them."""
    path = tmp_path / "c.yaml"
    with rough_provider(provider.answering) as server:
        cell = Cell(CLIENTS[column], server.url, Settings(retries=2))
        with use_cassette(path, "once"):
            cell.run(ask)
        server.stop()
    with connections() as made, use_cassette(path) as replayed:
        with pytest.raises(CassetteMiss, match="hi there"):
            cell.run(lambda driver, _: driver.ask("hi there"))
        with pytest.raises(CassetteMiss):
            cell.run(read_a_stream)
    assert len(replayed.recording.misses) == 2
    assert made == []


# Connections that anybody in the process makes

_watchers: list[list[Any]] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _watchers and event in ("socket.connect", "socket.getaddrinfo"):
        for made in _watchers:
            made.append((event, args))


sys.addaudithook(_watch)


@contextmanager
def connections() -> Iterator[list[Any]]:
    """Give the connections made and the names looked up in this block."""
    made: list[Any] = []
    _watchers.append(made)
    try:
        yield made
    finally:
        _watchers.remove(made)
