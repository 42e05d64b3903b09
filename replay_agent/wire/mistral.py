"""Mistral's chat completions (docs.mistral.ai/api): OpenAI's format in shapes of its own, a row of its dialects."""

from __future__ import annotations

from replay_agent.calls import ModelCall
from replay_agent.traffic import Request, header
from replay_agent.wire.codec import Asked
from replay_agent.wire.openai_chat import OpenAIChat
from replay_agent.wire.openai_chat.dialects import DIALECTS, Dialect, dialect_of
from replay_agent.wire.shapes.json_text import Fields

__all__ = "Mistral", "codec"

_DIALECT = DIALECTS["mistral"]


class Mistral(OpenAIChat):
    """Chat and agent completions of Mistral."""

    name = "mistral"
    paths = ("/chat/completions", "/agents/completions")

    def serves(self, asked: Asked) -> bool:
        """Tell whether an address is Mistral's, by its host or body, or Mistral's own client asks there."""
        ours = dialect_of(asked.request.url, asked.fields) == _DIALECT.name or _is_sdk(asked.request)
        return ours and super().serves(asked)

    def _dialect(self, call: ModelCall | None) -> Dialect:  # noqa: ARG002
        return _DIALECT

    def _dialect_of(self, url: str, body: Fields) -> Dialect:  # noqa: ARG002
        return _DIALECT


def _is_sdk(request: Request) -> bool:
    """Tell whether Mistral's own client asks: it takes no other shapes, wherever the answer comes from.

    It calls itself ``mistral-client-python/3.7.0``, or by what it is generated with: ``speakeasy-sdk/python ... mistralai``.
    """
    agent = header(request.headers, "user-agent") or ""
    return agent.startswith("mistral-client-") or "mistralai" in agent


codec = Mistral()
