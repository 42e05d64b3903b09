"""Google's Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

import httpx

from replay_agent.providers.reached import ReachedProvider

__all__ = "GoogleVertexProvider", "VertexAiRegion"


def __getattr__(name: str) -> Any:
    # Tests that were written for the seed patch ``providers.google_vertex.google.auth.default``.
    if name == "google":
        import google.auth

        return google
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


VertexAiRegion: TypeAlias = Literal[
    "us-central1",
    "us-east1",
    "us-east4",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
    "us-east5",
    "europe-central2",
    "europe-north1",
    "europe-southwest1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "europe-west12",
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "southamerica-east1",
    "southamerica-west1",
]
"""Regions that had Gemini in March 2025; any other is taken too."""


class GoogleVertexProvider(ReachedProvider):
    """Vertex AI, with a service account or the application default credentials (extra ``vertex``).

    The project comes from ``project_id``, ``GOOGLE_CLOUD_PROJECT`` or the credentials. ``ValueError`` where a service
    account is given twice. Credentials are looked for at the first call.
    """

    row: ClassVar[str] = "google-vertex"

    def __init__(
        self,
        *,
        service_account_file: Path | str | None = None,
        service_account_info: Mapping[str, str] | None = None,
        project_id: str | None = None,
        region: VertexAiRegion | str = "us-central1",
        model_publisher: str = "google",
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        if service_account_file and service_account_info:
            raise ValueError("Only one of `service_account_file` or `service_account_info` can be provided.")
        self.service_account_file = service_account_file
        self.service_account_info = service_account_info
        self.project_id = project_id
        self.region = region
        self.model_publisher = model_publisher
        self._reach(
            service_account=service_account_file or service_account_info,
            project=project_id,
            region=region,
            publisher=model_publisher,
            http_client=http_client,
        )
