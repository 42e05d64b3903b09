"""Gemini models on Google's Vertex AI."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import httpx

from replay_agent.models.access import access_of
from replay_agent.models.gemini import GeminiModel

__all__ = ("VertexAIModel",)


class VertexAIModel(GeminiModel):
    """A Gemini model on Vertex AI: `GeminiModel` with the provider ``google-vertex``.

    ``url_template`` is an older spelling of ``base_url``; it may hold ``{region}``, ``{project_id}``,
    ``{model_publisher}`` and at its end ``{model}:``.
    """

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
        url_template: str | None = None,
        system: str | None = None,
    ) -> None:
        if url_template is not None:
            base_url = _base_url(url_template, model_publisher or "google")
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

    async def ainit(self) -> None:
        """Look for credentials and project now, not at the first call; raises what that call would raise."""
        await self.access.base()


def _base_url(template: str, publisher: str) -> str:
    named = template.partition("{model}")[0].replace("{project_id}", "{project}")
    return named.replace("{model_publisher}", publisher)
