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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, unquote

from replay_agent.exceptions import CassetteUnreadable, CassetteVersionError, WireError
from replay_agent.recording.cassettes.items import BadItem, item_from_fields, read_item, read_outcome, write_item
from replay_agent.recording.cassettes.json_spelling import Number
from replay_agent.recording.cassettes.safe_documents import BadDocument, read_yaml
from replay_agent.recording.cassettes.yaml_blocks import read_block, write_block
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.surroundings.version import __version__
from replay_agent.traffic import Interaction, Outcome, Response

__all__ = "Cassette", "Header", "Item", "Layout", "foreign_cassette", "is_ours", "new_item", "read_cassette", "render"

VERSION = 1
END = b"...\n"
# Behind ``interactions:`` a dash in column 0 begins an item and nothing else: all text below it is indented, or within quotes that do not break
# a line unescaped.
_ITEM = b"\n- "

Layout: TypeAlias = Literal["replay-agent", "foreign"]

_USUAL_HEADER = re.compile(
    rb"version: 1\nlibrary: (pytest-replay-agent [0-9][\w.]*)\nrecorded_at: '([0-9TZ:-]+)'\nkeying: ([a-z]+-[0-9]+)\n"
)
"""The header of nearly every file, which need not be read as YAML."""
_HEAD = re.compile(rb"^interactions:[ \t]*([^\n]*)(?:\n|\Z)", re.MULTILINE)
# A file of vcrpy has ``version: 1`` too.
_OURS = re.compile(rb"^(?:library: *pytest-replay-agent|keying:)", re.MULTILINE)
# ``- # 5f0c2ad1e9b34c70/c2b6a39e5d01f488 8a3be1f2 call_1 <OPENAI_API_KEY``, or the dash alone.
_BEGIN = re.compile(rb"\n- (?:# ([^\s/]+)/([0-9a-f]+) ([0-9a-f]{8})((?: \S+)*)\n)?")
_COMMENTED = re.compile(rb"\n- # ")
_UNKNOWN_KEY = "?"
_NAME_MARK = "<"
"""Begins the name of a secret in the comment of an item; no id that is quoted begins so."""

_MAX_INTERACTIONS = 100_000
"""Each takes some hundred bytes of memory for the three in the file that begin it."""
_TEST, _ODD_TEST = b"  test: ", b"  test:\n"
_OUTCOMES = (b"\n  response:\n", b"\n  failure:\n")
# No header comes near it: frozen sources and unknown fields take a few hundred bytes.
_HEAD_ROOM = 1 << 16
_SHOWN = 60
_RESTORE = "Restore the file, or delete it and record again."
_WORD = re.compile(rb"[\w-]")


@dataclass(frozen=True, slots=True)
class Header:
    """What a cassette says of itself before its interactions."""

    keying: str = ""
    """The scheme of the keys in the file (`Keying.scheme`)."""
    recorded_at: str | None = None
    """When the file was first written, ISO 8601 in UTC."""
    frozen: Mapping[str, object] = field(default_factory=dict)
    """Sources (clock, uuid, random, ...) that were frozen while recording, with their seeds; plain JSON values."""
    library: str = ""
    """Name and version of the release that wrote it; filled in on writing when empty."""
    version: int = VERSION
    extra: Mapping[str, object] = field(default_factory=dict)
    """Fields of the file that this release does not know, kept for writing back."""


@dataclass(frozen=True, slots=True)
class Item:
    """One interaction as lines of the file, its key and the test that recorded it."""

    source: bytes
    """Its lines, the comment with the key first."""
    key: Key | None = None
    test: str | None = None

    @property
    def content(self) -> bytes:
        """The lines without the comment, which say the same whatever the scheme of the key."""
        return self.source[self.source.find(b"\n") + 1 :]


