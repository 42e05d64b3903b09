"""Finds credentials by their names where people and programs write them: settings, command lines, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from heapq import merge

from replay_agent.recording.redaction import looks
from replay_agent.recording.redaction.finders.clues import Clues, Rule, ends_of_names
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.finders.telling import ending
from replay_agent.recording.redaction.names import Naming, field_naming, reads_on
from replay_agent.recording.redaction.spans import Span

__all__ = "OPTIONS", "QUOTED", "SAID", "SETTINGS", "find_options", "find_quoted", "find_said", "find_settings"

# Settings

_TAILS = frozenset(
    {
        *("key", "ken", "ret", "ord", "ass", "pwd", "eys", "ens", "ets", "rds", "ial", "als", "uth"),
        *("swd", "psk", "jwt", "ase", "ort", "ode"),
    }
)
"""How the names of credentials end that are settings: key, token, secret, password, pass, pwd, their plurals, and others."""
_SEPARATORS = {
    mark: re.compile(
        f"{mark.decode()}(?:(?<=(?:{tails}){mark.decode()})|(?<=(?:{tails}){closing}{mark.decode()})"
        f"|(?<={closing}{{2}}{mark.decode()})){after}".encode("latin-1")
    )
    for tails, closing in ((ending(_TAILS), "[ \t'\"`\\]:?]"),)
    for mark, after in ((b"=", "={0,2}+>?+"), (b":", "(?=[ \t\r\n\"'`*])"))
}
"""What stands between a name that may tell and its value: ``=``, ``:=``, ``?=``, ``==``, ``=>``, ``:``.

