"""Bodies as texts."""

from __future__ import annotations

import pytest

from replay_agent.report.bodies import texts as module
from replay_agent.report.bodies.texts import body_texts


def test_texts_are_compared_as_they_are():
    assert body_texts(b"a", "é".encode()) == ("a", "é")


def test_of_bytes_size_and_beginning_are_told():
    beginning = repr(b"\xff" * 40)
    assert body_texts(b"\xff" * 50, b"a") == (f"50 bytes, beginning with {beginning}", "1 bytes, beginning with b'a'")


def test_so_they_are_of_what_is_too_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_TEXT", 3)
    assert body_texts(b"abcd", b"abc") == ("4 bytes, beginning with b'abcd'", "3 bytes, beginning with b'abc'")
