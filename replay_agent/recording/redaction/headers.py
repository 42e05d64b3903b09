"""Which headers reach the disk: of a request what is needed to read and replay it, of a response all that tell no secret."""

from __future__ import annotations

from collections.abc import Collection

from replay_agent.recording.matching.fingerprint import STORED_HEADERS
from replay_agent.recording.redaction.secrets import is_credential_header, is_identity_header, placeholder
from replay_agent.traffic import Headers

__all__ = "DIGEST_HEADERS", "kept_request_headers", "kept_response_headers"

DIGEST_HEADERS = frozenset({"content-md5", "digest", "content-digest", "repr-digest", "x-goog-hash"})
"""Say what the bytes of a body were: wrong when a secret was taken out of it. So are those that begin with x-amz-checksum-."""


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
            kept.append((name, _hidden(lowered) if is_credential_header(lowered) else value))
    return tuple(kept)


def kept_response_headers(headers: Headers, unwanted: Collection[str] = ()) -> Headers:
    """Return the headers of a response without credentials, cookies and account identifiers.

    Of a session identifier the name stays, since clients send it back.
    """
    kept = []
    for name, value in headers:
        lowered = name.lower()
        if is_credential_header(lowered):
            if "session" in lowered:
                kept.append((name, _hidden(lowered)))
        elif lowered not in unwanted and not is_identity_header(lowered):
            kept.append((name, value))
    return tuple(kept)


def _hidden(name: str) -> str:
    return placeholder(name).decode()
