"""What every client can be asked to do, and what it gives: plain values that can be compared.

A driver is written once for a client's blocking and its async side. Where nothing is awaited nothing waits, so that the
blocking side runs with no event loop, as its users run it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Protocol, TypeAlias

import anyio
import trio

KEY = "sk-test-not-a-real-key-000"


@dataclass(frozen=True)
class Settings:
    """How a client is set up."""

    timeout: float = 9.0
    retries: int = 0


@dataclass(frozen=True)
class Reply:
    """An answer as the client shows it."""

    text: str | None
    tool_calls: tuple[tuple[str, Any], ...]
    usage: Any
    status: int | None
    headers: tuple[tuple[str, str], ...]
    whole: Any
    """The client's own value, dumped."""

    def all(self, name: str) -> str:
        """Return every value of a header, whether the client keeps them apart or joins them."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)


@dataclass(frozen=True)
class Trouble:
    """An error as the client raises it: the classes of its chain, and what it carries."""

    chain: tuple[str, ...]
    message: str
    carried: Any


class Driver(Protocol):
    """One client, open."""

    async def ask(self, text: str) -> Reply:
        """Ask one question."""

    def stream(self, text: str) -> AsyncGenerator[Any]:
        """Ask one question and yield the events of the answer."""

    async def use_a_tool(self) -> list[Reply]:
        """Offer a tool, return its result, and give both answers."""

    async def delete(self) -> Any:
        """Delete a file."""

    async def download(self) -> bytes:
        """Fetch a file."""


Opening: TypeAlias = Callable[[str, Settings], AbstractAsyncContextManager[Driver]]
Act: TypeAlias = Callable[[], Coroutine[Any, Any, Any]]


async def now(value: Any) -> Any:
    """Return what a call gave, blocking or not."""
    return await value if isawaitable(value) else value


@asynccontextmanager
async def each(values: Any) -> AsyncIterator[AsyncIterator[Any]]:
    """Iterate over what a call gave, blocking or not, and close it."""
    try:
        if hasattr(values, "__aiter__"):
            yield aiter(values)
        else:
            async with aclosing(_in_turn(values)) as each_in_turn:
                yield each_in_turn
    finally:
        await now(values.aclose() if hasattr(values, "aclose") else values.close())


async def _in_turn(values: Iterable[Any]) -> AsyncGenerator[Any]:
    for value in values:
        yield value


async def trouble(asking: Awaitable[Any]) -> Trouble:
    """Return the error that a call ends in."""
    try:
        answer = await asking
    except Exception as error:
        return Trouble(tuple(_chain(error)), _stable(str(error)), _carried(error))
    raise AssertionError(f"no error, but {answer!r}")


def _chain(error: BaseException | None) -> list[str]:
    """Name the classes down to httpcore's; whether that shows the socket's error differs between releases."""
    names: list[str] = []
    while error is not None and not (names and names[-1].startswith("httpcore")):
        names.append(f"{type(error).__module__.partition('.')[0]}.{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return names


def _carried(error: Exception) -> Any:
    own = {name: value for name, value in vars(error).items() if isinstance(value, str | int | dict | list)}
    response = getattr(error, "response", None)
    if hasattr(response, "headers"):
        own["status"] = getattr(response, "status_code", getattr(response, "status", None))
        own["headers"] = list(response.headers.items())
    return _stable(repr(own))


def _stable(text: str) -> str:
    return re.sub(r"0x[0-9a-f]+", "0x", text)


# Ways to run


def without_a_loop(main: Act) -> Any:
    """Run what never waits for anything that a loop would have to bring."""
    running = main()
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a blocking client waited for an event loop")


def on_asyncio(main: Act) -> Any:
    return asyncio.run(main())


def on_trio(main: Act) -> Any:
    return trio.run(main)


@dataclass(frozen=True)
class Client:
    """A column of the table: how a client is opened, and what it runs on."""

    open: Opening
    run: Callable[[Act], Any] = without_a_loop

    @property
    def blocks(self) -> bool:
        return self.run is without_a_loop

    async def together(self, *calls: Act) -> list[Any]:
        """Make calls at the same time: in tasks, or in as many threads."""
        if self.blocks:
            with ThreadPoolExecutor(len(calls)) as pool:
                return list(pool.map(self.run, calls))
        answers: list[Any] = [None] * len(calls)

        async def one(index: int, call: Act) -> None:
            answers[index] = await call()

        async with anyio.create_task_group() as tasks:
            for index, call in enumerate(calls):
                tasks.start_soon(one, index, call)
        return answers
