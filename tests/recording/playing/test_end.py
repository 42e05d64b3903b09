from __future__ import annotations

import threading

from replay_agent.recording.playing.end import End


def test_nobody_waits_for_what_has_come():
    end = End()
    assert not end.is_set()
    assert not end.wait(0.001)
    end.set()
    assert end.is_set()
    assert end.wait(3600)


def test_all_who_wait_are_woken():
    end, woken = End(), []
    threads = [threading.Thread(target=lambda: woken.append(end.wait(60))) for _ in range(3)]
    for thread in threads:
        thread.start()
    end.set()
    for thread in threads:
        thread.join(60)
    assert woken == [True] * 3
