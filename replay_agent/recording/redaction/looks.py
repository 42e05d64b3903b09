"""How values look: made by a machine to be guessed by nobody, or words, paths, numbers and stand-ins for a secret."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from math import log2

from replay_agent.surroundings.credentials import credential_variables

__all__ = (
    "is_code",
    "is_filler",
    "is_key",
    "is_minted",
    "is_opaque",
    "is_password",
    "is_password_of",
    "is_phrase",
    "is_placed",
    "is_random",
    "is_searchable",
    "is_seed",
    "is_stand_in",
    "is_wordy",
)

_LONGEST = 400
"""Characters of a value that are looked at: what comes behind tells no more."""
_REMEMBERED = 128
"""Values whose look is known again: a text often has the same one many times."""
_SHORTEST_SEARCHED, _SHORTEST_RANDOM, _SHORTEST_OPAQUE = 12, 8, 16
_LEAST_BITS = 2.0
_SLUG_SHARE, _HUMP_SHARE = 0.75, 0.85
"""The share of a value's characters that words make up in what is no secret: with separators, and with capitals only."""

_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SEPARATOR = re.compile(r"[^A-Za-z0-9]+")
_SLUG = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)?[0-9]{0,8}")
_SLUG_WORD, _HUMP_WORD = 1.8, 3.5
"""Letters of a word on average: between separators, and where only capitals tell words apart, as chance does too.

Of random letters, 34 as Hugging Face has them, one in 900 is wordy by this.
"""
_DIGITS_WITHIN = re.compile(r"(?<=[A-Za-z])[0-9]++(?=[A-Za-z])")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_HARSH = re.compile(r"[b-df-hj-np-tv-xz]{5}", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_PLACE = re.compile(r"/|~/|\.{1,2}/|[A-Za-z]:\\|[A-Za-z][A-Za-z0-9+.\-]*:/|#/|\\\\")
_ADDRESS = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63})*+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,:_eE+\-TZ/ ]*+")
_OPAQUE = re.compile(r"[A-Za-z0-9_\-.~+/=%|:]+")
_OURS = re.compile(r"REDACTED\([^()\s]*\)")
_WRAPPERS = ("<>", "{}", "[]", "()", "%%", "**")
_VARIABLE = re.compile(r"\$\{?\w++\}?|\$\{\{.*|\{\{.*|<%.*|\$\(.*")
"""What a shell, a CI or a template fills in: ``$KEY``, ``${KEY}``, ``${{ secrets.KEY }}``, ``{{ .Values.key }}``."""
_STAND_IN = re.compile(
    r"(?:sk|pk|key|hf|gsk|xai|api|token|bearer)[-_ ]?(?:x{3,}+)?"  # sk-..., without the dots
    r"|x{3,}+|(?:test|fake|dummy|mock|sample|foo|bar|stub|example)(?:[-_ .][\w.\-]*+)?"
    r"|(?:test|fake|dummy|mock)(?:key|token|secret|password|api)?[0-9]{0,4}"
    r"|(?:your|my|the|some|any|insert|enter|put|replace|add|paste)[-_ ][\w\- ]*+"
    r"|hidden|secret|password|read|write|none|null|nil|undefined|true|false|string|replay|unused|empty|ollama|local",
    re.IGNORECASE,
)
_CROSSES = re.compile(r"[xX]{3,}+")
_JOINT = re.compile(r"[-_.]")
_SAID = (
    *("redacted", "scrubbed", "sanitized", "filtered", "removed", "masked", "placeholder", "dummy", "changeme"),
    *("change-me", "not-needed", "no-key", "your-", "your_", "not-a-real"),
)
_FILLER = re.compile(r"x{6}|\*{3}|\.\.\.|1234567890|0123456789|abcdefghijklm", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[a-z]{1,15}|[A-Z][a-z]{0,14}|[A-Z]{1,12}")
_COMMON = frozenset(
    {
        *(
            "yes",
            "no",
            "ok",
            "on",
            "off",
            "any",
            "all",
            "text",
            "required",
            "optional",
            "missing",
            "invalid",
            "incorrect",
        ),
        *(
            "wrong",
            "reset",
            "changed",
            "expired",
            "unknown",
            "default",
            "object",
            "array",
            "boolean",
            "number",
            "integer",
        ),
        *("hash", "hashed", "bcrypt", "plain", "plaintext", "prompt", "ask", "unset", "blank", "denied", "approved"),
        *("passwort", "kennwort", "contraseña", "senha", "wachtwoord", "parola", "пароль", "密码", "パスワード"),
        *("authentication", "authorization", "basic", "bearer", "oauth", "token", "credentials", "login", "forgotten"),
    }
)


def bits(value: str) -> float:
    """Return the entropy of a value's characters, in bits a character."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values()) if size else 0.0


@lru_cache(maxsize=1)
def _placed() -> frozenset[str]:
    """Return what a replay puts into credential variables."""
    return frozenset(credential_variables().values())


def is_placed(value: str) -> bool:
    """Tell whether a value is what a replay puts into credential variables."""
    return value in _placed()


def is_stand_in(value: str) -> bool:
    """Tell whether a value is what people, recorders and replays write in a secret's place: ``<key>``, ``XXX``, ``test_1``."""
    value = value.strip()[:_LONGEST]
    if value in _placed() or _OURS.fullmatch(value) or _VARIABLE.fullmatch(value):
        return True
    if len(set(value)) < 4 or f"{value[:1]}{value[-1:]}" in _WRAPPERS:
        return True
    lowered = value.lower()
    if any(word in lowered for word in _SAID):
        return True
    core = value.strip("_-.*\u2026 ")
    return not core or _STAND_IN.fullmatch(core) is not None or _is_crossed_out(core)


def _is_crossed_out(core: str) -> bool:
    """Tell whether a value is words, one of them ``XXX``: what was there, and that it is no more: ``API-KEY-XXX``."""
    words = _JOINT.split(core)
    return any(map(_CROSSES.fullmatch, words)) and all(map(str.isalpha, words))


def is_filler(value: str) -> bool:
    """Tell whether a value has the form of a token, but was made up by a person: ``sk-xxxxxxxx``, ``AIza1234567890``."""
    return _FILLER.search(value[:_LONGEST]) is not None or len(set(value[:_LONGEST])) < 7 <= len(value)


def is_wordy(value: str) -> bool:
    """Tell whether a value is words with separators, small numbers and capitals: ``sk-learn-intro-2024``, ``SortKeyName``."""
    return _is_wordy(value[:_LONGEST])


@lru_cache(maxsize=_REMEMBERED)
def _is_wordy(value: str) -> bool:
    humps = _HUMP.findall(value)
    words = [hump for hump in humps if _is_word(hump)]
    numbers = [hump for hump in humps if hump.isdigit()]
    if not words or len(_DIGITS_WITHIN.findall(value)) > 1:
        return False
    small = sum(len(number) for number in numbers if len(number) <= 4 and len(numbers) <= len(words))
    size, whole = sum(map(len, words)), sum(map(len, humps))
    if all(map(_SLUG.fullmatch, _SEPARATOR.split(value))):
        return (size + small) / whole >= _SLUG_SHARE and size / len(words) >= _SLUG_WORD
    return (size + small) / whole >= _HUMP_SHARE and whole / len(humps) >= _HUMP_WORD


def _is_word(hump: str) -> bool:
    if hump.isdigit() or len(hump) > 24:
        return False
    if len(hump) < 3:
        return hump.islower() or hump.istitle()
    return _VOWEL.search(hump) is not None and _HARSH.search(hump) is None


def _is_place(value: str) -> bool:
    """Tell whether a value is a path, an address, a number or an id of the usual kind."""
    return any(kind.match(value) for kind in (_PLACE,)) or any(
        kind.fullmatch(value) for kind in (_ADDRESS, _UUID, _NUMBER)
    )


_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")


def _has_digit_and_letter(value: str) -> bool:
    return _DIGIT.search(value) is not None and _LETTER.search(value) is not None


def is_random(value: str) -> bool:
    """Tell whether a value can hardly be anything but a secret, with little known of its name."""
    return _is_random(value[:_LONGEST])


@lru_cache(maxsize=_REMEMBERED)
def _is_random(value: str) -> bool:
    if len(value) < _SHORTEST_RANDOM or _SPACE.search(value) or _is_place(value) or is_stand_in(value):
        return False
    if is_wordy(value) or bits(value) < _LEAST_BITS:
        return False
    mixed = not value.islower() and not value.isupper() and len(value) >= _SHORTEST_OPAQUE
    return _has_digit_and_letter(value) or mixed or (len(value) >= 20 and value.isalnum())


def is_opaque(value: str) -> bool:
    """Tell whether a value is a token, with nothing known of its name: long, of few kinds of characters, no words."""
    return (
        len(value) >= _SHORTEST_OPAQUE
        and _OPAQUE.fullmatch(value[:_LONGEST]) is not None
        and _has_digit_and_letter(value)
        and is_random(value)
    )


_MINTED = re.compile(r"(?!0x)[A-Za-z0-9_\-+=]{20,}+")


def is_minted(value: str) -> bool:
    """Tell whether a value can be nothing but a token, whatever lies beside it: no hash, no id, no name of a file."""
    value = value[:_LONGEST]
    has_all = value != value.lower() and value != value.upper() and any(map(str.isdigit, value))
    return has_all and _MINTED.fullmatch(value) is not None and is_opaque(value)


_CODE = re.compile(r"[0-9]{4,10}")
_SHORT_CODE = re.compile(r"[A-Za-z0-9]{2,8}(?:-[A-Za-z0-9]{2,8}){0,4}")


def is_code(value: str) -> bool:
    """Tell whether a value can be a code for one use, or for one card: ``492817``, ``a1b2-c3d4``."""
    if _CODE.fullmatch(value) is not None:
        return True
    is_short = len(value) >= 8 and _SHORT_CODE.fullmatch(value) is not None and _has_digit_and_letter(value)
    return (is_short and not is_wordy(value)) or is_opaque(value)


def is_key(value: str) -> bool:
    """Tell whether a value can be the secret that its name says it is: no sentence, path, number or single word."""
    value = value[:_LONGEST]
    if len(value) < _SHORTEST_RANDOM or _SPACE.search(value) or is_stand_in(value):
        return False
    if value.isdigit():
        return len(value) >= 8
    if _is_place(value) or _PLAIN_WORD.fullmatch(value):
        return False
    return not is_wordy(value) or any(map(str.isdigit, value)) or len(value) >= 16


def is_password(value: str) -> bool:
    """Tell whether a value can be a password: people choose words."""
    value = value[:_LONGEST]
    if len(value) < 4 or _SPACE.search(value) or is_stand_in(value) or value.lower() in _COMMON:
        return False
    if value.isdigit():
        return len(value) >= 6
    return _PLACE.match(value) is None and not _UUID.fullmatch(value)


_VERSION = re.compile(r"v?[0-9][0-9A-Za-z.\-]{0,20}")
_NO_PASSWORDS = frozenset({"password", "pass", "passwd", "pw", "user", "secret", "token", "key", "latest", "stable"})


def is_password_of(user: str, value: str) -> bool:
    """Tell whether a value can be a password where one must stand: behind a user and a colon, ``bob:...``."""
    if len(value) < 4 or value == user or value.lower() in _NO_PASSWORDS or is_stand_in(value):
        return False
    return _VERSION.fullmatch(value) is None or len(value) > 12


def is_phrase(value: str) -> bool:
    """Tell whether a value can be a pass phrase: a password, or a few words without stops."""
    words = value[:_LONGEST].split()
    return is_password(value) or (3 <= len(words) <= 24 and all(word.isalnum() and word.islower() for word in words))


def is_seed(value: str) -> bool:
    """Tell whether a value can be the words from which a wallet is made (BIP 39): nine at least, short and small."""
    words = value[:_LONGEST].split()
    return 9 <= len(words) <= 48 and all(word.isalpha() and word.islower() and 3 <= len(word) <= 12 for word in words)


def is_searchable(value: str) -> bool:
    """Tell whether a value can be looked for in texts: long enough, and not a word, a path or an address."""
    if _SHORTEST_RANDOM <= len(value) < _SHORTEST_SEARCHED:
        return is_random(value) and _has_digit_and_letter(value)
    if len(value) < _SHORTEST_SEARCHED or value.isdigit() or value.isspace():
        return False
    if (
        _OURS.match(value)
        or value in _placed()
        or value.startswith(("/", "~", "./", "../", "http://", "https://", "file:"))
    ):
        return False
    return value[1:3] != ":\\" and bits(value) >= _LEAST_BITS
