"""A request as it was spelled, in a few digits: one that is spelled as a recorded one need not be understood again."""

from __future__ import annotations

from hashlib import blake2b

from replay_agent.traffic import Request

__all__ = "STORED_HEADERS", "fingerprint"

STORED_HEADERS = frozenset(
    {
        *("accept", "accept-language", "content-type", "content-encoding", "content-language", "content-disposition"),
        *("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "prefer", "expect"),
        *("anthropic-version", "anthropic-beta", "openai-beta", "mcp-protocol-version", "last-event-id"),
        *("x-amz-target", "soapaction", "x-http-method-override", "x-goog-fieldmask", "x-amzn-bedrock-accept"),
        *("x-goog-upload-protocol", "x-goog-upload-command", "x-goog-upload-offset"),
        *("x-goog-upload-header-content-type", "x-goog-upload-header-content-length"),
    }
)
"""The headers of a request that are stored; no other is seen by a keying when it is asked for a recorded request."""


def fingerprint(request: Request) -> str:
    """Return digits that are the same for requests with the same method, address, stored headers and body."""
    stored = [(name.lower(), value) for name, value in request.headers if name.lower() in STORED_HEADERS]
    head = repr((request.method, request.url, stored))
    digest = blake2b(head.encode("utf-8", "surrogatepass"), digest_size=8)
    digest.update(request.body)
    return digest.hexdigest()
