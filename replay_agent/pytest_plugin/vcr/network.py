"""The network as pytest-recording's ``block_network`` shuts it: this machine too, but for what patterns allow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from replay_agent.exceptions import NetworkBlocked
from replay_agent.recording.matching.hosts import address_of, is_loopback
from replay_agent.recording.process.network import INTERNET, NetworkGuard

__all__ = ("BlockedNetwork",)


class BlockedNetwork(NetworkGuard):
    """Lets through hosts, addresses and paths of unix sockets whose beginning matches one of ``patterns``.

    With ``loopback`` this machine stays reachable whatever the patterns say.
    """

    def __init__(self, patterns: Iterable[str] | None, *, test: str | None = None, loopback: bool = False) -> None:
        super().__init__(test)
        self._patterns = tuple(patterns or ())
        self._allowed = re.compile("|".join(f"(?:{pattern})" for pattern in self._patterns)) if self._patterns else None
        self._loopback = loopback

    def check_lookup(self, host: Any) -> None:
        """Raise `NetworkBlocked` for a name if nothing is allowed; which address a pattern means is not known before."""
        name = _spelled(host)
        if self._matches(name):
            self._looked_up.add(name)
        elif not (self._patterns or self._is_own(name.lower()) or address_of(name)):
            self._refuse(host)

    def check_peer(self, family: int, address: Any) -> None:
        """Raise `NetworkBlocked` for the address of a socket, of whatever family, if no pattern allows it."""
        if family in INTERNET:
            super().check_peer(family, address)
        elif self._loopback:
            return
        elif not (isinstance(address, str | bytes | bytearray) and self._matches(_spelled(address))):
            self._refuse(address if isinstance(address, str | bytes | bytearray) else "")

    def check_address(self, host: Any, _port: object = None) -> None:
        """Raise `NetworkBlocked` for an address that no pattern allows, itself or by a name that was looked up."""
        name = _spelled(host)
        if self._matches(name) or (self._loopback and (not name or is_loopback(name.lower()))):
            return
        address = address_of(name)
        if address is None or not self._stands_for_allowed(str(address)):
            self._refuse(host)

    def told(self) -> None:
        """Return nothing: what patterns let through is known to those that were there at the time."""

    def _matches(self, name: str) -> bool:
        return self._allowed is not None and self._allowed.match(name) is not None

    def _refuse(self, host: Any, what: str = "") -> None:
        """Raise the error: pytest-recording's own where all is refused, ours where a replay is what shuts the network."""
        if self._loopback:
            super()._refuse(_spelled(host), what or f"a connection to {_spelled(host)}")
        self.refused.append(_spelled(host))
        raise NetworkBlocked(f"Network is disabled for host {host!r}")


def _spelled(host: Any) -> str:
    if host is None:
        return ""
    return host if isinstance(host, str) else bytes(host).decode("utf-8", "surrogateescape")
