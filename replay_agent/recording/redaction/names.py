"""Which names are those of credentials: of fields in documents and queries, of headers, of environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

from replay_agent.recording.redaction.looks import is_key, is_phrase, is_random, is_searchable
from replay_agent.surroundings.credentials import credential_names, credential_variables

__all__ = (
    "ALL_NAMES",
    "BROKEN_ENDINGS",
    "ENDINGS",
    "SEPARATORS",
    "Naming",
    "environment_secrets",
    "field_naming",
    "is_credential_header",
    "is_identity_header",
    "letters_of",
    "query_naming",
    "reads_on",
)


class Naming(IntEnum):
    """How much a name says of its value: the less, the more the value itself must look like a secret."""

    NOTHING = 0
    MANY = 1
    """``keys``, ``tokens``: of all that is called so, what could be nothing but a token."""
    VAGUE = 2
    """``key``, ``code``: a long token with nothing else in it is a secret."""
    WEAK = 3
    """``secret``, ``assertion``, ``x_token``: what a machine made is a secret."""
    CODE = 4
    """``otp``, ``pin``: a few digits are a secret."""
    STRONG = 5
    """``api_key``, ``client_secret``: everything is, but words, paths and stand-ins."""
    PASSWORD = 6
    """``password``: words too."""
    PHRASE = 7
    """``passphrase``: several words too."""
    SIGNED = 8
    """``X-Amz-Signature``: everything is."""
    SEED = 9
    """``mnemonic``: the words of a wallet, and nothing else that is called so."""


_LONGEST_NAME = 80

# Names are compared without case, dashes, dots, underscores and blanks; a plural counts as its singular.
_PASSWORDS = (
    *("password", "passwd", "pwd", "passcode"),
    *("passwort", "kennwort", "motdepasse", "contrasena", "contraseña", "wachtwoord", "пароль"),
)
_SEEDS = ("mnemonic", "mnemonicwords", "recoverywords")
_PHRASES = ("passphrase", "seedphrase", "recoveryphrase", "secretphrase", "mnemonicphrase", "seedwords")
_CODES = frozenset(
    {
        *("otp", "otpcode", "totp", "totpcode", "onetimecode", "onetimepin", "pin", "userpin", "cardpin"),
        *("mfacode", "mfatoken", "2fa", "2facode", "twofactorcode", "securitycode"),
        *("verificationcode", "smscode", "logincode", "recoverycode", "backupcode", "scratchcode"),
    }
)
_STRONG_ENDINGS = (
    *("apikey", "accesskey", "secretkey", "secretaccesskey", "privatekey", "signingkey", "encryptionkey", "masterkey"),
    *(
        "subscriptionkey",
        "functionskey",
        "functionkey",
        "accountkey",
        "storagekey",
        "sharedkey",
        "sharedaccesskey",
        "hostkey",
    ),
    *("clientsecret", "appsecret", "apisecret", "consumersecret", "secretstring", "secretbinary", "signingsecret"),
    *(
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "authtoken",
        "apitoken",
        "sessiontoken",
        "securitytoken",
        "bearertoken",
    ),
    *(
        "oauthtoken",
        "onetimetoken",
        "authorizationtoken",
        "codeverifier",
        "clientassertion",
        "webhooksecret",
        "licensekey",
        "licencekey",
        "authkey",
        "consumerkey",
    ),
    *("deploykey", "sshkey", "hmackey", "servicekey", "servicerolekey", "secretkeybase", "recoverykey", "webhookkey"),
)
_STRONG = frozenset({"xapikey", "xgoogapikey", "authorizationkey", "integrationkey", "serverkey", "appkey", "secretid"})
_WEAK_ENDINGS = (
    "secret",
    "smtppass",
    "ftppass",
    "rootpass",
    "dbpass",
    "userpass",
    "adminpass",
    "credential",
    "assertion",
    "cookie",
    "authorization",
    "jwt",
    "privatekeyid",
    "accesskeyid",
)
_WEAK = frozenset(
    {
        "bearer",
        "auth",
        "xauth",
        "basicauth",
        "proxyauth",
        "pass",
        "pat",
        "devicecode",
        "keymaterial",
        "psk",
        "authentication",
        "connectionstring",
        "sessionid",
        *("jsessionid", "phpsessid", "aspnetsessionid"),
        "sid",
        "csrf",
        "xsrf",
        "sastoken",
    }
)
_OF_KEYS = (
    *(
        name.removesuffix("_API_KEY").replace("_", "").lower()
        for name in credential_names()
        if name.endswith("_API_KEY")
    ),
    *("aws", "gcp", "claude", "gpt", "llm", "stripe", "twilio", "sendgrid", "mailgun", "resend", "github", "gitlab"),
    *("slack", "discord", "telegram", "notion", "linear", "algolia", "maps", "mapbox", "pinecone", "qdrant"),
    *("weaviate", "supabase", "elevenlabs", "deepgram", "assemblyai", "replicate", "langsmith", "langfuse"),
    *("helicone", "serper", "serpapi", "firecrawl", "sentry", "datadog", "posthog", "segment", "cloudflare"),
    *("vercel", "vault", "okta", "auth0"),
    *("admin", "root", "user", "client", "application", "sdk", "read", "write", "ingest", "ingestion", "stream"),
    *("ephemeral", "decryption", "activation", "virtual"),
)
"""Whose keys, or what for, are those of credentials."""
_KEYS = tuple(f"{each}key" for each in _OF_KEYS)
_HEADER_KEY = re.compile(r"(?:[Xx]-[A-Za-z0-9\-]{1,60}|[A-Z][A-Za-z0-9]*(?:-[A-Z][A-Za-z0-9]*)*)-[Kk](?:ey|EY)")
_OTHER_HEADER_KEY = re.compile(
    r"(?:idempotency|cache|surrogate|websocket|public|primary|foreign|sort|partition|routing|object|request)-key",
    re.IGNORECASE,
)
"""``X-Appwrite-Key`` and the like hold a credential, these do not."""
_PLURALS = ("keys", "tokens", "secrets", "passwords", "credentials", "cookies", "codes", "pins", "otps")
_OTHER_TOKENS = (
    *("page", "pagination", "paging", "next", "prev", "previous", "forward", "backward", "continuation", "continue"),
    *("resume", "resumption", "sync", "cursor", "change", "list", "upload", "download", "transfer", "request"),
    *("idempotency", "idempotent", "client", "poll", "operation", "scroll", "position", "marker", "range", "batch"),
    *("eos", "bos", "pad", "unk", "mask", "stop", "sep", "cls", "special", "first", "last", "top", "start", "starting"),
    *(
        "end",
        "begin",
        "time",
        "per",
        "max",
        "min",
        "prompt",
        "completion",
        "input",
        "output",
        "total",
        "cached",
        "cache",
    ),
    *("logprob", "skip", "num", "number", "reasoning", "thinking", "text", "audio", "image", "budget", "base", "quote"),
    *("reward", "native", "governance", "lp", "nft", "progress", "by", "new", "old", "design", "syntax", "task"),
    *("state", "statement", "query", "search", "sub", "word", "used", "of", "delta", "stream", "watch", "feed"),
    *("trace", "correlation", "shard", "job", "chunk", "offset", "seek", "lookup", "evaluated", "sequence", "lock"),
    *("checkpoint", "bookmark", "consistency", "revision", "version", "snapshot", "before", "after"),
)
_TOKENS_OF_ANOTHER_KIND = re.compile(rf"(?:{'|'.join(_OTHER_TOKENS)})+tokens?")
"""Pieces of text, counters, coins, and what a client must send back to read on: none of them opens a door."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(rb"[A-Za-z0-9_\-]{1,60}\Z")
_READS_ON = re.compile(
    rb"(?:pag(?:e|ing|ination)|next|prev(?:ious)?|forward|backward|continu(?:e|ation)|resum(?:e|ption)|sync|cursor|delta"
    rb"|skip|scroll|start(?:ing)?)[ \t]tokens?\Z",
    re.IGNORECASE,
)
"""``page token``, as sentences have it. Fewer than of fields: who writes `the new token` means a credential."""
_VAGUE_QUERY = frozenset({"key", "token", "sig", "signature", "auth", "access", "code", "hmac", "accesssig"})
_VAGUE_QUERY_ENDINGS = ("signature", "credential")
_SIGNED_QUERY = re.compile(r"x(?:amz|goog|oss|cos|obs|tos)(?:signature|credential|securitytoken|date)$")
_NAMES = (
    _PASSWORDS,
    _PHRASES,
    _SEEDS,
    _CODES,
    _STRONG_ENDINGS,
    _STRONG,
    _WEAK_ENDINGS,
    _WEAK,
    _PLURALS,
    _VAGUE_QUERY,
    _KEYS,
)
ENDINGS = frozenset(
    name[-3:] for names in (*_NAMES, _VAGUE_QUERY_ENDINGS, ("token",)) for name in names if name[-3:].isascii()
)
"""The last three letters of every name that tells, of those of other alphabets none."""
ALL_NAMES = frozenset(name for names in (*_NAMES, _VAGUE_QUERY_ENDINGS, ("token",)) for name in names)
"""What names that tell are called, or how they end."""
BROKEN_ENDINGS = frozenset({"yid", "nid", "tid", "sid", "2fa", "swd"})
"""Of these the endings that a separator may divide behind the first letter: ``private_key_id``."""
SEPARATORS = "-_. \t$@:"
"""Characters of a name that say nothing, wherever they stand in it."""
_NO_SEPARATORS = str.maketrans("", "", SEPARATORS)
_BLANKS = str.maketrans(SEPARATORS, " " * len(SEPARATORS))


