"""Finds credentials by the names of their fields: in JSON, forms, queries, multipart bodies, XML and settings.

Reads texts whose escapes are undone, whole documents or pieces of them alike. A name alone makes no secret: its value
must look like one too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from replay_agent.recording.redaction import looks
from replay_agent.recording.redaction.layers.escapes import peeled, plain
from replay_agent.recording.redaction.names import Naming, field_naming, query_naming
from replay_agent.recording.redaction.spans import Finder, Span, merged

__all__ = (
    "find_fields",
    "find_form_fields",
    "find_json_fields",
    "find_options",
    "find_paired",
    "find_parts",
    "find_query_fields",
    "find_said",
    "find_settings",
    "find_xml_fields",
    "named_fields",
    "stand_ins",
)

_LOOKS: dict[Naming, Callable[[str], bool]] = {
    Naming.NOTHING: lambda _value: False,
    Naming.VAGUE: looks.is_opaque,
    Naming.WEAK: looks.is_random,
    Naming.STRONG: looks.is_key,
    Naming.PASSWORD: looks.is_password,
    Naming.PHRASE: looks.is_phrase,
    Naming.SIGNED: bool,
}
_SCHEMES = frozenset({"bearer", "basic", "token", "apikey", "api-key", "digest", "key", "bot"})


def is_secret(naming: Naming, value: str) -> bool:
    """Tell whether the value of a field is a secret, by what its name says and how it looks."""
    scheme, blank, rest = value.partition(" ")
    if blank and scheme.lower() in _SCHEMES:
        value = rest.strip()
    elif naming is Naming.WEAK and "=" in value and "; " in value:  # the cookies of a request
        return any(looks.is_random(pair.partition("=")[2]) for pair in value.split("; "))
    return _LOOKS[naming](value)


# JSON

_MEMBER = re.compile(rb'"([A-Za-z_$@][^"\\\x00-\x1f]{0,79}+)"\s{0,40}+:[\s+]{0,40}+')
"""A name and what stands between it and its value; in a query, a blank is a plus sign."""
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_LITERAL = re.compile(rb"-?[0-9][0-9.eE+\-]*+|true|false")
_NUMBER = re.compile(rb"-?[0-9]++(?![0-9.eE])")
_MARK = re.compile(rb'["{}\[\]]')
_COLON = re.compile(rb"\s{0,40}+:")
_SCHEMA = re.compile(rb'"type"\s{0,9}+:\s{0,9}+(?:"(?:string|integer|number|object|array|boolean|null)"|\[)')
_LOGPROB = re.compile(rb"logprob|log_prob|tokenid|token_id|bytes", re.IGNORECASE)
_NEIGHBOURHOOD = 4000
_NO_SECRET_MEMBERS = re.compile(
    r"(?:^|[_\-.])(?:id|ids|type|kind|name|user|username|email|url|uri|endpoint|host|scope|scopes|region|version|description"
    r"|format|pattern|title|status|issuer|audience|algorithm|expires?|created|updated|date|time)$|[a-z](?:Id|Ids|Type|Name|Url|Uri|At)$",
)
_MCP = (b"server_url", b"mcp_server", b'"mcp"')
_HARMLESS_HEADERS = frozenset({"accept", "content-type", "user-agent", "mcp-protocol-version"})


def find_json_fields(text: bytes) -> Iterator[Span]:
    """Find credentials in JSON: texts, numbers, and what objects and lists under such a name hold."""
    if b'"' not in text or b":" not in text:
        return
    of_mcp = b"headers" in text and any(mark in text for mark in _MCP)
    done = 0
    for found in _MEMBER.finditer(text):
        naming = _naming(found[1])
        if naming is Naming.NOTHING and not (of_mcp and found[1] == b"headers"):
            continue
        if found.start() < done:
            continue
        rule, end = found[1].decode("utf-8", "replace"), found.end()
        if naming is not Naming.NOTHING:
            spans, done = _value(text, end, rule, naming)
            yield from (span for span in spans if naming is not Naming.VAGUE or not _of_logprobs(text, span))
        elif text[end : end + 1] == b"{":
            spans, done = _headers(text, end)
            yield from spans


@lru_cache(maxsize=8192)
def _naming(name: bytes) -> Naming:
    return field_naming(name.decode("utf-8", "replace"))


def _of_logprobs(text: bytes, span: Span) -> bool:
    """Tell whether a ``token`` is a piece of text in a list of log probabilities, by what stands beside it."""
    start = text.rfind(b"{", max(span.start - _NEIGHBOURHOOD, 0), span.start)
    end = text.find(b"}", span.end, span.end + _NEIGHBOURHOOD)
    return _LOGPROB.search(text, max(start, 0), end if end >= 0 else span.end + _NEIGHBOURHOOD) is not None


def _value(text: bytes, start: int, rule: str, naming: Naming) -> tuple[list[Span], int]:
    """Return the secrets in the value that begins here, and where it ends."""
    first = text[start : start + 1]
    if first == b'"':
        end = _text_end(text, start)
        return _in_text(text, start + 1, end, rule, naming), end + 1
    if first in (b"{", b"["):
        return _nested(text, start, rule, naming)
    number = _NUMBER.match(text, start)
    if number is None:
        return [], start
    is_one = naming >= Naming.STRONG and "token" not in rule.lower() and is_secret(naming, number[0].decode())
    return [Span(start, number.end(), rule, number[0], quoted=True)] if is_one else [], number.end()


def _text_end(text: bytes, start: int) -> int:
    found = _TEXT.match(text, start)
    assert found is not None
    return found.end()


def _in_text(text: bytes, start: int, end: int, rule: str, naming: Naming) -> list[Span]:
    """Return the span of a text that is a secret, or the secrets of one that is JSON itself."""
    spelled = text[start:end]
    if spelled[:1] in (b"{", b"["):
        return _in_json_text(spelled, start, rule, naming)
    value = plain(spelled) if len(spelled) < _NEIGHBOURHOOD else spelled
    if not is_secret(naming, value.decode("utf-8", "replace")):
        return []
    return [Span(start, end, rule, value)]


def _in_json_text(spelled: bytes, offset: int, rule: str, naming: Naming) -> list[Span]:
    spans: list[Span] = []
    if b"\\" not in spelled:
        spans = _nested(spelled, 0, rule, naming)[0]
    for layer in peeled(spelled):
        spans += layer.unpeeled(merged(_nested(layer.text, 0, rule, naming)[0]))
    return [span._replace(start=span.start + offset, end=span.end + offset) for span in spans]


def _nested(text: bytes, start: int, rule: str, naming: Naming) -> tuple[list[Span], int]:
    """Return the secrets among the texts of an object or list, and where it ends."""
    spans: list[Span] = []
    depth, name, position = 0, rule, start
    mark = _MARK.search(text, position)
    while mark is not None:
        position = mark.end()
        if mark[0] == b'"':
            end = _text_end(text, mark.start())
            colon = _COLON.match(text, end + 1)
            if colon is not None:
                name = text[mark.end() : end].decode("utf-8", "replace")
                position = colon.end()
            else:
                spans += _leaf(text, mark.end(), end, name, rule, naming)
                position = end + 1
        else:
            depth += 1 if mark[0] in b"{[" else -1
            if depth <= 0:
                break
        mark = _MARK.search(text, position)
    else:
        position = len(text)
    is_schema = text[start : start + 1] == b"{" and _SCHEMA.search(text, start, min(position, start + _NEIGHBOURHOOD))
    return [] if is_schema else spans, position


def _leaf(text: bytes, start: int, end: int, name: str, rule: str, naming: Naming) -> list[Span]:
    own = field_naming(name)
    if own is Naming.NOTHING and _NO_SECRET_MEMBERS.search(name):
        return []
    return _in_text(text, start, end, rule if own is Naming.NOTHING else name, own or min(naming, Naming.WEAK))


def _headers(text: bytes, start: int) -> tuple[list[Span], int]:
    """Return the values of the headers that a provider is told to send to an MCP server: each can be a credential."""
    spans: list[Span] = []
    position = start + 1
    found = _MEMBER.search(text, position, position + 200)
    while found is not None and text[found.end() : found.end() + 1] == b'"':
        end = _text_end(text, found.end())
        rule = found[1].decode("utf-8", "replace")
        value = text[found.end() + 1 : end]
        if value and rule.lower() not in _HARMLESS_HEADERS and not looks.is_stand_in(value.decode("utf-8", "replace")):
            spans.append(Span(found.end() + 1, end, rule, plain(value)))
        position = end + 1
        if text[position : position + 1] == b"}":
            break
        found = _MEMBER.search(text, position, position + 200)
    return spans, position


# Forms, queries, parts of multipart bodies, XML, settings

_PAIR = re.compile(rb"([^&=]{1,200}+)=([^&]*+)")
_QUERY = re.compile(rb"""[?&;](?:amp;)?+([A-Za-z0-9_.\-%]{1,64}+)=([^&\s"'\\<>#]++)""")
_ELEMENT = re.compile(rb"<((?:[A-Za-z0-9_]{1,40}+:)?+[A-Za-z0-9_.\-]{1,64}+)>([^<>\s]{4,4000}+)</")
_PART_NAME = re.compile(rb'"?([^"\r\n;]{1,80}+)')
_SETTING = re.compile(
    rb"""(?:=>?+|:(?=[ \t"']))[ \t]{0,8}+(?:[A-Za-z_.]{1,40}+\((?=["']))?+["']?+"""  # = "   =>   : '   =SecretStr('
    rb"""([^\s"'&;,<>{}()\[\]\\]{8,500}+)"""
)
_OPTION = re.compile(rb"""-(u|-[A-Za-z0-9_\-]{1,60}+)[ \t]{1,4}+["']?+([^\s"'&;,<>{}()\[\]\\\-][^\s"'<>\\]{7,500}+)""")
"""``--api-key ...``, ``-u user:password``"""
_BEFORE_OPTION = frozenset(b" \t\r\n\"'`(")
_GIVEN = rb"""((?:[ \t]{1,3}+is)?+(?::|[ \t]))[ \t]{0,3}+["'`|]?+[ \t]?+([A-Za-z0-9_\-.~+/=]{16,500}+)"""
_SAID = [re.compile(mark + _GIVEN) for mark in (rb"ey", rb"EY", rb"oken", rb"OKEN", rb"assword", rb"assphrase")]
"""``my api key is ...``, ``| password | ... |``, ``login me password ...``. Each begins with letters, which are fast to find."""
_SAID_NAME = re.compile(
    rb"(?:(?:api|access|secret|auth|bearer|refresh|session|private)[ _\-]?(?:key|token)|password|passphrase|(token))\Z",
    re.IGNORECASE,
)
_PAIRED = re.compile(
    rb"""["']?(?:name|key)["']?+\s{0,8}+[:=][\s+]{0,8}+["']([A-Za-z0-9_.\-]{1,80}+)["']"""
    rb"""\s{0,8}+,?+\s{0,40}+["']?(?:value|secret_value|string_?value)["']?+\s{0,8}+[:=][\s+]{0,8}+["']([^"'\\<>]{4,4000}+)["']""",
    re.IGNORECASE,
)
"""``{"name": "API_KEY", "value": "..."}``, ``<add key="ApiKey" value="..."/>``"""
_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)++")
"""``settings.api_key_2``"""
_SETTING_TAILS = frozenset({b"key", b"ken", b"ret", b"ord", b"ass", b"pwd"})
"""How the names of credentials end that are settings: key, token, secret, password, pass, pwd."""
_NAME_BEFORE = re.compile(rb"[A-Za-z0-9_.\-]{0,60}\Z")


