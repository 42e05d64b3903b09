"""The table of providers: where each is, which wire format it speaks, how it is told who asks.

Nothing here imports more than the standard library, so that the table can be read where start-up must stay cheap.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from replay_agent.exceptions import CredentialMissing, UserError

__all__ = "PROVIDERS", "Capabilities", "Provider", "provider_and_model", "provider_named"

_MOST_SETTINGS = (
    "max_tokens",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider takes of a call that its wire format could say."""

    settings: tuple[str, ...] = _MOST_SETTINGS
    """Keys of `ModelSettings`, and of the provider's own ones, that are sent; others are left out silently."""
    extras: tuple[tuple[str, object], ...] = ()
    """Fields that every body carries."""
    tool_choice: Literal["always", "if required", "never"] = "always"
    """When the body says whether tools must be called."""
    by_address: tuple[str, ...] = ()
    """Kinds of user content whose address is sent."""
    downloaded: tuple[str, ...] = ()
    """Kinds of user content that are fetched and sent as binary content."""
    media_types: tuple[str, ...] = ()
    """Beginnings of the media types that are taken as binary content."""
    not_implemented: tuple[str, ...] = ()
    """Kinds of user content that raise `NotImplementedError`; what else cannot be sent raises `RuntimeError`."""
    streams: bool = True
    """Whether answers can be streamed."""


Authentication: TypeAlias = Literal["header", "google", "aws"]
"""A key in a header, a token from Google's credentials, or a signature with AWS keys."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the table. Make a row of your own with `dataclasses.replace` and hand it to a model."""

    name: str
    """What stands before the colon in a model's name."""
    codec: str
    """The wire format, by the name of its module in ``replay_agent.wire``."""
    system: str
    """The value of `Model.system`."""
    base_url: str
    """Where requests go; may hold ``{region}`` and ``{project}``."""
    model_class: tuple[str, str]
    """Module and class of the model that a name with this prefix becomes."""
    capabilities: Capabilities = Capabilities()
    base_url_variables: tuple[str, ...] = ()
    """Environment variables that replace ``base_url``, the first set one wins."""
    root: str = ""
    """Path between the base URL and what the codec writes; may hold ``{model}``."""
    credential_variables: tuple[str, ...] = ()
    """Environment variables that may hold the credential, the one to name in a message first."""
    authentication: Authentication = "header"
    credential_header: str = "Authorization"
    credential_prefix: str = "Bearer "
    """What stands before the credential in its header."""
    default_credential: str | None = None
    """Sent where no credential is set; None makes that an error."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that every request carries."""

    def credential(self) -> str:
        """Return the credential from the environment, else the default one; else raise `CredentialMissing`."""
        found = _first_set(self.credential_variables) or self.default_credential
        if found is None:
            variable = self.credential_variables[0]
            raise CredentialMissing(
                f"The provider {self.name!r} needs a credential: an API key must be provided or set in the {variable} "
                f"environment variable. Set {variable}, or pass `api_key` to the model.",
                variable,
            )
        return found

    def has_credential(self) -> bool:
        """Tell whether `credential` has something to return."""
        return bool(_first_set(self.credential_variables) or self.default_credential)

    def address(self) -> str:
        """Return the base URL, from the environment where it is set there."""
        return _first_set(self.base_url_variables) or self.base_url


def _first_set(variables: tuple[str, ...]) -> str | None:
    return next((value for variable in variables if (value := os.environ.get(variable))), None)


_CHAT = Capabilities(
    settings=(*_MOST_SETTINGS, "openai_reasoning_effort"),
    extras=(("n", 1),),
    by_address=("image-url",),
    downloaded=("audio-url",),
    media_types=("image/", "audio/"),
    not_implemented=("document-url",),
)
_GENERATE_CONTENT = Capabilities(
    settings=("max_tokens", "temperature", "top_p", "presence_penalty", "frequency_penalty", "gemini_safety_settings"),
    tool_choice="if required",
    downloaded=("image-url", "audio-url", "document-url"),
    media_types=("",),
)
_GEMINI = ("replay_agent.models.gemini", "GeminiModel")
_OPENAI = ("replay_agent.models.openai", "OpenAIModel")

