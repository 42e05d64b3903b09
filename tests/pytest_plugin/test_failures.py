from __future__ import annotations

import asyncio
import gc
import inspect
import pickle
import weakref
from pathlib import Path
from types import FunctionType

import pytest

from replay_agent.exceptions import CassetteMiss, CassetteMissError
from replay_agent.pytest_plugin.failures import FailingMiss, MissesInCleanup, cleaning, explaining, leaves_of
from replay_agent.traffic import Request

REQUEST = Request("GET", "https://example.org")


class Kept:
    """Keeps misses, as a recording does."""

    def __init__(self, *misses):
        self.misses = list(misses)
        self.unreported_misses = list(misses)

    def reported(self, miss):
        if miss in self.unreported_misses:
            self.unreported_misses.remove(miss)


def missing(*_args):
    raise FailingMiss("missed", REQUEST)


def group():
    raise BaseExceptionGroup("several", [FailingMiss("one", REQUEST), ValueError("other"), FailingMiss("two", REQUEST)])


async def missing_later():
    missing()


def missing_before_yield():
    missing()
    yield


async def missing_before_yield_later():
    missing()
    yield


class Holder:
    def missing(self):
        missing()


def result_of(function):
    found = function()
    if inspect.isawaitable(found):
        return asyncio.run(found)
    if inspect.isasyncgen(found):
        return asyncio.run(anext(found))
    return next(found) if inspect.isgenerator(found) else found


KINDS = [missing, group, missing_later, missing_before_yield, missing_before_yield_later, Holder().missing]


@pytest.mark.parametrize("function", KINDS)
def test_every_kind_of_function_fails_as_pytest_knows_it(function):
    explained = explaining(function, Kept())
    for kind in (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.ismethod,
    ):
        assert kind(explained) == kind(function)
    with pytest.raises(pytest.fail.Exception) as failure:
        result_of(explained)
    assert not isinstance(failure.value, BaseExceptionGroup)


@pytest.mark.parametrize("function", [missing, missing_later, missing_before_yield, missing_before_yield_later])
def test_a_function_is_not_held_when_it_is_gone(function):
    own = FunctionType(function.__code__, {**globals()}, "own")
    gone = weakref.ref(own)
    explaining(own, Kept())
    del own
    gc.collect()
    assert gone() is None


@pytest.mark.skipif(not hasattr(inspect, "markcoroutinefunction"), reason="Python 3.12 has it")
def test_a_function_may_say_that_it_is_a_coroutine():
    def asked():
        return missing_later()

    marked = inspect.markcoroutinefunction(asked)
    with pytest.raises(pytest.fail.Exception):
        asyncio.run(explaining(marked, Kept())())


def test_a_method_is_bound_to_whom_it_was():
    holder = Holder()
    assert explaining(holder.missing, Kept()).__self__ is holder


def test_what_comes_of_a_swallowed_miss_is_not_told_instead_of_it():
    def other():
        raise ValueError("other")

    with pytest.raises(pytest.fail.Exception, match="swallowed"):
        explaining(other, Kept(FailingMiss("swallowed", REQUEST)))()
    with pytest.raises(ValueError, match="other"):
        explaining(other, Kept())()


def test_a_fixture_that_is_set_up_may_fail_otherwise():
    def late():
        yield 1
        raise ValueError("late")

    values = explaining(late, Kept(FailingMiss("swallowed", REQUEST)))()
    assert next(values) == 1
    with pytest.raises(ValueError, match="late"):
        next(values)


@pytest.mark.parametrize("finalizer", [missing, group])
def test_a_finalizer_raises_an_ordinary_exception(finalizer):
    with pytest.raises(MissesInCleanup) as raised:
        cleaning(finalizer, Kept())()
    assert isinstance(raised.value, Exception)
    assert raised.value.request == REQUEST


def test_a_finalizer_may_fail_otherwise():
    with pytest.raises(ZeroDivisionError):
        cleaning(lambda: 1 / 0, Kept())()


def test_a_failing_miss_is_pickled_as_what_it_is():
    again = pickle.loads(pickle.dumps(FailingMiss("text", REQUEST, Path("c.yaml"))))
    assert (type(again), str(again), again.request, again.pytrace) == (FailingMiss, "text", REQUEST, False)


def test_misses_are_found_in_groups_of_groups():
    inner = BaseExceptionGroup("inner", [CassetteMiss("a", REQUEST), CassetteMissError("no", REQUEST)])
    outer = BaseExceptionGroup("outer", [inner, MissesInCleanup("b", REQUEST), KeyError("c")])
    assert [str(miss) for miss in leaves_of(outer)] == ["a", "b"]
