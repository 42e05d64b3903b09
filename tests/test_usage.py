from __future__ import annotations

import pytest

from replay_agent.exceptions import UsageLimitExceeded
from replay_agent.usage import Usage, UsageLimits


def test_sums_know_what_nobody_reported():
    assert Usage() + Usage() == Usage()
    assert Usage(1, 10) + Usage(2, None, 3) == Usage(3, 10, 3)
    assert Usage(request_tokens=0) + Usage() == Usage(request_tokens=0)


def test_details_add_up_by_name_in_order_of_appearance():
    total = Usage(details={"a": 1, "b": 2}) + Usage(details={"c": 3, "a": 4})
    assert list(total.details.items()) == [("a", 5), ("b", 2), ("c", 3)]
    assert (Usage(details={"a": 1}) + Usage()).details == {"a": 1}


def test_a_sum_leaves_its_terms_alone():
    one, other = Usage(1, details={"a": 1}), Usage(1, details={"a": 1})
    _ = one + other
    assert one == other == Usage(1, details={"a": 1})


def test_requests_can_be_counted_on_top():
    usage = Usage(1)
    usage.incr(Usage(2), requests=3)
    assert usage.requests == 6


@pytest.mark.parametrize(("limit", "used", "passes"), [(2, 1, True), (2, 2, False), (0, 0, False), (None, 99, True)])
def test_the_next_request_must_fit(limit, used, passes):
    limits = UsageLimits(request_limit=limit)
    if passes:
        limits.check_before_request(Usage(used))
    else:
        with pytest.raises(UsageLimitExceeded, match=str(limit)):
            limits.check_before_request(Usage(used))


@pytest.mark.parametrize("name", ["request_tokens", "response_tokens", "total_tokens"])
def test_a_token_limit_may_be_reached_and_not_passed(name):
    limits = UsageLimits(**{f"{name}_limit": 5})
    assert limits.has_token_limits()
    limits.check_tokens(Usage(**{name: 5}))
    limits.check_tokens(Usage())
    with pytest.raises(UsageLimitExceeded, match=f"{name}=6"):
        limits.check_tokens(Usage(**{name: 6}))


def test_no_limit_on_tokens_unless_one_is_set():
    assert not UsageLimits().has_token_limits()
    assert UsageLimits(total_tokens_limit=0).has_token_limits()
