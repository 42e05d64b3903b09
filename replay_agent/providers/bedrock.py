"""AWS Bedrock."""

from __future__ import annotations

from typing import ClassVar

import httpx

from replay_agent.exceptions import UserError
from replay_agent.models.access import refuse_client
from replay_agent.models.aws import AWSKeys
from replay_agent.providers.reached import ReachedProvider

__all__ = ("BedrockProvider",)


class BedrockProvider(ReachedProvider):
    """AWS Bedrock, with keys or with what the AWS credential chain finds (extra ``bedrock``).

    `UserError` where no region is given or set, and where one of the two keys is missing.
    """

    row: ClassVar[str] = "bedrock"

    def __init__(
        self,
        *,
        bedrock_client: object = None,
        region_name: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        refuse_client("bedrock_client", bedrock_client)
        keys = _keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        self._reach(region=region_name, aws_keys=keys, base_url=base_url, http_client=http_client)


def _keys(access_key_id: str | None, secret_access_key: str | None, session_token: str | None) -> AWSKeys | None:
    if access_key_id and secret_access_key:
        return AWSKeys(access_key_id, secret_access_key, session_token)
    if access_key_id or secret_access_key or session_token:
        raise UserError("Keys for Bedrock are given in part. Pass `aws_access_key_id` and `aws_secret_access_key`.")
    return None
