"""Recordings for whole-run tests, without the plugin: a simple key unless given another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replay_agent.recording.clients import intercept
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.misses import Miss
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.process import network
from replay_agent.recording.recorder import Recording
from replay_agent.traffic import Request


class PlainKeying:
    """Method, address and the very body."""

    scheme = "plain"

    def __call__(self, request: Request) -> Key:
        return Key(hashlib.sha256(f"{request.method} {request.url}\n".encode() + request.body).hexdigest())


def explain(miss: Miss) -> str:
    return f"{miss.reason}: {miss.request.method} {miss.request.url} is not in {miss.cassette_path}"


def make(path: Path, mode: str = "none", **options: Any) -> Recording:
    test, key = options.pop("test", None), options.pop("key", PlainKeying())
    return Recording(path, RecordOptions(record_mode=mode, **options), key=key, explain=explain, test=test)


@contextmanager
def recording(path: Path, mode: str = "none", **options: Any) -> Iterator[Recording]:
    opened = make(path, mode, **options).open()
    success = False
    try:
        with intercept.in_context(opened):
            yield opened
        success = True
    finally:
        opened.close(success)


@contextmanager
def replaying(path: Path, **options: Any) -> Iterator[Recording]:
    """Replay with the network shut, nothing left over and nothing missing."""
    guard = network.shut("test")
    try:
        with recording(path, **options) as opened:
            yield opened
    finally:
        network.open_network(guard)
    assert opened.misses == []
    assert opened.leftovers() == []
