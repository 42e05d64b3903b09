"""The cassette document: a header and interactions, each read only when it is asked for.

::

    version: 1
    library: pytest-replay-agent 0.1.0
    recorded_at: '2026-11-22T15:37:53Z'
    keying: meaning-2
    interactions:
    - # 5f0c2ad1e9b34c70/c2b6a39e5d01f488 8a3be1f2 call_1
      test: tests/test_geo.py::test_capital
      request: ...
      response: ...
    ...

It is plain YAML. Every interaction begins in column 0 with a comment: the digest of its key, the fingerprint of its request,
a checksum of the item with its key, the tool-call ids of the key and the names of the secrets taken out. So opening a file
takes cutting it at the dashes and adding up checksums; an item that somebody edited shows by its checksum, and is read by
libyaml and given its key anew. The last line, YAML's mark for the end of a document, tells a file that was cut off.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Literal, TypeAlias
from weakref import ref

from replay_agent.exceptions import CassetteUnreadable, WireError
from replay_agent.recording.cassettes.items import BadItem, item_from_fields, read_item, read_outcome
from replay_agent.recording.cassettes.parts.header import RESTORE, Header, read_header, render_header
from replay_agent.recording.cassettes.parts.item import BEGIN, UNKNOWN_KEY, Item, commented, new_item, stored_key
from replay_agent.recording.cassettes.safe_documents import BadDocument, read_yaml
from replay_agent.recording.cassettes.yaml_blocks import read_block
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.traffic import Interaction, Outcome, Response

__all__ = "Cassette", "Layout", "begins_as_ours", "foreign_cassette", "is_ours", "read_cassette", "render"

END = b"...\n"
# Behind ``interactions:`` a dash in column 0 begins an item and nothing else: all text below it is indented, or within quotes that do not break
# a line unescaped.
_ITEM = b"\n- "
_ITEMS = re.compile(re.escape(_ITEM))

Layout: TypeAlias = Literal["replay-agent", "foreign"]

_HEAD = re.compile(rb"^interactions:[ \t]*([^\n]*)(?:\n|\Z)", re.MULTILINE)
# A file of vcrpy has ``version: 1`` too.
_OURS = re.compile(rb"^(?:library: *pytest-replay-agent|keying:)", re.MULTILINE)
_COMMENTED = re.compile(rb"\n- # ")
_COMMENT = b"#"
_HEAD_LINE = b"interactions:"
_END_LINE = re.compile(rb"\n\.\.\.\r?\n")
_OUR_FIRST_LINES = b"version: 1\nlibrary: pytest-replay-agent "
_RARE = 9
"""One number sign in as many powers of two of bytes, beside those that begin items, is rare: by them items are found faster."""
_MAX_INTERACTIONS = 100_000
"""Each takes some hundred bytes of memory for the three in the file that begin it."""
_TEST, _ODD_TEST = b"  test: ", b"  test:\n"
_OUTCOMES = (b"\n  response:\n", b"\n  failure:\n")
# No header comes near it: frozen sources and unknown fields take a few hundred bytes.
_HEAD_ROOM = 1 << 16
_WORD = re.compile(rb"[\w-]")


class Cassette:
    """An opened cassette. Everything but the header, the boundaries and the stored keys is read on demand.

    Reading an item raises `CassetteUnreadable` (file, line, cause). May be read by several threads.
    """

    def __init__(self, path: Path, header: Header, layout: Layout) -> None:
        self.path = path
        self.header = header
        self.layout = layout
        self.is_as_written = False
        """Whether all checksums hold: nobody but `save` has touched an interaction."""
        self._keys: list[Key] | None = None
        self._scheme = ""
        self._answered: dict[str, bool] = {}

    def __len__(self) -> int:
        raise NotImplementedError

    def check(self) -> None:
        """Read what somebody else than `save` may have written. Raises `CassetteUnreadable`."""

    def is_same_file(self, other: Cassette) -> bool:
        """Tell whether the other was read from the very same bytes; False where nobody knows."""
        return self is other

    def keys(self, keying: Keying) -> list[Key]:
        """Return the key of every interaction: the stored ones where scheme and checksum hold, else recomputed."""
        keys = self._find_keys(keying)
        self._keys, self._scheme = keys, keying.scheme
        return keys

    def _find_keys(self, keying: Keying) -> list[Key]:
        same = keying.scheme == self.header.keying
        return [self._computed(keying, index, same=same) for index in range(len(self))]

    def _computed(self, keying: Keying, index: int, *, same: bool) -> Key:
        """Compute a key anew. Of a file that was keyed otherwise nobody knows whether it tells secrets apart."""
        request = self.interaction(index).request
        key = keying(request)
        if not key.secrets:  # else it is not spelled as it was sent
            return replace(key, fingerprint=fingerprint(request))
        return key if same else replace(key, secrets=())

    def test(self, index: int) -> str | None:
        """Return the node id of the test that recorded an interaction."""
        return self.interaction(index).test

    def interaction(self, index: int) -> Interaction:
        """Read one interaction."""
        raise NotImplementedError

    def interactions(self) -> list[Interaction]:
        """Read all of them."""
        return [self.interaction(index) for index in range(len(self))]

    def outcome(self, index: int) -> Outcome:
        """Read what became of one request, which is all that replaying it needs; cheaper than the interaction."""
        return self.interaction(index).outcome

    def item(self, index: int) -> Item:
        """Return an interaction as lines, to be written again byte for byte; under the keying of the last `keys`."""
        return new_item(self.interaction(index), self._key(index))

    def _key(self, index: int) -> Key | None:
        return None if self._keys is None else self._keys[index]

    def answered(self, id: str) -> bool:
        """Tell whether a recorded answer contains this tool-call id."""
        known = self._answered.get(id)
        if known is None:
            # Asked once for each id of a request that is not found; the answer is the same for the life of the file.
            known = self._answered[id] = any(self._answers(index, id) for index in range(len(self)))
        return known

    def _answers(self, index: int, id: str) -> bool:
        outcome = self.outcome(index)
        return isinstance(outcome, Response) and _contains(_readable(outcome), id.encode("utf-8", "surrogatepass"))


def _readable(response: Response) -> bytes:
    from replay_agent.framing.content_encoding import decode

    try:
        return decode(response.headers, response.body, partial=True)
    except WireError:
        return response.body


def _contains(data: bytes, word: bytes, start: int = 0, end: int | None = None) -> bool:
    """Tell whether a word is in there, not as part of a longer one: ``call_1`` is not in ``call_12``."""
    end = len(data) if end is None else end
    found = data.find(word, start, end)
    while found >= 0:
        after = found + len(word)
        # An id that begins or ends with no word character may stand against anything.
        if not (_WORD.match(data, found - 1, found) and found > start) and not _WORD.match(data, after, end):
            return True
        found = data.find(word, found + 1, end)
    return False


class ParsedCassette(Cassette):
    """A cassette that had to be read whole: somebody else's, or ours in another tool's layout."""

    def __init__(self, path: Path, header: Header, interactions: Sequence[Interaction], layout: Layout) -> None:
        super().__init__(path, header, layout)
        self._interactions = list(interactions)

    def __len__(self) -> int:
        return len(self._interactions)

    def interaction(self, index: int) -> Interaction:
        return self._interactions[index]


class WrittenCassette(Cassette):
    """A cassette as we write it: one piece of bytes, cut where the items begin."""

    def __init__(
        self, path: Path, header: Header, data: bytes, bounds: list[tuple[int, int]], stored: list[Key | None]
    ) -> None:
        """``bounds`` is where the items begin and end; ``stored`` has their keys, None for one that was not as written."""
        super().__init__(path, header, "replay-agent")
        self._data = data
        self._bounds = bounds
        self._stored = stored
        self.is_as_written = all(stored)
        self._edited: dict[int, Interaction] = {}

    @classmethod
    def cut(
        cls,
        path: Path,
        header: Header,
        data: bytes,
        starts: Sequence[int],
        end: int,
        known: Sequence[Key | None] = (),
    ) -> WrittenCassette:
        """Cut a document where its items begin, ``starts``; ``known`` has the keys of the first ones."""
        bounds = list(pairwise((*starts, end)))
        return cls(path, header, data, bounds, [*known, *_stored_keys(data, bounds[len(known) :])])

    def __len__(self) -> int:
        return len(self._bounds)

    def holds(self, data: bytes) -> bool:
        """Tell whether it was read from just these bytes."""
        return self._data == data

    def is_same_file(self, other: Cassette) -> bool:
        return isinstance(other, WrittenCassette) and other.holds(self._data)

    def check(self) -> None:
        if self.is_as_written:
            return
        for index, key in enumerate(self._stored):
            if key is None:
                self._read_edited(index)

    def _find_keys(self, keying: Keying) -> list[Key]:
        same = keying.scheme == self.header.keying
        return [
            key if same and key is not None and key.digest != UNKNOWN_KEY else self._computed(keying, index, same=same)
            for index, key in enumerate(self._stored)
        ]

    def again(self, path: Path) -> WrittenCassette:
        """Return the same lines as a cassette of its own, cut and summed up already."""
        return WrittenCassette(path, self.header, self._data, self._bounds, self._stored)

    def shared(self, data: bytes) -> tuple[list[int], list[Key | None]]:
        """Return where the items begin with which another document begins too, byte for byte, and their keys.

        Of these the last is left out: it may go on in the other.
        """
        same = next(
            (at for at in range(0, len(self._data), _PIECE) if self._data[at : at + _PIECE] != data[at : at + _PIECE]),
            len(self._data),
        )
        count = max(bisect_right(self._bounds, same, key=itemgetter(1)) - 1, 0)
        return [start for start, _ in self._bounds[:count]], self._stored[:count]

    def without_torn_end(self) -> WrittenCassette:
        """Return it without its last item if that is not whole."""
        if not self._stored or self._stored[-1] is not None:
            return self
        return WrittenCassette(self.path, self.header, self._data, self._bounds[:-1], self._stored[:-1])

    def test(self, index: int) -> str | None:
        start, end = self._bounds[index]
        line = self._data.find(b"\n", start, end) + 1
        # A node id may have line breaks or a lone surrogate in it: its parameters are anybody's text.
        if self._stored[index] is None or self._data.startswith(_ODD_TEST, line):
            return self.interaction(index).test
        if not self._data.startswith(_TEST, line):
            return None
        return _test_in(self._data[line : self._data.find(b"\n", line) + 1])

    def interaction(self, index: int) -> Interaction:
        if self._stored[index] is None:
            return self._read_edited(index)
        start, end = self._bounds[index]
        try:
            return read_item(self._data[self._data.index(b"\n", start) + 1 : end].decode())
        except (BadItem, UnicodeDecodeError) as exc:
            raise self._unreadable(index, exc) from exc

    def outcome(self, index: int) -> Outcome:
        begin = self._outcome_start(index)
        if self._stored[index] is None or begin is None:
            return self.interaction(index).outcome
        try:
            return read_outcome(self._data[begin : self._bounds[index][1]].decode())
        except (BadItem, UnicodeDecodeError):
            return self.interaction(index).outcome  # which says what is wrong

    def _outcome_start(self, index: int) -> int | None:
        start, end = self._bounds[index]
        # ``response:`` in column 2 is a field of the item; in a body it would stand further right. Looked for from the
        # end, as models are asked more than they answer.
        for mark in _OUTCOMES:
            place = self._data.rfind(mark, start, end)
            if place >= 0:
                return place + 1
        return None

    def _read_edited(self, index: int) -> Interaction:
        """Read an item that somebody touched; its dash becomes a blank, so that the rest is a mapping of its own."""
        known = self._edited.get(index)
        if known is not None:
            return known
        start, end = self._bounds[index]
        try:
            found = self._edited[index] = read_item(" " + self._data[start + 1 : end].decode(), edited=True)
        except (BadItem, UnicodeDecodeError) as exc:
            raise self._unreadable(index, exc) from exc
        return found

    def _unreadable(self, index: int, exc: BadItem | UnicodeDecodeError) -> CassetteUnreadable:
        start = self._bounds[index][0]
        line = self._data.count(b"\n", 0, start) + 1
        if isinstance(exc, BadItem):
            cause, line = exc.cause, line + (exc.line or 1) - 1
        else:
            cause, line = "holds a byte that is not UTF-8", line + self._data.count(b"\n", start, start + exc.start)
        return CassetteUnreadable(
            f"{self.path}:{line}: interaction {index + 1} {cause}. Restore the file, or delete it and record again.",
            self.path,
        )

    def item(self, index: int) -> Item:
        start, end = self._bounds[index]
        source, stored = self._data[start:end], self._stored[index]
        key = self._key(index) or stored
        # The lines stay, whatever happens to the keys: only the comment is written anew, and the diff shows that alone.
        if stored is not None and self._scheme and key != stored:
            source = commented(key, stored.fingerprint, source[source.index(b"\n") + 1 :])
        return Item(source, key, self.test(index))

    def _answers(self, index: int, id: str) -> bool:
        start, end = self._bounds[index]
        begin = self._outcome_start(index) or start
        if _contains(self._data, id.encode("utf-8", "surrogatepass"), begin, end):
            return True
        # An id may be out of sight: in base64, escaped (only ASCII is written as it is), or in lines somebody has
        # rewritten.
        opaque = (
            self._data.find(b"\n      base64: ", begin, end) >= 0 or not id.isascii() or self._stored[index] is None
        )
        return opaque and super()._answers(index, id)


def _stored_keys(data: bytes, bounds: Sequence[tuple[int, int]]) -> list[Key | None]:
    """Return the keys in the comments of items; None for an item that is not as it was written."""
    view, crc32 = memoryview(data), zlib.crc32
    keys: list[Key | None] = []
    for start, end in bounds:
        found = BEGIN.match(view, start - 1)
        if found is None or not found[1]:
            keys.append(None)
            continue
        digest, spelled, checksum, ids = found.groups()
        # The break that ends the comment is part of the sum, as it was when it was written: one pass, no copy.
        whole = crc32(view[found.end() - 1 : end], crc32(digest + spelled + ids)) == int(checksum, 16)
        keys.append(stored_key(digest, spelled, ids) if whole else None)
    return keys


_last: list[Callable[[], WrittenCassette | None]] = []
"""What was cut last. Of a cassette that tests share and add to, each saves, checks and opens what the one before left."""
_MOST_REMEMBERED = 16 << 20
"""Bytes of a file; one that is larger is known as long as somebody else holds it, as a recording does that adds to it."""
_PIECE = 1 << 16
"""Bytes that are compared at once."""


def _remember(cassette: WrittenCassette, size: int) -> None:
    _last[:] = [ref(cassette) if size > _MOST_REMEMBERED else lambda: cassette]


def _remembered() -> WrittenCassette | None:
    return _last[0]() if _last else None


@lru_cache(maxsize=1024)
def _test_in(line: bytes) -> str:
    """Read the line that names the test of an item: nearly always it is that of the items around it too."""
    return str(read_block(line.decode())["test"])


def render(header: Header, items: Sequence[Item]) -> bytes:
    """Write the whole document."""
    return b"".join((render_header(header, empty=not items), *(item.source for item in items), END))


def begins_as_ours(data: bytes) -> bool:
    """Tell whether a document begins as we write it; one that does not may be ours all the same."""
    return data.startswith(_OUR_FIRST_LINES)


def is_ours(data: bytes) -> bool:
    """Tell by its first lines whether a document is in our layout."""
    if begins_as_ours(data):
        return True
    found = _HEAD.search(data, 0, _HEAD_ROOM)
    return _OURS.search(data, 0, found.start() if found else _HEAD_ROOM) is not None


def read_cassette(data: bytes, path: Path, *, torn: bool = False) -> Cassette:
    """Open a document in our layout (see `is_ours`), line ends being LF.

    ``torn`` is for a journal, which has no end mark: an item cut off at its end is left out. Raises
    `CassetteUnreadable`, `CassetteVersionError`.
    """
    known = None if torn else _remembered()
    if known is not None and known.holds(data):
        return known.again(path)
    head = _head_of(data)
    header = read_header(data[: head.start()] if head else data, path)
    if head is None:
        raise _cut_off(path, data)
    begin = head.end() - 1
    if head[1].strip() or not data.startswith(_ITEM, begin):
        return _read_whole(data, path, header)
    end = data.rfind(b"\n") + 1 if torn else _end(data)
    # Without its last line a file of ours is cut off, unless a tool has written it anew: that leaves out comments.
    if end is None:
        if not _COMMENTED.search(data, begin):
            return _read_whole(data, path, header)
        raise _cut_off(path, data)
    # Only a file that has room for so many is counted.
    count = data.count(_ITEM, begin, end) if len(data) > _MAX_INTERACTIONS else 0
    if count > _MAX_INTERACTIONS:
        raise CassetteUnreadable(
            f"{path}: the file has {count} interactions; a cassette may have {_MAX_INTERACTIONS}. {RESTORE}", path
        )
    starts, stored = known.shared(data) if known is not None and known.path == path else ([], [])
    whole = None if starts or torn else _as_commented(path, header, data, begin, end)
    if whole is not None:
        return whole
    # Of a file that has grown only what is new is cut and summed up.
    starts += (found.start() + 1 for found in _ITEMS.finditer(data, starts[-1] if starts else begin, end))
    cassette = WrittenCassette.cut(path, header, data, starts, end, stored)
    if torn:
        return cassette.without_torn_end()
    _remember(cassette, len(data))
    return cassette


def _head_of(data: bytes) -> re.Match[bytes] | None:
    """Find the line behind which the items stand; by its text alone, which is faster than by the expression."""
    at = data.find(b"\n" + _HEAD_LINE) + 1
    return _HEAD.search(data) if not at or data.startswith(_HEAD_LINE) else _HEAD.match(data, at)


def _as_commented(path: Path, header: Header, data: bytes, begin: int, end: int) -> WrittenCassette | None:
    """Open a document whose items all are as they were written; None for any other.

    Cut where comments begin items: had one no comment, the checksum of the one before would not hold.
    """
    starts = _commented_starts(data, begin, end)
    cassette = WrittenCassette.cut(path, header, data, starts, end) if starts else None
    if cassette is None or not cassette.is_as_written:
        return None
    _remember(cassette, len(data))
    return cassette


def _commented_starts(data: bytes, begin: int, end: int) -> list[int]:
    """Return where items begin that have a comment; none where the first has none, or number signs are not rare."""
    starts: list[int] = []
    left = (end - begin) >> _RARE
    at = data.find(_COMMENT, begin, end)
    while at >= 0 and left >= 0:
        if data.startswith(_ITEM, at - 3):
            starts.append(at - 2)
        else:
            left -= 1
        at = data.find(_COMMENT, at + 1, end)
    return starts if left >= 0 and starts[:1] == [begin + 1] else []


def _end(data: bytes) -> int | None:
    """Return where the end mark begins; None if it is not there, or something follows it."""
    found = data.rfind(b"\n...")
    return found + 1 if found >= 0 and not data[found + 4 :].strip() else None


def _cut_off(path: Path, data: bytes) -> CassetteUnreadable:
    ended = _END_LINE.search(data)
    if ended is not None:
        line = data.count(b"\n", 0, ended.end()) + 1
        text = f"{path}:{line}: something stands behind the line `...`, which ends a cassette. {RESTORE}"
        return CassetteUnreadable(text, path)
    last = data.count(b"\n") + (not data.endswith(b"\n"))
    return CassetteUnreadable(
        f"{path}:{last}: the file is cut off: its last line should be `...`. "
        "Restore it, or delete it and record again; if nothing is missing, add that line.",
        path,
    )


def _read_whole(data: bytes, path: Path, header: Header) -> ParsedCassette:
    """Read a document of ours that another tool wrote anew, or one without interactions."""
    try:
        document = read_yaml(data, exact=True)
    except BadDocument as exc:
        where = "" if exc.line is None else f":{exc.line}"
        raise CassetteUnreadable(f"{path}{where}: {exc.cause}. {RESTORE}", path) from exc
    items = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise CassetteUnreadable(f"{path}: `interactions` is not a list. {RESTORE}", path)
    return ParsedCassette(path, header, [_read_field(*each, path) for each in enumerate(items, 1)], "replay-agent")


def _read_field(number: int, fields: object, path: Path) -> Interaction:
    try:
        return item_from_fields(fields, edited=True)
    except BadItem as exc:
        raise CassetteUnreadable(f"{path}: interaction {number} {exc.cause}. {RESTORE}", path) from exc


def foreign_cassette(interactions: Sequence[Interaction], path: Path) -> Cassette:
    """Return the interactions of somebody else's file as a cassette."""
    return ParsedCassette(path, Header(), interactions, "foreign")