class Cassette:
    """An opened cassette. Everything but the header, the boundaries and the stored keys is read on demand.

    Reading an item raises `CassetteUnreadable` (file, line, cause). May be read by several threads.
    """

    def __init__(self, path: Path, header: Header, layout: Layout) -> None:
        self.path = path
        self.header = header
        self.layout = layout
        self._keys: list[Key] | None = None
        self._scheme = ""
        self._answered: dict[str, bool] = {}

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def is_as_written(self) -> bool:
        """Whether all checksums hold: nobody but `save` has touched an interaction."""
        return False

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
        key = keying(self.interaction(index).request)
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

    def __init__(self, path: Path, header: Header, data: bytes, begins: Sequence[re.Match[bytes]], end: int) -> None:
        super().__init__(path, header, "replay-agent")
        self._data = data
        self._begins = begins
        self._bounds = list(pairwise((*(found.start() + 1 for found in begins), end)))
        self._edited: dict[int, Interaction] = {}

    def __len__(self) -> int:
        return len(self._bounds)

    @cached_property
    def _stored(self) -> list[Key | None]:
        """The keys in the comments of the items; None for an item that is not as it was written."""
        data, crc32 = memoryview(self._data), zlib.crc32
        keys: list[Key | None] = []
        for found, (_, end) in zip(self._begins, self._bounds, strict=True):
            digest, spelled, checksum, ids = found.groups()
            # The break that ends the comment is part of the sum, as it was when it was written: one pass, no copy.
            if digest and crc32(data[found.end() - 1 : end], crc32(digest + spelled + ids)) == int(checksum, 16):
                keys.append(_stored_key(digest, spelled, ids))
            else:
                keys.append(None)
        return keys

    @property
    def is_as_written(self) -> bool:
        return None not in self._stored

    def holds(self, data: bytes) -> bool:
        """Tell whether it was read from just these bytes."""
        return self._data == data

    def is_same_file(self, other: Cassette) -> bool:
        return isinstance(other, WrittenCassette) and other.holds(self._data)

    def check(self) -> None:
        for index, key in enumerate(self._stored):
            if key is None:
                self._read_edited(index)

    def _find_keys(self, keying: Keying) -> list[Key]:
        same = keying.scheme == self.header.keying
        return [
            key if same and key is not None and key.digest != _UNKNOWN_KEY else self._computed(keying, index, same=same)
            for index, key in enumerate(self._stored)
        ]

    def again(self, path: Path) -> WrittenCassette:
        """Return the same lines as a cassette of its own, cut and summed up already."""
        twin = WrittenCassette(path, self.header, self._data, (), 0)
        twin._begins, twin._bounds, twin._stored = self._begins, self._bounds, self._stored
        return twin

    def without_torn_end(self) -> WrittenCassette:
        """Return it without its last item if that is not whole."""
        if not self._stored or self._stored[-1] is not None:
            return self
        return WrittenCassette(self.path, self.header, self._data, self._begins[:-1], self._bounds[-1][0])

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
        # ``response:`` in column 2 is a field of the item; in a body it would stand further right.
        places = (self._data.find(mark, start, end) for mark in _OUTCOMES)
        return next((place + 1 for place in places if place >= 0), None)

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
            source = _comment(key, stored.fingerprint, source[source.index(b"\n") + 1 :])
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


_last: list[WrittenCassette] = []
"""What was cut last. Of a cassette that tests share and add to, each saves, checks and opens what the one before left."""
_MOST_REMEMBERED = 16 << 20
"""Bytes of a file; one that is larger is not held for the next who may open it."""


@lru_cache(maxsize=1024)
def _test_in(line: bytes) -> str:
    """Read the line that names the test of an item: nearly always it is that of the items around it too."""
    return str(read_block(line.decode())["test"])


def new_item(interaction: Interaction, key: Key | None) -> Item:
    """Write an interaction (already redacted); what is returned reads back equal, to the byte."""
    content = write_item(interaction).encode()
    return Item(_comment(key, fingerprint(interaction.request), content), key, interaction.test)


