"""The network, shut: while a test is replayed no address beyond loopback is reached, by whatever client.

An audit hook (PEP 578) sees name lookups, connects and datagrams of every socket in the process, those made in C
included; guarded methods of ``socket.socket`` add what no event tells of: sockets connected before, and names that a
connect looks up by itself. A forked process asks its parent (`forked`). What is not seen is in docs/security.md.
"""

from __future__ import annotations

import errno
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any, TypeAlias, TypeVar

from replay_agent.exceptions import NetworkBlocked
from replay_agent.recording.matching.hosts import address_of, is_cloud_metadata, is_loopback, matches_host, split_host
from replay_agent.recording.process import forked
from replay_agent.recording.process.holders import Holders
from replay_agent.recording.process.patching import Patch
from replay_agent.surroundings import audit_events

__all__ = (
    "NetworkGuard",
    "active",
    "allow_removal",
    "audit",
    "is_shut",
    "keep_installed",
    "open_network",
    "shut",
    "shut_with",
)

Host: TypeAlias = "str | bytes | bytearray | None"

Guard = TypeVar("Guard", bound="NetworkGuard")

INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
_LOOPBACK = "127.0.0.1", "::1"
_numbers = itertools.count(1)
_HOSTS = str, bytes, bytearray, type(None)


class NetworkGuard:
    """What is let through while the network is shut, and what was refused."""

    def __init__(self, test: str | None, allowed_hosts: Iterable[str] = ()) -> None:
        self.number = next(_numbers)
        self.test = test
        self.allowed_hosts = tuple(map(_as_looked_up, allowed_hosts))
        self.refused: list[str] = []
        """Hosts and addresses that were asked for, in order."""
        self._looked_up = {host for host in map(_name_of, self.allowed_hosts) if "*" not in host}
        self._addresses: set[str] = set()
        self._own_name: str | None = None

    def check_lookup(self, host: Host) -> None:
        """Raise `NetworkBlocked` for a name that must not be looked up. Literal addresses need no lookup."""
        name = _text(host)
        if self._is_own(name) or address_of(name) is not None or getattr(_resolving, "now", False):
            return
        if not self._is_allowed(name, None):
            self._refuse(name, f"the lookup of {name!r}")
        self._looked_up.add(name)

    def check_address(self, host: Host, port: object = None) -> None:
        """Raise `NetworkBlocked` for an address or name beyond loopback that is not allowed."""
        if type(host) is str and host in _LOOPBACK:  # most connects of a test, told without parsing
            return
        name = _text(host)
        if self._is_own(name):
            return
        number, address = port if isinstance(port, int) else None, address_of(name)
        if self._is_allowed(name, number) or (address is not None and self._stands_for_allowed(str(address))):
            return
        self._refuse(name, f"a connection to {name}" + (f" port {port}" if number else ""))

    def check_peer(self, family: int, address: Any) -> None:
        """Raise `NetworkBlocked` for the address of a socket if it must not be reached."""
        if family in INTERNET and isinstance(address, tuple) and address and isinstance(address[0], _HOSTS):
            self.check_address(address[0], address[1] if len(address) > 1 else None)

    def told(self) -> tuple[str | None, Sequence[str]] | None:
        """Return test and allowed hosts, of which a guard of the same mind can be made; None where that is not all."""
        return self.test, self.allowed_hosts

    def _is_own(self, name: str) -> bool:
        if self._own_name is None:
            self._own_name = socket.gethostname().lower()  # by which servers of the process may be reached
        return not name or name == self._own_name or is_loopback(name)

    def _is_allowed(self, name: str, port: int | None) -> bool:
        return matches_host(name, port, self.allowed_hosts) or matches_host(
            name, port, map(_name_of, self.allowed_hosts)
        )

    def _stands_for_allowed(self, address: str) -> bool:
        """Tell whether an allowed name stands for this address: one given exactly, or one that was looked up."""
        if address not in self._addresses and self._looked_up:
            _resolving.now = True
            try:
                self._addresses.update(found for name in list(self._looked_up) for found in _resolve(name))
            finally:
                _resolving.now = False
        return address in self._addresses

    def _refuse(self, host: str, what: str) -> None:
        self.refused.append(host)
        words = self._words(host, what)
        if is_cloud_metadata(host):
            # SDKs try there for credentials, and go on where the system says that nobody is there.
            raise ConnectionRefusedError(errno.ECONNREFUSED, words) if address_of(host) else _unknown(words)
        raise NetworkBlocked(words)

    def _words(self, host: str, what: str) -> str:
        who = f" while {self.test} is replayed" if self.test else " in replay"
        return (
            f"The network is shut{who}: {what} was refused. If this is meant to be, allow it with "
            f"--allowed-hosts={host} (or allowed_hosts=[{host!r}]), or record the test anew."
        )


