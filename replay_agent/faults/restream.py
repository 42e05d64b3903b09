"""A stream cut otherwise than it was recorded: no reader may depend on where the network has cut it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from replay_agent.exceptions import UserError
from replay_agent.traffic import Chunk, Response
from replay_agent.wire.codec import is_stream

__all__ = "Recut", "recut_as"

Recut: TypeAlias = Callable[[Response], Response]

_LONGEST = 40
"""Bytes of a piece that is cut at random, at the most: about an event's third, so that most events are cut."""


def recut_as(how: str) -> Recut:
    """Return what cuts streams as asked: ``bytes`` (each by itself), ``random:SEED``, ``merged`` (all in one).

    Answers that are no streams stay as they are. Raises `UserError` for another word.
    """
    word, _, seed = how.partition(":")
    if how == "bytes":
        return lambda response: _recut(response, _each)
    if how == "merged":
        return lambda response: _recut(response, lambda body: iter([body]))
    if word == "random" and seed.lstrip("-").isdigit():
        return lambda response: _recut(response, lambda body: _randomly(body, int(seed)))
    raise UserError(f"restream={how!r}: a stream can be cut as 'bytes', 'random:SEED' (a whole number) or 'merged'")


def _recut(response: Response, cut: Callable[[bytes], Iterator[bytes]]) -> Response:
    if len(response.chunks) < 2 and not is_stream(response.headers):
        return response
    return replace(response, chunks=tuple(Chunk(piece) for piece in cut(response.body) if piece))


def _each(body: bytes) -> Iterator[bytes]:
    return (body[place : place + 1] for place in range(len(body)))


def _randomly(body: bytes, seed: int) -> Iterator[bytes]:
    lengths, place = random.Random(seed), 0  # noqa: S311 - the same on every run is what is wanted
    while place < len(body):
        length = lengths.randint(1, _LONGEST)
        yield body[place : place + length]
        place += length
