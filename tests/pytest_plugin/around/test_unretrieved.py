from __future__ import annotations

import logging
import sys
import threading
import traceback

import pytest

from replay_agent.exceptions import CassetteMiss, CassetteMissError
from replay_agent.pytest_plugin.around.unretrieved import left_unsaid, without_tracebacks
from replay_agent.traffic import Request

TEXT = "The prompt changed.\n  POST https://a.example\n\nTo record it:\n    pytest x"


def missed(kind=CassetteMiss, text=TEXT):
    return kind(text, Request("POST", "https://a.example"))


def printed(error):
    try:
        raise error
    except BaseException:
        return traceback.format_exc()


@pytest.mark.parametrize("kind", [CassetteMiss, CassetteMissError])
@pytest.mark.parametrize("margin", ["", "    ", "  | "])
def test_a_traceback_that_repeats_the_miss_is_left_out(kind, margin):
    lines = f"before\nError in request\n{printed(missed(kind))}after\n".split("\n")
    text = "\n".join(margin + line for line in lines)
    shown = without_tracebacks(text, [TEXT])
    assert "Traceback" not in shown
    assert "The prompt changed" not in shown
    for kept in "before", "Error in request", "after", "left out":
        assert kept in shown


def test_what_came_of_it_is_left_out_too():
    def chained():
        try:
            raise missed()
        except CassetteMiss as miss:
            raise missed(CassetteMissError) from miss

    try:
        chained()
    except CassetteMissError:
        text = traceback.format_exc()
    shown = without_tracebacks(text, [TEXT])
    assert "Traceback" not in shown
    assert "direct cause" not in shown


@pytest.mark.parametrize("other", [ValueError("no"), missed(text="Something else.")])
def test_other_tracebacks_stay(other):
    text = f"{printed(other)}\n{printed(missed())}\n{printed(other)}"
    shown = without_tracebacks(text, [TEXT])
    assert shown.count("Traceback") == 2
    assert shown.count(str(other)) == 2


def test_output_without_tracebacks_stays_as_it_is():
    for text in "", "one\ntwo\n", "FailingMiss: of somebody else", "Traceback (most recent call last):":
        assert without_tracebacks(text, [TEXT]) == text


@pytest.mark.filterwarnings("error")
def test_a_thread_that_dies_of_a_miss_says_nothing_and_another_does(monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(args.exc_type))

    def dies(error):
        def run():
            raise error

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    before = threading.excepthook
    with left_unsaid():
        dies(missed())
        dies(missed(CassetteMissError))
        dies(ValueError())
    assert told == [ValueError]
    assert threading.excepthook is before


def test_asyncio_does_not_log_it(caplog):
    with left_unsaid():
        logging.getLogger("asyncio").error("never retrieved", exc_info=missed())
        logging.getLogger("asyncio").error("other", exc_info=ValueError())
    assert [record.message for record in caplog.records] == ["other"]