def find_form_fields(text: bytes) -> Iterator[Span]:
    """Find the credentials of a body that is ``application/x-www-form-urlencoded``."""
    for found in _PAIR.finditer(text):
        naming = _query_naming(found[1])
        if found[1] == b"code" and b"grant_type=" in text[:4000]:
            naming = Naming.SIGNED
        yield from _queried(found, naming)


def find_query_fields(text: bytes, *, expected: bool = False) -> Iterator[Span]:
    """Find the credentials in the queries of addresses, wherever these stand.

    ``expected`` is for an address that is known to carry one under any of the usual names.
    """
    if b"=" not in text or not (b"?" in text or b"&" in text or b";" in text):
        return
    for found in _QUERY.finditer(text):
        naming = _query_naming(found[1])
        if expected and naming is Naming.VAGUE:
            value = plain(found[2])
            stands_in = not looks.is_key(value.decode("utf-8", "replace"))
            if not value.startswith(b"REDACTED("):
                yield Span(*found.span(2), found[1].decode(), value, stands_in=stands_in)
        elif naming is not Naming.NOTHING:
            yield from _queried(found, naming)


@lru_cache(maxsize=8192)
def _query_naming(name: bytes) -> Naming:
    return query_naming(plain(name.replace(b"+", b" ")).decode("utf-8", "replace"))


