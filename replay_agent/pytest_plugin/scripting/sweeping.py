"""The mark ``replay(sweep=...)``: the test is run once more for every cell, and fails for the verdicts asked for."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from replay_agent.exceptions import UserError
from replay_agent.faults.catalogue import Faults
from replay_agent.faults.fault import Fault
from replay_agent.faults.sweep.cells import cells_of, faults_to_sweep
from replay_agent.faults.sweep.effects import executed
from replay_agent.faults.sweep.verdicts import KINDS, Cell, Played, Verdict, judged, table_of
from replay_agent.harness import Run
from replay_agent.pytest_plugin.failures import leaves_of
from replay_agent.pytest_plugin.marks import TEST
from replay_agent.pytest_plugin.options import asked_mode
from replay_agent.pytest_plugin.scripting.cell import CELL, CellOfTest
from replay_agent.report.conversation.plain import plain
from replay_agent.traffic import Interaction

__all__ = "SECTION", "Sweeps", "asked_sweep"

SECTION = "sweep"
_FINDINGS = pytest.StashKey[str]()
_REASONS = "wrong", "hung"
"""What a sweep fails on unless told otherwise."""


def asked_sweep(item: pytest.Item) -> Faults | None:
    """Return the faults with which a test is to be swept: of the command line, else of its mark."""
    mark = item.get_closest_marker("replay")
    if mark is None or CELL in item.stash or asked_mode(item.config) not in (None, "none", "once"):
        return None  # a run that records anew is not judged by what was recorded before
    asked: Faults | None = item.config.getoption("replay_sweep", None) or mark.kwargs.get("sweep")
    return asked


class Sweeps:
    """Hooks of a session that has tests to sweep."""

    def __init__(self, asked: str | None = None) -> None:
        """``asked``: what the command line names. Raises `pytest.UsageError` for a fault that there is not."""
        try:
            faults_to_sweep(asked or "all")
        except UserError as exc:
            raise pytest.UsageError(f"--replay-sweep: {exc}") from exc

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Play the cells before the test itself, which runs as ever and then tells of them."""
        asked = asked_sweep(item)
        if asked is not None and isinstance(item, pytest.Function):
            item.stash[_FINDINGS] = _findings(item, asked)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that has passed for what its cells have shown."""
        if isinstance(item, pytest.Function) and (_FINDINGS in item.stash or CELL in item.stash):
            item.obj = _keeping_result(item.obj, item.stash.get(CELL, CellOfTest()))
        result = yield
        findings = item.stash.get(_FINDINGS, "")
        if findings:
            raise pytest.fail.Exception(findings, pytrace=False)
        return result


def _keeping_result(function: Callable[..., Any], result: CellOfTest) -> Callable[..., Any]:
    """Wrap a test function so that what it returns is kept from pytest, which wants nothing."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*args: Any, **kwargs: Any) -> None:
            result.returned = await function(*args, **kwargs)

        return later

    @functools.wraps(function)
    def now(*args: Any, **kwargs: Any) -> None:
        result.returned = function(*args, **kwargs)

    return now


def _findings(item: pytest.Function, asked: Faults) -> str:
    """Return what to fail a test for: the table, if it holds a verdict that is not wanted; else nothing, the table printed."""
    without, interactions = _played(item, None)
    if without.error is not None or not interactions:
        return ""  # the test itself will say what is wrong: it fails without any fault, or records now
    try:
        fails_on = _fails_on(item)
        calls, faults = cells_of(interactions, faults_to_sweep(asked))
    except UserError as exc:
        return str(exc)
    cells = []
    for fault in faults:
        played, _ = _played(item, fault)
        if played.struck:
            cells.append(Cell(fault.call or 0, fault.name, *judged(played, without)))
    text = table_of(cells, calls)
    item.add_report_section("call", SECTION, text)
    return f"{item.nodeid} does not take every fault well.\n{text}" if fails_on & {c.verdict for c in cells} else ""


def _fails_on(item: pytest.Item) -> set[Verdict]:
    mark = item.get_closest_marker("replay")
    asked = mark.kwargs.get("sweep_fails", _REASONS) if mark is not None else _REASONS
    names: Sequence[str] = (asked,) if isinstance(asked, str) else asked
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise UserError(f"sweep_fails={asked!r}: {', '.join(unknown)} is no verdict. Verdicts: {', '.join(KINDS)}")
    return {KINDS[name] for name in names}


def _played(item: pytest.Function, fault: Fault | None) -> tuple[Played, Sequence[Interaction]]:
    """Run a test once, with its fixtures, and a fault or none; return how it went and its traffic."""
    result = CellOfTest(fault)
    copy = _copy_of(item)
    copy.stash[CELL] = result
    hooks = copy.ihook
    error = _caught(lambda: hooks.pytest_runtest_setup(item=copy), "setup")
    if error is None:
        error = _caught(lambda: hooks.pytest_runtest_call(item=copy), "call")
    test = copy.stash.get(TEST, None)
    run = test.run if test is not None and not test.is_scripted else None
    seen = _seen(result, run, error) if isinstance(run, Run) else (Played(result.returned, error), ())
    late = _caught(lambda: hooks.pytest_runtest_teardown(item=copy, nextitem=item), "teardown")
    if fault is None and late is not None and error is None:
        return Played(None, late), ()
    return seen


def _copy_of(item: pytest.Function) -> pytest.Function:
    copy: pytest.Function = type(item).from_parent(
        item.parent,
        name=item.name,
        callspec=getattr(item, "callspec", None),
        fixtureinfo=getattr(item, "_fixtureinfo", None),
        originalname=item.originalname,
    )
    copy.own_markers[:] = item.own_markers
    copy.keywords.update(item.keywords)
    return copy


def _caught(step: Callable[[], object], when: Any) -> BaseException | None:
    call = pytest.CallInfo.from_call(step, when, reraise=(KeyboardInterrupt, pytest.exit.Exception))
    return call.excinfo.value if call.excinfo is not None else None


def _seen(result: CellOfTest, run: Run, error: BaseException | None) -> tuple[Played, Sequence[Interaction]]:
    interactions = list(run.interactions)
    # Those that the test tells of are all there are: on the wire a result that was kept looks like one made again.
    effects = Counter(run.effects) or executed(run.transcript.exchanges)
    hung = run.recording.disturbance.hung
    if error is None and run.misses and not hung:
        error = run.misses[0]
    if isinstance(error, pytest.fail.Exception) and not leaves_of(error) and not run.misses:
        error = AssertionError(str(error))
    struck = run.recording.disturbance.tampering is None or run.recording.disturbance.struck
    value = plain(_value_of(run.result if result.returned is None else result.returned))
    return Played(value, error, effects, hung, struck), interactions


def _value_of(result: Any) -> Any:
    """Return what an agent's result holds, without its history, in which every run has its own times and ids."""
    for name in ("output", "data"):
        if hasattr(result, name):
            return getattr(result, name)
    return result
