"""Which installed HTTP clients are hooked, and which are not: tried with the hooks themselves."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata

from replay_agent.recording.clients import intercept

__all__ = "Client", "installed_clients"

_OUTSIDE = {
    "curl_cffi": "it speaks through libcurl",
    "grpcio": "gRPC is not recorded",
    "pycurl": "libcurl is hooked as Tornado's client alone",
    "websocket-client": "WebSockets are not recorded",
    "websockets": "WebSockets are not recorded",
}
"""Distributions with connections of their own, and why what they say is not recorded."""
_DISTRIBUTION = "pytest-replay-agent"


@dataclass(frozen=True)
class Client:
    """A library that makes requests, as it is installed."""

    name: str
    version: str
    hooked: bool
    why: str = ""
    """Why it is not hooked, or what may be wrong with it."""


def installed_clients(version_of: Callable[[str], str | None] | None = None) -> list[Client]:
    """Return the clients that are installed, by name. They are imported, hooked and let go again.

    ``version_of`` tells the version of a distribution, None for one that is not there; by default Python's own metadata do.
    """
    version_of = version_of or _version
    homes = {name.partition(".")[0]: name for name in reversed(intercept.HOOKS) if not _is_python_s(name)}
    found = [_tried(home, module, version) for home, module in homes.items() if (version := version_of(home))]
    outside = [Client(name, version, False, why) for name, why in _OUTSIDE.items() if (version := version_of(name))]
    return sorted([*found, *outside], key=lambda client: client.name)


def _is_python_s(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _tried(home: str, module: str, version: str) -> Client:
    why = _what_fails(module)
    if why:
        return Client(home, version, False, why)
    floor = dict(_floors()).get(home)
    if floor is not None and _parts(version) < _parts(floor):
        return Client(home, version, True, f"older than {floor}, the first that is tested")
    return Client(home, version, True)


def _what_fails(module: str) -> str:
    wanted = intercept.HOOKS[module][1]
    try:
        if wanted not in vars(import_module(module)):
            return f"{module} has no {wanted} in this version"
        try:
            intercept.install()
        finally:
            intercept.uninstall()
    except Exception as exc:  # noqa: BLE001 - foreign code: an import may fail in any way
        return f"{module} cannot be hooked: {type(exc).__name__}: {exc}"
    return ""


def _floors() -> Iterator[tuple[str, str]]:
    """Yield the lowest version of each distribution that our own metadata names: ``httpx>=0.28.1; extra == 'x'``."""
    try:
        needs = metadata.requires(_DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:
        return
    for need in needs:
        named = re.match(r"([\w.-]+)[^;]*>=\s*([\d.]+)", need)
        if named is not None:
            yield named[1].lower(), named[2]


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3]]