def _queried(found: re.Match[bytes], naming: Naming) -> Iterator[Span]:
    if naming is Naming.NOTHING or not found[2]:
        return
    value = plain(found[2].replace(b"+", b" ")) if len(found[2]) < _NEIGHBOURHOOD else found[2]
    if is_secret(naming, value.decode("utf-8", "replace").replace(" ", "+")) and not value.startswith(b"REDACTED("):
        rule = plain(found[1]).decode("utf-8", "replace")
        yield Span(*found.span(2), rule, value)


def find_xml_fields(text: bytes) -> Iterator[Span]:
    """Find the credentials in XML, as AWS's token service sends them."""
    if b"</" not in text:
        return
    for found in _ELEMENT.finditer(text):
        name = found[1].rpartition(b":")[2]
        naming = _naming(name)
        if naming is not Naming.NOTHING and is_secret(naming, found[2].decode("utf-8", "replace")):
            yield Span(*found.span(2), name.decode(), found[2])


def find_parts(text: bytes) -> Iterator[Span]:
    """Find the credentials among the fields of a ``multipart/form-data`` body."""
    mark = text.find(b"name=")
    while mark >= 0:
        end = mark + 5
        name = _PART_NAME.match(text, end)
        naming = Naming.NOTHING if name is None else _query_naming(name[1])
        if naming is not Naming.NOTHING and name is not None:
            start, stop = _part_value(text, end)
            value = text[start:stop] if start else b""
            if start and is_secret(naming, value.decode("utf-8", "replace")):
                yield Span(start, stop, name[1].decode("utf-8", "replace"), value)
            end = max(end, stop)
        mark = text.find(b"name=", end)