def letters_of(name: str) -> str:
    """Return a name without separators and capitals."""
    return name.translate(_NO_SEPARATORS).lower()


def _has_ending(name: str, letters: str) -> bool:
    """Tell whether a name ends as rules expect it that look for endings alone: in three letters with nothing between."""
    last = letters[-3:]
    whole = name.rstrip(SEPARATORS)
    if len(name) - len(whole) > 1:
        return False
    if last not in ENDINGS:
        return not last.isascii()
    return whole[-3:].lower() == last or (last in BROKEN_ENDINGS and whole[-2:].lower() == last[1:])


@lru_cache(maxsize=256)
def field_naming(name: str) -> Naming:
    """Tell what the name of a field of JSON or XML says: ``api_key``, ``clientSecret``, ``x_auth_tokens``."""
    bare = letters_of(name)
    if len(name) > _LONGEST_NAME or not _has_ending(name, bare):
        return Naming.NOTHING
    one = bare.removesuffix("s") if bare.endswith(_PLURALS) else bare
    if bare.endswith(_SEEDS):
        return Naming.SEED
    if one.endswith(_PHRASES):
        return Naming.PHRASE
    if one.endswith(_PASSWORDS):
        return Naming.PASSWORD
    if one.endswith(_STRONG_ENDINGS) or one in _STRONG:
        return Naming.STRONG
    if one.endswith(_WEAK_ENDINGS) or one in _WEAK:
        return Naming.WEAK
    if one in _CODES:
        return Naming.CODE
    if bare == "token":
        return Naming.VAGUE
    if bare in ("keys", "tokens"):
        return Naming.MANY
    variable = name.rpartition(".")[2]  # process.env.API_KEY
    if variable.isupper() and _WEAK_VARIABLE.search(variable) and not _NO_SECRET_VARIABLE.search(variable):
        return Naming.VAGUE
    if one.endswith("key") and "::" not in name and (_last_words(name) in _KEYS or _is_key_of_header(name)):
        return Naming.VAGUE
    is_token = one.endswith("token") and bare != "tokens" and not _is_of_another_kind(name)
    return Naming.WEAK if is_token else Naming.NOTHING


