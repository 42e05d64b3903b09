"""AWS credentials for requests: a bearer token, or a signature by botocore (AWS Signature Version 4)."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx
from anyio.to_thread import run_sync

from replay_agent.exceptions import CredentialMissing, UserError

__all__ = "AWSKeys", "AWSSignature", "aws_region", "bearer_token"


@dataclass(frozen=True)
class AWSKeys:
    """Keys that win over the credential chain."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def bearer_token() -> str | None:
    """Return the Bedrock API key of the environment, which takes the place of a signature."""
    return os.environ.get("AWS_BEARER_TOKEN_BEDROCK") or None


def aws_region() -> str:
    """Return the region from the environment or the AWS configuration; `UserError` where neither has one."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _configured_region()
    if not region:
        raise UserError(
            "Bedrock needs a region. Set the environment variable AWS_DEFAULT_REGION, or pass `region_name` to the model."
        )
    return region


def _configured_region() -> str | None:
    try:
        from botocore.session import Session
    except ImportError:
        return None  # without botocore there is no reader of AWS configuration files
    region: str | None = Session().get_config_variable("region")
    return region


class AWSSignature(httpx.Auth):
    """Signs requests to one service of one region with keys, or the credentials that the AWS credential chain finds.

    `UserError` where botocore is not installed. `CredentialMissing` is raised by the first request, since finding out
    may need the network.
    """

    requires_request_body = True

    def __init__(self, service: str, region: str, keys: AWSKeys | None = None) -> None:
        try:
            from botocore.session import Session
        except ImportError as exc:
            raise UserError(
                "Signing requests for Bedrock needs botocore. Install it with the extra `bedrock`: "
                "pip install 'pytest-replay-agent[bedrock]'"
            ) from exc
        self._session = Session()
        if keys is not None:
            self._session.set_credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
        self._service = service
        self._region = region
        self._lock = Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers.update(await run_sync(self._signed_headers, request))
        yield request

    def _signed_headers(self, request: httpx.Request) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        headers = {"content-type": request.headers.get("content-type", "application/json")}
        signed = AWSRequest(request.method, str(request.url), headers=headers, data=request.content)
        SigV4Auth(self._credentials(), self._service, self._region).add_auth(signed)
        return dict(signed.headers.items())

    def _credentials(self) -> Any:
        with self._lock:  # botocore's sessions are not made for several threads
            found = self._session.get_credentials()
        if found is None:
            raise CredentialMissing(
                "The provider 'bedrock' needs AWS credentials. Set the environment variables AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or configure them as AWS describes.",
                "AWS_ACCESS_KEY_ID",
            )
        return found.get_frozen_credentials()
