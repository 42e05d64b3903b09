"""Reading from a task that goes on while its reader does something else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, Generic, Self, TypeVar

from anyio import CancelScope, EndOfStream, Event, create_memory_object_stream, get_cancelled_exc_class

__all__ = ("Feed",)

T = TypeVar("T")

_running: set[asyncio.Task[None]] = set()


class Feed(Generic[T]):
    """What ``produce`` hands over, one item at a time; ``produce`` waits until each item is taken.

    The task starts at once and must be ended with `aclose`. What ``produce`` raises comes out of the iteration as it
    is. The task belongs to no task group: the readers are asynchronous generators, and a generator that is
    suspended inside a task group breaks its host when it is abandoned or closed by another task (PEP 789).
    """

    def __init__(self, produce: Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]]) -> None:
        self._produce = produce
        self._send, self._receive = create_memory_object_stream[T](0)
        self._scope = CancelScope()
        self._ended = Event()
        self._failure: BaseException | None = None
        _spawn(self._run)

    async def aclose(self) -> None:
        """Cancel the task and wait until it has ended."""
        self._scope.cancel()
        with CancelScope(shield=True):
            await self._ended.wait()
        self._receive.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            return await self._receive.receive()
        except EndOfStream:
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        raise StopAsyncIteration

    async def _run(self) -> None:
        with self._scope:
            try:
                await self._produce(self._send.send)
            except get_cancelled_exc_class():
                self._failure = RuntimeError("the task that was read from has been cancelled")
                raise
            except BaseException as exc:  # noqa: BLE001  raised again by the reader
                self._failure = exc
            finally:
                self._send.close()
                self._ended.set()


def _spawn(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    if _is_on_trio():
        sys.modules["trio"].lowlevel.spawn_system_task(function, context=copy_context())
        return
    task = asyncio.get_running_loop().create_task(function())
    _running.add(task)
    task.add_done_callback(_running.discard)


def _is_on_trio() -> bool:
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:  # a younger trio has a function that only tells, but an older one may be installed
        return False
    return True
