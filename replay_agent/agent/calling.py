"""Calls what the user handed in: coroutine functions on the event loop, plain ones in a worker thread."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from anyio import create_task_group, get_cancelled_exc_class
from anyio.to_thread import run_sync

__all__ = "call", "gather", "is_async"

T = TypeVar("T")


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling ``function`` gives an awaitable: coroutine functions, partials and objects of such."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


async def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of the user's and return what it gives; its exceptions come through as they are."""
    if is_async(function):
        return await function(*args, **kwargs)
    return await run_sync(partial(function, *args, **kwargs))


async def gather(functions: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Call all functions at once and return their results in the order of the functions.

    The first failure cancels the others and is raised as itself, never inside an exception group.
    """
    if len(functions) < 2:
        return [await function() for function in functions]
    results: dict[int, T] = {}
    failures: list[BaseException] = []
    async with create_task_group() as tasks:

        async def run(index: int, function: Callable[[], Awaitable[T]]) -> None:
            try:
                results[index] = await function()
            except get_cancelled_exc_class():
                raise
            except BaseException as exc:  # noqa: BLE001  raised again below, outside the task group
                failures.append(exc)
                tasks.cancel_scope.cancel()

        for index, function in enumerate(functions):
            tasks.start_soon(run, index, function)
    if failures:
        raise failures[0]
    return [results[index] for index in range(len(functions))]
