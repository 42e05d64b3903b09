from __future__ import annotations

import pytest

from replay_agent.report.page.html.view import EntryView, View, dollars, facts, milliseconds, seconds, thousands
from replay_agent.report.page.report import Drift, Entry, Figures, Report, Turn, Words


def drift(cause="prompt", test="", accept=False, **more):
    options = "--record-mode={mode}" + (" --replay-accept" if accept else "")
    command = f"pytest {test} --record-mode=refresh"
    return Drift(
        "It changed.",
        "They changed.",
        program=["pytest"],
        options=options,
        test=test,
        cause=cause,
        command=command,
        **more,
    )


def drifted(test, **more):
    return Entry(test, "failed", drifts=[drift(test=test, **more)])


@pytest.mark.parametrize(
    ("entry", "state", "word"),
    [
        (Entry("a", "passed"), "passed", "passed"),
        (Entry("a", "passed", live=Figures(1)), "recorded", "recorded"),
        (Entry("a", "failed"), "failed", "failed"),
        (Entry("a", "error"), "failed", "error"),
        (drifted("a"), "drifted", "drifted"),
        (drifted("a", cause="no cassette"), "unrecorded", "not recorded"),
        (Entry("a", "xfailed"), "expected", "failed as expected"),
        (Entry("a", "xpassed"), "unexpected", "passed unexpectedly"),
        (Entry("a", "skipped"), "skipped", "skipped"),
        (Entry("a", "recording"), "read", "recording"),
        (Entry("a", "changed"), "changed", "changed"),
    ],
)
def test_states(entry, state, word):
    view = EntryView(entry)
    assert (view.state, view.state_word) == (state, word)


@pytest.mark.parametrize(
    ("test", "path", "name"),
    [
        ("tests/test_a.py::test_b", "tests/test_a.py", "test_b"),
        ("tests/test_a.py::TestC::test_b[x::y]", "tests/test_a.py", "TestC / test_b[x / y]"),
        ("cassettes/test_a/test_b.yaml", "cassettes/test_a", "test_b.yaml"),
        ("alone", "", "alone"),
        ("", "", ""),
    ],
)
def test_names(test, path, name):
    view = EntryView(Entry(test, "passed"))
    assert (view.path, view.name) == (path, name)


@pytest.mark.parametrize(
    ("test", "anchor", "href"),
    [
        ("tests/a.py::b[x y]", "tests/a.py::b[x_y]", "tests/a.py::b[x_y]"),
        ("a\u202eb\n%", "a\\u202eb_%", "a%5Cu202eb_%25"),
        ('a"><script>', 'a"><script>', "a%22%3E%3Cscript%3E"),
    ],
)
def test_a_link_leads_to_its_test(test, anchor, href):
    view = EntryView(Entry(test, "passed"))
    assert (view.anchor, view.href) == (anchor, href)


@pytest.mark.parametrize(
    ("failure", "gist"),
    [
        ("def test():\n>   assert 1 == 2\nE   assert 1 == 2\n\ntests/a.py:3: AssertionError", "assert 1 == 2"),
        ("lost\nworker gone", "worker gone"),
        ("\n\n", ""),
    ],
)
def test_a_failure_in_one_line(failure, gist):
    assert EntryView(Entry("a", "failed", failure=Words(failure))).gist == gist


@pytest.mark.parametrize(
    ("entries", "verdict", "mood"),
    [
        ([], "No test ran", "good"),
        ([Entry("a", "passed")], "1 test passed", "good"),
        ([Entry("a", "passed"), Entry("b", "passed"), Entry("c", "skipped")], "All 2 tests passed, 1 skipped", "good"),
        ([Entry("a", "passed"), Entry("b", "failed")], "1 of 2 tests failed", "bad"),
        ([drifted("a"), Entry("b", "failed")], "1 of 2 tests failed, 1 drifted", "bad"),
        ([drifted("a"), drifted("b", cause="no cassette")], "1 of 2 tests drifted, 1 not recorded", "drifting"),
        ([Entry("a", "passed", live=Figures(2))], "1 of 1 test recorded", "good"),
    ],
)
def test_the_verdict(entries, verdict, mood):
    view = View(Report("a", entries=entries))
    assert (view.verdict, view.mood) == (verdict, mood)


def test_what_is_wrong_comes_first():
    entries = [Entry("a", "passed"), Entry("b", "failed"), drifted("c"), Entry("d", "skipped")]
    assert [view.test for view in View(Report("a", entries=entries)).entries] == ["c", "b", "a", "d"]
    assert [view.test for view in View(Report("a", "cassettes", entries=entries)).entries] == ["a", "b", "c", "d"]


def test_one_cause_has_one_command():
    (cause,) = View(Report("a", entries=[drifted("t.py::a"), drifted("t.py::b", accept=True)])).causes
    assert cause.drift.headline == "They changed."
    assert cause.drift.command == "pytest t.py::a t.py::b --replay-accept"
    assert [view.test for view in cause.tests] == ["t.py::a", "t.py::b"]


def test_many_tests_are_named_by_their_modules():
    (cause,) = View(Report("a", entries=[drifted(f"t{number % 2}.py::a[{number}]") for number in range(9)])).causes
    assert cause.drift.command == "pytest t0.py t1.py --record-mode=refresh"


def test_a_cause_of_one_test_is_told_as_it_is():
    (cause,) = View(Report("a", entries=[drifted("t.py::a b")])).causes
    assert cause.drift == drift(test="t.py::a b")


def test_the_cause_of_most_tests_comes_first():
    entries = [drifted("a", cause="x"), drifted("b", cause="y"), drifted("c", cause="y")]
    assert [len(cause.tests) for cause in View(Report("a", entries=entries)).causes] == [2, 1]


def test_sums():
    entries = [
        Entry("a", "passed", 1.5, replayed=Figures(2, 100, 20, "0.5", 1, 1_500)),
        Entry("b", "passed", 1, live=Figures(1, 5, 5, "0.25")),
    ]
    assert View(Report("a", entries=entries)).facts == [
        ("time in tests", "2.5 s", ""),
        ("asked live", "1 call", "$0.25 spent"),
        ("replayed", "2 calls", ""),
        ("not spent: tokens", "120", "100 in, 20 out"),
        ("not spent: money", "$0.50", "and 1 answer of unknown price"),
        ("not spent: waiting", "1.5 s", "for recorded streams"),
    ]


def test_runs_again_are_told():
    notes = View(Report("a", notes=["x"], entries=[Entry("a", "passed", earlier=["failed"])])).notes
    assert notes == ["x", "1 test ran more than once; the last outcome counts."]


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 ms"), (0.0125, "12 ms"), (1, "1.0 s"), (99.94, "99.9 s"), (3_725, "62 min 5 s")]
)
def test_times(number, said):
    assert seconds(number) == said
    assert milliseconds(round(number * 1000)) == said


@pytest.mark.parametrize(
    ("usd", "said"),
    [("0", "$0.00"), ("0.0012345", "$0.0012"), ("0.00000123", "$0.0000012"), ("0.1", "$0.10"), ("1234.5", "$1,234.50")],
)
def test_prices(usd, said):
    assert dollars(usd) == said


def test_facts_of_a_turn():
    assert facts(Turn(1, "gpt", 1_200, None, "0.5")) == "gpt \u00b7 1,200 in, unknown out \u00b7 $0.50"
    assert facts(Turn(1)) == ""
    assert thousands(None) == "unknown"
