"""Finds credentials by the names of their fields: in JSON, also within strings of JSON, in forms, queries and XML.

Works on bytes as they are, whole documents or pieces of streams alike, and leaves the spelling of the rest alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

from replay_agent.recording.redaction.secrets import (
    is_credential_name,
    is_opaque_token,
    is_query_credential,
    placeholder,
)
from replay_agent.recording.redaction.spans import Finder, Span, Text, disjoint

__all__ = (
    "find_form_fields",
    "find_json_fields",
    "find_mcp_headers",
    "find_parts",
    "find_query_fields",
    "find_xml_fields",
    "named_fields",
)

_WORDS = (
    b"token", b"secret", b"password", b"passwd", b"pwd", b"passphrase", b"apikey", b"api_key", b"api-key", b"authorization",
    b"bearer", b"credentials", b"assertion", b"private_key", b"privatekey", b"access_key", b"accesskey", b"secret_key", b"secretkey",
    b"signing_key", b"encryption_key", b"access_key_id", b"accesskeyid", b"private_key_id", b"code_verifier", b"cookie",
    b"subscription-key",
)  # fmt: skip
_NAME = re.compile(
    rb'(?P<quote>\\*")(?P<name>[A-Za-z0-9_.\- ]{0,80}(?:' + b"|".join(_WORDS) + rb"))(?P=quote)\s*:\s*", re.IGNORECASE
)
_TEXT = re.compile(rb'(?P<quote>\\*")')
_LITERAL = re.compile(rb"-?[0-9][0-9.eE+\-]*|true|false")
_LOGPROB = re.compile(rb"logprob|log_prob|tokenid|token_id|bytes", re.IGNORECASE)
_PAIR = re.compile(rb"([^&=]+)=([^&]*)")
_QUERY = re.compile(rb"""[?&](?:amp;)?([A-Za-z0-9_.\-%]{1,64})=([^&\s"'\\<>#]+)""")
_ELEMENT = re.compile(rb"<((?:[A-Za-z0-9_]+:)?([A-Za-z0-9_.\-]{1,64}))>([^<>]+)</\1>")
_PART = re.compile(
    rb'\bname="?([^"\r\n;]{1,64})"?[ \t]*\r?\n(?:[A-Za-z0-9-]+:[^\r\n]*\r?\n)*\r?\n([^\r\n]*)\r?\n--', re.IGNORECASE
)
_MCP = (b"server_url", b"mcp_server", b'"mcp"')
_MCP_HEADERS = re.compile(rb'(?P<quote>\\*")headers(?P=quote)\s*:\s*\{')
_HARMLESS_HEADERS = frozenset({b"accept", b"content-type", b"user-agent", b"mcp-protocol-version"})
_LONGEST_NAME = 120
_DECODER = json.JSONDecoder()


def find_json_fields(text: Text) -> list[Span]:
    """Find the texts under credential names in JSON, whole, cut, or quoted any number of times."""
    if not any(map(_is_suspicious, text.names)):
        return []
    data = text.data
    return disjoint(span for found in _NAME.finditer(data) for span in _judged(data, found))


@lru_cache(maxsize=4096)
def _is_suspicious(name: bytes) -> bool:
    if len(name) > _LONGEST_NAME:
        return False
    text = name.decode("latin-1")
    return text.lower() == "token" or is_credential_name(text)


def _judged(data: bytes, found: re.Match[bytes]) -> Iterator[Span]:
    name = found["name"].decode("latin-1")
    if name.lower() == "token":
        for span in _values(data, found, name):
            if is_opaque_token(data[span.start : span.end].decode("latin-1")) and not _of_logprobs(data, span):
                yield span
    elif is_credential_name(name):
        yield from _values(data, found, name)


def _of_logprobs(data: bytes, span: Span) -> bool:
    """Tell whether a ``token`` is a piece of text in a list of log probabilities, by what stands beside it."""
    start, end = data.rfind(b"{", 0, span.start), data.find(b"}", span.end)
    return _LOGPROB.search(data, start, end if end >= 0 else len(data)) is not None


def _values(data: bytes, found: re.Match[bytes], name: str) -> Iterator[Span]:
    """Yield the text behind a name, or each text of a list behind it."""
    quote, position = found["quote"], found.end()
    in_list = data.startswith(b"[", position)
    position += in_list
    while True:
        position = _past_space(data, position)
        if not data.startswith(quote, position):
            return
        start = position + len(quote)
        end = _text_end(data, start, len(quote) - 1)
        if end > start:
            yield Span(start, end, placeholder(name), name)
        position = _past_space(data, end + len(quote))
        if not in_list or not data.startswith(b",", position):
            return
        position += 1


def _past_space(data: bytes, position: int) -> int:
    while data[position : position + 1].isspace():
        position += 1
    return position


def _text_end(data: bytes, start: int, escapes: int) -> int:
    """Return where the text ends that is quoted with this many backslashes before its quotation mark.

    Each quoting doubles the backslashes and adds one: of those before a mark, what is left after whole doublings tells
    whether the mark is the text's own end or belongs to it.
    """
    mark = data.find(b'"', start)
    while mark >= 0:
        first = mark
        while first > start and data[first - 1 : first] == b"\\":
            first -= 1
        if (mark - first) % (2 * (escapes + 1)) == escapes:
            return mark - escapes
        mark = data.find(b'"', mark + 1)
    return len(data)


def named_fields(names: Iterable[str]) -> Finder:
    """Return a finder for the values of these JSON fields, of whatever type, and of form and query fields."""
    wanted = [re.escape(name.encode()) for name in names]
    pattern = re.compile(rb'(?P<quote>\\*")(?P<name>' + b"|".join(wanted) + rb")(?P=quote)\s*:\s*", re.IGNORECASE)
    query = re.compile(rb"(?:^|[?&])(" + b"|".join(wanted) + rb")=([^&\s\"'\\<>#]+)", re.IGNORECASE)

    def find(text: Text) -> list[Span]:
        data = text.data
        in_json = (_whole_value(data, found) for found in pattern.finditer(data))
        in_query = (_span(found, 2, found[1]) for found in query.finditer(data))
        return disjoint([*(span for span in in_json if span), *in_query])

    return find


def _whole_value(data: bytes, found: re.Match[bytes]) -> Span | None:
    name, quote, position = found["name"].decode("latin-1"), found["quote"], found.end()
    if data.startswith(quote, position):
        start = position + len(quote)
        return Span(start, _text_end(data, start, len(quote) - 1), placeholder(name), name)
    quoted = quote + placeholder(name) + quote
    literal = _LITERAL.match(data, position)
    if literal is not None:
        return Span(position, literal.end(), quoted, name)
    if data[position : position + 1] in (b"{", b"[") and len(quote) == 1:
        return Span(position, position + _length(data[position:]), quoted, name)
    return None


def _length(data: bytes) -> int:
    """Return how long the JSON value is with which these bytes begin; all of them if it is cut off."""
    try:
        return _DECODER.raw_decode(data.decode("latin-1"))[1]
    except (ValueError, RecursionError):
        return len(data)


def _span(found: re.Match[bytes], group: int, name: bytes) -> Span:
    rule = name.decode("latin-1")
    return Span(found.start(group), found.end(group), placeholder(rule), rule)


def find_mcp_headers(text: Text) -> list[Span]:
    """Find the values of the headers that a provider is told to send to an MCP server."""
    data = text.data
    if b"headers" not in data or not any(mark in data for mark in _MCP):
        return []
    spans: list[Span] = []
    for found in _MCP_HEADERS.finditer(data):
        spans += _header_values(data, found.end(), found["quote"])
    return disjoint(spans)


def _header_values(data: bytes, position: int, quote: bytes) -> Iterator[Span]:
    pair = re.compile(
        rb"\s*,?\s*" + re.escape(quote) + rb"([^\"\\]+)" + re.escape(quote) + rb"\s*:\s*" + re.escape(quote)
    )
    while found := pair.match(data, position):
        end = _text_end(data, found.end(), len(quote) - 1)
        if found[1].lower() not in _HARMLESS_HEADERS and end > found.end():
            rule = found[1].decode("latin-1")
            yield Span(found.end(), end, placeholder(rule), rule)
        position = end + len(quote)


def find_form_fields(text: Text) -> list[Span]:
    """Find the credentials of a body that is ``application/x-www-form-urlencoded``."""
    data = text.data
    return [
        _span(found, 2, found[1])
        for found in _PAIR.finditer(data)
        if found[2] and is_query_credential(*_pair_text(found), expected=found[1] == b"code" and b"grant_type=" in data)
    ]


def find_query_fields(text: Text, *, expected: bool = False) -> list[Span]:
    """Find the credentials in the queries of addresses, wherever these stand.

    ``expected`` is for an address that is known to carry one under any of the usual names.
    """
    if b"=" not in text.data:
        return []
    return [
        _span(found, 2, found[1])
        for found in _QUERY.finditer(text.data)
        if is_query_credential(*_pair_text(found), expected=expected)
    ]


def _pair_text(found: re.Match[bytes]) -> tuple[str, str]:
    return unquote_plus(found[1].decode("latin-1")), unquote_plus(found[2].decode("latin-1"))


def find_xml_fields(text: Text) -> list[Span]:
    """Find the credentials in XML, as AWS's token service sends them."""
    if b"</" not in text.data:
        return []
    elements = _ELEMENT.finditer(text.data)
    return [_span(found, 3, found[2]) for found in elements if is_credential_name(found[2].decode("latin-1"))]


def find_parts(text: Text) -> list[Span]:
    """Find the credentials among the fields of a ``multipart/form-data`` body."""
    return [_span(found, 2, found[1]) for found in _PART.finditer(text.data) if is_query_credential(*_pair_text(found))]
