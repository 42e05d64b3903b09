from __future__ import annotations

import pytest

from replay_agent.report.comparison.trials.order import Order, give, received


@pytest.mark.parametrize("order", [Order("live"), Order("lenient", ("a::b", "c"), 60), Order("live", ())])
def test_an_order_is_received_as_given(tmp_path, order):
    give(tmp_path, order)
    assert received(tmp_path) == order
