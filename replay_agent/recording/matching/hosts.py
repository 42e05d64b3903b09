"""Host names: cut out of a URL, matched with the patterns that options take, told whether they are this machine."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

__all__ = (
    "CLOUD_METADATA",
    "DEFAULT_PORTS",
    "address_of",
    "host_of",
    "is_cloud_metadata",
    "is_loopback",
    "matches_host",
    "origin",
    "split_host",
    "split_url",
)

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBERS = re.compile(r"(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,12})(?:\.(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,12})){0,3}")
"""Older spellings of an IPv4 address, which systems take without asking a name server: ``127.1``, ``0x7f.1``, ``2130706433``."""

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
"""By scheme, the port where an address names none."""

CLOUD_METADATA = "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "metadata.google.internal"
"""Where the machines of clouds offer what they know of themselves, their credentials among it."""


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.lower().split("*"))))


def matches_host(host: str, port: int | None, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern names this host: exactly or with ``*``, never by a mere prefix; ``host:port`` too."""
    host = host.lower().rstrip(".")
    return any(_pattern(p).fullmatch(host) or _pattern(p).fullmatch(f"{host}:{port}") for p in patterns)


@lru_cache(maxsize=512)
def split_host(authority: str) -> tuple[str, int | None]:
    """Return host and port of ``host``, ``host:port`` or ``[v6]:port``."""
    parts = urlsplit(f"//{authority}")
    return parts.hostname or "", parts.port


def split_url(url: str) -> tuple[str, str]:
    """Return authority (``host`` or ``host:port``, no user) and path with query of an absolute URL."""
    rest = url.partition("://")[2]
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return rest[:end].rpartition("@")[2].lower(), rest[end:] or "/"


@lru_cache(maxsize=256)
def host_of(url: str) -> tuple[str, int | None]:
    """Return host (lower case) and port of an absolute URL; the scheme's own port where none is written."""
    host, port = split_host(split_url(url)[0])
    return host, port or DEFAULT_PORTS.get(url.partition("://")[0].lower())


@lru_cache(maxsize=256)
def address_of(host: str) -> IPAddress | None:
    """Return the address that a literal host is, in whatever spelling; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0] if ":" in host else host)
    except ValueError:
        return _address_of_numbers(host)


def _address_of_numbers(host: str) -> IPAddress | None:
    if not _NUMBERS.fullmatch(host):
        return None
    try:
        import socket  # which a command that reads files never needs

        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Tell whether a host stays on this machine; the unspecified address does, systems connect it to themselves."""
    address = address_of(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def is_cloud_metadata(host: str) -> bool:
    """Tell whether a host is where a cloud tells its machines of themselves. Elsewhere nobody is there."""
    return str(address_of(host) or host.lower().rstrip(".")) in CLOUD_METADATA


@lru_cache(maxsize=256)
def origin(url: str) -> str:
    """Return scheme, host and port of an absolute URL, as they are spelled; what stands behind them may be missing."""
    start = url.find("://") + 3
    return url[: min((end for end in (url.find(mark, start) for mark in "/?#") if end >= 0), default=len(url))]
