"""One spelling for every URL that means the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address
from operator import itemgetter
from urllib.parse import quote, unquote_to_bytes, urlsplit

from replay_agent.recording.matching.hosts import DEFAULT_PORTS

__all__ = "SameHosts", "canonical_form", "canonical_url"

# What RFC 3986 allows raw in a segment of a path (3.3), and in a query (3.4), there without what means something in a
# form: & = +.
_PATH_SAFE = "!$&'()*+,;=:@"
_FIELD_SAFE = "!$'()*,;:@/?"


# An agent asks few addresses many times.
@lru_cache(maxsize=2048)
def canonical_url(url: str) -> str:
    """Return the URL with one spelling of case, default port, percent-encoding and order of query names.

    Repeated names keep their order; a fragment never leaves a client and is dropped. What is no URL comes back as is.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _host((parts.hostname or "").rstrip("."))  # a name with its root's dot is the same host
    except ValueError:
        return url
    place = host if port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"
    user, at, _ = parts.netloc.rpartition("@")
    # By segment: an encoded slash is data, not a border.
    path = "/".join(_spelled(piece, _PATH_SAFE) for piece in parts.path.split("/")) or "/"
    query = canonical_form(parts.query)
    return f"{parts.scheme}://{user}{at}{place}{path}{'?' if query else ''}{query}"


class SameHosts:
    """Addresses that stand for the same service: a provider's own, a gateway's, that of a stand-in on loopback.

    Each line names some, by blanks: hosts (``host``, ``host:port``) or bases of URLs (``https://gateway.test/openai/v1``).
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(" ".join(line.split()) for line in lines)
        groups = [line.split() for line in self.lines]
        known = [(_base(text), number) for number, group in enumerate(groups) for text in group]
        self._bases = sorted(known, key=lambda each: -len(each[0]))  # the longest says most

    def __call__(self, url: str) -> str:
        """Return a canonical URL with the same beginning for all addresses of one line."""
        if not self._bases:
            return url
        _, _, rest = url.partition("://")
        for base, number in self._bases:
            whole = url if "://" in base else rest
            if whole.startswith(base) and whole[len(base) : len(base) + 1] in ("", "/", "?"):
                return f"same-{number}://{whole[len(base) :]}"
        return url


def _base(text: str) -> str:
    if "://" not in text:
        return text.lower()
    return canonical_url(text).rstrip("/")


def _host(host: str) -> str:
    return f"[{IPv6Address(host)}]" if ":" in host else host


def canonical_form(text: str) -> str:
    """Return a query string or a form body with its names sorted and one percent-encoding; ``+`` is a space."""
    fields = [_field(piece) for piece in text.split("&") if piece]
    # By name alone: sorting is stable, and repeated names keep their order.
    return "&".join(f"{name}={value}" for name, value in sorted(fields, key=itemgetter(0)))


def _field(piece: str) -> tuple[str, str]:
    name, _, value = piece.replace("+", " ").partition("=")
    return _spelled(name, _FIELD_SAFE), _spelled(value, _FIELD_SAFE)


def _spelled(piece: str, safe: str) -> str:
    return quote(unquote_to_bytes(piece.encode("utf-8", "surrogatepass")), safe=safe)