def _last_words(name: str) -> str:
    """Return the last word of a name, of a key or token with the whole word before it: an ``admin_token`` is no ``min`` token."""
    words = _HUMP.sub(" ", name).translate(_BLANKS).lower().split()
    return "".join(words[-2:] if words and words[-1] in ("key", "token", "tokens") else words[-1:])


def _is_of_another_kind(name: str) -> bool:
    """Tell whether a token is none of a credential."""
    return _TOKENS_OF_ANOTHER_KIND.fullmatch(_last_words(name)) is not None


def _is_key_of_header(name: str) -> bool:
    return _HEADER_KEY.fullmatch(name) is not None and _OTHER_HEADER_KEY.search(name) is None


def reads_on(before: bytes) -> bool:
    """Tell whether a text ends in the name of what a client sends back to read on: ``nextToken``, ``the page token``."""
    if _READS_ON.search(before) is not None:
        return True
    name = _WORD.search(before)
    return name is not None and _is_of_another_kind(name[0].decode("ascii"))


@lru_cache(maxsize=256)
def query_naming(name: str) -> Naming:
    """Tell what the name of a field of a query or a form says."""
    if len(name) > _LONGEST_NAME:
        return Naming.NOTHING
    bare = letters_of(name)
    if _SIGNED_QUERY.fullmatch(bare) and not bare.endswith("date"):
        return Naming.SIGNED
    naming = field_naming(name)
    if naming is not Naming.NOTHING:
        return naming
    vague = _has_ending(name, bare) and (bare in _VAGUE_QUERY or bare.endswith(_VAGUE_QUERY_ENDINGS))
    return Naming.VAGUE if vague else Naming.NOTHING


_CREDENTIAL_HEADER = re.compile(
    r"(?:^|[-_])(?:auth|authorization|authentication|token|secret|secrets|password|cookie2?|cookies|api-?key|key|session|"
    r"credential|credentials|signature|jwt|csrf|xsrf|sid|pat)(?:$|[-_])"
)
_NO_CREDENTIAL_HEADER = re.compile(
    r"ratelimit|rate-limit|^sec-websocket-|(?:^|-)cache-|idempotency|^surrogate-key|^access-control-|^www-auth"
    r"|[-_](?:status|reason|message|type|method|mode|scheme|result|expires|expiry|expiration)$"
    r"|[-_](?:counts?|limit|remaining|used|total)$|[-_]per[-_]token$"
)
_IDENTITY_HEADER = re.compile(
    r"(?:^|[-_])(?:organization|organisation|org|account|user|tenant|workspace|customer|subscription|team|project|member|"
    r"subscriber|owner|principal|email)(?:-?(?:id|ids|name|uuid|number|hash|key|slug))?$"
)


