"""Finds credentials by the names of their fields: in JSON, forms, queries, multipart bodies and XML.

Reads texts whose escapes are undone, whole documents or pieces of them alike. A name alone makes no secret: its value
must look like one too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from heapq import merge
from itertools import chain

from replay_agent.recording.redaction import looks
from replay_agent.recording.redaction.finders.clues import Clues, Looker, Rule, ends_of_names
from replay_agent.recording.redaction.finders.header_lines import COOKIE_ATTRIBUTES
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.finders.telling import behind_names, marks_of_names
from replay_agent.recording.redaction.layers.escapes import peeled, plain
from replay_agent.recording.redaction.names import Naming, field_naming, query_naming
from replay_agent.recording.redaction.spans import Span, merged

__all__ = (
    "MEMBERS",
    "QUERIES",
    "XML_FIELDS",
    "find_form_fields",
    "find_json_fields",
    "find_parts",
    "find_query_fields",
    "find_xml_fields",
    "is_secret",
    "named_fields",
    "naming_of",
    "stand_ins",
)

_LOOKS: dict[Naming, Callable[[str], bool]] = {
    Naming.NOTHING: lambda _value: False,
    Naming.MANY: looks.is_minted,
    Naming.VAGUE: looks.is_opaque,
    Naming.WEAK: looks.is_random,
    Naming.CODE: looks.is_code,
    Naming.STRONG: looks.is_key,
    Naming.PASSWORD: looks.is_password,
    Naming.PHRASE: looks.is_phrase,
    Naming.SIGNED: bool,
    Naming.SEED: looks.is_seed,
}
_SCHEMES = frozenset({"bearer", "basic", "token", "apikey", "api-key", "digest", "key", "bot"})


def is_secret(naming: Naming, value: str) -> bool:
    """Tell whether the value of a field is a secret, by what its name says and how it looks."""
    scheme, blank, rest = value.partition(" ")
    if blank and scheme.lower() in _SCHEMES:
        value = rest.strip()
    elif naming is Naming.WEAK and "=" in value and "; " in value:  # the cookies of a request
        return any(looks.is_random(_cookie_value(each)) for each in value.split("; "))
    return _LOOKS[naming](value)


def _cookie_value(text: str) -> str:
    """Return the value of a pair, or a text that is none: one that ends in padding, say."""
    value = text.partition("=")[2]
    return text if value[:1] in ("", "=") else value


# JSON

_BLANKS = rb"[\s+]{0,40}+"
_GAP = _BLANKS + rb"(?:/(?:\*(?:[^*]|\*(?!/)){0,200}+\*/|/[^\r\n]{0,200}+[\r\n])" + _BLANKS + rb"){0,4}+"
"""What stands around a colon: in a query, a blank is a plus sign; people write comments into JSON."""
_NAME = rb'"([A-Za-z_$@0-9][^"\\\x00-\x1f]{0,79}+)"'
_MEMBER = re.compile(_NAME + rb"\s{0,40}+:" + _BLANKS)
"""A name and what stands between it and its value."""
_COMMENTED_MEMBER = re.compile(_NAME + _GAP + b":" + _GAP)
_LONGEST_NAME = 82
_AFTER_NAME = r"(?=[\s+:/])"
_TELLING = marks_of_names('"', after=_AFTER_NAME)
_HEADERS_OF_MCP = re.compile(rb'headers(?="[\s+:/])')
_COMMENTS = re.compile(rb'/(?<=["\s:]/)[*/]')
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_LITERAL = re.compile(rb"-?[0-9][0-9.eE+\-]*+|true|false")
_NUMBER = re.compile(rb"-?[0-9]++(?![0-9.eE])")
_MARK = re.compile(rb'["{}\[\]]')
_COLON = re.compile(_GAP + b":")
_SCHEMA = re.compile(rb'"type"\s{0,9}+:\s{0,9}+(?:"(?:string|integer|number|object|array|boolean|null)"|\[)')
_LOGPROB = re.compile(rb"logprob|log_prob|tokenid|token_id|bytes", re.IGNORECASE)
_NEIGHBOURHOOD = 4000
_NO_SECRET_MEMBERS = re.compile(
    r"(?:^|[_\-.])(?:id|ids|type|kind|name|user|username|email|url|uri|endpoint|host|scope|scopes|region|version|description"
    r"|format|pattern|title|status|issuer|audience|algorithm|expires?|created|updated|date|time|next|prev|previous|page|cursor|continuation|hash|digest|etag|signature|address"
    r"|public|publickey|kid|alg|use|n|e|x|y|x5c|x5t)$|[a-z](?:Id|Ids|Type|Name|Url|Uri|At)$",
)
_MCP = (b"server_url", b"mcp_server", b'"mcp"')
_HARMLESS_HEADERS = frozenset({"accept", "content-type", "user-agent", "mcp-protocol-version"})


def find_json_fields(text: bytes, clues: Clues | None = None) -> Iterator[Span]:
    """Find credentials in JSON: texts, numbers, and what objects and lists under such a name hold."""
    if b'"' not in text or b":" not in text:
        return
    may_be_of_mcp = b"headers" in text if clues is None else clues.may(_HEADERS)
    of_mcp = may_be_of_mcp and any(mark in text for mark in _MCP)
    done = 0
    for found in _telling_members(text, clues, of_mcp=of_mcp):
        naming = naming_of(found[1])
        if naming is Naming.NOTHING and not (of_mcp and found[1] == b"headers"):
            continue
        if found.start() < done:
            continue
        rule, end = found[1].decode("utf-8", "replace"), found.end()
        if naming is not Naming.NOTHING:
            spans, done = _value(text, end, rule, naming)
            yield from (span for span in spans if naming > Naming.VAGUE or not _of_logprobs(text, span))
        elif text[end : end + 1] == b"{":
            spans, done = _headers(text, end)
            yield from spans


_HEADERS = anchored((b'headers"', b""), needs=b'"')
MEMBERS = Rule(find_json_fields, (ends_of_names, _HEADERS))


def _telling_members(text: bytes, clues: Clues | None, *, of_mcp: bool) -> Iterator[re.Match[bytes]]:
    """Yield the names of members that may tell, each with what stands between it and its value."""
    closings: Iterator[int] = map(re.Match.start, _TELLING.finditer(text, clues))
    if of_mcp:
        closings = merge(closings, map(re.Match.end, _HEADERS_OF_MCP.finditer(text)))
    first = next(closings, None)
    if first is not None:
        member = _MEMBER if _COMMENTS.search(text) is None else _COMMENTED_MEMBER
        yield from _members(text, chain((first,), closings), member)


def _members(text: bytes, closings: Iterable[int], member: re.Pattern[bytes] = _MEMBER) -> Iterator[re.Match[bytes]]:
    """Yield the names of members that end at quotation marks."""
    for closing in closings:
        opening = text.rfind(b'"', max(closing - _LONGEST_NAME, 0), closing)
        found = member.match(text, opening) if opening >= 0 else None
        if found is not None:
            yield found


@lru_cache(maxsize=256)
def naming_of(name: bytes) -> Naming:
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
    if first == b"[" and naming is Naming.SEED:
        return _words_of_list(text, start, rule)
    if first in (b"{", b"["):
        return _nested(text, start, rule, naming)
    number = _NUMBER.match(text, start)
    if number is None:
        return [], start
    is_one = naming >= Naming.CODE and "token" not in rule.lower() and is_secret(naming, number[0].decode())
    return [Span(start, number.end(), rule, number[0], quoted=True)] if is_one else [], number.end()


_WORDS = re.compile(rb'\[\s{0,40}+(?:"[a-z]{3,12}+"\s{0,40}+,?+\s{0,40}+){9,48}+\]')
_WORD = re.compile(rb"[a-z]++")


def _words_of_list(text: bytes, start: int, rule: str) -> tuple[list[Span], int]:
    """Return the words of a wallet that are texts of a list."""
    found = _WORDS.match(text, start)
    if found is None:
        return _nested(text, start, rule, Naming.SEED)
    words = _WORD.finditer(text, start, found.end())
    return [Span(*word.span(), rule, word[0]) for word in words], found.end()


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
    return _cookies(spelled, start, rule) or [Span(start, end, rule, value)]


# ``sid=Qz7...; Path=/; HttpOnly``, all of it: ``Qz7...==`` is one value, whose padding looks like a pair.
_COOKIE_LIST = re.compile(
    rb"(?:(?:secure|httponly|partitioned|[^\s=;,]{1,100}+=[^;=][^;]*+)(?:; ?|\Z))++", re.IGNORECASE
)
_COOKIE_PAIR = re.compile(rb"(?:^|; ?)([^\s=;,]{1,100}+)=([^;]++)")


def _cookies(spelled: bytes, start: int, rule: str) -> list[Span]:
    """Return the values of the cookies that a field of that name holds as headers do: their names are read by programs."""
    if "cookie" not in rule.lower() or b"\\" in spelled or not _COOKIE_LIST.fullmatch(spelled):
        return []
    named = ((pair, pair[1].decode("utf-8", "replace")) for pair in _COOKIE_PAIR.finditer(spelled))
    return [
        Span(start + pair.start(2), start + pair.end(2), name, pair[2])
        for pair, name in named
        if name.lower() not in COOKIE_ATTRIBUTES
    ]


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
    return [] if spans and _is_schema(text, start, position) else spans, position


def _is_schema(text: bytes, start: int, end: int) -> bool:
    """Tell whether an object says of itself which type it describes."""
    found = _SCHEMA.search(text, start, min(end, start + _NEIGHBOURHOOD)) if text[start : start + 1] == b"{" else None
    if found is None:
        return False
    before = text[start + 1 : found.start()]
    return before.count(b"{") == before.count(b"}") and before.count(b"[") == before.count(b"]")


def _leaf(text: bytes, start: int, end: int, name: str, rule: str, naming: Naming) -> list[Span]:
    own = field_naming(name)
    if own is Naming.NOTHING and _NO_SECRET_MEMBERS.search(name):
        return []
    inherited = naming if name == rule and naming is Naming.CODE else min(naming, Naming.WEAK)
    return _in_text(text, start, end, rule if own is Naming.NOTHING else name, own or inherited)


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
_QUERY_NAME = re.compile(rb"""[?&;#](?:amp;)?+([A-Za-z0-9_.\-%]{1,64}+)\Z""")
_LONGEST_QUERY_NAME = 70
_TELLING_QUERY = behind_names("=", before="%[0-9A-Fa-f]{2}")
_QUERY_VALUE = re.compile(rb"""([^&\s"'\\<>#]++)""")
"""Looked at behind a name that tells: an address within an address is a value, too, and has names of its own."""
_ELEMENT = re.compile(
    rb"<((?:[A-Za-z0-9_]{1,40}+:)?+[A-Za-z0-9_.\-]{1,64}+)(?:\s[^<>]{0,400}+)?+>\s{0,40}+(?:<!\[CDATA\[)?+([^<>\s]{4,4000}+)(?:[>\s]\s{0,40}+)?+</"
)
_ELEMENT_NAME = re.compile(rb"<(?:[A-Za-z0-9_]{1,40}+:)?+([A-Za-z0-9_.\-]{1,64}+)(?=[\s>])")
_PART_NAME = re.compile(rb'"?([^"\r\n;]{1,80}+)')


def find_form_fields(text: bytes) -> Iterator[Span]:
    """Find the credentials of a body that is ``application/x-www-form-urlencoded``."""
    for found in _PAIR.finditer(text):
        naming = _query_naming(found[1])
        if found[1] == b"code" and b"grant_type=" in text[:4000]:
            naming = Naming.SIGNED
        yield from _queried(found[1], found, naming, 2)


def find_query_fields(text: bytes, _clues: Clues | None = None, *, expected: bool = False) -> Iterator[Span]:
    """Find the credentials in the queries of addresses, wherever these stand.

    ``expected`` is for an address that is known to carry one under any of the usual names.
    """
    if b"=" not in text:
        return
    for name, spelled in _queries(text):
        naming = _query_naming(name)
        if expected and naming is Naming.VAGUE:
            value = plain(spelled[1])
            stands_in = not looks.is_key(value.decode("utf-8", "replace"))
            if not value.startswith(b"REDACTED("):
                yield Span(*spelled.span(1), name.decode(), value, stands_in=stands_in)
        else:
            yield from _queried(name, spelled, naming)


def _queries(text: bytes) -> Iterator[tuple[bytes, re.Match[bytes]]]:
    """Yield the fields of queries whose names tell anything, each with its value."""
    done = 0
    for equals in _TELLING_QUERY.finditer(text):
        end = equals.start()
        name = _QUERY_NAME.search(text, max(end - _LONGEST_QUERY_NAME, 0), end)
        if name is not None and name.start() >= done and _query_naming(name[1]) is not Naming.NOTHING:
            value = _QUERY_VALUE.match(text, equals.end())
            if value is not None:
                done = value.end()
                yield name[1], value


@lru_cache(maxsize=256)
def _query_naming(name: bytes) -> Naming:
    return query_naming(plain(name.replace(b"+", b" ")).decode("utf-8", "replace"))


def _queried(name: bytes, found: re.Match[bytes], naming: Naming, group: int = 1) -> Iterator[Span]:
    """Yield the value of a field, which is a group of what was found, if it is a secret."""
    spelled = found[group]
    if naming is Naming.NOTHING or not spelled:
        return
    value = plain(spelled.replace(b"+", b" ")) if len(spelled) < _NEIGHBOURHOOD else spelled
    if is_secret(naming, value.decode("utf-8", "replace").replace(" ", "+")) and not value.startswith(b"REDACTED("):
        yield Span(*found.span(group), plain(name).decode("utf-8", "replace"), value)


def _telling_queries(pieces: bytes) -> Iterable[int]:
    return map(re.Match.start, _TELLING_QUERY.finditer(pieces)) if b"=" in pieces else ()


QUERIES = Rule(find_query_fields, (_telling_queries,))


def find_xml_fields(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find the credentials in XML, as AWS's token service sends them."""
    if b"</" not in text:
        return
    for found in _ELEMENT.finditer(text):
        name = found[1].rpartition(b":")[2]
        naming = naming_of(name)
        start = found.start(2)
        value = found[2].removesuffix(b"]]") if text[start - 1 : start] == b"[" else found[2]
        if naming is not Naming.NOTHING and is_secret(naming, value.decode("utf-8", "replace")):
            yield Span(start, start + len(value), name.decode(), value)


def _telling_elements(pieces: bytes) -> Iterable[int]:
    if b"<" not in pieces:
        return ()
    names = _ELEMENT_NAME.finditer(pieces)
    return (found.start() for found in names if naming_of(found[1]) is not Naming.NOTHING)


XML_FIELDS = Rule(find_xml_fields, (_telling_elements,))


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


# What stands in for a secret, and the user's own names


def stand_ins(text: bytes, clues: Clues | None = None, *, form: bool) -> Iterator[Span]:
    """Find what a replay or another recorder has in a secret's place, in the fields of a request itself."""
    pairs = ((found[1], found[2], found.span(2)) for found in _PAIR.finditer(text))
    queries = ((name, found[1], found.span(1)) for name, found in _queries(text))
    for name, spelled, place in pairs if form else queries:
        naming = _query_naming(name)
        if naming >= Naming.STRONG or naming is Naming.VAGUE:
            value = plain(spelled).decode("utf-8", "replace")
            if (looks.is_stand_in(value) if naming >= Naming.STRONG else looks.is_placed(value)) and value:
                yield from _stand_in(*place, plain(name), value)
    if form or text[:1] not in (b"{", b"["):
        return
    for found in _members(text, map(re.Match.start, _TELLING.finditer(text, clues))):
        if Naming.SEED > naming_of(found[1]) >= Naming.STRONG and text[found.end() : found.end() + 1] == b'"':
            end = _text_end(text, found.end())
            value = text[found.end() + 1 : end].decode("utf-8", "replace")
            if value and looks.is_stand_in(value):
                yield from _stand_in(found.end() + 1, end, found[1], value)


def _stand_in(start: int, end: int, name: bytes, value: str) -> Iterator[Span]:
    if not value.startswith("REDACTED("):
        yield Span(start, end, name.decode("utf-8", "replace"), value.encode(), stands_in=True)


def named_fields(names: Iterable[str]) -> Looker:
    """Return a finder for the values of these JSON fields, of whatever type, and of form and query fields."""
    wanted = b"|".join(re.escape(name.encode()) for name in names)
    pattern = re.compile(rb'"(' + wanted + rb')"\s{0,40}+:\s{0,40}+', re.IGNORECASE)
    query = re.compile(rb"(?:^|[?&])(" + wanted + rb")=([^&\s\"'\\<>#]++)", re.IGNORECASE)

    def find(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
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
