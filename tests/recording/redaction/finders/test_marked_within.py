"""Tokens whose mark is within them."""

from __future__ import annotations

import base64

import pytest

from replay_agent.recording.redaction.finders.marked_within import find_marked_within

USER = base64.urlsafe_b64encode(b"112233445566778899").decode().rstrip("=")
DIGITS = "Qz7Lk9Wm3PvXt5Rb2NyQz8Lk4Wm6PvXs5Rc2NyKz7Tk9Bm3HvXt5Fb2NyJz7Lk9Wm3Pv8Ty6Ud3Xs"
FOUND = {
    "azure": "abc8Q" + "~Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0x",
    "discord": USER + ".Gq7Lk9" + ".Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6Gf1SaZ0xQ7",
    "zhipu": "0123456789abcdef" * 2 + ".Qz7Lk9Wm3PvXt5Rb",
    "mailchimp": "0123456789abcdef" * 2 + "-us" + "12",
    "a service of azure": DIGITS[:52] + "JQ" + "QJ99" + "BAACYeBjFXJ3w3AAABACOGx7Kq",
    "storage of azure": DIGITS[:76] + "+A" + "StQz7LkA==",
    "a bus of azure": DIGITS[:33] + "+A" + "SbBQz7Lk=",
    "a search of azure": DIGITS[:42] + "Az" + "SeDQz7Lk",
    "a function of azure": DIGITS[:44] + "Az" + "FuQz7LkQ==",
}
LEFT = (
    "the file 0123456789abcdef0123456789abcdef.tar",
    "0123456789abcdef0123456789abcdef.abcdefghijklmnop",
    "Made.module.a_function_of_some_length_here_1",
    "Mx.y. Q~ and so on",
    "abc8Q~too-short",
    f"{DIGITS[:60]}JQQJ99BAACYeBjFXJ3w3AAABACOGx7Kq",
    f"{DIGITS[:40]}AzSeDQz7Lk",
    "0123456789abcdef0123456789abcdef-us1.example.com",
    "0123456789abcdef-us12",
)


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("around", ["{}", "use {} now", '"{}"', "({})", "\n{}\n"])
def test_all_of_it_is_found(name, around):
    text = around.format(FOUND[name]).encode()
    (span,) = find_marked_within(text)
    assert text[span.start : span.end].decode() == FOUND[name] == span.value.decode()


@pytest.mark.parametrize("text", LEFT)
def test_what_only_has_points_is_none(text):
    assert not list(find_marked_within(text.encode()))
