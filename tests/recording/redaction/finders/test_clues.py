"""Names that tell are found by judging each different one: as much is found as where every mark is looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.finders import sieve
from replay_agent.recording.redaction.finders.clues import Clues
from replay_agent.recording.redaction.names import ALL_NAMES, Naming, field_naming
from replay_agent.recording.redaction.scanning import scan

TOLD = (
    *("api_key", "clientSecret", "x-auth-tokens", "private_key_id", "session-id", "s_id", "2fa", "2_fa", "PASSWORD"),
    *("openai_key", "X-Chef-Key", "x-chef-key", "admin_token", "process.env.SHOP_KEY"),
    *(
        "contraseña",
        "CONTRASEÑA",
        "пароль",
        "passwd",
        "pass_wd",
        "otp",
        "pins",
        "Api Key",
        "token.",
        "api:key",
        "api\tkey",
    ),
    *(
        "TOKEN_VERSION",
        "API_KEY_PIN",
        "to\u212aen",
        "authorization",
        "connection_string",
        "secret: string",
        "log in code",
    ),
)
OTHERS = (
    *("total_tokens", "string", "type", "id", "version", "TYPE", "key", "code", "name", "value", "description", "ключ"),
    *("Qz7Lk9Wm3PvXt5Rb2N", "hunter22x", "492817", "{", "}", "[", "]", "<", "</", "/*", "- ", " ", "", "a", "1", "é"),
)
MARKS = (
    '"',
    '"',
    "'",
    "=",
    ":",
    ": ",
    ",",
    ", ",
    ";",
    "|",
    "\t",
    "\n",
    "\n  ",
    "`",
    "**",
    "] = ",
    " ?= ",
    " := ",
    "   ",
    "_",
    "$",
    "@",
    "--",
)
PIECES = st.lists(st.sampled_from(TOLD + OTHERS + MARKS), min_size=2, max_size=40)


@pytest.mark.parametrize("mark", ['"', "'", "=", ":", ",", ";", "|", "\t", "\n"])
@pytest.mark.parametrize("around", ["", " ", "' ", "`**", "\r", "   ", " ?", "?"])
@pytest.mark.parametrize("name", TOLD)
def test_a_mark_behind_a_name_that_tells_is_seen(name, around, mark):
    before = f"{{ {'x' * 70} = 1, {name}{around}"
    assert len(before.encode()) in Clues(f"{before}{mark} ...".encode()).behind(mark.encode())


@pytest.mark.parametrize("name", sorted(ALL_NAMES))
def test_every_name_is_seen_at_any_place_of_a_text(name):
    text = f"{{{'x' * (sieve._BLOCK - 8)}\n{name}: 1}}".encode()
    if field_naming(name) is not Naming.NOTHING:
        assert list(Clues(text).behind(b":")) == [text.index(b":")]


@pytest.mark.parametrize("name", ["version", "string", "total_tokens", "id", "monkeys", "name", "key", "x", ""])
@pytest.mark.parametrize("mark", ['"', "'", "=", ":", ","])
def test_other_names_are_passed_over(name, mark):
    assert list(Clues(f'{{"{name}{mark} 1'.encode()).behind(mark.encode())) == []


@given(pieces=PIECES)
def test_as_much_is_found_as_where_each_mark_is_looked_at(pieces):
    text = "".join(pieces).encode()
    found = scan(text, environ={})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Clues, "behind", lambda _clues, _mark: None)
        assert scan(text, environ={}) == found


def test_where_names_are_many_each_mark_is_looked_at():
    assert Clues(b'"token",' * 2000).behind(b'"') is None
    assert Clues(b"word, " * 9000 + b'"token",' * 20).behind(b'"') is not None
