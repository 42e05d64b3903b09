from __future__ import annotations

import pytest

from replay_agent.exceptions import UserError
from replay_agent.faults import FAULTS, Fault, fault, faults_of


def test_there_are_faults_of_every_kind():
    named = (
        "refused dns tls connect_timeout read_timeout reset reset_in_body bad_request unauthorized forbidden not_found"
    )
    named += " request_timeout rate_limited rate_limited_until quota server_error bad_gateway unavailable overloaded"
    named += " slow_first_token cut truncated corrupted stall error_event wrong_content_type bad_tool_json unknown_tool"
    named += " invalid_arguments empty_answer length content_filter context_overflow duplicate_call_id"
    assert set(named.split()) <= FAULTS.keys()


def test_faults_by_name_or_made():
    made = fault("cut", after=3, turn=2)
    assert [each.name for each in faults_of(["refused", made])] == ["refused", "cut"]
    assert (made.turn, repr(made)) == (2, "cut(turn=2)")
    assert isinstance(faults_of("quota")[0], Fault)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fault("rate_limit"), "Did you mean 'rate_limited'"),
        (lambda: fault("cut", afetr=3), "it takes: after"),
        (lambda: fault("refused", seconds=3), "takes: nothing"),
        (lambda: fault("http_status"), "status"),
        (lambda: faults_of([3]), "3 is no fault"),
    ],
)
def test_what_is_no_fault_is_a_user_error(make, words):
    with pytest.raises(UserError, match=words):
        make()
