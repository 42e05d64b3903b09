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
from replay_agent.recording.process.imports import Arrivals
from replay_agent.recording.process.lazy_certificates import LazyCertificates
from replay_agent.recording.process.patching import Patch
from replay_agent.recording.recorder import Recording

__all__ = "beside", "close_for_test", "in_context", "in_turn", "install", "late_misses", "open_for_test", "uninstall"

_certificates = LazyCertificates(dispatch.only_replaying)

HOOKS = {
    "http.client": "http_client.http_client_patches",
    "urllib3.connection": "http_client.urllib3_patches",
    "httplib2": "http_client.httplib2_patches",
    "httpx": "httpx.httpx_patches",
    "httpx2": "httpx.httpx_patches",
    "aiohttp": "aiohttp.aiohttp_patches",
    "lm15.transports": "lm15.lm15_patches",
    "dspy._vendor.lm15.transports": "lm15.lm15_patches",
    "tornado.simple_httpclient": "tornado.tornado_patches",
    "tornado.curl_httpclient": "tornado.tornado_patches",
    "multiprocessing.process": "processes.process_patches",
    "ssl": "intercept.certificate_patches",
}
"""What hooks a module of this name when it is there, or comes; imported only then."""

_lock = threading.RLock()
_holders = 0
_patches: dict[str, list[Patch]] = {}
_hooked: dict[str, ModuleType] = {}


def install() -> None:
    """Put the hooks in place. Counted: they stay until as many calls of `uninstall`."""
    global _holders  # noqa: PLW0603 - the hooks are of the process
    with _lock:
        _holders += 1
        if _holders > 1:
            return
        for name in HOOKS:
            if name in sys.modules:
                _hook(sys.modules[name])
        _arrivals.install()


def uninstall() -> None:
    """Take one `install` back; with the last, every hooked attribute is as it was."""
    global _holders  # noqa: PLW0603
    with _lock:
        _holders -= 1
        if _holders:
            return
        _arrivals.uninstall()
        for patches in _patches.values():
            for patch in reversed(patches):
                patch.undo()
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


def _settle_down() -> None:
    if not dispatch.replaying():
        backoff.disarm()
    uninstall()


def _hook(module: ModuleType) -> None:
    name = module.__name__
    with _lock:
        if _hooked.get(name) is not module:  # a module that was forgotten and imported again is another one
            _hooked[name] = module
            _patches[name] = _patches_for(module)
        if _holders:
            for patch in _patches[name]:
                patch.apply()


def certificate_patches(module: ModuleType) -> list[Patch]:
    """Return the patches for ``ssl``."""
    return _certificates.patches(module)


def _patches_for(module: ModuleType) -> list[Patch]:
    home, _, function = HOOKS[module.__name__].partition(".")
    patches: list[Patch] = getattr(import_module(f"{__package__}.{home}"), function)(module)
    return patches


_arrivals = Arrivals(tuple(HOOKS), _hook)
