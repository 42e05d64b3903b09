"""Misses as pytest's own failures: raised as such, told as such, whoever runs the function that asked.

pytest cleans up behind its own outcomes and behind an ``Exception``. Any other ``BaseException`` leaves fixtures half
done and finalizers uncalled.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, Protocol, TypeAlias

import pytest

from replay_agent.exceptions import CassetteMiss, CassetteMissError
from replay_agent.surroundings.visible import visible
from replay_agent.traffic import Request

__all__ = (
    "FailingMiss",
    "Misses",
    "MissesInCleanup",
    "cleaning",
    "explaining",
    "explanations_of",
    "failure_of",
    "failure_saying",
    "in_cleanup",
    "leaves_of",
)


class FailingMiss(CassetteMiss, pytest.fail.Exception):  # type: ignore[name-defined,misc]
    """A miss that is pytest's own failure."""

    def __init__(self, message: str, request: Request, path: Path | None = None) -> None:
        CassetteMiss.__init__(self, message, request, path)
        pytest.fail.Exception.__init__(self, visible(message), pytrace=False)


class MissesInCleanup(CassetteMissError):
    """What was missed in a finalizer. Several of one fixture go in a group, which only as ``Exception`` harms no other."""


class Misses(Protocol):
    """Who keeps the misses of a test."""

    @property
    def misses(self) -> Sequence[BaseException]:
        """All of them."""

    @property
    def unreported_misses(self) -> Sequence[BaseException]:
        """Those that the test has not failed for yet."""

    def reported(self, miss: BaseException) -> None:
        """Say that the test fails for this one."""


def explaining(
    function: Callable[..., Any], keeper: Misses, settled: Callable[[], None] = lambda: None
) -> Callable[..., Any]:
    """Wrap a function of a test or fixture so that its runner sees a miss as pytest's own failure, never a bare group.

    The wrapper is of the same kind (method, coroutine, generator), as the runner goes by that. ``settled`` is called
    when the function has done its part: at its end, or at the first yield.
    """
    if inspect.ismethod(function):
        return MethodType(_explaining(function.__func__, keeper, settled), function.__self__)
    return _explaining(function, keeper, settled)


def _explaining(function: Callable[..., Any], keeper: Misses, settled: Callable[[], None]) -> Callable[..., Any]:
    wrapper = _wrapper_of_plain(function) if type(function) is FunctionType else _wrapper_for(function)
    return functools.wraps(function)(wrapper(function, keeper, settled))


_Wrapper: TypeAlias = Callable[[Callable[..., Any], "Misses", Callable[[], None]], Callable[..., Any]]
_GENERATING = inspect.CO_ASYNC_GENERATOR | inspect.CO_COROUTINE | inspect.CO_GENERATOR


def _wrapper_of_plain(function: FunctionType) -> _Wrapper:
    """Decide by the code of a function: each test asks, and inspect takes some twenty calls."""
    if not function.__dict__.keys() <= {"pytestmark"}:  # which may say that it is a coroutine all the same
        return _wrapper_for(function)
    return _BY_FLAG.get(function.__code__.co_flags & _GENERATING, _explaining_function)


def _wrapper_for(function: Callable[..., Any]) -> _Wrapper:
    kinds = (
        (inspect.isasyncgenfunction, _explaining_async_generator),
        (inspect.iscoroutinefunction, _explaining_coroutine),
        (inspect.isgeneratorfunction, _explaining_generator),
    )
    return next((wrapper for is_kind, wrapper in kinds if is_kind(function)), _explaining_function)


def _explaining_function(
    function: Callable[..., Any], keeper: Misses, settled: Callable[[], None]
) -> Callable[..., Any]:
    def explained(*args: Any, **kwargs: Any) -> Any:
        with _Telling(keeper, settled) as telling:
            result = function(*args, **kwargs)
            telling.settle()
        return result

    return explained


def _explaining_coroutine(
    function: Callable[..., Any], keeper: Misses, settled: Callable[[], None]
) -> Callable[..., Any]:
    async def explained(*args: Any, **kwargs: Any) -> Any:
        with _Telling(keeper, settled) as telling:
            result = await function(*args, **kwargs)
            telling.settle()
        return result

    return explained


