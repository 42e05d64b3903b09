"""Takes secrets out of traffic before it reaches the disk, the same way out of live requests before they are matched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from replay_agent.exceptions import UserError
from replay_agent.framing.content_encoding import encodings
from replay_agent.framing.raw_frames import MEDIA_TYPE
from replay_agent.recording.matching.keys import Key, Keying
from replay_agent.recording.redaction.finders.by_name import (
    find_form_fields,
    find_parts,
    find_query_fields,
    named_fields,
    stand_ins,
)
from replay_agent.recording.redaction.finders.clues import Clues, Looker, Rule
from replay_agent.recording.redaction.headers import (
    corrected,
    header_secrets,
    kept_request_headers,
    kept_response_headers,
    response_secrets,
    without,
)
from replay_agent.recording.redaction.knowledge import Knowledge
from replay_agent.recording.redaction.layers.containers import (
    Lines,
    decoded,
    decoded_cuts,
    framed_places,
    narrowed,
    repacked,
    unframed,
    unpacked,
)
from replay_agent.recording.redaction.search import Search
from replay_agent.recording.redaction.spans import Place, Places, Span, moved, replaced
from replay_agent.traffic import Chunk, Failure, Headers, Interaction, Outcome, Request, Response, header

__all__ = ("Redactor",)

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_GOOGLE = ("googleapis.com", "/v1beta/")
_REMEMBERED = 256
_FORM = "application/x-www-form-urlencoded"


class _Cleaned(NamedTuple):
    """A body without its secrets and without its content encoding, and where its pieces end."""

    data: bytes
    cuts: Sequence[int]


class Redactor:
    """Replaces secrets by placeholders that name the rule or variable, the same way in live and recorded traffic.

    ``rules`` are the user's own: names of JSON, form or query fields (and of response headers), or regular expressions
    (whatever is not a plain name) whose matches go. ``environ`` (default: the process's) is read at each use. Whatever
    is a secret in one request or answer is looked for in all that follow. ``keep_headers`` are stored beside the request
    headers that always are. May be shared by threads. Raises `UserError` for a rule that is no regular expression.
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
        own = ([Rule(named_fields(names))] if names else []) + ([Rule(_matches(patterns))] if patterns else [])
        self._knowledge = Knowledge(environ)
        self._search = Search(self._knowledge, own)
        self._keep = frozenset(name.lower() for name in keep_headers)
        self._unwanted = frozenset(name.lower() for name in names)
        self._clean_texts: set[str] = set()
        self._clean_at = -1

    @property
    def known(self) -> int:
        """How many secrets are looked for. When it has grown, what was redacted before may hold one of them."""
        self._knowledge.read_environment()
        return self._knowledge.size

    def learn(self, request: Request) -> None:
        """Look for the credentials that a request carries in its headers and its address from now on."""
        self._knowledge.read_environment()
        self._learn(request)

    def _learn(self, request: Request) -> None:
        for rule, value in header_secrets(request.headers):
            self._knowledge.learn(rule, value.encode("utf-8", "surrogateescape"))
        self._url(request.url)

    def request(self, request: Request) -> Request:
        """Return the request as it is matched and stored: allowed headers only, no secret in URL or body."""
        self._knowledge.read_environment()
        return self._request(request)

    def _request(self, request: Request) -> Request:
        self._learn(request)
        self._knowledge.reserve(request.body)
        cleaned = self._body(request.headers, request.body, (), asked=True)
        headers = self._headers(kept_request_headers(request.headers, self._keep))
        if cleaned is None:
            return Request(request.method, self._url(request.url), headers, request.body)
        if encodings(headers):
            headers = without(headers, {"content-encoding"})
        return Request(request.method, self._url(request.url), headers, cleaned.data)

    def interaction(self, interaction: Interaction) -> Interaction:
        """Return an interaction as it is stored; ``interaction.request`` is the raw one, as the client sent it.

        An answer that held a secret comes back with its content encoding undone, lengths corrected, chunk boundaries
        kept where no replaced text spans them, and `Response.redacted` set. An interaction without secrets comes
        back with its body unchanged.
        """
        self._knowledge.read_environment()  # which takes longer than a small body: once is enough
        while True:
            known = self._knowledge.size
            request = self._request(interaction.request)
            outcome = self._outcome(interaction.outcome)
            if known == self._knowledge.size:
                return replace(interaction, request=request, outcome=outcome)
            del request, outcome  # what the answer tells may be in the request: both once more, and neither kept

    def look_for(self, rule: str, value: bytes) -> None:
        """Take a value for a secret from now on."""
        self._knowledge.learn(rule, value)

    def keying(self, keying: Keying) -> Keying:
        """Return a keying of requests that were not redacted yet: those of other recorders' cassettes."""
        return _RedactedKeying(self, keying)

    def text(self, text: str) -> str:
        """Return text without token shapes and known secrets, credentials of the requests seen so far among them."""
        self._knowledge.read_environment()
        return self._text(text)

    def _text(self, text: str) -> str:
        return self._cleaned_text(text.encode("utf-8", "surrogateescape"), None) or text

    def _cleaned_text(self, data: bytes, first: Looker | None) -> str | None:
        spans = self._search.find(data, (), first=first)
        if not spans:
            return None
        return replaced(data, self._search.places(data, spans)).decode("utf-8", "surrogateescape")

    def _url(self, url: str) -> str:
        return self._remembered(url, self._cleaned_url)

    def _remembered(self, text: str, clean: Callable[[str], str]) -> str:
        """Return the cleaned text. Addresses and headers repeat from request to request: clean ones are known again."""
        if self._clean_at != self._knowledge.size or len(self._clean_texts) > _REMEMBERED:
            self._clean_texts.clear()
        elif text in self._clean_texts:
            return text
        cleaned = clean(text)
        self._clean_at = self._knowledge.size
        if cleaned == text:
            self._clean_texts.add(text)
        return cleaned

    def _cleaned_url(self, url: str) -> str:
        expected = any(mark in url for mark in _GOOGLE)

        def first(data: bytes, clues: Clues) -> Iterator[Span]:
            yield from find_query_fields(data, expected=expected)
            yield from stand_ins(data, clues, form=False)

        data = url.encode("utf-8", "surrogateescape")
        self._knowledge.reserve(data)
        return self._cleaned_text(data, first) or url

    def _headers(self, headers: Headers) -> Headers:
        texts = "\n".join(value for _, value in headers)
        if self._remembered(texts, self._text) == texts:
            return headers
        return tuple((name, self._text(value)) for name, value in headers)

    def _hidden(self, rule: str, value: str) -> str:
        data = value.strip().strip('"').encode("utf-8", "surrogateescape")
        if data.startswith(b"REDACTED("):
            return value
        return self._knowledge.placeholder(Span(0, len(data), rule, data)).decode()

    def _outcome(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Failure):
            return self._failure(outcome)
        for rule, value in response_secrets(outcome.headers):
            self._knowledge.learn(rule, value.encode("utf-8", "surrogateescape"))
        failure = None if outcome.failure is None else self._failure(outcome.failure)
        reason = None if outcome.reason is None else self._text(outcome.reason)
        response = self._response(replace(outcome, failure=failure, reason=reason))
        kept = kept_response_headers(response.headers, self._hidden, self._unwanted)
        return replace(response, headers=self._headers(kept))

    def _failure(self, failure: Failure) -> Failure:
        return replace(failure, message=self._text(failure.message))

    def _response(self, response: Response) -> Response:
        cuts = list(accumulate(len(chunk.data) for chunk in response.chunks))
        cleaned = self._body(response.headers, response.body, cuts, asked=False)
        if cleaned is None:
            return response
        pieces = [cleaned.data[start:end] for start, end in pairwise((0, *cleaned.cuts))]
        chunks = tuple(
            Chunk(piece, chunk.offset_ms)
            for piece, chunk in zip(pieces, response.chunks, strict=True)
            if piece or not chunk.data
        )
        return replace(response, headers=corrected(response.headers, len(cleaned.data)), chunks=chunks, redacted=True)

    def _body(self, headers: Headers, body: bytes, cuts: Sequence[int], *, asked: bool) -> _Cleaned | None:
        """Return a body without its secrets, None if it has none. ``asked`` is for the body of a request."""
        data = decoded(headers, body)
        if data is None:
            return self._cleaned(headers, body, cuts, asked=asked)
        places = self._places(headers, data, asked=asked)
        if not places:
            return None
        ends = decoded_cuts(headers, body, cuts, len(data))
        return _Cleaned(replaced(data, places), moved(ends, places))

    def _cleaned(self, headers: Headers, body: bytes, cuts: Sequence[int], *, asked: bool) -> _Cleaned | None:
        plain = unpacked(body)
        wide = narrowed(header(headers, "content-type") or "", body)
        if plain is not None and plain != body:
            inner = self._cleaned(headers, plain, (), asked=asked)
            changed = None if inner is None else repacked(inner.data, body)
        elif wide is not None:
            places = self._places(headers, wide.data, asked=asked)
            changed = wide.spelled(replaced(wide.data, places)) if places else None
        else:
            places = self._places(headers, body, asked=asked)
            return _Cleaned(replaced(body, places), moved(cuts, places)) if places else None
        return None if changed is None else _Cleaned(changed, moved(cuts, [Place(0, len(body), changed)]))

    def _places(self, headers: Headers, data: bytes, *, asked: bool) -> Places | list[Place]:
        """Return the places of a decoded body that are to be replaced, and what comes there."""
        kind = (header(headers, "content-type") or "").lower()
        lines = unframed(data) if kind.startswith(MEDIA_TYPE) else None
        if lines is not None:
            return self._framed(lines)
        text = data.replace(b"+", b" ") if kind.startswith(_FORM) else data  # as long, so that all keeps its place
        return self._search.places(data, self._search.find(text, first=_first_look(kind, asked=asked)))

    def _framed(self, lines: Lines) -> list[Place]:
        spans = self._search.find(lines.data, lines.events)
        if not spans:
            return []
        places = self._search.places(lines.data, spans)
        ends = moved([end for _, end in lines.events], places)
        data = replaced(lines.data, places)
        starts = [0, *(end + 1 for end in ends)]
        return framed_places(lines, [data[start:end] for start, end in zip(starts, ends, strict=False)])


def _first_look(kind: str, *, asked: bool) -> Looker:
    """Return what is found in a body of this media type as it is spelled, before its escapes are undone."""

    def first(data: bytes, clues: Clues) -> Iterator[Span]:
        if kind.startswith(_FORM):
            yield from find_form_fields(data)
        elif kind.startswith("multipart/"):
            yield from find_parts(data)
        if asked:
            yield from stand_ins(data, clues, form=kind.startswith(_FORM))

    return first


@dataclass(frozen=True, slots=True)
class _RedactedKeying:
    redactor: Redactor
    inner: Keying

    @property
    def scheme(self) -> str:
        return self.inner.scheme

    def __call__(self, request: Request) -> Key:
        return self.inner(self.redactor.request(request))


def _matches(patterns: Sequence[str]) -> Looker:
    """Return a finder for the user's regular expressions, which see text."""
    compiled = [_compiled(pattern) for pattern in patterns]

    def find(data: bytes, _clues: Clues) -> Iterator[Span]:
        text = data.decode("utf-8", "surrogateescape")
        for expression in compiled:
            characters = size = 0
            for found in expression.finditer(text):
                start = size + _size(text[characters : found.start()])
                characters, size = found.end(), start + _size(found[0])
                if start < size:
                    yield Span(start, size, "replay_redact", data[start:size])

    return find


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise UserError(f"replay_redact: {pattern!r} is neither a field name nor a regular expression: {exc}") from exc
