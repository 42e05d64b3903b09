"""One iterator for all who read a response, event by event or in groups."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from enum import Enum
from typing import Generic, Self, TypeVar

from anyio import CancelScope, current_time

from replay_agent.agent.feed import Feed

__all__ = ("Reader",)

T = TypeVar("T")


class _Read(Enum):
    NOTHING = "nothing came in time"
    END = "there is no more"


class Reader(Generic[T]):
    """Reads ``source`` for several readers, one after another: each goes on where the one before stopped.

    End it with `aclose` before ``source`` is closed.
    """

    def __init__(self, source: AsyncIterator[T], note: Callable[[T], None] | None = None) -> None:
        """``note`` is called with each item as it is read."""
        self._source = source
        self._note = note
        self._feed: Feed[T] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        item = await anext(self._source if self._feed is None else self._feed)
        if self._note is not None:
            self._note(item)
        return item

    async def groups(self, debounce_by: float | None, ahead: Iterable[T] = ()) -> AsyncGenerator[list[T], None]:
        """Yield the items of ``ahead`` and the source together as they come within ``debounce_by`` seconds.

        A group begins with its first item; None yields every item by itself.
        """
        if debounce_by is None:
            for item in ahead:
                yield [item]
            async for item in self:
                yield [item]
            return
        group = list(ahead)
        due = current_time() + debounce_by if group else math.inf
        while (read := await self._read_until(due)) is not _Read.END:
            if read is _Read.NOTHING:
                yield group
                group, due = [], math.inf
                continue
            due = due if group else current_time() + debounce_by
            group.append(read)
        if group:
            yield group

    async def _read_until(self, due: float) -> T | _Read:
        # Cancelling the source itself would end it, so another task waits for it.
        self._feed = self._feed or Feed(self._pass_on)
        with CancelScope(deadline=due):
            return await anext(self, _Read.END)
        return _Read.NOTHING

    async def _pass_on(self, hand_over: Callable[[T], Awaitable[None]]) -> None:
        async for item in self._source:
            await hand_over(item)

    async def drain(self) -> None:
        """Read what is left."""
        async for _ in self:
            pass

    async def aclose(self) -> None:
        """Stop reading; what the source has not given yet stays there unless it was being waited for."""
        if self._feed is not None:
            await self._feed.aclose()
