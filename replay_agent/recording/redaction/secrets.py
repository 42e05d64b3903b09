"""What looks like a secret: shapes of tokens, names of fields and headers, values of environment variables."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log2
from urllib.parse import quote, quote_plus

from replay_agent.credentials import is_placeholder

__all__ = (
    "SHAPES",
    "Secret",
    "Shape",
    "environment_secrets",
    "is_credential_header",
    "is_credential_name",
    "is_identity_header",
    "is_opaque_token",
    "is_query_credential",
    "is_secretive",
    "placeholder",
)

_SHORTEST = 12
_LEAST_BITS = 2.0
_PLACEHOLDER = re.compile(rb"REDACTED\([^()\s]*\)")


def placeholder(rule: str) -> bytes:
    """Return what stands in a secret's place: it names the rule, field or variable, and tells nothing of the value.

    Its characters need no escape in JSON, URLs, forms, headers and YAML.
    """
    return f"REDACTED({re.sub(r'[^A-Za-z0-9_.-]', '-', rule)})".encode()


@dataclass(frozen=True, slots=True)
class Shape:
    """Tokens that show by their form what they are. One of ``marks`` is in every match: looked for first, as it is fast."""

    rule: str
    marks: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


def _shape(rule: str, marks: str, pattern: str) -> Shape:
    return Shape(rule, tuple(mark.encode() for mark in marks.split()), re.compile(pattern.encode()))


_DIGIT = r"(?=[A-Za-z0-9_\-]*[0-9])"

SHAPES = (
    _shape(
        "private-key",
        "PRIVATE",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[\s\S]{0,20000}?-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\\rn\s]{0,20000})",
    ),
    _shape("jwt", "eyJ", r"\beyJ[A-Za-z0-9_\-]{8,9000}\.[A-Za-z0-9_\-]{8,9000}\.[A-Za-z0-9_\-]{8,}"),
    _shape("anthropic-key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_\-]{12,}"),
    _shape("openrouter-key", "sk-or-", r"\bsk-or-[A-Za-z0-9_\-]{12,}"),
    _shape(
        "openai-key",
        "sk-",
        r"\bsk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_\-]{12,}|" + _DIGIT + r"[A-Za-z0-9_\-]{20,})",
    ),
    _shape("openai-organization", "org-", r"\borg-" + _DIGIT + r"[A-Za-z0-9]{20,}"),
    _shape("openai-project", "proj_", r"\bproj_" + _DIGIT + r"[A-Za-z0-9]{20,}"),
    _shape("google-key", "AIza", r"\bAIza[A-Za-z0-9_\-]{30,}"),
    _shape("google-token", "ya29.", r"\bya29\.[A-Za-z0-9_\-.]{20,}"),
    _shape("google-client-secret", "GOCSPX-", r"\bGOCSPX-[A-Za-z0-9_\-]{20,}"),
    _shape("aws-access-key", "AKIA ASIA ABIA ACCA", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    _shape("huggingface-token", "hf_ api_org_", r"\b(?:hf_|api_org_)[A-Za-z0-9]{20,}"),
    _shape("groq-key", "gsk_", r"\bgsk_[A-Za-z0-9]{20,}"),
    _shape("xai-key", "xai-", r"\bxai-[A-Za-z0-9]{20,}"),
    _shape("cerebras-key", "csk-", r"\bcsk-" + _DIGIT + r"[A-Za-z0-9]{20,}"),
    _shape("perplexity-key", "pplx-", r"\bpplx-[A-Za-z0-9]{20,}"),
    _shape("fireworks-key", "fw_", r"\bfw_" + _DIGIT + r"[A-Za-z0-9]{20,}"),
    _shape("nvidia-key", "nvapi-", r"\bnvapi-[A-Za-z0-9_\-]{20,}"),
    _shape("replicate-token", "r8_", r"\br8_[A-Za-z0-9]{20,}"),
    _shape("tavily-key", "tvly-", r"\btvly-[A-Za-z0-9_\-]{16,}"),
    _shape("voyage-key", "pa-", r"\bpa-" + _DIGIT + r"[A-Za-z0-9_\-]{40,}"),
    _shape("langsmith-key", "lsv2_", r"\blsv2_[a-z]{2}_[A-Za-z0-9_]{20,}"),
    _shape("logfire-token", "pylf_", r"\bpylf_[A-Za-z0-9_]{20,}"),
    _shape(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    ),
    _shape("gitlab-token", "glpat-", r"\bglpat-[A-Za-z0-9_\-]{16,}"),
    _shape("slack-token", "xox xapp-", r"\b(?:xox[abeoprs]-[A-Za-z0-9\-]{10,}|xapp-[A-Za-z0-9\-]{20,})"),
    _shape("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}"),
    _shape(
        "stripe-key", "_live_ _test_ whsec_", r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{16,})"
    ),
    _shape("sendgrid-key", "SG.", r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    _shape("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{30,}"),
    _shape("pypi-token", "pypi-", r"\bpypi-[A-Za-z0-9_\-]{40,}"),
    _shape("digitalocean-token", "dop_v1_", r"\bdop_v1_[a-f0-9]{32,}"),
    _shape("shopify-token", "shpat_ shpss_", r"\bshp(?:at|ss)_[A-Fa-f0-9]{16,}"),
    _shape("telegram-token", "bot", r"(?<=\bbot)[0-9]{8,12}:[A-Za-z0-9_\-]{30,}"),
    _shape("notion-token", "ntn_", r"\bntn_[A-Za-z0-9]{30,}"),
    _shape("linear-key", "lin_api_", r"\blin_api_[A-Za-z0-9]{20,}"),
    _shape("bearer", "earer", r"(?<=\b[Bb]earer )(?=[A-Za-z0-9._~+/\-]*[0-9])[A-Za-z0-9._~+/\-]{16,}=*"),
    _shape("basic", "asic", r"(?<=\b[Bb]asic )(?=[A-Za-z0-9+/]*[0-9])[A-Za-z0-9+/]{16,}=*"),
    _shape("url-password", "://", r"(?<=://)[^\s/@:\"'\\<>()]*:[^\s/@\"'\\<>()]+(?=@[A-Za-z0-9\[])"),
)
"""Shapes of tokens, the more telling ones first: text that two of them match goes to the first."""

# Names are compared without case, dashes, dots and underscores.
_NAMES = frozenset(
    {
        *("apikey", "accesskey", "accesskeyid", "secretkey", "secretaccesskey", "privatekey", "privatekeyid"),
        *("signingkey", "encryptionkey", "subscriptionkey", "secret", "clientsecret", "password", "passwd", "pwd"),
        *("passphrase", "authorization", "proxyauthorization", "bearer", "credentials", "assertion", "clientassertion"),
        *("codeverifier", "cookie", "setcookie", "xapikey", "xgoogapikey"),
    }
)
_NAME_ENDINGS = ("apikey", "secret", "password", "passphrase", "secretkey", "privatekey", "accesskey", "authtoken")
_TOKEN_NAMES_OF_TEXT = re.compile(
    r"(?:page|next|prev|previous|continuation|sync|cursor|eos|bos|pad|unk|mask|stop|sep|cls|special|first|last|top|start|"
    r"end|begin|time|per|max|min|prompt|completion|input|output|total|cached|logprobs?|reset|poll|operation|skip)token$"
)
_VAGUE_NAMES = frozenset({"key", "token", "sig", "signature", "auth", "access", "code", "hmac"})
_QUERY_ENDINGS = ("signature", "credential", "credentials", "token")
_SEPARATORS = re.compile(r"[-_.\s]")


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


def is_credential_name(name: str) -> bool:
    """Tell whether a field of JSON or XML is called as a credential: ``api_key``, ``clientSecret``, ``x_auth_token``.

    A bare ``token`` is none: in model traffic that is a piece of text.
    """
    plain = _plain(name)
    if plain in _NAMES or plain.endswith(_NAME_ENDINGS):
        return True
    return plain.endswith("token") and plain != "token" and not _TOKEN_NAMES_OF_TEXT.search(plain)


def is_query_credential(name: str, value: str, *, expected: bool = False) -> bool:
    """Tell whether a field of a query or form holds a credential.

    Names such as ``key``, ``code`` and ``token`` are also used for other things, which must stay apart from each other:
    there the value has to look like a credential too, unless one is ``expected``.
    """
    plain = _plain(name)
    if plain in _VAGUE_NAMES:
        return expected or is_placeholder(value) or _is_opaque(value)
    if is_credential_name(name):
        return True
    return plain.endswith(_QUERY_ENDINGS) and not _TOKEN_NAMES_OF_TEXT.search(plain)


_OPAQUE = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-.~+/=%]+")


def _is_opaque(value: str) -> bool:
    return is_secretive(value) and _OPAQUE.fullmatch(value) is not None


def is_opaque_token(value: str) -> bool:
    """Tell whether a value looks like a token of its own, with nothing known of its name."""
    return len(value) >= 16 and _is_opaque(value)


_CREDENTIAL_HEADER = re.compile(
    r"(?:^|[-_])(?:auth|authorization|authentication|token|secret|secrets|password|cookie2?|cookies|api-?key|key|session|"
    r"credential|credentials|signature|jwt|csrf|xsrf|sid|pat)(?:$|[-_])"
)
_NO_CREDENTIAL_HEADER = re.compile(
    r"ratelimit|rate-limit|^sec-websocket-|^cache-|^surrogate-key|^access-control-|^www-auth"
)
_IDENTITY_HEADER = re.compile(
    r"(?:^|[-_])(?:organization|organisation|org|account|user|tenant|workspace|customer|subscription|team|project|member|"
    r"subscriber|owner|principal|email)(?:-?(?:id|ids|name|uuid|number|hash|key|slug))?$"
)


def is_credential_header(name: str) -> bool:
    """Tell whether a header (lower case) is called as one that holds a credential, a session or a cookie."""
    return bool(_CREDENTIAL_HEADER.search(name)) and not _NO_CREDENTIAL_HEADER.search(name)


def is_identity_header(name: str) -> bool:
    """Tell whether a header (lower case) is called as one that says whose account was used."""
    return bool(_IDENTITY_HEADER.search(name)) and not _NO_CREDENTIAL_HEADER.search(name)


def is_secretive(value: str) -> bool:
    """Tell whether a value can be looked for in texts: long enough, and not a word, a path or an address."""
    if (
        len(value) < _SHORTEST
        or value.isdigit()
        or value.isspace()
        or _PLACEHOLDER.match(value.encode("utf-8", "replace"))
    ):
        return False
    if value.startswith(("/", "~", "./", "../", "http://", "https://", "file:")) or value[1:3] == ":\\":
        return False
    return _bits(value) >= _LEAST_BITS


def _bits(value: str) -> float:
    """Return the entropy of a value's characters, in bits a character."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values())


