"""The table of all wire formats, and the one that a request is in, by its path and body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from replay_agent.calls import ModelCall
from replay_agent.exceptions import UserError, WireError
from replay_agent.traffic import Request
from replay_agent.wire import unread
from replay_agent.wire.codec import NAMELESS, Asked, Codec
from replay_agent.wire.shapes.json_text import Fields, read_object

__all__ = "CODECS", "codec_for", "codec_named", "kind_of", "possible_calls", "read_call", "read_lost_call"

if TYPE_CHECKING:
    CODECS: tuple[Codec, ...]
    """Every format that can be read and written. Where several claim a request, the first one has it."""


class _Format(NamedTuple):
    """A row: the module of a codec, and what each address that it serves or claims has in it.

    That much is known of a format before its codec is imported: to read one file takes the codec of its calls alone,
    and the seven others took a quarter of the time of the command ``show``.
    """

    name: str
    addresses: re.Pattern[str]


_FORMATS = (
    _Format("anthropic", re.compile(r"/messages$|/models/|/publishers/anthropic/|/invoke")),
    _Format("bedrock", re.compile(r"/converse|/invoke")),
    _Format("cohere", re.compile(r"/chat$")),
    _Format("gemini", re.compile(r"enerateContent$")),
    # before the format that it is a dialect of, which would claim its calls too
    _Format("mistral", re.compile(r"/completions$", re.IGNORECASE)),
    _Format("ollama", re.compile(r"/chat$")),
    _Format("openai_chat", re.compile(r"/completions$", re.IGNORECASE)),
    _Format("openai_responses", re.compile(r"/responses$")),
)


def __getattr__(name: str) -> Any:
    if name == "CODECS":
        return tuple(map(_codec, _FORMATS))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _codec(row: _Format) -> Codec:
    codec: Codec = import_module(f"replay_agent.wire.{row.name}").codec
    return codec


def _candidates(asked: Asked) -> Iterator[Codec]:
    """Yield the codecs that may know an address, the first that claims a request having it."""
    return (_codec(row) for row in _FORMATS if row.addresses.search(asked.path))


def codec_for(request: Request) -> Codec | None:
    """Return the codec of a request, judged by its path and body; None for traffic that is no model call."""
    return _claimant(_asked(request))


def read_call(request: Request) -> tuple[Codec, ModelCall] | None:
    """Return what a request asks of a model, with the codec that read it; None for traffic that is no model call.

    The body is taken apart once. Raises `WireError` for a call that cannot be read.
    """
    asked = _asked(request)
    codec = _claimant(asked)
    return None if codec is None else (codec, codec.read_call(asked).read_from(request.body))


def read_lost_call(request: Request) -> tuple[Codec, ModelCall] | None:
    """Return the call that was made at a request's address, where its body no longer tells: removed, or blotted out.

    What the body does say is read; its messages are empty. None where the address is no format's.
    """
    asked = _asked(request)
    codec = next((codec for codec in _candidates(asked) if codec.serves(asked)), None) if _is_post(request) else None
    if codec is None:
        return None
    # With what the body still says, then without: what was blotted out may be what cannot be read.
    for fields in ({**asked.fields, **codec.least}, {**codec.least}):
        try:
            return codec, codec.read_call(Asked(request, asked.url, fields))
        except WireError:
            continue
    return None


def possible_calls(request: Request) -> Iterator[tuple[Codec, ModelCall]]:
    """Yield what a request asks by each format that its body could be in, whatever its address is.

    For an address that a recording has blotted out, or that is a gateway's own: only the answer tells then which it was.
    """
    asked = _asked(request)
    for codec in map(_codec, _FORMATS):
        at_home = Asked(request, urlsplit(codec.home), asked.fields)
        if not asked.fields or not codec.claims(at_home):
            continue
        try:
            call = codec.read_call(at_home).read_from(request.body)
        except WireError:
            continue
        call.model = None if call.model == NAMELESS else call.model
        yield codec, call


def _asked(request: Request) -> Asked:
    return Asked.by(request, _fields(request.body) if _is_post(request) else {})


def _is_post(request: Request) -> bool:
    return request.method.upper() == "POST"


def _fields(body: bytes) -> Fields:
    try:
        # The first byte spares reading uploads, forms and batches, which are no calls.
        return read_object(body, "") if body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"{" else {}
    except WireError:
        return {}


def _claimant(asked: Asked) -> Codec | None:
    return next((codec for codec in _candidates(asked) if codec.claims(asked)), None) if asked.fields else None


def kind_of(request: Request) -> str | None:
    """Return the name of what a request is that no codec reads, ``openai_embeddings`` say; None where nothing tells."""
    return unread.kind_of(_asked(request))


def codec_named(name: str) -> Codec:
    """Return the codec of that name; `UserError` names the known ones where there is none."""
    for row in _FORMATS:
        if row.name == name:
            return _codec(row)
    known = ", ".join(row.name for row in _FORMATS)
    raise UserError(f"There is no wire format named {name!r}. Known formats: {known}")