def _unknown(words: str) -> socket.gaierror:
    return socket.gaierror(socket.EAI_NONAME, words)


def shut(test: str | None = None, allowed_hosts: Iterable[str] = ()) -> NetworkGuard:
    """Shut the network for the whole process; a guard shut later takes over from an earlier one until it opens."""
    return shut_with(NetworkGuard(test, allowed_hosts))


def shut_with(guard: Guard) -> Guard:
    """Shut the network for the whole process, this guard deciding what is let through."""
    with _lock:
        _guards.append(guard)
        _switch()
    return guard


def open_network(guard: NetworkGuard) -> None:
    """Undo one `shut`. The network is open again when all are undone."""
    with _lock:
        if guard in _guards:
            _guards.remove(guard)
        _switch()


def keep_installed() -> None:
    """Leave in place, until `allow_removal`, what the first `shut` replaces; for those who shut and open many times."""
    with _lock:
        _holders.join()


def allow_removal() -> None:
    """Undo one `keep_installed`."""
    with _lock:
        _holders.leave()
        _switch()


def is_shut() -> bool:
    """Tell whether the network is shut."""
    return active() is not None


def active() -> NetworkGuard | None:
    """Return the guard that decides at this moment, None while the network is open; in a forked process the parent's."""
    return _active if _active is not None or not forked.is_child() else _of_parent()


def _begin_forked() -> None:
    """Make this process, just forked, follow what its parent says from now on instead of what it said at the fork."""
    global _active, _inherited, _lock  # noqa: PLW0603 - of the process, as below
    _lock = threading.RLock()  # somebody may have held it
    _inherited = (_line(_active), _active)
    _guards.clear()
    _active = None
    audit_events.listen(_EVENTS, audit)


def _line(guard: NetworkGuard | None) -> bytes:
    """Return what forked processes are told of a guard: which it is, and what it lets through."""
    return b"" if guard is None else json.dumps([guard.number, guard.told()]).encode()


def _of_parent() -> NetworkGuard | None:
    """Return a guard as the parent has it now: the very one if it was there at the fork, else one like it."""
    global _inherited  # noqa: PLW0603
    line = forked.heard()
    if line != _inherited[0]:
        told = json.loads(line)[1] if line else None
        _inherited = (line, NetworkGuard(*told) if told else None)
    return _inherited[1]


_resolving = threading.local()
"""Where a thread asks for the addresses of names that a guard allows."""
_lock = threading.RLock()
_guards: list[NetworkGuard] = []
_active: NetworkGuard | None = None
_holders = Holders()
_replaced = False
_inherited: tuple[bytes, NetworkGuard | None] = (b"", None)


def _switch() -> None:
    """Make the last guard the active one, and install or remove what it needs."""
    global _active, _replaced  # noqa: PLW0603 - of the process, as the network is
    if _guards:
        if not _replaced:
            audit_events.listen(_EVENTS, audit)
        forked.watch()
    wanted = bool(_guards) or (_replaced and bool(_holders))
    if wanted != _replaced:
        _replaced = wanted
        for patch in _PATCHES:
            patch.apply() if wanted else patch.undo()
    _active = _guards[-1] if _guards else None
    forked.say(partial(_line, _active))


def audit(event: str, args: tuple[Any, ...]) -> None:
    """Raise `NetworkBlocked` for an audit event of what must not leave the machine."""
    check = _EVENTS.get(event)
    if check is not None and (guard := active()) is not None:
        check(guard, args)


def _audit_connect(guard: NetworkGuard, args: tuple[Any, ...]) -> None:
    sock, address = args
    try:
        guard.check_peer(sock.family, address)
    except NetworkBlocked:
        sock.close()  # whoever wanted to connect expects an OSError, and would leave it open
        raise


def _audit_datagram(guard: NetworkGuard, args: tuple[Any, ...]) -> None:
    guard.check_peer(args[0].family, args[1])


def _audit_lookup(guard: NetworkGuard, args: tuple[Any, ...]) -> None:
    if isinstance(args[0], _HOSTS):  # anything else is no host to the system either, which says so
        guard.check_lookup(args[0])


