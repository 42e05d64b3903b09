"""Long sleeps as failures, so that a test of skipped back-off needs no clock to tell whether anybody slept."""

from __future__ import annotations

import asyncio
import inspect
import time
from functools import wraps
from typing import Any

import anyio
import pytest
import trio

__all__ = ("refuse_long_sleeps",)

LONG = 10
"""Seconds. What a test asks a client to wait is longer, what libraries sleep on their own account is shorter."""


def refuse_long_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever sleeps for long fail the test instead.

    The sleeps still look like the libraries' own: a sleep that a test replaces is not skipped after a refusal.
    """
    for module in (time, asyncio, anyio, trio):
        monkeypatch.setattr(module, "sleep", _refusing(module.sleep))


def _refusing(original: Any) -> Any:
    @wraps(original)
    def sleep(seconds: float, *args: Any, **kwargs: Any) -> Any:
        if seconds > LONG:
            pytest.fail(f"somebody sleeps for {seconds} seconds")
        return original(seconds, *args, **kwargs)

    if not inspect.iscoroutinefunction(original):
        return sleep

    @wraps(original)
    async def async_sleep(seconds: float, *args: Any, **kwargs: Any) -> Any:
        return await sleep(seconds, *args, **kwargs)

    return async_sleep
