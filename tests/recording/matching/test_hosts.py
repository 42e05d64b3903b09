from __future__ import annotations

import pytest

from replay_agent.recording.matching.hosts import host_of, matches_host, split_url


@pytest.mark.parametrize(
    ("host", "port", "pattern", "expected"),
    [
        ("api.openai.com", 443, "api.openai.com", True),
        ("API.openai.com", 443, "api.OpenAI.com", True),
        ("api.openai.com.", 443, "api.openai.com", True),
        ("api.openai.com.evil.org", 443, "api.openai.com", False),
        ("notapi.openai.com", 443, "api.openai.com", False),
        ("apixopenai.com", 443, "api.openai.com", False),
        ("eu.api.example.org", 443, "*.example.org", True),
        ("example.org", 443, "*.example.org", False),
        ("localhost", 8000, "localhost:8000", True),
        ("localhost", 8001, "localhost:8000", False),
        ("localhost", 8001, "localhost:*", True),
        ("::1", 80, "::1", True),
    ],
)
def test_patterns_match_whole_names(host, port, pattern, expected):
    assert matches_host(host, port, (pattern,)) is expected


def test_no_pattern_matches_nothing():
    assert not matches_host("example.org", 80, ())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1/x?y=1", ("api.openai.com", 443)),
        ("http://user:pw@LOCALHOST:8080", ("localhost", 8080)),
        ("http://[::1]:99/x", ("::1", 99)),
        ("http://h?q=a/b@c", ("h", 80)),
    ],
)
def test_host_of_url(url, expected):
    assert host_of(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://h", ("h", "/")), ("http://a@h:1/p?q#f", ("h:1", "/p?q#f")), ("http://h?x", ("h", "?x"))],
)
def test_url_splits_into_authority_and_path(url, expected):
    assert split_url(url) == expected
