"""Models on AWS Bedrock, through its Converse operations."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.models.aws import AWSSignature, aws_region, bearer_token
from replay_agent.models.http import HeaderKey, HTTPModel
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = "BedrockConverseModel", "BedrockModelSettings"


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
        model_name: str,
        *,
        provider: str | Provider | None = None,
        region_name: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        self.region_name = region_name or aws_region()
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
        self._base_url = self._base_url.replace("{region}", self.region_name)

    def _authentication(self, api_key: str | None) -> httpx.Auth:
        key = api_key or bearer_token()
        if key:
            return HeaderKey(self.provider.credential_header, self.provider.credential_prefix + key)
        return AWSSignature("bedrock", self.region_name)