_ROWS = (
    Provider(
        name="openai",
        codec="openai_chat",
        system="openai",
        base_url="https://api.openai.com/v1",
        model_class=_OPENAI,
        base_url_variables=("OPENAI_BASE_URL",),
        credential_variables=("OPENAI_API_KEY",),
        default_credential="api-key-not-set",
        capabilities=_CHAT,
    ),
    Provider(
        name="deepseek",
        codec="openai_chat",
        system="openai",
        base_url="https://api.deepseek.com",
        model_class=_OPENAI,
        credential_variables=("DEEPSEEK_API_KEY",),
        capabilities=_CHAT,
    ),
    Provider(
        name="google-gla",
        codec="gemini",
        system="google-gla",
        base_url="https://generativelanguage.googleapis.com/v1beta/models/",
        model_class=_GEMINI,
        credential_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        credential_header="X-Goog-Api-Key",
        credential_prefix="",
        capabilities=_GENERATE_CONTENT,
    ),
    Provider(
        name="google-vertex",
        codec="gemini",
        system="google-vertex",
        base_url="https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}"
        "/publishers/google/models/",
        model_class=_GEMINI,
        credential_variables=("GOOGLE_OAUTH_ACCESS_TOKEN",),
        authentication="google",
        capabilities=_GENERATE_CONTENT,
    ),
    Provider(
        name="anthropic",
        codec="anthropic",
        system="anthropic",
        base_url="https://api.anthropic.com",
        model_class=("replay_agent.models.anthropic", "AnthropicModel"),
        base_url_variables=("ANTHROPIC_BASE_URL",),
        credential_variables=("ANTHROPIC_API_KEY",),
        credential_header="x-api-key",
        credential_prefix="",
        headers=(("anthropic-version", "2023-06-01"),),
        capabilities=Capabilities(
            settings=("max_tokens", "temperature", "top_p", "parallel_tool_calls", "anthropic_metadata"),
            downloaded=("image-url", "document-url"),
            media_types=("image/", "application/pdf", "text/plain"),
        ),
    ),
    Provider(
        name="groq",
        codec="openai_chat",
        system="groq",
        base_url="https://api.groq.com",
        root="/openai/v1",
        model_class=("replay_agent.models.groq", "GroqModel"),
        base_url_variables=("GROQ_BASE_URL",),
        credential_variables=("GROQ_API_KEY",),
        capabilities=Capabilities(extras=(("n", 1),), by_address=("image-url",), media_types=("image/",)),
    ),
    Provider(
        name="mistral",
        codec="mistral",
        system="mistral_ai",
        base_url="https://api.mistral.ai",
        root="/v1",
        model_class=("replay_agent.models.mistral", "MistralModel"),
        credential_variables=("MISTRAL_API_KEY",),
        capabilities=Capabilities(
            settings=("max_tokens", "temperature", "top_p", "seed"),
            extras=(("n", 1),),
            by_address=("image-url",),
            media_types=("image/",),
        ),
    ),
    Provider(
        name="cohere",
        codec="cohere",
        system="cohere",
        base_url="https://api.cohere.com",
        model_class=("replay_agent.models.cohere", "CohereModel"),
        base_url_variables=("CO_API_URL",),
        credential_variables=("CO_API_KEY", "COHERE_API_KEY"),
        capabilities=Capabilities(
            settings=("max_tokens", "temperature", "top_p", "seed", "presence_penalty", "frequency_penalty"),
            tool_choice="never",
            streams=False,
        ),
    ),
    Provider(
        name="bedrock",
        codec="bedrock",
        system="bedrock",
        base_url="https://bedrock-runtime.{region}.amazonaws.com",
        model_class=("replay_agent.models.bedrock", "BedrockConverseModel"),
        base_url_variables=("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
        credential_variables=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        authentication="aws",
        capabilities=Capabilities(
            settings=("max_tokens", "temperature", "top_p"),
            downloaded=("image-url", "document-url"),
            media_types=("image/", "application/", "text/"),
            not_implemented=("audio-url",),
        ),
    ),
)

PROVIDERS: Mapping[str, Provider] = MappingProxyType({row.name: row for row in _ROWS})
"""The providers by name."""

_ALIASES = {"vertexai": "google-vertex"}
_BARE_NAMES = (
    (("gpt", "chatgpt", "o1", "o3"), "openai"),
    (("claude",), "anthropic"),
    (("gemini",), "google-gla"),
)


def provider_named(name: str) -> Provider:
    """Return the row of that name or alias; `UserError` names the known ones where there is none."""
    try:
        return PROVIDERS[_ALIASES.get(name, name)]
    except KeyError:
        raise UserError(f"Unknown provider: {name}. Known providers: {', '.join(PROVIDERS)}") from None


def provider_and_model(name: str) -> tuple[Provider, str]:
    """Split ``provider:model`` at its first colon, or guess the provider of a bare name; else raise `UserError`."""
    prefix, colon, model = name.partition(":")
    if not colon:
        prefix, model = _provider_of_bare(name), name
    if _ALIASES.get(prefix, prefix) not in PROVIDERS:
        raise UserError(f"Unknown model: {name}")
    return provider_named(prefix), model


def _provider_of_bare(name: str) -> str:
    return next((provider for starts, provider in _BARE_NAMES if name.startswith(starts)), "")