@lru_cache(maxsize=256)
def is_credential_header(name: str) -> bool:
    """Tell whether a header (lower case) is called as one that holds a credential, a session or a cookie."""
    return bool(_CREDENTIAL_HEADER.search(name)) and not _NO_CREDENTIAL_HEADER.search(name)


@lru_cache(maxsize=256)
def is_identity_header(name: str) -> bool:
    """Tell whether a header (lower case) is called as one that says whose account was used."""
    return bool(_IDENTITY_HEADER.search(name)) and not _NO_CREDENTIAL_HEADER.search(name)


_STRONG_VARIABLE = re.compile(
    r"(?:^|_)(?:API_?KEYS?|ACCESS_?KEY(?:_ID)?|SECRET_?KEY|PRIVATE_?KEY|SECRETS?|TOKENS?|PASSWORD|PASSWD|PASS|PWD|PASSPHRASE"
    r"|PAT|WEBHOOK_URL|CONNECTION_STRING)(?:_(?:DEV|PROD|TEST|STAGING|LIVE|BACKUP|[0-9]{1,3}))?$"
)
_WEAK_VARIABLE = re.compile(
    r"(?:^|_)(?:API_?KEYS?|KEY|ACCESS_?KEY(?:_ID)?|SECRETS?|TOKENS?|PASSWORD|PASSWD|PASS|PWD|PASSPHRASE|CREDENTIALS?|AUTH|"
    r"BEARER|COOKIE|PAT|JWT|SAS|DSN|CONNECTION_STRING|WEBHOOK|SIGNATURE)(?:$|_[A-Z0-9]{1,12}$)"
)
_NO_SECRET_VARIABLE = re.compile(
    r"(?:^|_)(?:PUBLIC|FILE|PATH|DIR|SOCK|NAME|TYPE|HOST|USER|LIMIT|COUNT|MAX|MIN|TTL|SIZE|AUDIENCE|ISSUER|ALGORITHM"
    r"|HEADER|PREFIX|ID|NEXT|PAGE|SORT|PRIMARY|FOREIGN|PARTITION|CACHE|ENDPOINT)(?:_|$)|^GPG_KEY$|^PWD$|^OLDPWD$"
)
_KNOWN_VARIABLES = frozenset(credential_variables()) - {"AWS_DEFAULT_REGION", "GOOGLE_APPLICATION_CREDENTIALS"}
_SCHEMES = frozenset({"bearer", "basic", "token", "apikey", "api-key"})
_OF_PYTEST = "PYTEST_CURRENT_TEST"
"""The name of the test that runs: what it holds is found as in any text, by one rule whether a test runs or not."""
_URL_PASSWORD = re.compile(r"://[^\s/@:]{0,200}+:([^\s/@]{1,500}+)@")


def environment_secrets(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the values of variables that are worth looking for, each with the variable's name.

    A variable is one of those that providers' clients read, or it is called as a credential and its value looks like one;
    of an address that holds a password, the password counts.
    """
    return _environment_secrets(tuple(environ.items()))


@lru_cache(maxsize=4)
def _environment_secrets(variables: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return the secrets of variables, which are read anew for each test and each file, and seldom others."""
    found: dict[str, str] = {}
    for name, value in variables:
        for secret in _searched_for(name, value.strip()):
            found.setdefault(secret, name)
    return MappingProxyType(found)


@lru_cache(maxsize=256)
def _searched_for(name: str, value: str) -> tuple[str, ...]:
    return tuple(filter(is_searchable, _variable_secrets(name, value)))


def _variable_secrets(name: str, value: str) -> Iterator[str]:
    if len(value) < 8 or name == _OF_PYTEST:
        return
    scheme, blank, rest = value.partition(" ")
    if blank and scheme.lower() in _SCHEMES and is_random(rest.strip()):
        yield rest.strip()
    password = _URL_PASSWORD.search(value)
    if password is not None:
        yield password[1]
    upper = name.upper()
    if upper in _KNOWN_VARIABLES:
        yield value
    elif password is None and not _NO_SECRET_VARIABLE.search(upper.removesuffix("_KEY_ID")):
        if _STRONG_VARIABLE.search(upper):
            looks = is_phrase if "PASS" in upper or "PWD" in upper else is_key
            if looks(value):
                yield value
        elif _WEAK_VARIABLE.search(upper) and is_random(value):
            yield value
