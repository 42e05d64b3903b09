"""What a request asks for, as a key: equal for equal meaning, whatever client spelled it.

Reading JSON, paths and multipart bodies is imported when it is first done: a replay whose requests are all spelled as
they were recorded does none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from replay_agent.exceptions import WireError
from replay_agent.framing.content_encoding import decode
from replay_agent.recording.matching.choosing import choice_of
from replay_agent.recording.matching.fingerprint import ASKING_HEADERS
from replay_agent.recording.matching.hosts import split_url
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.matching.placeholders import unnamed
from replay_agent.recording.meaning.address import SameHosts, canonical_form, canonical_url
from replay_agent.traffic import Headers, Request

if TYPE_CHECKING:
    from replay_agent.framing.multipart import BodyPart
    from replay_agent.recording.meaning.json_path import JSONPath

__all__ = "Meaning", "meaning"

VERSION = "meaning-2"
"""Changes whenever the same request would get another digest; cassettes store it with their keys."""

Rewrite: TypeAlias = Callable[[Any], None]
"""Changes a decoded JSON value in place."""

Normalize = Callable[[bytes], bytes]
"""Takes a request body, content encoding undone, and returns the body that counts."""

_NEEDLES = (b'"id"', b"call_id", b"CallId", b"use_id", b"UseId")
"""One of them is in every body with a tool-call id: see `replay_agent.recording.meaning.tool_call_ids`."""
# How the body is to be read; neither of these two counts by itself: SDKs change them with their versions.
_READ_HEADERS = ASKING_HEADERS | {"content-type", "content-encoding"}


def meaning(
    ignore_body: Sequence[str] = (),
    match_headers: Sequence[str] = (),
    normalize: Sequence[Normalize] = (),
    same_hosts: Sequence[str] = (),
) -> Meaning:
    """Return the keying that compares requests by method, URL and meaning of the body.

    ``ignore_body`` are JSON paths of what does not count (in a form, ``$.name`` is a field), ``match_headers`` names of
    headers that do, ``normalize`` functions that rewrite a body before it is read, ``same_hosts`` lines of hosts or base URLs
    that stand for each other. Raises `UserError` for a bad path.
    """
    made = _meaning(tuple(ignore_body), tuple(match_headers), tuple(same_hosts))
    return replace(made, normalize=tuple(normalize)) if normalize else made


@lru_cache(maxsize=64)
def _meaning(ignore_body: tuple[str, ...], match_headers: tuple[str, ...], same_hosts: tuple[str, ...]) -> Meaning:
    """Return what the tests of a session, nearly all under the same options, share."""
    return Meaning(
        _paths(ignore_body) if ignore_body else (),
        tuple(sorted({name.lower() for name in match_headers})),
        (),
        SameHosts(same_hosts) if same_hosts else None,
    )


class Canon(NamedTuple):
    """A body's meaning: how it was read, and one spelling for all bodies that mean the same when read so."""

    kind: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Meaning:
    """Computes keys (see `replay_agent.recording.matching.keys.Keying`). Pure; never raises.

    A body that is not what it claims to be, or is nested beyond reason, counts as its bytes.
    """

    ignore_body: tuple[JSONPath, ...] = ()
    match_headers: tuple[str, ...] = ()
    normalize: tuple[Normalize, ...] = ()
    same_hosts: SameHosts | None = None

    @property
    def scheme(self) -> str:
        """Version of the algorithm and the options, as one line."""
        if not (self.ignore_body or self.match_headers or self.normalize or self.same_hosts):
            return VERSION
        options: dict[str, list[str]] = {
            "ignore_body": [path.text for path in self.ignore_body],
            "match_headers": list(self.match_headers),
            "normalize": [_name(function) for function in self.normalize],
            "same_hosts": list(self.same_hosts.lines) if self.same_hosts else [],
        }
        said = {name: values for name, values in options.items() if values}
        return f"{VERSION} {json.dumps(said)}" if said else VERSION

    def __call__(self, request: Request) -> Key:
        """Return the key of a request."""
        content_type, encoded, counting = self._headers(request.headers)
        # The order matters: what a user normalizes is the plain body, and what is compared is what he returns.
        body = _decoded(request.headers if encoded else (), request.body)
        for function in self.normalize:
            body = function(body)
        ids: list[str] = []
        secrets: list[str] = []
        kind, text = self._meaning(content_type, body, secrets, _roles(request.url, body, ids) if body else ())
        url = canonical_url(request.url)
        if self.same_hosts is not None:
            url = self.same_hosts(url)
        head = f"{request.method.upper()} {url}\n{counting}\n{kind}\n"
        digest = blake2b(unnamed(head.encode("utf-8", "surrogatepass"), secrets), digest_size=16)
        digest.update(text)
        # Had the body turned out not to be JSON after all, no id of it would have been replaced in what was hashed.
        known_ids = tuple(ids) if kind == "json" else ()
        return Key(digest.hexdigest(), known_ids, choice=choice_of(request), secrets=tuple(secrets))

    def _headers(self, headers: Headers) -> tuple[str, bool, str]:
        wanted = _READ_HEADERS.union(self.match_headers) if self.match_headers else _READ_HEADERS
        read = [(name, value) for key, value in headers if (name := key.lower()) in wanted]
        counting = [field for field in read if field[0] in ASKING_HEADERS or field[0] in self.match_headers]
        return (
            next((value for name, value in read if name == "content-type"), ""),
            any(name == "content-encoding" for name, _ in read),
            repr(sorted(counting)) if counting else "",
        )

    def _meaning(self, content_type: str, body: bytes, secrets: list[str], rewrite: Sequence[Rewrite] = ()) -> Canon:
        """Return a body's meaning with all placeholders of secrets alike; their names are added to ``secrets``."""
        kind, text = self._read(content_type, body, secrets, rewrite)
        return Canon(kind, unnamed(text, secrets))

    def _read(self, content_type: str, body: bytes, secrets: list[str], rewrite: Sequence[Rewrite]) -> Canon:
        if not body:
            return Canon("empty", b"")
        if content_type[:33].lower() == "application/x-www-form-urlencoded":
            return Canon("form", self._form(body))
        if content_type[:10].lower() == "multipart/":
            from replay_agent.framing.multipart import parse_multipart

            parts = parse_multipart(content_type, body)
            if parts is not None:
                return Canon("multipart", self._parts(parts, secrets))
        return self._json(content_type, body, rewrite) or Canon("bytes", body)

    def _json(self, content_type: str, body: bytes, rewrite: Sequence[Rewrite]) -> Canon | None:
        body = body.removeprefix(b"\xef\xbb\xbf")
        # Without a content type that says so, only an object or a list is taken for JSON: 12 or "x" may be anything.
        if body[:1] not in b"{[" and body.lstrip()[:1] not in b"{[" and "json" not in content_type.lower():
            return None
        whole = self._documents([body], rewrite)
        if whole is not None:
            return Canon("json", whole)
        # One document a line: batches and telemetry (application/x-ndjson, and often without that type).
        lines = [line for line in body.split(b"\n") if line and not line.isspace()]
        documents = self._documents(lines) if len(lines) > 1 else None
        return None if documents is None else Canon("ndjson", documents)

    def _documents(self, texts: list[bytes], rewrite: Sequence[Rewrite] = ()) -> bytes | None:
        from replay_agent.recording.meaning.canonical_json import canonical_json

        try:
            return b"\n".join([canonical_json(text, self.ignore_body, rewrite) for text in texts])
        except (ValueError, RecursionError):
            return None

    def _form(self, body: bytes) -> bytes:
        text = canonical_form(body.decode("utf-8", "surrogateescape"))
        ignored = {path.member for path in self.ignore_body}
        if ignored:
            text = "&".join(field for field in text.split("&") if unquote(field.partition("=")[0]) not in ignored)
        return text.encode("ascii")

    def _parts(self, parts: list[BodyPart], secrets: list[str]) -> bytes:
        # Form fields may come in any order (RFC 7578, 5.2, wants it kept; clients build them from dicts); parts without
        # names have nothing but their place.
        if all(part.name for part in parts):
            parts = sorted(parts, key=lambda part: part.name)
        return json.dumps([self._part(part, secrets) for part in parts]).encode("ascii")

    def _part(self, part: BodyPart, secrets: list[str]) -> list[object]:
        kind, text = self._meaning(part.header("content-type"), part.body, secrets)
        # Follows from the body, and only some clients write it.
        named = sorted(field for field in part.headers if field[0] != "content-length")
        return [named, kind, blake2b(text, digest_size=16).hexdigest()]


def _roles(url: str, body: bytes, ids: list[str]) -> Sequence[Rewrite]:
    """Return what makes members of a JSON body count by their role; tool-call ids that are found are put into ``ids``."""
    if b'"jsonrpc"' in body:
        from replay_agent.recording.meaning.json_rpc import forget_roles

        return [forget_roles]
    if not any(needle in body for needle in _NEEDLES):
        return ()
    from replay_agent.recording.meaning.tool_call_ids import id_places, number_ids

    places = id_places(split_url(url)[1].partition("?")[0].partition("#")[0])
    return () if places is None else [lambda value: number_ids(places(value), ids)]


def _paths(texts: Sequence[str]) -> tuple[JSONPath, ...]:
    from replay_agent.recording.meaning.json_path import JSONPath

    return tuple(JSONPath.parse(text) for text in sorted(set(texts)))


def _name(function: Normalize) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def _decoded(headers: Headers, body: bytes) -> bytes:
    try:
        plain = decode(headers, body) if headers else body
        if plain[:3] == b"\x1f\x8b\x08":  # gzip that is not announced: telemetry clients; its header holds the time
            return decode((("content-encoding", "gzip"),), plain)
    except WireError:
        return body
    return plain
