"""Which wire format is this traffic in?"""

from __future__ import annotations

from urllib.parse import urlsplit

from replay_agent.exceptions import UserError
from replay_agent.traffic import Request
from replay_agent.wire import anthropic, bedrock, cohere, gemini, mistral, ollama, openai_chat, openai_responses
from replay_agent.wire.codec import Codec

__all__ = "CODECS", "codec_for", "codec_named"

CODECS: tuple[Codec, ...] = (
    anthropic.codec,
    bedrock.codec,
    cohere.codec,
    gemini.codec,
    mistral.codec,
    ollama.codec,
    openai_chat.codec,
    openai_responses.codec,
)
"""Every format that can be read and written. Where several claim a request, the first one has it."""


def codec_for(request: Request) -> Codec | None:
    """Return the codec of a request, judged by its path and body; None for traffic that is no model call."""
    try:
        urlsplit(request.url)
    except ValueError:
        return None
    return next((codec for codec in CODECS if codec.claims(request)), None)


def codec_named(name: str) -> Codec:
    """Return the codec of that name; `UserError` names the known ones where there is none."""
    for codec in CODECS:
        if codec.name == name:
            return codec
    known = ", ".join(codec.name for codec in CODECS)
    raise UserError(f"There is no wire format named {name!r}. Known formats: {known}")
