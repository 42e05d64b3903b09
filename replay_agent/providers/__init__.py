"""Providers as objects: where a model's requests go and as whom, said once for several models.

Each class is a thin constructor over a row of `replay_agent.models.providers`. Hand one to a model as ``provider``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import httpx

    from replay_agent.models.access import Access

__all__ = "InterfaceClient", "Provider", "infer_provider"

InterfaceClient = TypeVar("InterfaceClient")
"""The type of a provider's client."""


class Provider(ABC, Generic[InterfaceClient]):
    """Knows where a provider is, and who asks.

    Derive from it for a provider of your own: its ``client``, an ``httpx.AsyncClient``, has to know the credential.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the provider."""

    @property
    @abstractmethod
    def base_url(self) -> str:
        """The address that requests go to."""

    @property
    @abstractmethod
    def client(self) -> InterfaceClient:
        """The client that carries the requests."""

    @property
    def access(self) -> Access | None:
        """How the provider is reached; None where only ``client`` knows."""
        return None


_CLASSES = {
    "anthropic": ("anthropic", "AnthropicProvider"),
    "azure": ("azure", "AzureProvider"),
    "bedrock": ("bedrock", "BedrockProvider"),
    "cohere": ("cohere", "CohereProvider"),
    "deepseek": ("deepseek", "DeepSeekProvider"),
    "google-gla": ("google_gla", "GoogleGLAProvider"),
    "google-vertex": ("google_vertex", "GoogleVertexProvider"),
    "groq": ("groq", "GroqProvider"),
    "mistral": ("mistral", "MistralProvider"),
    "openai": ("openai", "OpenAIProvider"),
}


def infer_provider(provider: str) -> Provider[httpx.AsyncClient]:
    """Return the provider of a name, set up from the environment.

    Raises `ValueError` for any other name, and what the provider's own set-up raises.
    """
    if provider not in _CLASSES:
        raise ValueError(f"Unknown provider: {provider}. Known providers: {', '.join(_CLASSES)}")
    module, name = _CLASSES[provider]
    made: Any = getattr(import_module(f"replay_agent.providers.{module}"), name)
    found: Provider[httpx.AsyncClient] = made()
    return found
