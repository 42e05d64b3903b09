"""Gemini models on Google's Vertex AI."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import httpx

from replay_agent.models.access import access_of
from replay_agent.models.gemini import GeminiModel

__all__ = ("VertexAIModel",)


class VertexAIModel(GeminiModel):
    """A Gemini model on Vertex AI: `GeminiModel` with the provider ``google-vertex``."""

    default_provider: ClassVar[str] = "google-vertex"

    def __init__(
        self,
        model_name: str,
        *,
        service_account_file: str | Path | None = None,
        project_id: str | None = None,
        region: str | None = None,
        model_publisher: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        access = access_of(
            None,
            self.default_provider,
            service_account=service_account_file,
            project=project_id,
            region=region,
            publisher=model_publisher,
            api_key=api_key,
            base_url=base_url,
            http_client=http_client,
        )
        self._set_up(model_name, access, system)
