"""OpenAI's models on Azure."""

from __future__ import annotations

import os
from dataclasses import replace
from urllib.parse import urlencode

import httpx

from replay_agent.exceptions import CredentialMissing
from replay_agent.models.access import Access, refuse_client
from replay_agent.models.providers import provider_named
from replay_agent.providers.reached import ReachedProvider

__all__ = ("AzureProvider",)

_KEYS = ("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY")


class AzureProvider(ReachedProvider):
    """OpenAI's models on Azure: the model's name is that of the deployment.

    What is not given comes from ``AZURE_OPENAI_ENDPOINT``, ``OPENAI_API_VERSION`` and ``AZURE_OPENAI_API_KEY``, or
    ``OPENAI_API_KEY``; ``ValueError`` where one of them is not there either.
    """

    def __init__(
        self,
        *,
        azure_endpoint: str | None = None,
        api_version: str | None = None,
        api_key: str | None = None,
        openai_client: object = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        refuse_client("openai_client", openai_client)
        endpoint = _given("azure_endpoint", azure_endpoint, "AZURE_OPENAI_ENDPOINT").rstrip("/")
        version = _given("api_version", api_version, "OPENAI_API_VERSION")
        row = replace(
            provider_named("openai"),
            name="azure",
            base_url=f"{endpoint}/openai/?{urlencode({'api-version': version})}",
            base_url_variables=(),
            root="/deployments/{model}",
            credential_variables=_KEYS,
            credential_header="api-key",
            credential_prefix="",
            default_credential=None,
        )
        if not api_key:
            row.credential()
        self._set_access(Access(row, api_key=api_key, http_client=http_client))


def _given(argument: str, value: str | None, variable: str) -> str:
    found = value or os.environ.get(variable)
    if not found:
        raise CredentialMissing(
            f"The provider 'azure' needs `{argument}`. Set the environment variable {variable}, or pass `{argument}`.",
            variable,
        )
    return found
