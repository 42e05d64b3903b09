"""Which headers reach the disk."""

from __future__ import annotations

import base64

import pytest

from replay_agent.recording.redaction.headers import (
    corrected,
    header_secrets,
    kept_request_headers,
    kept_response_headers,
    response_secrets,
)


def hide(rule, _value):
    return f"<{rule}>"


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
        ("X-Amzn-Bedrock-Input-Token-Count", "18"),
        ("x-api-key", "k"),
        ("X-Request-Id", "r"),
        ("set-cookie", "c=d"),
    )
    assert kept_response_headers(headers, hide) == (
        headers[0],
        ("Set-Cookie", "a=<a>"),
        headers[3],
        headers[4],
        headers[6],
        ("set-cookie", "c=<c>"),
    )


def test_session_keeps_its_name():
    assert kept_response_headers((("Mcp-Session-Id", "abc"),), hide) == (("Mcp-Session-Id", "<mcp-session-id>"),)


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        ("sid=abc; Path=/; HttpOnly", "sid=<sid>; Path=/; HttpOnly"),
        ('csrf="a b"; Max-Age=60', "csrf=<csrf>; Max-Age=60"),
        ("a=b=c; SameSite=Lax", "a=<a>; SameSite=Lax"),
        ("gone=; Max-Age=0", "gone=; Max-Age=0"),
        ("odd", "<set-cookie>"),
        ("a=b; Path=/, sid=abc; Path=/", "a=<a>; Path=/, sid=<sid>; Path=/"),
        ("a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT,c=d", "a=<a>; Expires=Wed, 21 Oct 2026 07:28:00 GMT,c=<c>"),
    ],
)
def test_a_cookie_keeps_name_and_attributes(cookie, kept):
    assert kept_response_headers((("Set-Cookie", cookie),), hide) == (("Set-Cookie", kept),)


def test_what_a_response_hands_out():
    headers = (("Set-Cookie", 'sid="abc"; Path=/'), ("x-auth-token", "t"), ("date", "now"))
    assert list(response_secrets(headers)) == [("sid", "abc"), ("x-auth-token", "t")]
    folded = (("set-cookie", "a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT, sid=abc; Path=/, odd"),)
    assert list(response_secrets(folded)) == [("a", "b"), ("sid", "abc")]


def test_what_a_request_carries():
    basic = base64.b64encode(b"user:pw").decode()
    headers = (
        ("Authorization", f"Basic {basic}"),
        ("Cookie", "a=1; b=2"),
        ("X-Api-Key", "k"),
        ("Accept", "x"),
        ("Proxy-Authorization", "Basic !"),
    )
    found = list(header_secrets(headers))
    for secret in ("user", "pw", basic, "1", "2", "k"):
        assert secret in {value for _, value in found}
    assert "x" not in {value for _, value in found}


@pytest.mark.parametrize(
    ("sent", "secrets"),
    [
        ("a=1; b=2", ["1", "2"]),
        ("sid=abc", ["abc"]),
        ("sid=abc==;n=x; ", ["abc==", "x", ""]),
        ("bare", ["bare"]),
        ("__cf_bm=REDACTED(__cf_bm)", ["REDACTED(__cf_bm)"]),
    ],
)
def test_the_name_of_a_cookie_is_no_secret(sent, secrets):
    """An answer sets it by that name, and another answer may set the same."""
    assert [secret for _, secret in header_secrets((("Cookie", sent),))] == secrets


def test_a_changed_body_has_no_digest_any_more():
    gone = ("content-md5", "Digest", "x-amz-checksum-crc32", "X-Amz-Checksum-Sha256", "x-goog-hash", "Content-Encoding")
    headers = (*((name, "x") for name in gone), ("Content-Length", "9"), ("etag", "e"))
    assert corrected(headers, 5) == (("Content-Length", "5"), ("etag", "e"))


def test_unwanted_response_headers_go():
    assert kept_response_headers((("X-Customer", "a"), ("x", "b")), hide, {"x-customer"}) == (("x", "b"),)
