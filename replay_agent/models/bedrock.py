"""Models on AWS Bedrock, through its Converse operations."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.access import HasAccess, access_of
from replay_agent.models.http import HTTPModel
from replay_agent.models.names import BedrockModelName, LatestBedrockModelNames
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = (
    "BedrockConverseModel",
    "BedrockModelName",
    "BedrockModelSettings",
    "LatestBedrockModelNames",
)


class BedrockModelSettings(ModelSettings, total=False):
    """The shared settings; Bedrock has none of its own."""


class BedrockConverseModel(HTTPModel):
    """A model on AWS Bedrock.

    Requests are signed with the credentials that the AWS credential chain finds (extra ``bedrock``), or carry the key
    of ``AWS_BEARER_TOKEN_BEDROCK``. ``region_name`` wins over the environment and the AWS configuration.
    """

    default_provider: ClassVar[str] = "bedrock"

    def __init__(
        self,
        model_name: BedrockModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        region_name: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        access = access_of(
            provider,
            self.default_provider,
            region=region_name,
            api_key=api_key,
            base_url=base_url,
            http_client=http_client,
        )
        self.region_name = access.region
        self._set_up(model_name, access, system)