def _part_value(text: bytes, start: int) -> tuple[int, int]:
    """Return where the value of a part begins and ends whose head goes on here; it begins at 0 if there is none."""
    for line_end in (b"\r\n", b"\n"):
        head_end = text.find(line_end * 2, start, start + 2000)
        if head_end >= 0:
            begin = head_end + 2 * len(line_end)
            end = text.find(line_end + b"--", begin, begin + _NEIGHBOURHOOD)
            return begin, end if end >= 0 else min(len(text), begin + _NEIGHBOURHOOD)
    return 0, start


def find_settings(text: bytes) -> Iterator[Span]:
    """Find credentials in settings: ``API_KEY=...``, ``Server=h;Password=...``, ``'secret': '...'``, ``api_key: ...``."""
    for found in _SETTING.finditer(text):
        before = text[max(found.start() - 64, 0) : found.start()].rstrip(b" \t'\"")
        if before[-3:].lower() in _SETTING_TAILS:
            name = _NAME_BEFORE.search(before)
            assert name is not None
            rule = name[0].decode("ascii").lstrip(".-")
            value = found[1].rstrip(b".")
            if _is_setting(rule, value.decode("utf-8", "replace")):
                yield Span(found.start(1), found.start(1) + len(value), rule, value)


def _is_setting(name: str, value: str) -> bool:
    """Tell whether a setting is a secret: any word may stand before an equals sign in a program, so the look decides."""
    naming = field_naming(name)
    if naming is Naming.NOTHING or _is_attribute(value):
        return False
    return looks.is_opaque(value) if naming is Naming.VAGUE else looks.is_random(value)


def _is_attribute(value: str) -> bool:
    return _ATTRIBUTE.fullmatch(value) is not None and not any(map(looks.is_opaque, value.split(".")))


def find_options(text: bytes) -> Iterator[Span]:
    """Find credentials on command lines: ``--api-key ...``, ``-u user:password``."""
    for found in _OPTION.finditer(text):
        if found.start() and text[found.start() - 1] not in _BEFORE_OPTION:
            continue
        name, start, value = found[1].lstrip(b"-"), found.start(2), found[2]
        if name in (b"u", b"user") and b":" in value:
            start += value.index(b":") + 1
            name, value = b"password", text[start : found.end(2)]
        elif name[-3:].lower() not in _SETTING_TAILS:
            continue
        rule = name.decode("ascii")
        if _is_setting(rule, value.decode("utf-8", "replace")):
            yield Span(start, start + len(value), rule, value)


