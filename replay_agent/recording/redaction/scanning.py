"""Looks through files for secrets that should not be in them: cassettes of any layout, and any other text."""

from __future__ import annotations

import base64
import binascii
import os
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from replay_agent.recording.redaction.by_name import find_json_fields, find_query_fields, find_xml_fields
from replay_agent.recording.redaction.by_value import KnownValues, find_shapes
from replay_agent.recording.redaction.secrets import (
    environment_secrets,
    is_credential_header,
    is_credential_name,
    placeholder,
)
from replay_agent.recording.redaction.spans import Finder, Span, Text, disjoint

__all__ = "Finding", "scan"

_EXCERPT = 60
_FIELD = re.compile(
    rb"""^[ \t-]*["']?(?P<name>[A-Za-z][A-Za-z0-9_.\-]{1,60})["']?:[ \t]*(?:\r?\n[ \t]*-[ \t]+)?["']?(?P<value>[^\s"'|>\[{&*!#][^\r\n]*?)["']?[ \t]*\r?$""",
    re.MULTILINE,
)
_HARMLESS = re.compile(
    rb"(?:REDACTED\(.*|\W*(?:scrubbed|redacted|filtered|removed|dummy|fake|test|replay|placeholder|none|null|true|false)\W*|"
    rb"[\d.,:+\-eE]+|[*x.~]+|<[^>]*>|\$\{?\w+\}?|)",
    re.IGNORECASE | re.DOTALL,
)
_ACCOUNT = re.compile(
    r"(?:openai|anthropic|x|cf|azure|aws|goog)-(?:\w+-)*(?:organization|organisation|project|account|tenant|workspace)(?:-id)?"
)
_BLOCK = re.compile(
    rb"(?:base64|encoded|!!binary)[:\"]? *[|>]?[-+]?[ \t]*\r?\n((?:[ \t]*[A-Za-z0-9+/=]+[ \t]*\r?\n?)+)"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a file: the rule that saw it, and where (line, from 1; of base64 the line where it begins)."""

    rule: str
    line: int
    excerpt: str
    """The text around it, every secret of the line masked."""


def scan(data: bytes | str, *, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Find secrets in a file's content: token shapes, credential fields and headers, values of credential-like variables.

    ``environ`` is the process's by default. What a recorder left in a secret's place is not reported.
    """
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    known = KnownValues(environment_secrets(os.environ if environ is None else environ))
    finders = (find_shapes, known.find, known.find_in_base64, find_json_fields, find_query_fields, find_xml_fields)
    spans = _found(raw, (*finders, _find_fields))
    starts = [0, *(found.end() for found in re.finditer(rb"\n", raw))]
    findings = [_finding(raw, span, spans, starts) for span in spans]
    findings += _hidden(raw, finders, starts)
    return sorted(findings, key=lambda finding: (finding.line, finding.rule))


def _found(data: bytes, finders: Sequence[Finder]) -> list[Span]:
    text = Text(data)
    return disjoint(
        span for find in finders for span in find(text) if not _HARMLESS.fullmatch(data[span.start : span.end].strip())
    )


def _find_fields(text: Text) -> list[Span]:
    """Find credentials in lines of YAML, headers and settings: ``name: value``, or a list of one below the name."""
    return [
        Span(*found.span("value"), placeholder(name), name)
        for found in _FIELD.finditer(text.data)
        for name in [found["name"].decode("latin-1")]
        if is_credential_name(name)
        or ("-" in name and is_credential_header(name.lower()))
        or _ACCOUNT.fullmatch(name.lower())
    ]


def _finding(data: bytes, span: Span, spans: Sequence[Span], starts: Sequence[int]) -> Finding:
    line = bisect_right(starts, span.start)
    end = data.find(b"\n", span.start)
    first, last = starts[line - 1], end if end >= 0 else len(data)
    before = _masked(data, max(first, span.start - _EXCERPT), span.start, spans)
    after = _masked(data, span.end, min(last, span.end + _EXCERPT // 2), spans)
    return Finding(span.rule, line, f"{before}***{after}".strip())


def _masked(data: bytes, start: int, end: int, spans: Sequence[Span]) -> str:
    pieces: list[bytes] = []
    for span in spans:
        if start < span.end and span.start < end:
            pieces += data[start : max(start, span.start)], b"***"
            start = span.end
    return b"".join((*pieces, data[start : max(start, end)])).decode("utf-8", "replace")


def _hidden(data: bytes, finders: Sequence[Finder], starts: Sequence[int]) -> Iterator[Finding]:
    """Yield what is found in blocks of base64, decompressed where they are gzip."""
    for block in _BLOCK.finditer(data):
        plain = _plain(block[1])
        for span in _found(plain, finders):
            yield Finding(span.rule, bisect_right(starts, block.start(1)), "in the base64 that begins here")


def _plain(block: bytes) -> bytes:
    try:
        data = base64.b64decode(b"".join(block.split()))
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, 1 << 24) if data[:2] == b"\x1f\x8b" else data
    except (binascii.Error, zlib.error):
        return b""