def _audit_reverse_lookup(guard: NetworkGuard, args: tuple[Any, ...]) -> None:
    if getattr(_numeric, "now", False):
        return
    sockaddr = args[0]
    host = sockaddr[0] if isinstance(sockaddr, tuple) and sockaddr else sockaddr
    if isinstance(host, _HOSTS):
        guard.check_address(host)


_EVENTS: dict[str, Callable[[NetworkGuard, tuple[Any, ...]], None]] = {
    "socket.connect": _audit_connect,
    "socket.sendto": _audit_datagram,
    "socket.sendmsg": _audit_datagram,
    "socket.getaddrinfo": _audit_lookup,
    "socket.gethostbyname": _audit_lookup,
    "socket.gethostbyaddr": _audit_reverse_lookup,
    "socket.getnameinfo": _audit_reverse_lookup,
}


def _check_connected(guard: NetworkGuard, sock: Any) -> None:
    """Check the peer of a socket that was connected before the network was shut."""
    try:
        peer = sock.getpeername()
    except OSError:
        return
    if type(peer) is tuple and peer and peer[0] not in ("127.0.0.1", "::1"):
        guard.check_peer(sock.family, peer)


def _guarding_connect(original: Any) -> Any:
    def network_guard(self: Any, address: Any) -> Any:
        guard = active()
        if guard is not None:
            _audit_connect(guard, (self, address))
        return original(self, address)

    return network_guard


_numeric = threading.local()
"""Where a thread asks for an address in digits: the event of a reverse lookup does not tell, and nobody is asked then."""


def _guarding_reverse_lookup(original: Any) -> Any:
    @wraps(original)
    def function(sockaddr: Any, flags: Any) -> Any:
        _numeric.now = isinstance(flags, int) and bool(flags & socket.NI_NUMERICHOST)
        try:
            return original(sockaddr, flags)
        finally:
            _numeric.now = False

    return function


def _guarding_datagram(original: Any) -> Any:
    @wraps(original)
    def method(self: Any, *args: Any) -> Any:
        guard = active()
        if guard is not None and args:
            guard.check_peer(self.family, args[-1])
        return original(self, *args)

    return method


def _guarding_message(original: Any) -> Any:
    """Check the address of a message before the system looks its name up, which comes before the event."""
    transfer = _guarding_transfer(original)

    @wraps(original)
    def method(self: Any, *args: Any) -> Any:
        guard = active()
        if guard is not None and len(args) > 3:
            guard.check_peer(self.family, args[3])
        return transfer(self, *args)

    return method


def _guarding_transfer(original: Any) -> Any:
    @wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard = active()
        if guard is not None:
            _check_connected(guard, self)
        return original(self, *args, **kwargs)

    return method


_TRANSFERS = "send", "sendall", "recv", "recv_into"
_MORE = "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "sendfile"
_PATCHES = [
    Patch(socket, "getnameinfo", _guarding_reverse_lookup),
    *(Patch(socket.socket, name, _guarding_connect) for name in ("connect", "connect_ex")),
    Patch(socket.socket, "sendto", _guarding_datagram),
    *(Patch(socket.socket, name, _guarding_message) for name in ("sendmsg",) if hasattr(socket.socket, name)),
    *(Patch(socket.socket, name, _guarding_transfer) for name in (*_TRANSFERS, *_MORE) if hasattr(socket.socket, name)),
    *(Patch(ssl.SSLSocket, name, _guarding_transfer) for name in (*_TRANSFERS, "read", "write")),
]


def _text(host: Host) -> str:
    if host is None:
        return ""
    text = host if isinstance(host, str) else bytes(host).decode("utf-8", "surrogateescape")
    text = _as_looked_up(text)
    bare = text.lower().rstrip(".")
    return bare if address_of(bare) is None else text.lower()  # an address with a dot behind it is a name to the system


def _as_looked_up(text: str) -> str:
    """Return a name with other than ASCII characters as the system is asked for it: dots, digits and letters made plain."""
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        return text  # no name at all, and so none that is allowed


def _name_of(allowed: str) -> str:
    """Return the host of an allowed ``host`` or ``host:port``."""
    return allowed.lower() if address_of(allowed) else split_host(allowed)[0]


def _resolve(name: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(name, None)]
    except OSError:
        return []


forked.at_fork(_begin_forked)
