"""Takes secrets out of traffic before it reaches the disk, the same way out of live requests before they are matched."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from urllib.parse import unquote_plus

from replay_agent.exceptions import UserError, WireError
from replay_agent.framing.content_encoding import decode, encodings
from replay_agent.framing.raw_frames import MEDIA_TYPE, join_frames, split_frames
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.recording.redaction.by_name import (
    find_form_fields,
    find_json_fields,
    find_mcp_headers,
    find_parts,
    find_query_fields,
    find_xml_fields,
    named_fields,
)
from replay_agent.recording.redaction.by_value import KnownValues, find_shapes
from replay_agent.recording.redaction.headers import DIGEST_HEADERS, kept_request_headers, kept_response_headers
from replay_agent.recording.redaction.in_streams import find_split, is_stream
from replay_agent.recording.redaction.scanning import Finding, scan
from replay_agent.recording.redaction.secrets import (
    Secret,
    environment_secrets,
    is_credential_header,
    is_secretive,
    placeholder,
)
from replay_agent.recording.redaction.spans import Draft, Finder, Span, Text, disjoint
from replay_agent.traffic import Chunk, Failure, Headers, Interaction, Outcome, Request, Response, header

__all__ = "Finding", "Redactor", "scan"

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_BY_NAME: tuple[Finder, ...] = (find_json_fields, find_mcp_headers, find_query_fields, find_xml_fields)
_GOOGLE = ("googleapis.com", "/v1beta/")
_REMEMBERED = 256
_SIGV4 = re.compile(r"(?:Credential|Signature)=([^/,\s]+)")


class Redactor:
    """Replaces secrets by placeholders that name the rule or variable, the same way in live and recorded traffic.

    ``rules`` are the user's own: names of JSON, form or query fields (and of response headers), or regular expressions
    (whatever is not a plain name) whose matches go. ``environ`` (default: the process's) is looked through once, at creation,
    for values of credential-like variables. ``keep_headers`` are stored beside the request headers that always are.
    May be shared by threads. Raises `UserError` for a rule that is no regular expression.
    """

    def __init__(
        self,
        rules: Iterable[str] = (),
        *,
        environ: Mapping[str, str] | None = None,
        keep_headers: Iterable[str] = (),
    ) -> None:
        rules = [rule.strip() for rule in rules if rule.strip()]
        names = [rule for rule in rules if _FIELD.fullmatch(rule)]
        patterns = [rule for rule in rules if not _FIELD.fullmatch(rule)]
        secrets = environment_secrets(os.environ if environ is None else environ)
        own_finders = ([named_fields(names)] if names else []) + ([_matches(patterns)] if patterns else [])
        self._environment = frozenset(secret.value for secret in secrets)
        self._known = _known_values(tuple(secrets))
        self._finders: tuple[Finder, ...] = (*own_finders, *_BY_NAME, find_shapes)
        self._keep = frozenset(name.lower() for name in keep_headers)
        self._unwanted = frozenset(name.lower() for name in names)
        self._seen: dict[str, KnownValues] = {}
        self._cleaned: dict[tuple[str, str, tuple[KnownValues, ...]], str] = {}

    def request(self, request: Request) -> Request:
        """Return the request as it is matched and stored: allowed headers only, no secret in URL or body."""
        return self._request(request, self._values(request))

    def interaction(self, interaction: Interaction) -> Interaction:
        """Return an interaction as it is stored; ``interaction.request`` is the raw one, as the client sent it.

        An answer that held a secret comes back with its content encoding undone, lengths corrected, chunk boundaries
        kept where no replaced text spans them, and `Response.redacted` set. An interaction without secrets comes
        back with its body unchanged.
        """
        values = self._values(interaction.request)
        outcome = self._outcome(interaction.outcome, values)
        return replace(interaction, request=self._request(interaction.request, values), outcome=outcome)

    def keying(self, keying: Keying) -> Keying:
        """Return a keying of requests that were not redacted yet: those of other recorders' cassettes."""
        return _RedactedKeying(self, keying)

    def text(self, text: str) -> str:
        """Return text without token shapes and known secrets, credentials of the requests seen so far among them."""
        return self._text(text, (self._known, *self._seen.values()))

    def _values(self, request: Request) -> tuple[KnownValues, ...]:
        """Return the values to look for: those of the environment, and the request's own credentials."""
        own = {secret.value: secret for secret in _own_secrets(request) if secret.value not in self._environment}
        return (self._known, *(self._known_value(secret) for secret in own.values()))

    def _known_value(self, secret: Secret) -> KnownValues:
        known = self._seen.get(secret.value)
        if known is None:
            known = self._seen[secret.value] = KnownValues((secret,))
        return known

    def _request(self, request: Request, values: tuple[KnownValues, ...]) -> Request:
        headers = self._headers(kept_request_headers(request.headers, self._keep), values)
        draft = self._draft(request.headers, request.body, values)
        if draft.rules and encodings(headers):
            headers = _without(headers, {"content-encoding"})
        return Request(
            request.method,
            self._url(request.url, values),
            headers,
            draft.data if draft.rules else request.body,
        )

    def _url(self, url: str, values: tuple[KnownValues, ...]) -> str:
        return self._remembered(url, values, self._cleaned_url)

    def _remembered(
        self, text: str, values: tuple[KnownValues, ...], clean: Callable[[str, tuple[KnownValues, ...]], str]
    ) -> str:
        """Return the cleaned text. Addresses and headers repeat from request to request; they are cleaned once."""
        key = (clean.__name__, text, values)
        known = self._cleaned.get(key)
        if known is None:
            if len(self._cleaned) >= _REMEMBERED:
                self._cleaned.clear()
            known = self._cleaned[key] = clean(text, values)
        return known

    def _cleaned_url(self, url: str, values: tuple[KnownValues, ...]) -> str:
        draft = Draft(url.encode("utf-8", "surrogateescape"))
        expected = any(mark in url for mark in _GOOGLE)
        draft.apply(lambda text: find_query_fields(text, expected=expected))
        self._search(draft, values)
        return draft.data.decode("utf-8", "surrogateescape") if draft.rules else url

    def _headers(self, headers: Headers, values: Sequence[KnownValues]) -> Headers:
        texts = "\n".join(value for _, value in headers)
        if self._remembered(texts, tuple(values), self._text) == texts:
            return headers
        return tuple((name, self._text(value, values)) for name, value in headers)

    def _text(self, text: str, values: Sequence[KnownValues]) -> str:
        draft = Draft(text.encode("utf-8", "surrogateescape"))
        self._search(draft, values)
        return draft.data.decode("utf-8", "surrogateescape") if draft.rules else text

    def _outcome(self, outcome: Outcome, values: Sequence[KnownValues]) -> Outcome:
        if isinstance(outcome, Failure):
            return self._failure(outcome, values)
        failure = None if outcome.failure is None else self._failure(outcome.failure, values)
        reason = None if outcome.reason is None else self._text(outcome.reason, values)
        headers = self._headers(kept_response_headers(outcome.headers, self._unwanted), values)
        return self._body(replace(outcome, headers=headers, failure=failure, reason=reason), values)

    def _failure(self, failure: Failure, values: Sequence[KnownValues]) -> Failure:
        return replace(failure, message=self._text(failure.message, values))

    def _body(self, response: Response, values: Sequence[KnownValues]) -> Response:
        body = response.body
        cuts = list(accumulate(len(chunk.data) for chunk in response.chunks))
        draft = self._draft(response.headers, body, values, cuts)
        if not draft.rules:
            return response
        pieces = zip(draft.pieces(), response.chunks, strict=True)
        chunks = tuple(Chunk(piece, chunk.offset_ms) for piece, chunk in pieces if piece or not chunk.data)
        return replace(response, headers=_corrected(response.headers, len(draft.data)), chunks=chunks, redacted=True)

    def _draft(self, headers: Headers, body: bytes, values: Sequence[KnownValues], cuts: Sequence[int] = ()) -> Draft:
        """Return a body without its secrets and without its content encoding; if it has no rules, nothing was found."""
        if not body:
            return Draft(body)
        if not encodings(headers):
            return self._clean(headers, Draft(body, cuts), values)
        try:
            plain = decode(headers, body, partial=True)
            draft = self._clean(headers, Draft(plain), values)
            if not draft.rules or not cuts:
                return draft
            moved = [len(decode(headers, body[:cut], partial=True)) for cut in cuts[:-1]]
        except WireError:
            return self._clean((), Draft(body, cuts), values)
        return self._clean(headers, Draft(plain, [*moved, len(plain)]), values)

    def _clean(self, headers: Headers, draft: Draft, values: Sequence[KnownValues]) -> Draft:
        kind = (header(headers, "content-type") or "").lower()
        if kind.startswith(MEDIA_TYPE):
            return self._clean_frames(draft, values)
        if kind.startswith("application/x-www-form-urlencoded"):
            draft.apply(find_form_fields)
        elif kind.startswith("multipart/"):
            draft.apply(find_parts)
        self._search(draft, values)
        if is_stream(draft.data):
            finders = [find_json_fields, find_shapes, *(known.find for known in values)]
            draft.apply(lambda text: find_split(text.data, finders))
        return draft

    def _clean_frames(self, draft: Draft, values: Sequence[KnownValues]) -> Draft:
        """Look through the payloads of an AWS event stream as if they were lines, and put the frames together again."""
        found = split_frames(draft.data)
        if found is None:
            return self._clean((), draft, values)
        frames, rest = found
        ends = list(accumulate(len(frame.payload) + 1 for frame in frames))
        lines = self._clean((), Draft(b"".join(frame.payload + b"\n" for frame in frames), ends), values)
        if not lines.rules:
            return draft
        changed = [
            frame._replace(payload=line.removesuffix(b"\n")) for frame, line in zip(frames, lines.pieces(), strict=True)
        ]
        starts = [0, *accumulate(frame.size for frame in frames)]
        data = join_frames(changed)
        draft.replace(
            [
                Span(start, start + old.size, join_frames([new]), "")
                for start, old, new in zip(starts, frames, changed, strict=False)
                if old != new
            ]
        )
        assert draft.data == data + rest
        return draft

    def _search(self, draft: Draft, values: Sequence[KnownValues]) -> None:
        for find in self._finders:
            draft.apply(find)
        for known in values:
            draft.apply(known.find)
            draft.apply(known.find_in_base64)


@dataclass(frozen=True, slots=True)
class _RedactedKeying:
    redactor: Redactor
    inner: Keying

    @property
    def scheme(self) -> str:
        return self.inner.scheme

    def __call__(self, request: Request) -> Key:
        return self.inner(self.redactor.request(request))


@lru_cache(maxsize=8)
def _known_values(secrets: tuple[Secret, ...]) -> KnownValues:
    return KnownValues(secrets)


def _own_secrets(request: Request) -> Iterator[Secret]:
    """Yield the credentials that a request carries, so that an answer that repeats them is found."""
    for name, value in request.headers:
        lowered = name.lower()
        if is_credential_header(lowered):
            yield from (Secret(lowered, part) for part in _header_secrets(value) if is_secretive(part))
    for data, find in (
        (request.url.encode("utf-8", "surrogateescape"), find_query_fields),
        (_plain_body(request), _field_finder(request)),
    ):
        for span in find(Text(data)):
            value = _unescaped(data[span.start : span.end])
            if is_secretive(value):
                yield Secret(span.rule, value)


def _field_finder(request: Request) -> Finder:
    kind = (header(request.headers, "content-type") or "").lower()
    if kind.startswith("application/x-www-form-urlencoded"):
        return find_form_fields
    return find_parts if kind.startswith("multipart/") else find_json_fields


def _plain_body(request: Request) -> bytes:
    if not encodings(request.headers):
        return request.body
    try:
        return decode(request.headers, request.body, partial=True)
    except WireError:
        return request.body


def _unescaped(value: bytes) -> str:
    text = value.decode("utf-8", "surrogateescape")
    if "%" in text:
        return unquote_plus(text)
    try:
        found = json.loads(f'"{text}"') if "\\" in text else text
    except ValueError:
        return text
    return found if isinstance(found, str) else text


def _header_secrets(value: str) -> Iterator[str]:
    """Yield a header's value and what in it is a secret of its own: behind the scheme, in a cookie, in a signature."""
    yield value
    scheme, _, rest = value.partition(" ")
    if rest:
        yield rest.strip()
    if scheme.lower() == "basic":
        yield from _basic_secrets(rest)
    yield from _SIGV4.findall(value)
    yield from (cookie.partition("=")[2] for cookie in value.split("; ") if "=" in cookie)


def _basic_secrets(encoded: str) -> Iterator[str]:
    try:
        user, _, password = base64.b64decode(encoded).decode("utf-8", "replace").partition(":")
    except (binascii.Error, ValueError):
        return
    yield from (user, password)


def _matches(patterns: Sequence[str]) -> Finder:
    """Return a finder for the user's regular expressions, which see text where a body is text."""
    compiled = [(pattern, _compiled(pattern)) for pattern in patterns]

    def find(source: Text) -> list[Span]:
        text = source.data.decode("utf-8", "surrogateescape")
        ascii_only = text.isascii()
        spans = []
        for pattern, expression in compiled:
            for found in expression.finditer(text):
                start, end = found.span() if ascii_only else (_size(text[: found.start()]), _size(text[: found.end()]))
                if start < end:
                    spans.append(Span(start, end, placeholder("replay_redact"), pattern))
        return disjoint(spans)

    return find


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise UserError(f"replay_redact: {pattern!r} is neither a field name nor a regular expression: {exc}") from exc


def _without(headers: Headers, names: Collection[str]) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def _corrected(headers: Headers, length: int) -> Headers:
    """Let the head agree with a body that was decoded and changed."""
    kept = _without(headers, {"content-encoding", *DIGEST_HEADERS})
    return tuple(
        (name, str(length) if name.lower() == "content-length" else value)
        for name, value in kept
        if not name.lower().startswith("x-amz-checksum-")
    )
