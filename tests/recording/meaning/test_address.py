"""URLs and forms in one spelling."""

from __future__ import annotations

import pytest

from replay_agent.recording.meaning.address import canonical_form, canonical_url

SAME = [
    ("https://API.openai.com/v1", "https://api.openai.com:443/v1"),
    ("HTTP://localhost:80/", "http://localhost"),
    ("https://a.b/x?b=2&a=1", "https://a.b/x?a=1&b=2"),
    ("https://a.b/x?a=1#part", "https://a.b/x?a=1"),
    ("https://a.b/%7Eme/%c3%a9", "https://a.b/~me/%C3%A9"),
    ("https://a.b/é", "https://a.b/%C3%A9"),
    ("https://a.b/model/anthropic.claude-v1%3A0/converse", "https://a.b/model/anthropic.claude-v1:0/converse"),
    ("https://a.b/x?q=a+b", "https://a.b/x?q=a%20b"),
    ("https://a.b/x?", "https://a.b/x"),
    ("https://a.b/x?a=1&&b=2", "https://a.b/x?a=1&b=2"),
    ("https://a.b./x", "https://a.b/x"),
    ("http://[::1]:80/x", "http://[::1]/x"),
    ("http://[::1]:8080/x", "http://[0:0:0:0:0:0:0:1]:8080/x"),
    ("http://[2001:DB8::1]/x", "http://[2001:0db8::0001]/x"),
]

DIFFERENT = [
    ("http://[fe80::1]:443/x", "http://[fe80::1:443]/x"),
    ("https://a.b/x", "http://a.b/x"),
    ("https://a.b/x", "https://a.b:8443/x"),
    ("https://a.b/x", "https://a.b/X"),
    ("https://a.b/x/y", "https://a.b/x%2Fy"),
    ("https://a.b/x?a=1&a=2", "https://a.b/x?a=2&a=1"),
    ("https://a.b/x?a=1", "https://a.b/x?a=1&b="),
    ("https://a.b/x?a=1%26b=2", "https://a.b/x?a=1&b=2"),
    ("https://a.b/x?a%3D1", "https://a.b/x?a=1"),
    ("https://a.b/x?q=a%2Bb", "https://a.b/x?q=a+b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_address(one, other):
    assert canonical_url(one) == canonical_url(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_address(one, other):
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize("url", ["http://[::1", "http://host:port/", "http://h:99999999/", ""])
def test_what_is_no_url_does_not_raise(url):
    assert canonical_url(url) == canonical_url(url)


def test_canonical_urls_are_fixed_points():
    for pair in SAME:
        once = canonical_url(pair[0])
        assert canonical_url(once) == once


def test_form_names_are_sorted_values_not():
    assert canonical_form("b=2&a=1&b=1&c") == "a=1&b=2&b=1&c="
