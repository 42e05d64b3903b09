"""Google's Gemini models, through the Generative Language API or Vertex AI."""

from __future__ import annotations

import os
from typing import ClassVar, Literal, TypedDict

import httpx

from replay_agent.calls import ModelCall
from replay_agent.exceptions import UnexpectedModelBehavior, UserError
from replay_agent.messages import ModelResponse, UnknownPart
from replay_agent.models.google import GoogleToken
from replay_agent.models.http import HeaderKey, HTTPModel
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = "GeminiModel", "GeminiModelSettings", "GeminiSafetySettings"


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

    The last three arguments are for the provider ``google-vertex`` alone. Its token comes from
    ``GOOGLE_OAUTH_ACCESS_TOKEN``, a service account's file or the application default credentials (extra ``vertex``),
    its project from ``project_id``, ``GOOGLE_CLOUD_PROJECT`` or the credentials.
    """

    default_provider: ClassVar[str] = "google-gla"

    def __init__(
        self,
        model_name: str,
        *,
        provider: str | Provider | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
        project_id: str | None = None,
        region: str | None = None,
        service_account_file: str | None = None,
    ) -> None:
        self._service_account_file = service_account_file
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
        region = region or os.environ.get("GOOGLE_CLOUD_LOCATION") or "us-central1"
        host = "aiplatform" if region == "global" else f"{region}-aiplatform"
        self._base_url = self._base_url.replace("{region}-aiplatform", host).replace("{region}", region)
        self._project(project_id or os.environ.get("GOOGLE_CLOUD_PROJECT"))

    def _project(self, project: str | None) -> None:
        self._base_url = self._base_url.replace("{project}", project or "{project}")

    def _authentication(self, api_key: str | None) -> httpx.Auth:
        if self.provider.authentication != "google":
            return super()._authentication(api_key)
        token = api_key or os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN")
        return HeaderKey("Authorization", f"Bearer {token}") if token else GoogleToken(self._service_account_file)

    async def _address(self) -> str:
        if "{project}" in self._base_url and isinstance(self._auth, GoogleToken):
            self._project(await self._auth.project())
        if "{project}" in self._base_url:
            raise UserError(
                "Vertex AI needs a project. Set the environment variable GOOGLE_CLOUD_PROJECT, or pass `project_id` "
                "to the model."
            )
        return self._base_url

    def _response(self, call: ModelCall, http_response: httpx.Response) -> ModelResponse:
        response = super()._response(call, http_response)
        if all(isinstance(part, UnknownPart) for part in response.parts):
            reason = "Safety settings triggered" if response.finish_reason == "content_filter" else "No content"
            raise UnexpectedModelBehavior(f"{reason} in the answer of {self.model_name}", http_response.text)
        return response