def _explaining_generator(
    function: Callable[..., Any], keeper: Misses, settled: Callable[[], None]
) -> Callable[..., Any]:
    def explained(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with _Telling(keeper, settled) as telling:
            for value in function(*args, **kwargs):
                telling.settle()
                yield value

    return explained


def _explaining_async_generator(
    function: Callable[..., Any], keeper: Misses, settled: Callable[[], None]
) -> Callable[..., Any]:
    async def explained(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with _Telling(keeper, settled) as telling:
            async for value in function(*args, **kwargs):
                telling.settle()
                yield value

    return explained


_BY_FLAG: dict[int, _Wrapper] = {
    inspect.CO_ASYNC_GENERATOR: _explaining_async_generator,
    inspect.CO_COROUTINE: _explaining_coroutine,
    inspect.CO_GENERATOR: _explaining_generator,
}


class _Telling:
    """Surrounds a function: tells what it missed as pytest's failure, as long as it has not done its part.

    What a fixture misses after its yield is for `cleaning` to tell.
    """

    def __init__(self, keeper: Misses, settled: Callable[[], None]) -> None:
        self._keeper = keeper
        self._settled = settled
        self._is_settled = False

    def settle(self) -> None:
        """Say that the function has done its part."""
        if not self._is_settled:
            self._settled()
            self._is_settled = True

    def __enter__(self) -> _Telling:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or self._is_settled:
            return
        misses = leaves_of(error)
        if misses:
            raise failure_of(misses, self._keeper) from None
        if isinstance(error, Exception) and self._keeper.unreported_misses:  # which it most likely comes of
            raise failure_of((), self._keeper) from error


def cleaning(finalizer: Callable[[], object], keeper: Misses) -> Callable[[], object]:
    """Wrap a finalizer so that a miss in it hinders no other."""

    @functools.wraps(finalizer)
    def cleaned() -> object:
        try:
            return finalizer()
        except BaseException as error:
            misses = leaves_of(error)
            if not misses:
                raise
            raise in_cleanup(misses, keeper) from None

    return cleaned


def in_cleanup(misses: Sequence[BaseException], keeper: Misses) -> MissesInCleanup:
    """Return what these misses are to be raised as while fixtures are torn down."""
    text = str(failure_of(misses, keeper))
    requests = [(miss.request, miss.path) for miss in misses if isinstance(miss, CassetteMiss | CassetteMissError)]
    request, path = requests[0] if requests else (Request("", ""), None)
    return MissesInCleanup(text, request, path)


def failure_of(misses: Sequence[BaseException], keeper: Misses) -> BaseException:
    """Return pytest's failure that says these misses; what was missed twice is said once."""
    said = [*keeper.unreported_misses, *misses]
    for miss in said:
        keeper.reported(miss)
    return failure_saying(dict.fromkeys(getattr(miss, "explanation", str(miss)) for miss in said))


def failure_saying(texts: Iterable[str]) -> BaseException:
    """Return pytest's failure that says these explanations, which stay known to `explanations_of`."""
    said = tuple(texts)
    failure = pytest.fail.Exception(visible(_together(said)), pytrace=False)
    failure.__dict__["explanations"] = said
    return failure


def _together(explanations: Sequence[str]) -> str:
    """Return the texts as one: what was missed at the same time is accepted by one command, which comes last."""
    from replay_agent.report.explanation import Explanation

    bodies = [text.body if isinstance(text, Explanation) else text for text in explanations]
    accepting = dict.fromkeys(text.accept for text in explanations if isinstance(text, Explanation))
    return str(explanations[0]) if len(bodies) == 1 else "\n\n".join((*bodies, *accepting))


def explanations_of(failure: BaseException) -> Sequence[str]:
    """Return the explanations that a failure says, none if it says anything else."""
    said: Sequence[str] = getattr(failure, "explanations", ())
    return said


def leaves_of(error: BaseException) -> list[CassetteMiss | MissesInCleanup]:
    """Return the misses that an exception is, or that a group of them holds."""
    if isinstance(error, BaseExceptionGroup):
        return [miss for inner in error.exceptions for miss in leaves_of(inner)]
    return [error] if isinstance(error, CassetteMiss | MissesInCleanup) else []
