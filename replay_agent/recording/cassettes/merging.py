"""Brings together what one recording changed of a cassette and what others wrote to it meanwhile."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from replay_agent.recording.cassettes.parts.item import Item, unkeyed

if TYPE_CHECKING:
    from replay_agent.recording.cassettes.document import Cassette
    from replay_agent.recording.cassettes.parts.header import Header

__all__ = ("merge",)


def merge(header: Header, items: Sequence[Item], base: Cassette | None, current: Cassette) -> tuple[Header, list[Item]]:
    """Return header and items of the file, ``current``, with what leads from ``base`` to ``items`` done to it.

    Items are told apart by their lines. What is in ``current`` and not in ``base`` was written by others and stays where it
    is; under another keying its key is forgotten, to be computed when the file is opened. New items come behind the
    one that they follow in ``items``. What two processes recorded for one test and the same request is kept once.
    """
    if base is not None and base.is_same_file(current):
        return _unmerged(header, items, current)
    # Counted, not collected in a set: the same request may have the same answer several times.
    before = Counter(item.content for item in _items(base))
    dropped = before - Counter(item.content for item in items)
    left = list(_without(_items(current), dropped))
    stay = list(_not_recorded_twice(left, items, before))
    merged = _placed(items, before, stay)
    if current.header.keying != header.keying:
        ours = {id(item) for item in items}
        merged = [item if id(item) in ours else unkeyed(item) for item in merged]
    return _header(header, current.header) if stay else header, merged


def _unmerged(header: Header, items: Sequence[Item], current: Cassette) -> tuple[Header, list[Item]]:
    """Return header and items where nobody wrote meanwhile; ``items`` has what stays in the order of the file."""
    return _header(header, current.header) if _has_some_of(items, current) else header, list(items)


def _has_some_of(items: Sequence[Item], current: Cassette) -> bool:
    """Tell whether anything of a file stays."""
    if not items or not len(current):
        return False
    first = current.item(0).content
    if any(item.content == first for item in items):  # as in each cassette that grows: it saves reading the others
        return True
    known = {item.content for item in _items(current)}
    return any(item.content in known for item in items)


def _items(cassette: Cassette | None) -> Iterable[Item]:
    return () if cassette is None else (cassette.item(index) for index in range(len(cassette)))


def _without(items: Iterable[Item], dropped: Counter[bytes]) -> Iterable[Item]:
    for item in items:
        if dropped[item.content]:
            dropped[item.content] -= 1
        else:
            yield item


def _not_recorded_twice(stay: Sequence[Item], items: Sequence[Item], before: Mapping[bytes, int]) -> Iterable[Item]:
    """Leave out what another process recorded meanwhile for a test and request for which this one has an answer."""
    again = Counter(_purpose(item) for item in _beyond(before, items))
    others = {id(item) for item in _beyond(before, stay)}
    for item in stay:
        if id(item) in others and again[_purpose(item)]:
            again[_purpose(item)] -= 1
        else:
            yield item


def _purpose(item: Item) -> object:
    # Without a key nothing is known to be the same.
    return id(item) if item.key is None else (item.test, item.key.digest)


def _beyond(before: Mapping[bytes, int], items: Iterable[Item]) -> Iterable[Item]:
    known = Counter(before)
    for item in items:
        if known[item.content]:
            known[item.content] -= 1
        else:
            yield item


def _placed(items: Sequence[Item], before: Counter[bytes], stay: Sequence[Item]) -> list[Item]:
    """Put what is new in ``items`` between what stays, in their order."""
    spots: dict[bytes, deque[int]] = defaultdict(deque)
    for index, item in enumerate(stay):
        spots[item.content].append(index)
    placed: dict[int, list[Item]] = {index: [item] for index, item in enumerate(stay)}
    leading: list[Item] = []
    last: int | None = None
    for item in items:
        if not before[item.content]:
            (leading if last is None else placed[last]).append(item)
            continue
        before[item.content] -= 1
        if not spots[item.content]:
            continue
        spot = spots[item.content].popleft()
        placed[spot] = [*(leading if last is None else ()), item]
        last = spot
    merged = [item for index in range(len(stay)) for item in placed[index]]
    return merged + leading if last is None else merged


def _header(header: Header, current: Header) -> Header:
    """Keep what the file says of its beginnings, as long as something of them is left in it."""
    return replace(
        header,
        recorded_at=current.recorded_at or header.recorded_at,
        library=current.library or header.library,
        frozen={**current.frozen, **header.frozen},
        extra={**current.extra, **header.extra},
    )
