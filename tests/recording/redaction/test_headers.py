"""Which headers reach the disk."""

from __future__ import annotations

from replay_agent.recording.redaction.headers import kept_request_headers, kept_response_headers


def test_request_headers_by_allow_list():
    headers = (
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer x"),
        ("User-Agent", "SDK"),
        ("x-stainless-lang", "python"),
        ("anthropic-version", "2023-06-01"),
        ("X-Mine", "secret"),
    )
    assert kept_request_headers(headers) == (headers[0], headers[4])


def test_wanted_request_headers_stay():
    headers = (("X-Tenant", "a"), ("X-Api-Key", "secret"))
    assert kept_request_headers(headers, {"x-tenant", "x-api-key"}) == (
        ("X-Tenant", "a"),
        ("X-Api-Key", "REDACTED(x-api-key)"),
    )


def test_response_headers_stay_but_credentials_cookies_and_accounts():
    headers = (
        ("Content-Type", "application/json"),
        ("Set-Cookie", "a=b"),
        ("openai-organization", "org"),
        ("x-ratelimit-remaining-tokens", "5"),
        ("x-api-key", "k"),
        ("X-Request-Id", "r"),
        ("set-cookie", "c=d"),
    )
    assert kept_response_headers(headers) == (headers[0], headers[3], headers[5])


def test_session_keeps_its_name():
    assert kept_response_headers((("Mcp-Session-Id", "abc"),)) == (("Mcp-Session-Id", "REDACTED(mcp-session-id)"),)


def test_unwanted_response_headers_go():
    assert kept_response_headers((("X-Customer", "a"), ("x", "b")), {"x-customer"}) == (("x", "b"),)