def _comment(key: Key | None, spelled: str, content: bytes) -> bytes:
    """Return the lines of an item, the comment put before them."""
    digest = (_UNKNOWN_KEY if key is None else key.digest).encode()
    # An id is the provider's text: it may hold blanks, or be empty, which is written ``%``.
    words = [*map(_quoted, key.ids), *(f"{_NAME_MARK}{name}" for name in key.secrets)] if key else []
    ids = "".join(f" {word}" for word in words).encode()
    checksum = zlib.crc32(b"\n" + content, zlib.crc32(digest + spelled.encode() + ids))
    return b"- # %b/%b %08x%b\n%b" % (digest, spelled.encode(), checksum, ids, content)


def _stored_key(digest: bytes, spelled: bytes, said: bytes) -> Key:
    """Read a key from the comment of an item: behind the checksum its tool-call ids, then its secrets."""
    if not said:
        return Key(digest.decode(), (), spelled.decode())
    words = said.decode().split()
    ids = tuple(_unquoted(word) for word in words if not word.startswith(_NAME_MARK))
    secrets = tuple(word.removeprefix(_NAME_MARK) for word in words if word.startswith(_NAME_MARK))
    return Key(digest.decode(), ids, spelled.decode(), secrets=secrets)


def _quoted(id: str) -> str:
    return quote(id, safe=":|@+=,;!$&/()*[]", errors="surrogatepass") or "%"


def _unquoted(word: str) -> str:
    return "" if word == "%" else unquote(word, errors="surrogatepass")


def unkeyed(item: Item) -> Item:
    """Return an item whose key is not known under the scheme of the file it goes to."""
    as_written = _BEGIN.fullmatch(b"\n" + item.source.removesuffix(item.content))
    if as_written is None or as_written[2] is None:
        return item
    return Item(_comment(None, as_written[2].decode(), item.content), None, item.test)


def render(header: Header, items: Sequence[Item]) -> bytes:
    """Write the whole document."""
    return b"".join((render_header(header, empty=not items), *(item.source for item in items), END))


def render_header(header: Header, *, empty: bool = False) -> bytes:
    """Write what stands before the first item."""
    fields: dict[str, Any] = {
        "version": header.version,
        "library": header.library or f"pytest-replay-agent {__version__}",
        "recorded_at": header.recorded_at,
        "keying": header.keying,
        "frozen": _spelled(dict(header.frozen)) or None,
        **header.extra,
    }
    said = write_block({name: value for name, value in fields.items() if value is not None})
    return f"{said}interactions:{' []' if empty else ''}\n".encode()


def _spelled(value: Any) -> Any:
    """Return a plain value with its floats as the numbers that they are written as."""
    if isinstance(value, dict):
        return {str(name): _spelled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(each) for each in value]
    return Number(repr(value)) if isinstance(value, float) else value


def _frozen(fields: dict[str, Any], path: Path) -> dict[str, Any]:
    try:
        return {name: _unspelled(value) for name, value in fields.items()}
    except (ValueError, OverflowError) as exc:
        raise CassetteUnreadable(f"{path}: `frozen` holds a number that cannot be read. {_RESTORE}", path) from exc


def _unspelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unspelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_unspelled(each) for each in value]
    if not isinstance(value, Number):
        return value
    # As JSON has it: 1.0 and 1 are two seeds.
    return float(value) if set(value) & set(".eE") else int(value)


def is_ours(data: bytes) -> bool:
    """Tell by its first lines whether a document is in our layout."""
    found = _HEAD.search(data, 0, _HEAD_ROOM)
    return _OURS.search(data, 0, found.start() if found else _HEAD_ROOM) is not None


def read_cassette(data: bytes, path: Path, *, torn: bool = False) -> Cassette:
    """Open a document in our layout (see `is_ours`), line ends being LF.

    ``torn`` is for a journal, which has no end mark: an item cut off at its end is left out. Raises
    `CassetteUnreadable`, `CassetteVersionError`.
    """
    if not torn and _last and _last[0].holds(data):
        return _last[0].again(path)
    head = _HEAD.search(data)
    header = _read_header(data[: head.start()] if head else data, path)
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
    count = data.count(_ITEM, begin, end)
    if count > _MAX_INTERACTIONS:
        raise CassetteUnreadable(
            f"{path}: the file has {count} interactions; a cassette may have {_MAX_INTERACTIONS}. {_RESTORE}", path
        )
    cassette = WrittenCassette(path, header, data, list(_BEGIN.finditer(data, begin, end)), end)
    if torn:
        return cassette.without_torn_end()
    if len(data) <= _MOST_REMEMBERED:
        _last[:] = [cassette]
    return cassette


