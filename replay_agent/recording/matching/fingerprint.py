"""Digest of a request as it is spelled: one that is spelled as a recorded one has its key, and need not be read."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from itertools import compress
from operator import itemgetter

from replay_agent.recording.matching.choosing import CHOOSING_HEADERS
from replay_agent.traffic import Headers, Request

__all__ = "ASKING_HEADERS", "STORED_HEADERS", "fingerprint"

ASKING_HEADERS = frozenset(
    {"range", "soapaction", "x-amz-target", "x-goog-upload-command", "x-goog-upload-offset", "x-http-method-override"}
)
"""Headers that say what is asked for, where URL and body do not: also to have none says something."""

STORED_HEADERS = ASKING_HEADERS.union(CHOOSING_HEADERS, {"content-encoding", "expect"})
"""The headers of a request that are stored; no other is seen by a keying when it is asked for a recorded request."""


_NAME, _VALUE = itemgetter(0), itemgetter(1)


def fingerprint(request: Request) -> str:
    """Return digits that are the same for requests with the same method, address, stored headers and body."""
    # Without a line of Python for each header: every request is asked.
    lowered = list(map(str.lower, map(_NAME, request.headers)))
    fields = zip(lowered, map(_VALUE, request.headers), strict=True)
    stored = tuple(compress(fields, map(STORED_HEADERS.__contains__, lowered)))
    digest = _of_head(request.method, request.url, stored).copy()
    digest.update(request.body)
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _of_head(method: str, url: str, stored: Headers) -> blake2b:
    """Return the digest as it stands before the body, to be copied: clients ask one address again and again."""
    head = repr((method, url, list(stored)))
    return blake2b(head.encode("utf-8", "surrogatepass"), digest_size=8)
