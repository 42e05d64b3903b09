from __future__ import annotations

import signal
import threading
from contextlib import suppress

import pytest

from replay_agent.surroundings.interrupts import heeded, postponed

pytestmark = pytest.mark.usefixtures("ctrl_c_is_heard")


def press():
    signal.raise_signal(signal.SIGINT)


def press_where_it_is_swallowed(swallowed=KeyboardInterrupt):
    with suppress(swallowed):
        press()


@pytest.mark.parametrize("swallowed", [KeyboardInterrupt, BaseException])
def test_what_foreign_code_swallows_is_heeded(swallowed):
    done = []
    with pytest.raises(KeyboardInterrupt), heeded():
        press_where_it_is_swallowed(swallowed)
        done.append("it went on")
    assert done


def test_one_block_in_another_is_heeded_first():
    done = []
    with pytest.raises(KeyboardInterrupt), heeded():
        with heeded():
            press_where_it_is_swallowed()
            done.append("inner")
        done.append("outer")
    assert done == ["inner"]


def test_a_block_that_waits_in_one_that_heeds():
    done = []
    with pytest.raises(KeyboardInterrupt), heeded():
        with postponed():
            press()
            done.append("steps")
        done.append("more")
    assert done == ["steps"]


def generator_closed_by_nobody():
    def numbers():
        try:
            yield 1
        finally:
            press()

    next(numbers())


def test_what_is_raised_to_nobody_is_heeded_and_not_printed(capsys):
    done = []
    with pytest.raises(KeyboardInterrupt), heeded():
        generator_closed_by_nobody()
        done.append("it went on")
    assert done
    assert capsys.readouterr().err == ""


def test_what_else_is_raised_to_nobody_is_told_as_ever(monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: told.append(unraisable.exc_type))

    class Fading:
        def __del__(self):
            raise ValueError("fades")

    with heeded():
        Fading()
    assert told == [ValueError]


def test_it_stops_the_block_as_ever():
    with pytest.raises(KeyboardInterrupt), heeded():
        press()
        pytest.fail("not reached")


def test_nothing_is_raised_where_nothing_was_pressed():
    with heeded(), postponed():
        pass


def test_all_steps_are_done_before_it_is_heard():
    done = []
    with pytest.raises(KeyboardInterrupt), postponed():
        press()
        done.append(1)
        press()
        done.append(2)
    assert done == [1, 2]


def test_an_error_of_the_steps_is_not_lost():
    with pytest.raises(KeyboardInterrupt) as stopped, postponed():
        press()
        raise OSError("disk full")
    assert isinstance(stopped.value.__context__, OSError)


@pytest.mark.parametrize("block", [heeded, postponed])
def test_ctrl_c_is_as_it_was_behind_it(block):
    before = signal.getsignal(signal.SIGINT)
    with block():
        pass
    with pytest.raises(KeyboardInterrupt), block():
        press()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("block", [heeded, postponed])
def test_a_program_with_a_way_of_its_own_keeps_it(block):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with block():
            press()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [1]


@pytest.mark.parametrize("block", [heeded, postponed])
def test_a_thread_leaves_signals_alone(block):
    done = []

    def work():
        with block():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
