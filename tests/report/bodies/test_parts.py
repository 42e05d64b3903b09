"""Multipart bodies compared part by part."""

from __future__ import annotations

import pytest

from replay_agent.report.bodies.parts import compare_parts
from replay_agent.report.compare import MessageChanged, SettingChanged
from replay_agent.report.json_diff import ABSENT
from replay_agent.report.words import word_diff
from replay_agent.traffic import Request


def upload(*parts, boundary="x", length=False):
    lines = []
    for name, content in parts:
        said = f"content-length: {len(content)}\r\n" if length else ""
        called = f'; name="{name}"' if name else ""
        lines.append(f"--{boundary}\r\ncontent-disposition: form-data{called}\r\n{said}\r\n{content}\r\n")
    body = "".join([*lines, f"--{boundary}--\r\n"]).encode()
    return Request("POST", "https://a.example/", (("Content-Type", f"multipart/form-data; boundary={boundary}"),), body)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ([("a", "1")], [("a", "2")], [MessageChanged(0, "part a", word_diff("1", "2"))]),
        ([("a", "1")], [("a", "1"), ("b", "2")], [SettingChanged("part b", ABSENT, "1 bytes, beginning with b'2'")]),
        ([("a", "1"), ("b", "2")], [("a", "1")], [SettingChanged("part b", "1 bytes, beginning with b'2'", ABSENT)]),
        ([("a", "1"), ("a", "2")], [("a", "1"), ("a", "3")], [MessageChanged(0, "part a[1]", word_diff("2", "3"))]),
        ([("", "1"), ("", "2")], [("", "1"), ("", "3")], [MessageChanged(0, "part[1]", word_diff("2", "3"))]),
        ([("a", "1"), ("b", "2")], [("b", "2"), ("a", "3")], [MessageChanged(0, "part a", word_diff("1", "3"))]),
    ],
)
def test_what_changed_is_named_by_its_part(before, after, changes):
    assert compare_parts(upload(*before), upload(*after, boundary="y", length=True)) == changes


def test_a_header_of_a_part():
    old, new = upload(("a", "1")), upload(("a", "1"))
    new = Request(new.method, new.url, new.headers, new.body.replace(b"form-data; ", b"form-data; filename=b; "))
    assert [change.name for change in compare_parts(old, new)] == ["part a, content-disposition"]


@pytest.mark.parametrize("other", [Request("POST", "https://a.example/", (), b"a=1"), upload(("a", "1"), boundary="z")])
def test_nothing_to_tell_of_parts(other):
    assert compare_parts(upload(("a", "1")), other) is None
