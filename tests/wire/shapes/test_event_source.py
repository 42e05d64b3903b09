from __future__ import annotations

import pytest

from replay_agent.wire.shapes.event_source import EventSource


def read(body: bytes, size: int) -> tuple[list[str], bytes | None]:
    source = EventSource()
    events = [event for start in range(0, len(body), size) for event in source.feed(body[start : start + size])]
    events += source.close()
    return [event.data for event in events], source.document


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"\r\n\r\nevent: x\r\ndata: {}\r\n\r\n", ["{}"]),
        (b": working\n\ndata: a", ["a"]),
        (b": working\n\n", []),
        (b"data: ", []),
        (b"", []),
    ],
)
def test_a_stream_has_no_document(body, data, size):
    events, document = read(body, size)
    assert [one for one in events if one] == data
    assert not document


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "body", [b"{}", b" \n[1]", b"\xef\xbb\xbf{}", b"<html>data: x\n\n</html>", b'"data"', b"upstream failed\n\n", b"7"]
)
def test_anything_else_is_a_document(body, size):
    assert read(body, size) == ([], body)
