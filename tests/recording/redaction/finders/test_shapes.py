"""Tokens known by the mark they begin with."""

from __future__ import annotations

from itertools import permutations

import pytest

from replay_agent.recording.redaction.finders.shapes import find_shapes

TAIL = "Qz7Lk9Wm3PvXt5Rb2NyQz8Lk4Wm6PvXs5Rc2NyKz7Tk9Bm3HvXt5Fb2NyJz7Lk9Wm3Pv8"
TOKENS = {
    "discord": [
        f"https://{host}/api/webhooks/83920174652910384/{TAIL[:68]}" for host in ("discord.com", "discordapp.com")
    ],
    "aws": [f"{mark}Q7LK3WM2PVXT5RB2" for mark in ("AKIA", "ASIA", "ABIA")],
    "github": [f"{mark}_{TAIL[:36]}" for mark in ("ghp", "gho", "ghs")],
    "mixed": [
        f"ghp_{TAIL[:36]}",
        "AKIAQ7LK3WM2PVXT5RB2",
        f"https://discord.com/api/webhooks/83920174652910384/{TAIL[:68]}",
    ],
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_several_marks_are_found_in_any_order(name):
    for order in permutations(TOKENS[name]):
        text = " then ".join(order).encode()
        assert len({span.start for span in find_shapes(text)}) == len(order)
