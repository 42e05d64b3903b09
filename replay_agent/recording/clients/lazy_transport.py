"""Transports of httpx and httpx2 that build their connection pool, and with it a TLS context, when it is first used.

Reading the trusted certificates takes tens of milliseconds for every client; a replayed client never needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ssl import SSLContext
from threading import Lock
from typing import Any

from replay_agent.recording.process.patching import Patch

__all__ = ("lazy_transports",)


def lazy_transports(module: Any) -> list[Patch]:
    """Return the patches that make a module's transports lazy; those made meanwhile stay usable afterwards."""
    return [Patch(kind, "__init__", _lazily) for kind in (module.HTTPTransport, module.AsyncHTTPTransport)]


class _Pool:
    """Stands where the connection pool goes. Anything but entering and closing builds the real one."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self.__dict__.update(_build=build, _real=None, _lock=Lock())

    def _built(self) -> Any:
        with self.__dict__["_lock"]:
            if self.__dict__["_real"] is None:
                self.__dict__["_real"] = self.__dict__["_build"]()
        return self.__dict__["_real"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._built(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._built(), name, value)

    # A pool does nothing when it is entered, and when it is left it only closes.

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    async def __aenter__(self) -> _Pool:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    def close(self) -> None:
        if self.__dict__["_real"] is not None:
            self.__dict__["_real"].close()

    async def aclose(self) -> None:
        if self.__dict__["_real"] is not None:
            await self.__dict__["_real"].aclose()


def _lazily(init: Any) -> Any:
    @wraps(init)
    def start(self: Any, *args: Any, **kwargs: Any) -> None:
        if not _can_wait(*args, **kwargs):
            init(self, *args, **kwargs)
            return

        def build() -> Any:
            scratch = object.__new__(type(self))
            init(scratch, *args, **kwargs)
            return scratch._pool

        self._pool = _Pool(build)

    return start


def _can_wait(
    verify: object = True, cert: object = None, *_args: object, proxy: object = None, **_kwargs: object
) -> bool:
    """Tell whether nothing can be wrong with these arguments, so that no error is put off."""
    return (isinstance(verify, (bool, SSLContext))) and cert is None and proxy is None
