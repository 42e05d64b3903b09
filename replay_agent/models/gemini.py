"""Google's Gemini models, through the Generative Language API or Vertex AI."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import httpx
from typing_extensions import TypedDict

from replay_agent.calls import ModelCall
from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.messages import ModelResponse, UnknownPart
from replay_agent.models.access import HasAccess, HeaderKey, access_of
from replay_agent.models.http import HTTPModel
from replay_agent.models.names import GeminiModelName, LatestGeminiModelNames
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = (
    "ApiKeyAuth",
    "GeminiModel",
    "GeminiModelName",
    "GeminiModelSettings",
    "GeminiSafetySettings",
    "LatestGeminiModelNames",
)


ApiKeyAuth = HeaderKey
"""How a key is sent; ``api_key`` is the key."""


class GeminiSafetySettings(TypedDict):
    """How much of one kind of harm is let through."""

    category: Literal[
        "HARM_CATEGORY_UNSPECIFIED",
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_CIVIC_INTEGRITY",
    ]
    threshold: Literal[
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
        "BLOCK_LOW_AND_ABOVE",
        "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH",
        "BLOCK_NONE",
        "OFF",
    ]


class GeminiModelSettings(ModelSettings, total=False):
    """Settings that only these models know."""

    gemini_safety_settings: list[GeminiSafetySettings]


class GeminiModel(HTTPModel):
    """A Gemini model.

    ``url_template`` is an older spelling of ``base_url``: what stands before its ``{model}`` is taken. The last three
    arguments are for the provider ``google-vertex`` alone. Its token comes from ``GOOGLE_OAUTH_ACCESS_TOKEN``, a
    service account's file or the application default credentials (extra ``vertex``), its project from
    ``project_id``, ``GOOGLE_CLOUD_PROJECT`` or the credentials. Without a ``provider``, `CredentialMissing` (a
    `UserError`) is raised at once where there is no key; with one, and for a model's name, the first call raises it.
    """

    default_provider: ClassVar[str] = "google-gla"

    def __init__(
        self,
        model_name: GeminiModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        url_template: str | None = None,
        system: str | None = None,
        project_id: str | None = None,
        region: str | None = None,
        service_account_file: str | Path | None = None,
    ) -> None:
        access = access_of(
            provider,
            self.default_provider,
            api_key=api_key,
            base_url=base_url or (url_template and url_template.partition("{model}")[0]) or None,
            http_client=http_client,
            project=project_id,
            region=region,
            service_account=service_account_file,
        )
        if provider is None and not api_key:
            access.row.credential()
        self._set_up(model_name, access, system)

    @property
    def auth(self) -> httpx.Auth:
        """How requests tell who asks."""
        return self.access.auth

    def _response(self, call: ModelCall, http_response: httpx.Response) -> ModelResponse:
        response = super()._response(call, http_response)
        if all(isinstance(part, UnknownPart) for part in response.parts):
            blocked = response.finish_reason == "content_filter"
            told = "Safety settings triggered" if blocked else f"No content in the answer of {self.model_name}"
            raise UnexpectedModelBehavior(told, http_response.text)
        return response
