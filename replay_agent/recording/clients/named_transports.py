"""Transports of httpx and httpx2 that are recorded because somebody names them: applications, and one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import ModuleType

from replay_agent.exceptions import UserError
from replay_agent.recording.clients.httpx import TransportHooks
from replay_agent.recording.process.patching import Patch, is_replacement

__all__ = ("named_transports",)

_LIBRARIES = "httpx", "httpx2"
_SYNC, _ASYNC = "handle_request", "handle_async_request"


@contextmanager
def named_transports(kinds: Sequence[type]) -> Iterator[None]:
    """Record, until the end of the block, what goes through transports of these classes.

    ASGI and WSGI transports, and transports that open no connection by httpx's own, are left alone otherwise. Raises
    `UserError` for a class that is no transport.
    """
    with ExitStack() as hooked:
        for kind in kinds:
            module, method = _place(kind)
            if not is_replacement(getattr(kind, method)):
                hooks = TransportHooks(module)
                patch = Patch(kind, method, hooks.sync_hook if method == _SYNC else hooks.async_hook)
                patch.apply()
                hooked.callback(patch.undo)
        yield


def _place(kind: object) -> tuple[ModuleType, str]:
    """Return which library a class of transports is of, and its method that answers a request."""
    for module in (sys.modules[name] for name in _LIBRARIES if name in sys.modules):
        for base, method in ((module.BaseTransport, _SYNC), (module.AsyncBaseTransport, _ASYNC)):
            if isinstance(kind, type) and issubclass(kind, base):
                return module, method
    raise UserError(
        f"transports={kind!r}: a class of transports of httpx or httpx2 is expected, such as httpx.ASGITransport"
    )
