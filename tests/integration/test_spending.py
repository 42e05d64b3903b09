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


def test_a_replaying_session_says_how_much_it_replayed(recording, project):
    project.runpytest().stdout.fnmatch_lines(["replay: 2 calls replayed"])


def test_tokens_and_dollars_are_counted_if_more_is_to_be_said(recording, project):
    project.runpytest("-v").stdout.re_match_lines(
        [r"replay: 2 calls replayed, \d+ tokens and about 0\.\d+ USD not spent"]
    )


def test_a_quiet_session_says_nothing_of_it(recording, project):
    project.runpytest("-q").stdout.no_fnmatch_line("*calls replayed*")


def test_workers_add_up(recording, project):
    project.runpytest_subprocess("-p", "xdist", "-n2").stdout.fnmatch_lines(["replay: 2 calls replayed"])


def test_a_session_without_such_tests_says_nothing(project):
    project.makepyfile("def test_nothing(): pass")
    project.runpytest().stdout.no_fnmatch_line("*replay:*")
