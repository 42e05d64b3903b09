from __future__ import annotations

from datetime import UTC, datetime

import pytest

from replay_agent.report.recorded.dates import dates_sent
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)


def sent(text, answer="fine"):
    return Interaction(
        Request("POST", "https://a.example", body=text.encode()), Response(200, chunks=(Chunk(answer.encode()),))
    )


@pytest.mark.parametrize(
    "spelled",
    ["2026-11-07", "November 7, 2026", "7 Nov 2026", "07/11/2026", "11/07/2026", "07.11.2026", "7 November 2026"],
)
def test_today_is_found_however_it_is_written(spelled):
    assert dates_sent([sent(f"Today is {spelled}.")], NOON) == [spelled]


@pytest.mark.parametrize("other", ["2026-11-08", "November 17, 2026", "2025-11-07", "no date"])
def test_another_day_is_none(other):
    assert dates_sent([sent(f"It was {other}.")], NOON) == []


def test_what_an_answer_said_first_comes_back_in_replay():
    assert dates_sent([sent("When?", "On 2026-11-07."), sent("You said 2026-11-07.")], NOON) == []
    assert dates_sent([sent("On 2026-11-07?", "Yes."), sent("So 2026-11-07.")], NOON) == ["2026-11-07"]


def test_a_failure_says_nothing():
    assert dates_sent([Interaction(sent("2026-11-07").request, Failure("ReadTimeout", Phase.HEAD))], NOON) == [
        "2026-11-07"
    ]


def test_nothing_is_sent_nothing_is_found():
    assert dates_sent([], NOON) == []
