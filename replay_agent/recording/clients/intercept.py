"""Where clients meet recordings: the hooks of every client library, put in place once and taken back exactly."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from replay_agent.recording import dispatch
from replay_agent.recording.dispatch import late_misses
from replay_agent.recording.process import backoff
from replay_agent.recording.process.holders import Holders
from replay_agent.recording.process.imports import ImportWatcher
from replay_agent.recording.process.lazy_certificates import LazyCertificates
from replay_agent.recording.process.patching import Patch, Standing
from replay_agent.recording.recorder import Recording
from replay_agent.recording.stand_ins import Responder

__all__ = (
    "beside",
    "close_for_test",
    "in_context",
    "in_turn",
    "install",
    "late_misses",
    "open_for_test",
    "responding",
    "uninstall",
)

_certificates = LazyCertificates(dispatch.only_replaying)

HOOKS = {
    "http.client": ("http_client.http_client_patches", "HTTPSConnection"),
    "urllib3.connection": ("http_client.urllib3_patches", "HTTPSConnection"),
    "httplib2": ("http_client.httplib2_patches", "HTTPSConnectionWithTimeout"),
    "httpx": ("httpx.httpx_patches", "AsyncHTTPTransport"),
    "httpx2": ("httpx.httpx_patches", "AsyncHTTPTransport"),
    "aiohttp": ("aiohttp.aiohttp_patches", "BaseConnector"),
    "lm15.transports": ("lm15.lm15_patches", "StdlibTransport"),
    "dspy._vendor.lm15.transports": ("lm15.lm15_patches", "StdlibTransport"),
    "tornado.simple_httpclient": ("tornado.tornado_patches", "SimpleAsyncHTTPClient"),
    "tornado.curl_httpclient": ("tornado.tornado_patches", "CurlAsyncHTTPClient"),
    "multiprocessing.process": ("processes.process_patches", "BaseProcess"),
    "ssl": ("intercept.certificate_patches", "SSLContext"),
}
"""What hooks a module of this name when it is there, or comes (imported only then), and a class that the module has."""

_lock = threading.RLock()
_holders = Holders()
_standing = Standing(HOOKS)
_patches: dict[tuple[str, int], tuple[ModuleType, list[Patch]]] = {}
"""By name and identity of the module: one that was forgotten and imported again is another one."""


def install() -> None:
    """Put the hooks in place. Counted: they stay until as many calls of `uninstall`.

    Every call sees to it that they are: other tools that replace the same methods put back what they found.
    """
    with _lock:
        _holders.join()
        # The everyday case: every test asks, of a dozen modules and two dozen methods.
        if not _standing.stands:
            for name in HOOKS:
                _hook(name)
            _note_what_stands()
        _watcher.install()


def _note_what_stands() -> None:
    """Have the next `install` look at what this one found; a module that could not be hooked yet is tried each time."""
    present = [(name, id(module)) for name in HOOKS if (module := sys.modules.get(name)) is not None]
    if all(each in _patches for each in present):
        _standing.note(patch for each in present for patch in _patches[each][1])
    else:
        _standing.forget()


def _loaded(name: str) -> ModuleType | None:
    """Return the module of this name, None where there is none, or something that stands in its place.

    Under a name in ``sys.modules`` there may be None (a library that a test makes absent), a mock, an empty module, or a
    proxy that imports the module when it is touched. They are left alone, and looked at without touching them.
    """
    found: object = sys.modules.get(name)
    if not issubclass(type(found), ModuleType):
        return None
    assert isinstance(found, ModuleType)
    content = object.__getattribute__(found, "__dict__")
    return found if content.get("__spec__") is not None and HOOKS[name][1] in content else None


def uninstall() -> None:
    """Take one `install` back; with the last, every hooked attribute is as it was."""
    with _lock:
        _holders.leave()
        if _holders:
            return
        _watcher.uninstall()
        _standing.forget()
        for (name, _), (module, patches) in reversed(list(_patches.items())):
            for patch in reversed(patches):
                patch.undo()
            if sys.modules.get(name) is not module:
                del _patches[name, id(module)]
        _certificates.read_all()
        backoff.disarm()


def open_for_test(recording: Recording) -> None:
    """Let the requests of a test go to its open recording, from whatever thread or task without one of its own."""
    install()
    dispatch.open_for_test(recording)


def close_for_test(recording: Recording) -> None:
    """Take back `open_for_test`, before or after the recording is closed.

    Hooks that somebody else holds (`install`, once for a session) turn requests of threads which the test left
    behind into `late_misses`.
    """
    dispatch.close_for_test(recording)
    _settle_down()


@contextmanager
def in_context(recording: Recording) -> Iterator[Recording]:
    """Let the requests of this context, and of plain threads without another recording, go to an open recording."""
    install()
    try:
        with dispatch.in_context(recording):
            yield recording
    finally:
        _settle_down()


@contextmanager
def in_turn(recording: Recording) -> Iterator[None]:
    """Let the requests of this block go to an open recording instead of the test's, from whatever thread or task."""
    install()
    try:
        with dispatch.in_turn(recording):
            yield
    finally:
        _settle_down()


@contextmanager
def beside(*, records: bool) -> Iterator[None]:
    """Save the clients of another recorder what replay saves ours: certificates that nobody needs, and back-off."""
    install()
    try:
        with dispatch.guest(records=records):
            yield
    finally:
        _settle_down()


@contextmanager
def responding(responder: Responder) -> Iterator[None]:
    """Let a responder answer what would go live in this process, for a block; what a recording answers it only hears."""
    install()
    try:
        with dispatch.responding(responder):
            yield
    finally:
        _settle_down()


def _settle_down() -> None:
    if not dispatch.replaying():
        backoff.disarm()
    uninstall()


def _hook(name: str) -> None:
    """Put the hooks of a module in place, if it is there."""
    module = _loaded(name)
    if module is None:
        return
    if (name, id(module)) not in _patches:
        _patches[name, id(module)] = module, _patches_for(name, module)
    for patch in _patches[name, id(module)][1]:
        patch.apply()


def _arrived(module: ModuleType) -> None:
    with _lock:
        if _holders and module.__name__ in HOOKS:
            _hook(module.__name__)


def certificate_patches(module: ModuleType) -> list[Patch]:
    """Return the patches for ``ssl``."""
    return _certificates.patches(module)


def _patches_for(name: str, module: ModuleType) -> list[Patch]:
    home, _, function = HOOKS[name][0].partition(".")
    patches: list[Patch] = getattr(import_module(f"{__package__}.{home}"), function)(module)
    return patches


_watcher = ImportWatcher(tuple(HOOKS), _arrived)
