from __future__ import annotations

import pytest

from replay_agent.recording.matching.hosts import (
    address_of,
    host_of,
    is_cloud_metadata,
    is_loopback,
    matches_host,
    origin,
    split_url,
)


@pytest.mark.parametrize(
    ("host", "port", "pattern", "expected"),
    [
        ("api.openai.com", 443, "api.openai.com", True),
        ("API.openai.com", 443, "api.OpenAI.com", True),
        ("api.openai.com.", 443, "api.openai.com", True),
        ("api.example.XX", 443, "api.example.XX", True),
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


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?u=http://b.example/", ("a.example", "/x?u=http://b.example/")),
        ("https://a.example?u=http://b.example/", ("a.example", "?u=http://b.example/")),
        ("https://X.example#part", ("x.example", "#part")),
        ("https:///only/a/path", ("", "/only/a/path")),
    ],
)
def test_an_address_is_cut_at_its_first_border(url, expected):
    assert split_url(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8001/v1/chat?u=http://other/x", "http://localhost:8001"),
        ("http://localhost:8001", "http://localhost:8001"),
        ("http://localhost:8002", "http://localhost:8002"),
        ("https://api.example.org?next=/home", "https://api.example.org"),
        ("https://api.example.org#a/b", "https://api.example.org"),
        ("https://api.example.org/", "https://api.example.org"),
        ("https://a/x", "https://a"),
        ("https://[::1]:80/x//y", "https://[::1]:80"),
    ],
)
def test_the_origin_ends_where_the_authority_does(url, expected):
    assert origin(url) == expected


def test_the_port_is_that_of_the_first_scheme():
    assert host_of("https://a.example/?u=http://b.example") == ("a.example", 443)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"])  # fmt: skip
def test_what_stays_on_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "10.0.0.1", "::2", "::ffff:10.0.0.1", "0x0a.1", "1.2.3.4.5"])  # fmt: skip
def test_what_leaves_this_machine(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("0x0a.1", "10.0.0.1"),
        ("167772161", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("99999999999", None),
        ("0x", None),
        ("ten.example", None),
    ],
)
def test_literal_addresses_in_every_spelling(host, expected):
    assert (address_of(host) and str(address_of(host))) == expected


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0xa9fea9fe", "fd00:ec2:0::254", "FD00:EC2::254%eth0", "metadata.google.internal."]
)
def test_where_clouds_tell_of_themselves(host):
    assert is_cloud_metadata(host)


@pytest.mark.parametrize("host", ["169.254.169.253", "localhost", "", "google.internal", "x.metadata.google.internal"])
def test_where_they_do_not(host):
    assert not is_cloud_metadata(host)
