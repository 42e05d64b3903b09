"""What is looked at only behind the end of a name that tells: the same is found as where every place is looked at."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction import names, scanning
from replay_agent.recording.redaction.finders import by_name, paired, settings, tables
from replay_agent.recording.redaction.finders.clues import Clues
from replay_agent.recording.redaction.finders.telling import (
    behind_cells,
    behind_names,
)
from replay_agent.recording.redaction.scanning import scan

TOLD = (
    *("api_key", "clientSecret", "x-auth-tokens", "private_key_id", "session-id", "s_id", "2fa", "2_fa", "PASSWORD"),
    *("contraseña", "пароль", "passwd", "pass_wd", "otp", "pins", "connection_string", "mnemonic", "Api Key", "token."),
)
PIECES = (
    *TOLD,
    *("name", "value", "key", "secret", "Qz7Lk9Wm3PvXt5Rb2N", "hunter22x", "492817", "a", "1", "type", "string"),
    *(
        '"',
        '"',
        "'",
        "=",
        ":",
        ": ",
        ", ",
        "\n",
        "\n  ",
        "\t",
        "|",
        "&",
        "?",
        ";",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        "</",
        "/*",
        "*/",
    ),
    *(" ", "- ", "--", "_", ".", "=>", "%5F", "headers", "mcp_server", "Authorization", "Bearer "),
)


@pytest.mark.parametrize("name", TOLD)
def test_every_name_that_tells_is_seen(name):
    assert names.field_naming(name) is not names.Naming.NOTHING
    for mark in "\"'=:":
        assert behind_names(mark).search(f"{name}{mark}".encode())
    assert behind_names('"').search(f'{name.upper()}"'.encode())


@pytest.mark.parametrize("cell", ["api_key", "api_key  ", '"api_key" ', "**api_key**", "`token`", "token\r"])
def test_every_cell_that_tells_is_seen(cell):
    for mark in ",;|\t\n":
        assert behind_cells(mark).search(f"{cell}{mark}".encode())


@pytest.mark.parametrize("name", ["name", "content", "idea", "x", "role", "index", "arguments", "2"])
@pytest.mark.parametrize("mark", ['"', "'", "=", ":"])
def test_other_names_are_passed_over(name, mark):
    assert behind_names(mark).search(f"{name}{mark} ".encode()) is None
    assert behind_names(mark).search(f"{name.upper()}{mark} ".encode()) is None


@pytest.mark.parametrize("name", ["monkeys", "turkey", "bypass", "hockey"])
def test_a_name_that_ends_as_one_that_tells_is_judged_by_all_of_it(name):
    text = f'{{"{name}": "Qz7Lk9Wm3PvXt5Rb2N"}}'.encode()
    assert behind_names('"').search(text) is not None
    assert list(by_name.find_json_fields(text)) == []


def _every_quotation(text, _closed, _clues):
    for closing in re.finditer(rb"[\"']", text):
        opening = max(text.rfind(b'"', 0, closing.start()), text.rfind(b"'", 0, closing.start()))
        if opening >= 0:
            yield opening


def _every_member(text, _clues, of_mcp):
    commented = by_name._COMMENTS.search(text) is not None
    yield from (by_name._COMMENTED_MEMBER if commented else by_name._MEMBER).finditer(text)


def _every_line(text, _clues):
    yield from (found.start() for found in re.finditer(rb"\n", text))


@given(pieces=st.lists(st.sampled_from(PIECES), min_size=2, max_size=40))
def test_nothing_else_would_be_found(pieces):
    text = "".join(pieces).encode()
    found = scan(text, environ={})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Clues, "at", lambda _clues, _anchor: None)
        patched.setattr(by_name, "_telling_members", _every_member)
        patched.setattr(by_name, "_TELLING_QUERY", re.compile(b"="))
        patched.setattr(paired, "_openings", _every_quotation)
        patched.setattr(settings, "_SEPARATORS", {b"=": re.compile(rb"=>?+|:(?=[ \t\r\n\"'`*])")})
        patched.setattr(tables, "_telling_places", _every_line)
        patched.setattr(tables, "_has_cell", lambda *_place: True)
        assert scan(text, environ={}) == found


def test_a_field_of_a_file_is_seen_by_its_end_or_its_dashes():
    lines = b"x-vault-thing-token-a: Qz7Lk9Wm3PvXt5Rb2N\napi_key: Qz7Lk9Wm3PvXt5Rb3N\nother: Qz7Lk9Wm3PvXt5Rb4N\n"
    assert [finding.line for finding in scan(lines, environ={})] == [1, 2]
    assert len(list(scanning._fields(lines, None))) == 2
