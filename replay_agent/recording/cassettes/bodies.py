"""Bodies as fields of a cassette: as readable as the very same bytes allow.

A body is ``json`` (structured, with the spelling of its text), else ``text``, else ``base64``. One with a content encoding
is shown with the encoding undone, and beside it stands ``encoded``, the bytes of the wire: they count, unless the
shown text was edited since. ``chunks`` says where the pieces of a body end, in lines and bytes, so that a changed word
leaves it alone: ``2`` is two lines, ``1+5`` a line and five bytes of the next, ``+9`` nine bytes, ``2@35`` two lines that
came 35 ms after the head (the time of the piece before, where none is given), ``all`` the whole body.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from io import BytesIO
from itertools import accumulate, chain, islice
from typing import Any, Literal, TypeAlias

from replay_agent.exceptions import WireError
from replay_agent.recording.cassettes.json_spelling import LAYOUTS, MAX_INDENT, Spelling, read_json, spell
from replay_agent.recording.cassettes.yaml_blocks import LONGEST_KEY, Unwritable, write_block
from replay_agent.traffic import Chunk, Headers, Pieces

__all__ = "View", "read_body", "read_chunks", "spelling_of", "write_body", "write_chunks"

View: TypeAlias = Literal["json", "text", "base64"]
"""The most readable form that may be tried."""

_EXTRAS = frozenset({"escapes", "before", "after"})
# Beyond that a body is stored as text: nobody reads it as lines, and reading YAML is limited in values.
_MOST_VALUES = 200_000
_COLLECTIONS = frozenset({dict, list})
_LONGEST_SPELLING = 60
# A multiple of four, so that each line is base64 by itself.
_BASE64_COLUMNS = 100
_MAX_CHUNKS = 500_000
"""Pieces of a body; each takes a hundred times the two bytes that may name it."""
_CHUNKS_IN_LINE = 10
# ``2``, ``1+5``, ``+9``, ``2@35``, ``all@120``: see the beginning of this file.
_CHUNK = re.compile(r"(?:(all)|([0-9]{1,12})?(?:\+([0-9]{1,12}))?)(?:@(-?[0-9]{1,12}))?")
_LINES = re.compile("[0-9]{1,12}")
# Behind a number of lines, when they came: ``@35`` of ``2@35``.
_OFFSET = re.compile("(?<=[0-9])@[0-9]{1,12}(?![0-9@+])")
_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\r")
_HIGH_CONTROLS = bytes(range(0x80, 0xA0))
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_CR = re.compile("\r(?!\n)")
_LONE_LF = re.compile("(?<!\r)\n")


def write_body(data: bytes, headers: Headers, view: View = "json", margin: str | None = None) -> dict[str, Any]:
    """Return the fields of a body; none for an empty one.

    With a ``margin``, that of the members of its JSON, lists that came before may be written already (`Lines`).
    """
    if not data:
        return {}
    shown = _decoded(headers, data)
    if shown is None:
        return _written(data, view, margin)
    fields = _written(shown, view, margin)
    # What is not legible with its encoding undone is not worth keeping twice.
    return {"base64": _base64(data)} if "base64" in fields else {**fields, "encoded": _base64(data)}


def _decoded(headers: Headers, data: bytes) -> bytes | None:
    """Return a body with its content encoding undone, None if it has none or cannot be read."""
    if not any(name.lower() == "content-encoding" for name, _ in headers):
        return None
    from replay_agent.framing.content_encoding import decode, encodings

    try:
        return decode(headers, data) if encodings(headers) else None
    except WireError:
        return None


def _written(data: bytes, view: View, margin: str | None) -> dict[str, Any]:
    text, charset = _characters(data)
    if text is None or view == "base64":
        return {"base64": _base64(data)}
    if view == "json" and charset is None:
        fields = _as_json(text, margin)
        if fields is not None:
            return fields
    return _as_text(text, charset)


def _characters(data: bytes) -> tuple[str | None, str | None]:
    """Return bytes as text, and the charset if it is not UTF-8; no text where it would be nothing to read."""
    controls = len(data) - len(data.translate(None, _CONTROLS))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        # Any bytes are Latin-1; text in it has neither C0 nor C1 controls, compressed or binary data always has.
        legible = not controls and len(data) == len(data.translate(None, _HIGH_CONTROLS))
        return (data.decode("latin-1"), "latin-1") if legible else (None, None)
    if b"\xc2" in data:
        controls += sum(data.count(b"\xc2%c" % code) for code in _HIGH_CONTROLS)
    # A few controls are text with an odd character (an escape sequence in a log), many are data that happens to be
    # UTF-8.
    return (text, None) if controls <= len(text) // 20 else (None, None)


def _as_json(text: str, margin: str | None) -> dict[str, Any] | None:
    found = (None if margin is None else _repeated(text, margin)) or read_json(text)
    if found is None:
        return None
    value, spelling = found
    words = _spelling_words(spelling)
    if words is None or not value or not _is_writable(value, text):
        return None
    fields = {"json": value}
    extras = {"escapes": spelling.escapes, "before": spelling.before, "after": spelling.after}
    if words != "compact":
        fields["spelling"] = words
    fields.update((name, extra) for name, extra in extras.items() if extra)
    return fields


def _repeated(text: str, margin: str) -> tuple[Any, Spelling] | None:
    from replay_agent.recording.cassettes.usual.repeated import read_repeated  # nothing is written in replay

    return read_repeated(text, margin)


def _is_writable(value: Any, text: str) -> bool:
    """Tell whether YAML holds a value of JSON: not too much of it, no key too long, no half of a character.

    Only an escape can say half a character; where there is one, writing it tells.
    """
    count, level, keys = 1, [value], set[str]()
    while level and count <= _MOST_VALUES:  # a level at a time: the same few keys come again and again
        count += sum(map(len, level))
        objects = [each for each in level if type(each) is dict]
        keys.update(*objects)
        lists = [each for each in level if type(each) is list]
        inner = chain(chain.from_iterable(map(dict.values, objects)), chain.from_iterable(lists))
        level = [each for each in inner if type(each) in _COLLECTIONS]
    if any(len(key) > LONGEST_KEY for key in keys):
        return False
    return count <= _MOST_VALUES and (
        "\\" not in text or "\\u" not in text or _HALF.search(text) is None or _writes(value)
    )


def _writes(value: Any) -> bool:
    try:
        write_block({"json": value})
    except Unwritable:
        return False
    return True


def _spelling_words(spelling: Spelling) -> str | None:
    layout = spelling.layout
    if not layout.strip(" "):
        layout = f"indent {len(layout)}"
    elif not layout.strip("\t"):
        layout = f"tabs {len(layout)}"
    elif not layout.isalpha():
        return None
    return layout + " ascii" * spelling.ascii + " upper" * spelling.upper


def _as_text(text: str, charset: str | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    # As lines only if every break is CRLF: mixed ones could not be told apart again.
    if "\r\n" in text and not _LONE_CR.search(text) and not _LONE_LF.search(text):
        fields = {"text": text.replace("\r\n", "\n"), "newline": "crlf"}
    else:
        fields = {"text": text}
    if charset is not None:
        fields["charset"] = charset
    return fields


def _base64(data: bytes) -> str:
    text = binascii.b2a_base64(data, newline=False).decode("ascii")
    return "\n".join(text[start : start + _BASE64_COLUMNS] for start in range(0, len(text), _BASE64_COLUMNS))


def read_body(fields: Mapping[str, Any], headers: Headers, *, edited: bool = False) -> bytes:
    """Return the bytes of a body; ``edited`` says that somebody may have changed what is shown of it.

    Raises ValueError for fields that are no body.
    """
    if "encoded" not in fields:
        return _shown(fields)
    encoded = _unbase64(fields["encoded"])
    if not edited:
        return encoded
    from replay_agent.framing.content_encoding import decode, encode

    shown = _shown(fields)
    return encoded if shown == decode(headers, encoded) else encode(headers, shown)


def _shown(fields: Mapping[str, Any]) -> bytes:
    if "json" in fields:
        return spell(fields["json"], _spelling(fields)).encode("utf-8", "surrogatepass")
    if "text" in fields:
        return _text_bytes(fields)
    return _unbase64(fields.get("base64", ""))


def _spelling(fields: Mapping[str, Any]) -> Spelling:
    spelling = spelling_of(str(fields.get("spelling", "compact")))
    if _EXTRAS.isdisjoint(fields):
        return spelling
    extras = (_extra(fields, name) for name in ("escapes", "before", "after"))
    return Spelling(spelling.layout, spelling.ascii, spelling.upper, *extras)


@lru_cache(maxsize=64)
def spelling_of(said: str) -> Spelling:
    """Return the spelling that these words name. Raises ValueError for others."""
    words = said[:_LONGEST_SPELLING].split() or ["compact"]
    layout = words[0]
    if layout in ("indent", "tabs"):
        layout = (" " if layout == "indent" else "\t") * _steps(said, words)
    elif layout not in LAYOUTS:
        raise ValueError(f"its spelling {said[:_LONGEST_SPELLING]!r} is none that we know")
    return Spelling(layout, "ascii" in words, "upper" in words)


def _steps(said: str, words: Sequence[str]) -> int:
    """Return how many characters one step of indentation has."""
    step = words[1] if len(words) > 1 else ""
    if step.isdecimal() and int(step) <= MAX_INDENT:
        return int(step)
    raise ValueError(f"its spelling {said[:_LONGEST_SPELLING]!r} names no indentation of 0 to {MAX_INDENT}")


def _extra(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"`{name}` is no text")
    return value


def _text_bytes(fields: Mapping[str, Any]) -> bytes:
    text = fields["text"]
    if not isinstance(text, str):
        raise ValueError("`text` is no text")
    if fields.get("newline") == "crlf":
        text = text.replace("\n", "\r\n")
    return text.encode("latin-1" if fields.get("charset") == "latin-1" else "utf-8")


def _unbase64(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("the base64 of a body is no text")
    try:
        return base64.b64decode(text.replace("\n", "").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise ValueError(f"the base64 of a body is damaged: {exc}") from exc


def write_chunks(chunks: Sequence[Chunk]) -> str | None:
    """Return where the pieces of a body end and when they came; None if it came at once and whole, or not at all."""
    if not chunks:
        return None
    if len(chunks) == 1 and chunks[0].data:
        return f"all@{chunks[0].offset_ms}" if chunks[0].offset_ms else None
    words = list(_chunk_words(chunks))
    rows = (words[start : start + _CHUNKS_IN_LINE] for start in range(0, len(words), _CHUNKS_IN_LINE))
    return "\n".join(" ".join(row) for row in rows)


def _chunk_words(chunks: Sequence[Chunk]) -> Iterator[str]:
    time = 0
    for chunk in chunks:
        lines = chunk.data.count(b"\n")
        rest = len(chunk.data) - (chunk.data.rfind(b"\n") + 1)
        word = (str(lines) if lines or not rest else "") + (f"+{rest}" if rest else "")
        yield word if chunk.offset_ms == time else f"{word}@{chunk.offset_ms}"
        time = chunk.offset_ms


def read_chunks(words: str | None, data: bytes) -> Sequence[Chunk]:
    """Cut a body into its pieces. What an edited body has too much goes to the last piece.

    Raises ValueError for other words than `write_chunks` writes.
    """
    if words is None:
        return (Chunk(data),) if data else ()
    # A piece takes two characters at least, so most texts need no counting.
    if len(words) > 2 * _MAX_CHUNKS and len(words.split(None, _MAX_CHUNKS)) > _MAX_CHUNKS:
        raise ValueError(f"`chunks` names more than {_MAX_CHUNKS} pieces")
    return _whole_lines(words, data) or _cut(data, list(_chunk_ends(words, data)))


def _whole_lines(words: str, data: bytes) -> Pieces | None:
    """Return pieces that are whole lines, as those of a stream of events are; None where some are not, or lines are missing."""
    said = (_OFFSET.sub("", words) if "@" in words else words).split()
    if not "".join(said).isdecimal():
        return None
    counts, lines = list(map(int, said)), BytesIO(data)
    if sum(counts) > data.count(b"\n"):
        return None
    take = lines.readline  # most events have a line, and an empty one behind it
    pieces = [take() + take() if count == 2 else b"".join(islice(lines, count)) for count in counts]
    pieces[-1] += lines.read()  # so that nothing that was added is lost
    return Pieces(pieces, partial(_times, words))


def _times(words: str) -> list[int]:
    """Return when pieces came: with the one before, where nothing is said."""
    said = (word.partition("@")[2] for word in words.split())
    return list(accumulate(said, lambda time, offset: int(offset) if offset else time, initial=0))[1:]


def _cut(data: bytes, ends: list[tuple[int, int]]) -> tuple[Chunk, ...]:
    """Cut a body where its pieces end, told with the time when each came."""
    if ends:
        ends[-1] = (len(data), ends[-1][1])  # so that nothing that was added is lost
    starts = [0, *[end for end, _ in ends]]
    return tuple([Chunk(data[start:end], time) for start, (end, time) in zip(starts, ends, strict=False)])


def _chunk_ends(words: str, data: bytes) -> Iterator[tuple[int, int]]:
    position = time = 0
    for word in words.split():
        if _LINES.fullmatch(word):  # as most are: events that came together
            position = _advanced(data, position, int(word), 0)
        else:
            found = _CHUNK.fullmatch(word)
            if found is None:
                raise ValueError(f"`chunks` has a piece {word[:40]!r} that says nothing")
            everything, lines, rest, offset = found.groups()
            position = len(data) if everything else _advanced(data, position, int(lines or 0), int(rest or 0))
            time = time if offset is None else int(offset)
        yield position, time


def _advanced(data: bytes, position: int, lines: int, rest: int) -> int:
    find = data.find
    for _ in range(lines):
        position = find(b"\n", position) + 1
        if not position:
            return len(data)
    return min(position + rest, len(data)) if rest else position
