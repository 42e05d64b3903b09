from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.messages import RetryPromptPart
from replay_agent.wire.shapes.history import retry_reason


@given(st.text())
def test_a_retry_is_recognised_by_its_invitation(reason):
    assert retry_reason(RetryPromptPart(reason).model_response()) == reason


@pytest.mark.parametrize("text", ["", "hi", "Fix the errors and try again.", "Fix the errors and try again. Now!"])
def test_other_text_is_no_retry(text):
    assert retry_reason(text) is None
