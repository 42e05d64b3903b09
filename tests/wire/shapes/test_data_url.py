from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.messages import BinaryContent
from replay_agent.wire.shapes.data_url import decode_base64, read_data_url, write_data_url


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("data:image/png;base64,cGl4ZWw=", BinaryContent(b"pixel", "image/png")),
        ("DATA:text/plain;charset=utf-8;BASE64,cGl4ZWw=", BinaryContent(b"pixel", "text/plain")),
        ("data:text/plain,a%20b", BinaryContent(b"a b", "text/plain")),
        ("data:,a", BinaryContent(b"a", "text/plain")),
        ("data:image/png;base64,", BinaryContent(b"", "image/png")),
    ],
)
def test_data_is_read(url, content):
    assert read_data_url(url) == content


@pytest.mark.parametrize("url", [None, 1, {}, "", "https://e.org/a.png", "data:image/png;base64", "data:a;base64,!"])
def test_other_values_are_none(url):
    assert read_data_url(url) is None


@pytest.mark.parametrize("text", [None, 5, "a", "ä===", "YQ==\n"])
def test_broken_base64_is_none(text):
    assert decode_base64(text) is None


@given(st.binary(), st.sampled_from(["image/png", "audio/wav", "application/pdf"]))
def test_written_data_comes_back(data, media_type):
    assert read_data_url(write_data_url(BinaryContent(data, media_type))) == BinaryContent(data, media_type)
