from __future__ import annotations

from replay_agent.recording.process.holders import Holders


def test_what_is_held_is_held_until_the_last_one_leaves():
    holders = Holders()
    assert not holders
    holders.join()
    holders.join()
    holders.leave()
    assert holders
    holders.leave()
    assert not holders
