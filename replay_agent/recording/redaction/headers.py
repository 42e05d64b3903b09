"""Which headers reach the disk: of a request what is needed to read and replay it, of a response all that tell no secret."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterator

from replay_agent.recording.matching.fingerprint import STORED_HEADERS
from replay_agent.recording.matching.placeholders import placeholder
from replay_agent.recording.redaction.names import is_credential_header, is_identity_header
from replay_agent.traffic import Headers

__all__ = (
    "corrected",
    "header_secrets",
    "kept_request_headers",
    "kept_response_headers",
    "response_secrets",
    "without",
)

_DIGEST_HEADERS = frozenset({"content-md5", "digest", "content-digest", "repr-digest", "x-goog-hash"})
"""Say what the bytes of a body were: wrong when a secret was taken out of it. So are those that begin with x-amz-checksum-."""
_COOKIE_HEADERS = frozenset({"cookie", "cookie2"})
_COOKIE = re.compile(r"([^=;]*+)=([^;]*+)(.*+)", re.DOTALL)
_NEXT_COOKIE = re.compile(r",[ \t]*+(?=[^\s;,=]++=)")
"""Between cookies that a proxy put into one header; a date has a comma, too."""
_SIGV4 = re.compile(r"(?:Credential|Signature)=([^/,\s]+)")

Hide = Callable[[str, str], str]
"""Returns the placeholder of a secret, given the name of the rule and the value."""


def kept_request_headers(headers: Headers, wanted: Collection[str] = ()) -> Headers:
    """Return the headers of a request that are stored; ``wanted`` (lower case) are kept besides.

    Of a wanted one that is called as a credential, the placeholder stays.
    """
    kept = []
    for name, value in headers:
        lowered = name.lower()
        if lowered in STORED_HEADERS:
            kept.append((name, value))
        elif lowered in wanted:
            kept.append((name, placeholder(lowered).decode() if is_credential_header(lowered) else value))
    return tuple(kept)


def kept_response_headers(headers: Headers, hide: Hide, unwanted: Collection[str] = ()) -> Headers:
    """Return the headers of a response without credentials and account identifiers.

    A cookie keeps its name and its attributes, which programs read; a session identifier keeps its name, since clients
    send it back.
    """
    kept = []
    for name, value in headers:
        lowered = name.lower()
        if lowered in unwanted:
            continue
        if lowered == "set-cookie":
            kept.append((name, _hidden_cookies(value, hide)))
        elif is_credential_header(lowered):
            if "session" in lowered or "csrf" in lowered or "xsrf" in lowered:
                kept.append((name, hide(lowered, value)))
        elif not is_identity_header(lowered):
            kept.append((name, value))
    return tuple(kept)


def _hidden_cookies(value: str, hide: Hide) -> str:
    pieces: list[str] = []
    position = 0
    for comma in _NEXT_COOKIE.finditer(value):
        pieces += _hidden_cookie(value[position : comma.start()], hide), comma[0]
        position = comma.end()
    return "".join((*pieces, _hidden_cookie(value[position:], hide)))


def _hidden_cookie(value: str, hide: Hide) -> str:
    found = _COOKIE.fullmatch(value)
    if found is None:
        return hide("set-cookie", value)
    name, secret, attributes = found.groups()
    return f"{name}={hide(name.strip(), secret)}{attributes}" if secret.strip() else value


def response_secrets(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield the secrets that a response hands out in its headers, each with the name of its rule."""
    for name, value in headers:
        lowered = name.lower()
        if lowered == "set-cookie":
            for cookie in filter(None, map(_COOKIE.fullmatch, _NEXT_COOKIE.split(value))):
                yield cookie[1].strip(), cookie[2].strip().strip('"')
        elif is_credential_header(lowered):
            yield lowered, value


def header_secrets(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield the credentials in the headers of a request, each with the name of its rule."""
    for name, value in headers:
        lowered = name.lower()
        if is_credential_header(lowered):
            for secret in _cookies(value) if lowered in _COOKIE_HEADERS else _secrets(value):
                yield lowered, secret


def _cookies(value: str) -> Iterator[str]:
    """Yield the values of the cookies that a client sends, and not their names, by which an answer sets them."""
    for cookie in value.split(";"):
        name, separator, secret = cookie.strip().partition("=")
        yield secret if separator else name


def _secrets(value: str) -> Iterator[str]:
    """Yield what is a secret of its own in a header: all of it, what is behind the scheme, in a cookie, in a signature."""
    scheme, _, rest = value.partition(" ")
    if not rest:
        yield value
    else:
        yield rest.strip()
    if scheme.lower() == "basic":
        yield from _basic_secrets(rest)
    yield from _SIGV4.findall(value)
    yield from (field.partition("=")[2].strip() for field in value.split(";") if "=" in field)


def _basic_secrets(encoded: str) -> Iterator[str]:
    try:
        user, _, password = base64.b64decode(encoded).decode("utf-8", "replace").partition(":")
    except (binascii.Error, ValueError):
        return
    yield from (user, password)


def without(headers: Headers, names: Collection[str]) -> Headers:
    """Return the headers but those with these names (lower case)."""
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def corrected(headers: Headers, length: int) -> Headers:
    """Let the head of an answer agree with a body that was decoded and changed."""
    kept = without(headers, {"content-encoding", *_DIGEST_HEADERS})
    return tuple(
        (name, str(length) if name.lower() == "content-length" else value)
        for name, value in kept
        if not name.lower().startswith("x-amz-checksum-")
    )