It is looked for by itself: a value may be a name and its value, too.
"""
_VALUE = re.compile(
    rb"\*{0,2}+[ \t]{0,8}+"
    rb"(?:&?+(?:'static )?+[A-Za-z_][A-Za-z0-9_.\[\]|?]{0,30}+[ \t]{1,4}+=[ \t]{0,4}+)?+"  # its type, before the value
    rb"(?:(?:[|>][+\-]?+)?+[ \t]{0,8}+(?:#[^\r\n]{0,200}+)?+\r?\n[ \t]{1,40}+(?:-[ \t]{1,4}+)?+)?+"  # in YAML, on the next line
    rb"""(?:[A-Za-z_.:]{1,40}+\((?=["']))?+(?:[A-Za-z]{1,2}(?=["']))?+"""  # SecretStr('...'), String::from("..."), b'...'
    rb"""(?:"(?=([^\s"]{8,500}+)")|'(?=([^\s']{8,500}+)')|`(?=([^\s`]{8,500}+)`))?+["'`]?+"""
    rb"""(?=\S{6})(?P<bare>[^\s"'`&;,<>{}()\[\]\\]{0,500}+)"""
)
_QUOTED_VALUES = (1, 2, 3)
_SHORTEST, _SHORTEST_OF_ENVIRONMENT = 8, 6
_LINE = re.compile(rb"""[^\s"'`]{8,500}+(?=[ \t]*+(?:[\r\n]|\Z))""")
_FURTHER_SETTING = re.compile(rb"[&;,][^=&;,]{1,40}+=")
_BEGINS_LINE = re.compile(rb"(?:^|[\r\n])[ \t]{0,40}+(?:export[ \t]{1,4}+)?+[A-Za-z0-9_.\-]{1,60}+\Z")
_NEXT_VALUE = re.compile(rb"""["'`]?+,?+\r?\n[ \t]{1,40}+-[ \t]{1,4}+["'`]?+([^\s"'`&;,<>{}()\[\]\\:]{8,500}+)""")
_LETTER_OF_MAIL = re.compile(rb"=[C-F][0-9A-F](?:=[89AB][0-9A-F])++")
"""``token =C3=BCber``: mail spells the bytes of a letter so, and nothing is set."""
_NAME_BEFORE = re.compile(rb"[A-Za-z0-9_.\-]{0,60}\Z")
_ATTRIBUTE = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)++")
"""``settings.api_key_2``"""
_ENVIRONMENT = re.compile(r"[A-Z][A-Z0-9_]*+")
_MOST_VALUES = 1000


def find_settings(text: bytes, clues: Clues | None = None) -> Iterator[Span]:
    """Find credentials in settings: ``API_KEY=...``, ``Server=h;Password=...``, ``'secret': '...'``, ``api_key: ...``."""
    done = 0
    for separator in _separators(text, clues):
        start = separator.start()
        if start < done:
            continue
        before = text[max(start - 64, 0) : start].rstrip(b" \t'\"`]:?")
        if before[-3:].lower().decode("latin-1") not in _TAILS:
            continue
        found = _VALUE.match(text, separator.end())
        if found is None or _LETTER_OF_MAIL.match(text, start):
            continue
        name = _NAME_BEFORE.search(before)
        assert name is not None
        rule = name[0].decode("ascii").lstrip(".-")
        if rule.lower() == "token" and reads_on(before):
            continue
        for first, last in _values(text, separator, found):
            is_long = last - first >= _SHORTEST_OF_ENVIRONMENT and first >= done
            span = _setting(text, separator, rule, first, last) if is_long else None
            if span is not None:
                done = span.end
                yield span


SETTINGS = Rule(find_settings, (ends_of_names,))


def _separators(text: bytes, clues: Clues | None) -> Iterator[re.Match[bytes]]:
    """Yield what may stand between a name that tells and its value, in order."""
    found = (_behind(text, mark, pattern, clues) for mark, pattern in _SEPARATORS.items())
    yield from merge(*found, key=re.Match.start)


def _behind(text: bytes, mark: bytes, pattern: re.Pattern[bytes], clues: Clues | None) -> Iterator[re.Match[bytes]]:
    places = None if clues is None else clues.behind(mark)
    if places is None:
        return pattern.finditer(text)
    return (each for each in (pattern.match(text, place) for place in places) if each is not None)


def _values(text: bytes, separator: re.Match[bytes], found: re.Match[bytes]) -> Iterator[tuple[int, int]]:
    """Yield where a value may stand, the longest first; in YAML, those that follow it in its list."""
    quoted = next((number for number in _QUOTED_VALUES if found[number] is not None), 0)
    if quoted:
        yield found.span(quoted)
    elif separator[0] == b"=" and separator.end() == found.start("bare"):
        yield from _line_of_file(text, separator.start(), found.end())
    yield found.span("bare")
    if text.find(b"\n", found.start(), found.start("bare")) < 0:
        return
    following = _NEXT_VALUE.match(text, found.end())
    for _ in range(_MOST_VALUES):
        if following is None:
            return
        yield following.span(1)
        following = _NEXT_VALUE.match(text, following.end())


def _line_of_file(text: bytes, equals: int, sign: int) -> Iterator[tuple[int, int]]:
    """Yield what stands from an equals sign to the end of its line, where that is a line of a file of settings.

    ``sign`` is where something stands that ends a value anywhere else.
    """
    line = _LINE.match(text, equals + 1)
    if line is None or line.end() == sign or _BEGINS_LINE.search(text, max(equals - 110, 0), equals) is None:
        return
    if _FURTHER_SETTING.search(line[0]) is None:
        yield line.span()


def _setting(text: bytes, separator: re.Match[bytes], rule: str, start: int, end: int) -> Span | None:
    value = text[start:end].rstrip(b".,;")
    said = value.decode("utf-8", "replace")
    left = _FILLED_IN.sub("", said)
    if len(left) >= _SHORTEST and _is_setting(rule, left):
        return Span(start, start + len(value), rule, value)
    if left == said and separator[0] == b"=" and _is_of_environment(text, rule, said, start, end):
        return Span(start, start + len(value), rule, value)
    return None


_FILLED_IN = re.compile(r"\$?\{[^{}]*+\}|\$?\([^()]*+\)|\[[^\[\]]*+\]|<[^<>]*+>|\\[A-Za-z]")
"""What a program fills in, and what an expression stands for: ``{name}``, ``[a-z]``, ``(?=...)``, ``\\d``."""


def _is_setting(name: str, value: str) -> bool:
    """Tell whether a setting is a secret: any word may stand before an equals sign in a program, so the look decides."""
    naming = field_naming(name)
    if naming <= Naming.MANY or _is_attribute(value):
        return False
    return looks.is_opaque(value) if naming is Naming.VAGUE else looks.is_random(value)


def _is_of_environment(text: bytes, name: str, value: str, start: int, end: int) -> bool:
    """Tell whether this is the password of a file of variables, which may be a word: ``DB_PASSWORD=correcthorse``."""
    if field_naming(name) is not Naming.PASSWORD or not _ENVIRONMENT.fullmatch(name):
        return False
    is_alone = text[end : end + 1].strip(b"\"'") in (b"", b"\r", b"\n") and text[start - 1 : start] in (
        b"=",
        b'"',
        b"'",
    )
    is_alone = is_alone and len(value) >= _SHORTEST_OF_ENVIRONMENT
    return is_alone and looks.is_password(value) and not _is_attribute(value) and value[:1] not in "$%"


_TYPE = re.compile(r"(?:[A-Z][a-z]+)+(?:8|16|32|64|128|256)(?:[A-Z][a-z]+)+(?:\[\])?")
"""``Uint8Array``"""


def _is_attribute(value: str) -> bool:
    """Tell whether a value is a name of a program: of an attribute, of a type."""
    if _TYPE.fullmatch(value) is not None:
        return True
    return _ATTRIBUTE.fullmatch(value) is not None and not any(map(looks.is_opaque, value.split(".")))


# Command lines

_OPTION = re.compile(
    rb"""-(u[ \t]{0,4}+|-[A-Za-z0-9_\-]{1,60}+[ \t]{1,4}+)["']?+([^\s"'&;,<>{}()\[\]\\\-][^\s"'<>\\]{7,500}+)"""
)
"""``--api-key ...``, ``-u user:password``"""
_BEFORE_OPTION = frozenset(b" \t\r\n\"'`(")
_PASSWORD_OPTION = re.compile(
    rb""" (?:-p|-a|-w|-P|--?pass(?:in|out)?)[ \t=]{0,4}+(?:pass:)?+["']?+([^\s"'<>\\\-][^\s"'<>\\]{7,500}+)"""
)
_PROGRAMS = re.compile(
    rb"sshpass|mysql\w{0,8}|mariadb|(?:docker|podman|az|oc) login|redis-cli|mongosh?|expect|ldap\w{3,9}|7za?|unzip|zip|openssl"
)
"""Programs that are told a password by ``-p``, ``-a``, ``-w`` or ``-passin``."""
_CLIENTS = re.compile(rb"\b(?:curl|https?|wget|xh)[ \t][^\r\n|]*\Z")
"""Programs that are told a user and a password by ``-u``."""
_COMMAND = 300
_QUOTED = re.compile(rb"""'(?<=(?:SWORD|sword|ED BY|ed by)[ \t]')([^'\\\s]{4,200}+)'""")
"""``CREATE USER bob WITH PASSWORD '...'``, ``IDENTIFIED BY '...'``"""
_MACHINE = re.compile(
    rb"machine[ \t]+[^\s\\]{1,200}+\s+login\s+[^\s\\]{1,200}+\s+(?:account\s+[^\s\\]{1,200}+\s+)?password\s+([^\s\\]{4,200}+)"
)
"""A line of `.netrc`."""
_WRAPPED = re.compile(rb"""Secret(?:Str|Bytes)\(b?["']([^"'\\]{8,500}+)["']""")


def find_options(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find credentials on command lines: ``--api-key ...``, ``-u user:password``, ``sshpass -p ...``."""
    if b"-" not in text:
        return
    for found in _OPTION.finditer(text):
        if found.start() and text[found.start() - 1] not in _BEFORE_OPTION:
            continue
        name, start, value = found[1].strip(b"- \t"), found.start(2), found[2]
        if name in (b"u", b"user") and b":" in value:
            user, _, value = value.partition(b":")
            name, start = b"password", start + len(user) + 1
            if _CLIENTS.search(text, max(found.start() - _COMMAND, 0), found.start()) and looks.is_password_of(
                user.decode("utf-8", "replace"), value.decode("utf-8", "replace")
            ):
                yield Span(start, start + len(value), "password", value)
                continue
        elif name[-3:].lower().decode("ascii") not in _TAILS:
            continue
        rule = name.decode("ascii")
        if _is_setting(rule, value.decode("utf-8", "replace")):
            yield Span(start, start + len(value), rule, value)
    for found in _PASSWORD_OPTION.finditer(text):
        if looks.is_random(found[1].decode("utf-8", "replace")) and _of_program(text, found.start()):
            yield Span(*found.span(1), "password", found[1])


OPTIONS = Rule(
    find_options,
    (anchored((b"-", rb"""(?<=[\s"'`(]-)(?:[upawP]|-pass|-[A-Za-z0-9_\-]{1,60}+[ \t])"""), needs=b"-"),),
)


def _of_program(text: bytes, start: int) -> bool:
    """Tell whether an option is told to a program that takes a password by it."""
    return _PROGRAMS.search(text, max(start - _COMMAND, 0), start) is not None


def find_quoted(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find passwords in statements of SQL and lines of `.netrc`, and what a program wraps as a secret."""
    for found in _QUOTED.finditer(text):
        is_statement = text[found.start() - 2 : found.start() - 1].isupper()
        if (looks.is_password if is_statement else looks.is_random)(found[1].decode("utf-8", "replace")):
            yield Span(*found.span(1), "password", found[1])
    for found in _MACHINE.finditer(text):
        if looks.is_password(found[1].decode("utf-8", "replace")):
            yield Span(*found.span(1), "password", found[1])
    for found in _WRAPPED.finditer(text):
        if looks.is_key(found[1].decode("utf-8", "replace")):
            yield Span(*found.span(1), "secret", found[1])


QUOTED = Rule(
    find_quoted,
    (
        anchored(
            (b"'", rb"(?<=(?:SWORD|sword|ED BY|ed by)[ \t]')"),
            (b"SecretStr(", b""),
            (b"SecretBytes(", b""),
            needs=b"'(",
        ),
        anchored(
            (b"machine", rb"[ \t]+[^\s\\]{1,200}+[ \t]*+(?:login|\r|\n)"),
            needs=b" \t",
        ),
    ),
)


# Sentences

_VERBS = (b"is", b"was", b"provided", b"given", b"supplied", b"used", b"value", b"equals")
_GIVEN = (
    rb"""(?:[*_`"']{0,3}+[ \t]{1,3}+(?:%b))?+[*_`]{0,3}+"""
    rb"""([ \t]{0,2}+(?:->|=>|:|\xe2\x86\x92)|[ \t])[*_`]{0,3}+[ \t]{0,3}+(["'`|]?+)[ \t]?+[*_`]{0,3}+([A-Za-z0-9_\-.~+/=]{16,500}+)"""
) % b"|".join(_VERBS)
_MARKS = (
    *(rb"ey", rb"EY", rb"oken", rb"OKEN", rb"ecret", rb"ECRET"),
    *(rb"assword", rb"ASSWORD", rb"assphrase", rb"ASSPHRASE"),
)
_SAID = [(len(mark), re.compile(mark + _GIVEN)) for mark in _MARKS]
"""``my api key is ...``, ``| password | ... |``, ``**API key:** `...` ``, ``Incorrect API key provided: ...``.

Each begins with letters, which are fast to find.
"""
_SAID_NAME = re.compile(
    rb"(?:(?:api|access|secret|auth|bearer|refresh|session|private)[ _\-]?(?:key|token)"
    rb"|(?:client|app|api|consumer|shared|signing|webhook)[ _\-]?secret|password|passphrase|(?<![:/])(?P<alone>token|secret))\Z",
    re.IGNORECASE,
)
_NAME_OF_PROGRAM = re.compile(r"[A-Za-z0-9]+[_\-.A-Z].*")
"""``JWT_SECRET``, ``webhookSecret``: more than a word."""


def find_said(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find credentials that a sentence gives: ``my api key is ...``. Only what is nothing but a token is one."""
    for size, pattern in _SAID:
        for found in pattern.finditer(text):
            start = found.start(3)
            before = text[max(found.start() - 60, 0) : found.start() + size]
            if not _is_said(before, alone=not found[1].strip() and not found[2]):
                continue
            value = found[3].rstrip(b".")
            said = value.decode("ascii")
            if looks.is_opaque(said) and not _is_attribute(said):
                yield Span(start, start + len(value), "said", value)


def _is_said(before: bytes, *, alone: bool) -> bool:
    """Tell whether a text ends in the name of a credential; ``alone`` where nothing but a blank stands behind it."""
    name = _NAME_BEFORE.search(before)
    if name is not None and _NAME_OF_PROGRAM.fullmatch(name[0].decode("ascii")):
        return field_naming(name[0].decode("ascii")) > Naming.MANY
    said = _SAID_NAME.search(before)
    if said is None or (said["alone"] and alone):  # "token" says little
        return False
    return not (said["alone"] and reads_on(before))


_BETWEEN = b" \t*_`\"'|:=>-\xe2\x86\x92"
"""What stands between a mark or what is said of it and the credential; that may begin with some underscores."""
_BEFORE_SAID = (*_MARKS, *(blank + verb for blank in (b" ", b"\t") for verb in _VERBS))
_NEAR, _FAR, _WITHIN_SAID = 32, 64, 32
"""Bytes before a credential that hold what is between, those that hold the mark, and those of it that show it is one."""


def _may_be_said(text: bytes, words: Iterable[tuple[int, int]]) -> Iterator[int]:
    for start, _ in words:
        if text[max(start - _NEAR, 0) : start].rstrip(_BETWEEN).endswith(_BEFORE_SAID):
            begin, end = max(start - _FAR, 0), start + _WITHIN_SAID
            if any(pattern.search(text, begin, end) for _, pattern in _SAID):
                yield start


SAID = Rule(find_said, beside_words=(_may_be_said,))
