"""An item of a cassette: an interaction as lines of the file, with the comment that tells its key and its checksum."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from urllib.parse import quote, unquote

from replay_agent.recording.cassettes.items import write_item
from replay_agent.recording.matching.fingerprint import fingerprint
from replay_agent.recording.matching.keys import Key
from replay_agent.traffic import Interaction

__all__ = "BEGIN", "UNKNOWN_KEY", "Item", "commented", "new_item", "stored_key", "unkeyed"

# ``- # 5f0c2ad1e9b34c70/c2b6a39e5d01f488 8a3be1f2 call_1 <OPENAI_API_KEY``, or the dash alone.
BEGIN = re.compile(rb"\n- (?:# ([^\s/]+)/([0-9a-f]+) ([0-9a-f]{8})((?: \S+)*)\n)?")
UNKNOWN_KEY = "?"
_NAME_MARK = "<"
"""Begins the name of a secret in the comment of an item; no id that is quoted begins so."""


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


def new_item(interaction: Interaction, key: Key | None) -> Item:
    """Write an interaction (already redacted); what is returned reads back equal, to the byte."""
    content = write_item(interaction).encode()
    return Item(commented(key, fingerprint(interaction.request), content), key, interaction.test)


def commented(key: Key | None, spelled: str, content: bytes) -> bytes:
    """Return the lines of an item, the comment put before them."""
    digest = (UNKNOWN_KEY if key is None else key.digest).encode()
    # An id is the provider's text: it may hold blanks, or be empty, which is written ``%``.
    words = [*map(_quoted, key.ids), *(f"{_NAME_MARK}{name}" for name in key.secrets)] if key else []
    ids = "".join(f" {word}" for word in words).encode()
    checksum = zlib.crc32(b"\n" + content, zlib.crc32(digest + spelled.encode() + ids))
    return b"- # %b/%b %08x%b\n%b" % (digest, spelled.encode(), checksum, ids, content)


def stored_key(digest: bytes, spelled: bytes, said: bytes) -> Key:
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
    as_written = BEGIN.fullmatch(b"\n" + item.source.removesuffix(item.content))
    if as_written is None or as_written[2] is None:
        return item
    return Item(commented(None, as_written[2].decode(), item.content), None, item.test)
