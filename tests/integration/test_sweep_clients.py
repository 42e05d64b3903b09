"""The verdicts on twenty-four clients that were written to be judged."""

from __future__ import annotations

import pytest

from tests.integration.small_clients import RIGHT, WRONG

TEST = """
import pytest
from replay_agent import tool_call
from tests.integration import small_clients

@pytest.mark.replay(sweep="all")
def test_it(provider, replay):
    provider.reply(tool_call("book", city="Oslo"), small_clients.ANSWER)

    def book(city):
        replay.effect(f"book {city}")
        return f"booked in {city}"

    return small_clients.NAME(book)
"""


def swept(project, client):
    project.makepyfile(test_it=TEST.replace("NAME", client.__name__))
    project.runpytest("--record-mode=once").assert_outcomes(passed=1)
    return project.runpytest()


@pytest.mark.parametrize("client", RIGHT, ids=lambda client: client.__name__)
def test_a_client_that_is_right_passes(project, client):
    result = swept(project, client)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*0 silently wrong, 0 hung"])


@pytest.mark.parametrize("client", WRONG, ids=lambda client: client.__name__)
def test_a_client_that_is_wrong_fails(project, client):
    result = swept(project, client)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*does not take every fault well.*"])
