"""Multipart bodies without their boundary."""

from __future__ import annotations

import pytest

from replay_agent.framing.multipart import parse_multipart


def body(boundary: bytes, newline: bytes = b"\r\n") -> bytes:
    return newline.join(
        [
            b"--" + boundary,
            b'Content-Disposition: form-data; name="purpose"',
            b"",
            b"batch",
            b"--" + boundary,
            b'Content-Disposition: form-data; name="file"; filename="a.txt"',
            b"Content-Type: text/plain",
            b"",
            b"one",
            b"two",
            b"--" + boundary + b"--",
            b"",
        ]
    )


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=b0", 'multipart/x; boundary="b0"', "multipart/x"]
)
def test_parts_are_found(content_type, newline):
    parts = parse_multipart(content_type, body(b"b0", newline))
    assert [(part.name, part.body) for part in parts] == [("purpose", b"batch"), ("file", b"one" + newline + b"two")]
    assert parts[1].header("content-type") == "text/plain"


def test_a_boundary_that_was_redacted_is_seen_in_the_body():
    assert len(parse_multipart("multipart/form-data; boundary=other", body(b"b0"))) == 2


def test_a_part_may_be_empty():
    parts = parse_multipart("multipart/mixed; boundary=b", b"--b\r\n\r\n\r\n--b--\r\n")
    assert [part.body for part in parts] == [b""]
    assert parts[0].name == ""


@pytest.mark.parametrize(
    "broken",
    [b"", b"--b0", b"--b0\r\n", body(b"b0")[:-6], body(b"b0").replace(b"\r\n\r\n", b"\r\n"), b"no boundary at all"],
)
def test_a_broken_body_has_no_parts(broken):
    assert parse_multipart("multipart/form-data; boundary=b0", broken) is None
