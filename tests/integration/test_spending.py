"""What a session says of the calls that it made, and of those that it did not."""

from __future__ import annotations

import pytest

from tests.integration.test_replay_mark import CAPITAL, module

OTHER = """
    @pytest.mark.replay
    def test_other():
        assert ask("And of Norway?") == "Oslo"
"""


@pytest.fixture
def recording(project, provide):
    base, _, stop = provide("Paris", "Oslo")
    module(project, base, CAPITAL, OTHER)
    result = project.runpytest("--record-mode=once")
    stop()
    return result


def test_a_recording_session_says_what_it_spent_and_where(recording):
    recording.stdout.re_match_lines(
        [r"replay: 2 calls recorded, \d+ tokens and about 0\.\d+ USD spent; most by .*test_"]
    )
    recording.stdout.no_fnmatch_line("*calls replayed*")


SAVED = r"replay: 2 calls replayed, \d+ tokens and about 0\.\d+ USD not spent"


@pytest.mark.parametrize("options", [[], ["-v"]])
def test_a_replaying_session_says_what_it_did_not_spend(recording, project, options):
    project.runpytest(*options).stdout.re_match_lines([SAVED])


def test_what_is_known_of_a_cassette_is_not_read_again(recording, project, monkeypatch):
    project.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:xdist\n")
    first = next(line for line in project.runpytest().outlines if line.startswith("replay:"))
    monkeypatch.setattr("replay_agent.report.comparison.tally._sum_of", None)
    assert first in project.runpytest().outlines


def test_a_cassette_that_has_changed_is_read_again(recording, project):
    project.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:xdist\n")
    project.runpytest()
    for path in project.path.rglob("test_capital.yaml"):
        path.write_text(path.read_text("utf-8").replace("completion_tokens: ", "completion_tokens: 1000"), "utf-8")
    project.runpytest().stdout.re_match_lines([r"replay: 2 calls replayed, 10,0\d+ tokens .*"])


def test_a_quiet_session_says_nothing_of_it(recording, project):
    project.runpytest("-q").stdout.no_fnmatch_line("*calls replayed*")


def test_workers_add_up(recording, project):
    project.runpytest_subprocess("-p", "xdist", "-n2").stdout.re_match_lines([SAVED])


def test_a_session_without_such_tests_says_nothing(project):
    project.makepyfile("def test_nothing(): pass")
    project.runpytest().stdout.no_fnmatch_line("*replay:*")
