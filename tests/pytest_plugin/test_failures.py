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
from replay_agent.pytest_plugin.failures import (
    FailingMiss,
    MissesInCleanup,
    cleaning,
    explaining,
    explanations_of,
    failure_of,
    failure_saying,
    in_cleanup,
    leaves_of,
)
from replay_agent.report.explanation import Explanation
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


def explained(said, command="pytest --record-mode=refresh"):
    lines = [[said]]
    return Explanation.of(
        lines, lines, cause="changed", shared=lines, purpose="To accept it", command=command, mode="refresh"
    )


def test_what_is_accepted_by_one_command_says_it_once_and_last():
    failure = failure_saying([explained("one"), "in plain words", explained("two")])
    assert str(failure) == "one\n\nin plain words\n\ntwo\n\nTo accept it:\n    pytest --record-mode=refresh"
    assert not failure.pytrace


def test_what_is_accepted_apart_has_each_command():
    text = str(failure_saying([explained("one", "pytest a"), explained("two", "pytest b")]))
    assert text == "one\n\ntwo\n\nTo accept it:\n    pytest a\n\nTo accept it:\n    pytest b"


def test_one_explanation_stays_as_it_is():
    one = explained("one") + " and a note"
    assert str(failure_saying([one])) == str(one)


@pytest.mark.parametrize("kind", [FailingMiss, CassetteMiss, CassetteMissError])
def test_a_failure_knows_its_explanations_and_has_reported_its_misses(kind):
    kept = Kept(kind(explained("swallowed"), REQUEST))
    again = kind(explained("swallowed"), REQUEST)
    failure = failure_of([again, kind("raised", REQUEST)], kept)
    assert list(explanations_of(failure)) == [explained("swallowed"), "raised"]
    assert all(isinstance(each, Explanation) for each in explanations_of(failure)[:1])
    assert kept.unreported_misses == []


def test_another_failure_has_no_explanations():
    assert explanations_of(ValueError("other")) == ()


def test_misses_in_a_cleanup_say_the_first_request_that_has_one():
    path = Path("c.yaml")
    raised = in_cleanup(
        [FailingMiss("one", REQUEST, path), FailingMiss("two", Request("POST", "https://b.org"))], Kept()
    )
    assert (str(raised), raised.request, raised.path) == ("one\n\ntwo", REQUEST, path)


def test_a_miss_in_a_cleanup_may_come_of_another():
    raised = in_cleanup([MissesInCleanup("before", REQUEST)], Kept())
    assert str(raised) == "before"


def test_a_fixture_is_settled_once():
    settled = []

    def values():
        yield from "ab"

    assert list(explaining(values, Kept(), lambda: settled.append(1))()) == ["a", "b"]
    assert settled == [1]
