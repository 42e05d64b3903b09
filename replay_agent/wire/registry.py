"""The table of all wire formats, and the one that a request is in, by its path and body."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from replay_agent.calls import ModelCall
from replay_agent.exceptions import UserError, WireError
from replay_agent.traffic import Request
from replay_agent.wire import anthropic, bedrock, cohere, gemini, mistral, ollama, openai_chat, openai_responses, unread
from replay_agent.wire.codec import NAMELESS, Asked, Codec
from replay_agent.wire.shapes.json_text import Fields, read_object

__all__ = "CODECS", "codec_for", "codec_named", "kind_of", "possible_calls", "read_call", "read_lost_call"

CODECS: tuple[Codec, ...] = (
    anthropic.codec,
    bedrock.codec,
    cohere.codec,
    gemini.codec,
    mistral.codec,  # before the format that it is a dialect of, which would claim its calls too
    ollama.codec,
    openai_chat.codec,
    openai_responses.codec,
)
"""Every format that can be read and written. Where several claim a request, the first one has it."""


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
    codec = next((codec for codec in CODECS if codec.serves(asked)), None) if _is_post(request) else None
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
    for codec in CODECS:
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
    return next((codec for codec in CODECS if asked.fields and codec.claims(asked)), None)


def kind_of(request: Request) -> str | None:
    """Return the name of what a request is that no codec reads, ``openai_embeddings`` say; None where nothing tells."""
    return unread.kind_of(_asked(request))


def codec_named(name: str) -> Codec:
    """Return the codec of that name; `UserError` names the known ones where there is none."""
    for codec in CODECS:
        if codec.name == name:
            return codec
    known = ", ".join(codec.name for codec in CODECS)
    raise UserError(f"There is no wire format named {name!r}. Known formats: {known}")
