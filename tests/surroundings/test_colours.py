from __future__ import annotations

import pytest

from replay_agent.surroundings.colours import without_colours


@pytest.mark.parametrize(
    ("coloured", "plain"),
    [
        ("\x1b[31mred\x1b[0m, \x1b[1;32mgreen\x1b[m", "red, green"),
        ("plain [31m", "plain [31m"),
        ("\x1b[2Jcleared", "\x1b[2Jcleared"),
        ("", ""),
    ],
)
def test_colours_go_and_nothing_else(coloured, plain):
    assert without_colours(coloured) == plain
