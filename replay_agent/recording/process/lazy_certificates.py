"""TLS contexts that read the trusted certificates when they are first used: in replay that is never.

Each new client of google-genai, urllib and others reads them, which takes tens of milliseconds. A context that was
spared them and goes live later reads them then; what could go wrong is a refused connection, never a trusted stranger.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from threading import RLock
from types import NoneType
from typing import Any
from weakref import WeakKeyDictionary

from replay_agent.recording.process.patching import Patch

__all__ = ("LazyCertificates",)


class LazyCertificates:
    """Certificates that wait, as long as ``may_wait()`` says so when they are to be read."""

    def __init__(self, may_wait: Callable[[], bool]) -> None:
        self._may_wait = may_wait
        self._waiting: WeakKeyDictionary[Any, list[tuple[Any, Any, Any]]] = WeakKeyDictionary()
        self._reading: list[Any] = []
        self._lock = RLock()

    def patches(self, module: Any) -> list[Patch]:
        """Return the patches for ``ssl``. Once they are undone, `read_all` leaves no context without certificates."""
        kind = module.SSLContext
        return [
            Patch(kind, "load_verify_locations", partial(self._putting_off, is_sound=_is_sound)),
            Patch(kind, "load_default_certs", partial(self._putting_off, is_sound=_always)),
            *(Patch(kind, name, self._reading_first) for name in _READERS),
        ]

    def read_all(self) -> None:
        """Let every context read the certificates that it was spared."""
        for context in list(self._waiting):
            self._read(context)

    def _putting_off(self, original: Any, *, is_sound: Callable[..., bool]) -> Any:
        @wraps(original)
        def load(context: Any, *args: Any, **kwargs: Any) -> None:
            # A context that is being read comes by again where somebody else's wrapper stands between two of ours.
            if self._may_wait() and is_sound(*args, **kwargs) and context not in self._reading:
                with self._lock:
                    self._waiting.setdefault(context, []).append((original, args, kwargs))
            else:
                original(context, *args, **kwargs)

        return load

    def _reading_first(self, original: Any) -> Any:
        @wraps(original)
        def use(context: Any, *args: Any, **kwargs: Any) -> Any:
            self._read(context)
            return original(context, *args, **kwargs)

        return use

    def _read(self, context: Any) -> None:
        with self._lock:
            waiting = self._waiting.pop(context, ())
            if not waiting:
                return
            self._reading.append(context)
            try:
                for load, args, kwargs in waiting:
                    load(context, *args, **kwargs)
            finally:
                self._reading.remove(context)


# What needs the certificates of a context, or shows them.
_READERS = "wrap_socket", "wrap_bio", "get_ca_certs", "cert_store_stats"


def _is_sound(cafile: Any = None, capath: Any = None, cadata: Any = None) -> bool:
    """Tell whether reading these cannot fail, so that no error is put off. OpenSSL asks for no folder to be there."""
    if cadata is not None or not isinstance(capath, (str, Path, NoneType)) or (cafile is None and capath is None):
        return False
    return not isinstance(cafile, (str, Path)) or Path(cafile).is_file()


def _always(*_args: Any, **_kwargs: Any) -> bool:
    return True
