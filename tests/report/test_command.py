from __future__ import annotations

import pytest

from replay_agent.report.command import filled


@pytest.mark.parametrize(
    ("template", "mode", "command"),
    [
        ("pytest a.py::b --record-mode={mode}", "refresh", "pytest a.py::b --record-mode=refresh"),
        ("pytest a.py::b --replay-mode={mode}", "once", "pytest a.py::b --replay-mode=once"),
        ("pytest a.py::b --record-mode={mode} --replay-accept", "refresh", "pytest a.py::b --replay-accept"),
        ("pytest a.py::b --replay-mode={mode} --replay-accept", "once", "pytest a.py::b --replay-accept"),
        (
            "pytest a.py::b --record-mode={mode} --replay-accept",
            "rewrite",
            "pytest a.py::b --record-mode=rewrite --replay-accept",
        ),
        ("use_cassette('a', record_mode='{mode}')", "refresh", "use_cassette('a', record_mode='refresh')"),
    ],
)
def test_a_command_says_no_more_than_it_must(template, mode, command):
    assert filled(template, mode) == command