def find_said(text: bytes) -> Iterator[Span]:
    """Find credentials that a sentence gives: ``my api key is ...``. Only what is nothing but a token is one."""
    for pattern in _SAID:
        for found in pattern.finditer(text):
            name = _SAID_NAME.search(text[max(found.start() - 20, 0) : found.start(1)])
            if name is None or (name[1] and not found[1].strip()):  # "token" alone says little
                continue
            value = found[2].rstrip(b".")
            text_value = value.decode("ascii")
            if looks.is_opaque(text_value) and not _is_attribute(text_value):
                yield Span(found.start(2), found.start(2) + len(value), "said", value)


def find_paired(text: bytes) -> Iterator[Span]:
    """Find credentials whose name is a value itself: ``{"name": "API_KEY", "value": "..."}``, attributes of XML alike."""
    if b"alue" not in text and b"ALUE" not in text:
        return
    for found in _PAIRED.finditer(text):
        naming = _naming(found[1])
        if naming is not Naming.NOTHING and is_secret(naming, found[2].decode("utf-8", "replace")):
            yield Span(*found.span(2), found[1].decode(), found[2])


_FINDERS: tuple[Finder, ...] = (find_json_fields, find_query_fields, find_xml_fields, find_paired)


def find_fields(text: bytes) -> Iterator[Span]:
    """Find credentials by name in documents of any kind: in these, an escape may be part of what is to be read."""
    for find in _FINDERS:
        yield from find(text)


# What stands in for a secret, and the user's own names


def stand_ins(text: bytes, *, form: bool) -> Iterator[Span]:
    """Find what a replay or another recorder has in a secret's place, in the fields of a request itself."""
    for found in (_PAIR if form else _QUERY).finditer(text):
        naming = _query_naming(found[1])
        if naming >= Naming.STRONG or naming is Naming.VAGUE:
            value = plain(found[2]).decode("utf-8", "replace")
            if (looks.is_stand_in(value) if naming >= Naming.STRONG else looks.is_placed(value)) and value:
                yield from _stand_in(*found.span(2), plain(found[1]), value)
    if form or text[:1] not in (b"{", b"["):
        return
    for found in _MEMBER.finditer(text):
        if _naming(found[1]) >= Naming.STRONG and text[found.end() : found.end() + 1] == b'"':
            end = _text_end(text, found.end())
            value = text[found.end() + 1 : end].decode("utf-8", "replace")
            if value and looks.is_stand_in(value):
                yield from _stand_in(found.end() + 1, end, found[1], value)


def _stand_in(start: int, end: int, name: bytes, value: str) -> Iterator[Span]:
    if not value.startswith("REDACTED("):
        yield Span(start, end, name.decode("utf-8", "replace"), value.encode(), stands_in=True)


def named_fields(names: Iterable[str]) -> Finder:
    """Return a finder for the values of these JSON fields, of whatever type, and of form and query fields."""
    wanted = b"|".join(re.escape(name.encode()) for name in names)
    pattern = re.compile(rb'"(' + wanted + rb')"\s{0,40}+:\s{0,40}+', re.IGNORECASE)
    query = re.compile(rb"(?:^|[?&])(" + wanted + rb")=([^&\s\"'\\<>#]++)", re.IGNORECASE)

    def find(text: bytes) -> Iterator[Span]:
        found = pattern.search(text)
        while found is not None:
            span, end = _whole_value(text, found)
            if span is not None:
                yield span
            found = pattern.search(text, end)
        for pair in query.finditer(text):
            yield Span(*pair.span(2), pair[1].decode(), plain(pair[2]))

    return find


def _whole_value(text: bytes, found: re.Match[bytes]) -> tuple[Span | None, int]:
    rule, start = found[1].decode(), found.end()
    first = text[start : start + 1]
    if first == b'"':
        end = _text_end(text, start)
        return (Span(start + 1, end, rule, plain(text[start + 1 : end])) if end > start + 1 else None), end + 1
    if first in (b"{", b"["):
        end = _nested(text, start, rule, Naming.NOTHING)[1]
    else:
        literal = _LITERAL.match(text, start)
        if literal is None:
            return None, start
        end = literal.end()
    return Span(start, end, rule, text[start:end], quoted=True), end