def _end(data: bytes) -> int | None:
    """Return where the end mark begins; None if it is not there, or something follows it."""
    found = data.rfind(b"\n...")
    return found + 1 if found >= 0 and not data[found + 4 :].strip() else None


def _cut_off(path: Path, data: bytes) -> CassetteUnreadable:
    last = data.count(b"\n") + (not data.endswith(b"\n"))
    return CassetteUnreadable(
        f"{path}:{last}: the file is cut off: its last line should be `...`. "
        "Restore it, or delete it and record again; if nothing is missing, add that line.",
        path,
    )


def _read_header(data: bytes, path: Path) -> Header:
    usual = _USUAL_HEADER.fullmatch(data)
    if usual is not None:
        library, recorded_at, keying = (each.decode() for each in usual.groups())
        return Header(keying, recorded_at, library=library)
    fields = _as_written(data)
    if fields is not None:
        return _header(fields, path)
    try:
        fields = read_yaml(data, exact=True)
    except BadDocument as exc:
        where = "" if exc.line is None else f":{exc.line}"
        raise CassetteUnreadable(f"{path}{where}: the header cannot be read: {exc.cause}. {_RESTORE}", path) from exc
    return _header(fields, path)


def _as_written(data: bytes) -> object:
    """Read a header that nobody has touched, None for any other: that needs no libyaml, which takes time to import."""
    try:
        text = data.decode()
        fields = read_block(text)
        return fields if write_block(fields) == text else None
    except (ValueError, IndexError, RecursionError):
        return None


def _header(fields: object, path: Path) -> Header:
    if not isinstance(fields, dict):
        raise CassetteUnreadable(f"{path}:1: the file does not begin with the header of a cassette. {_RESTORE}", path)
    said = dict(fields)
    version = said.pop("version", None)
    if version != str(VERSION):
        raise CassetteVersionError(
            f"{path}: the file {'has no format version' if version is None else f'has format version {str(version)[:_SHOWN]}'}; "
            f"this release reads version {VERSION}. Update pytest-replay-agent, or record the cassette again.",
            path,
        )
    known = {name: said.pop(name, None) for name in ("keying", "recorded_at", "library", "frozen")}
    frozen = known["frozen"]
    return Header(
        str(known["keying"] or ""),
        None if known["recorded_at"] is None else str(known["recorded_at"]),
        _frozen(frozen, path) if isinstance(frozen, dict) else {},
        str(known["library"] or ""),
        extra={name: value for name, value in said.items() if name != "interactions"},
    )


def _read_whole(data: bytes, path: Path, header: Header) -> ParsedCassette:
    """Read a document of ours that another tool wrote anew, or one without interactions."""
    try:
        document = read_yaml(data, exact=True)
    except BadDocument as exc:
        where = "" if exc.line is None else f":{exc.line}"
        raise CassetteUnreadable(f"{path}{where}: {exc.cause}. {_RESTORE}", path) from exc
    items = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise CassetteUnreadable(f"{path}: `interactions` is not a list. {_RESTORE}", path)
    return ParsedCassette(path, header, [_read_field(*each, path) for each in enumerate(items, 1)], "replay-agent")


def _read_field(number: int, fields: object, path: Path) -> Interaction:
    try:
        return item_from_fields(fields, edited=True)
    except BadItem as exc:
        raise CassetteUnreadable(f"{path}: interaction {number} {exc.cause}. {_RESTORE}", path) from exc


def foreign_cassette(interactions: Sequence[Interaction], path: Path) -> Cassette:
    """Return the interactions of somebody else's file as a cassette."""
    return ParsedCassette(path, Header(), interactions, "foreign")
