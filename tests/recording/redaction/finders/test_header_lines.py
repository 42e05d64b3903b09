"""Headers that a text shows."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.finders.header_lines import find_in_header_lines


def values(find, text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find(data)]


S = "s3cretPW99abcQ7xLm"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Set-Cookie: session={S}; Path=/; SameSite=None; Partitioned; Priority=High", [S]),
        (f"GET / HTTP/1.1\r\nCookie: theme=dark; sid={S}\r\n\r\n", [S]),
        (f"{{'cookie': 'sid={S}; lang=en'}}", [S]),
        (f"curl -b 'sessionid={S}' https://x", [S]),
        (f"Authorization: Token {S}", [S]),
        (f"Proxy-Authorization: {S}", [S]),
        (f"AUTHORIZATION: BEARER {S}", [S]),
        (f"Authorization:\n    - Key {S}\nAccept:\n    - text/html", [S]),
        (f"document.cookie = 'sid={S}; path=/'", [S]),
        (f"cookie=`sid={S}`", [S]),
        (f"# Netscape HTTP Cookie File\n.a.example\tTRUE\t/\tFALSE\t1893456000\tsid\t{S}\n", [S]),
        (f"#HttpOnly_a.example\tFALSE\t/x\tTRUE\t0\tsid\t{S}\nb\tTRUE\t/\tTRUE\t0\tlang\ten", [S]),
        (f"x\tTRUE\t/\tTRUE\tnever\tsid\t{S}", []),
        ("const cookie = require('cookie-parser-2'); Authorization:\n  - required: true", []),
        ("Cookie: a small baked good. cookie: theme=dark; lang=en-US", []),
        ("Authorization: required. Authorization: Bearer <token>, Authorization: Bearer YOUR_TOKEN_HERE", []),
        ("Set-Cookie: lang=en; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/a1b2c3d4e5f6", []),
    ],
)
def test_headers_in_texts(text, found):
    assert values(find_in_header_lines, text) == found
