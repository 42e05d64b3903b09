from __future__ import annotations

import sys

from replay_agent.surroundings import audit_events


def test_who_listens_hears_those_events_alone_and_once():
    heard = []

    def listener(event, args):
        heard.append((event, args))

    audit_events.listen(["replay_agent.tests.one", "replay_agent.tests.two"], listener)
    audit_events.listen(["replay_agent.tests.one"], listener)
    for name in ("one", "two", "three"):
        sys.audit(f"replay_agent.tests.{name}", name)
    assert heard == [("replay_agent.tests.one", ("one",)), ("replay_agent.tests.two", ("two",))]


def test_several_listen_to_one_event():
    heard = []
    audit_events.listen(["replay_agent.tests.both"], lambda *_: heard.append("first"))
    audit_events.listen(["replay_agent.tests.both"], lambda *_: heard.append("second"))
    sys.audit("replay_agent.tests.both")
    assert heard == ["first", "second"]
