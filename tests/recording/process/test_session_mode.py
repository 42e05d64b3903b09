from __future__ import annotations

import pytest

from replay_agent.recording.process.session_mode import asked, asking


def test_nobody_asks_for_a_mode_by_default():
    with asking("refresh"):
        pass
    assert asked() != "refresh"


def test_the_innermost_session_is_followed():
    with asking("once"):
        with asking("all"):
            assert asked() == "all"
        assert asked() == "once"


def test_a_mode_is_taken_back_after_an_error():
    before = asked()
    with pytest.raises(ValueError, match="no"), asking("rewrite"):
        raise ValueError("no")
    assert asked() == before