@dataclass(frozen=True, slots=True)
class Secret:
    """A known value: its name, and all the ways in which a body may spell it."""

    rule: str
    value: str

    def spellings(self) -> tuple[bytes, ...]:
        """Return the value as it is, escaped for JSON (once and twice) and for URLs; the longest first."""
        once = set(_json_spellings(self.value))
        twice = {spelling for each in once for spelling in _json_spellings(each)}
        found = {self.value, *once, *twice, quote(self.value, safe=""), quote_plus(self.value), quote(self.value)}
        lowered = {re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), each) for each in found if "%" in each}
        texts = {each.encode("utf-8", "surrogateescape") for each in found | lowered}
        return tuple(sorted(texts, key=lambda text: (-len(text), text)))

    def in_base64(self) -> tuple[bytes, ...]:
        """Return what of the value shows in base64, for each of the three places where it may begin."""
        value = self.value.encode("utf-8", "surrogateescape")
        cores = (_base64_core(value, shift) for shift in range(3))
        return tuple({spelling for core in cores for spelling in (core, core.translate(_URL_SAFE))})


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64_core(value: bytes, shift: int) -> bytes:
    """Return the digits that depend on the value alone, whatever stands before and after it."""
    encoded = base64.b64encode(bytes(shift) + value)
    first = (shift * 8 + 5) // 6
    return encoded[first : (shift + len(value)) * 8 // 6]


def _json_spellings(value: str) -> Iterator[str]:
    plain = json.dumps(value, ensure_ascii=False)[1:-1]
    yield from (plain, json.dumps(value)[1:-1], plain.replace("/", "\\/"))
    yield re.sub("[<>&'=+]", lambda char: f"\\u{ord(char[0]):04x}", plain)


_VARIABLE = re.compile(
    r"(?:^|_)(?:API_?KEYS?|KEY|ACCESS_?KEY(?:_ID)?|SECRETS?|TOKENS?|PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|CREDENTIALS?|AUTH|"
    r"BEARER|COOKIE|PAT|JWT|SAS|DSN|CONNECTION_STRING|WEBHOOK|SIGNATURE)(?:$|_[A-Z0-9]{1,12}$)"
)
_NO_SECRET_VARIABLE = re.compile(
    r"(?:^|_)(?:PUBLIC|FILE|PATH|DIR|URL|SOCK|NAME|TYPE|HOST|USER|LIMIT|COUNT|MAX|TTL)(?:_|$)|^GPG_KEY$|^PWD$|^OLDPWD$"
)
_URL_PASSWORD = re.compile(r"://[^\s/@:]*:([^\s/@]+)@")


def environment_secrets(environ: Mapping[str, str]) -> list[Secret]:
    """Return the values of credential-like variables, and the passwords in addresses, that are worth looking for."""
    found = (secret for name, value in environ.items() for secret in _variable_secrets(name, value))
    return list(
        {
            secret.value: secret for secret in found if is_secretive(secret.value) and not is_placeholder(secret.value)
        }.values()
    )


def _variable_secrets(name: str, value: str) -> Iterable[Secret]:
    if len(value) < _SHORTEST:
        return
    upper = name.upper()
    if _VARIABLE.search(upper) and not _NO_SECRET_VARIABLE.search(upper):
        yield Secret(name, value.strip())
    password = _URL_PASSWORD.search(value)
    if password is not None:
        yield Secret(name, password[1])
