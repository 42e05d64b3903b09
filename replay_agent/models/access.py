"""Where a model's requests go and as whom: a row of the table with what was given in place of its defaults."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

import httpx

from replay_agent.exceptions import UserError
from replay_agent.models.aws import AWSKeys, AWSSignature, aws_region, bearer_token
from replay_agent.models.client import shared_client
from replay_agent.models.google import GoogleToken
from replay_agent.models.providers import Provider, provider_named

__all__ = "Access", "HasAccess", "HeaderKey", "ServiceAccount", "access_of", "refuse_client"

ServiceAccount: TypeAlias = str | Path | Mapping[str, str]
"""A file that Google wrote for a service account, or what such a file holds."""


class HeaderKey(httpx.Auth):
    """Sends a key in a header, behind a prefix such as ``Bearer``."""

    def __init__(self, header: str, api_key: str, prefix: str = "") -> None:
        self.api_key = api_key
        self.header = {header: prefix + api_key}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers.update(self.header)
        yield request


class _LaterKey(httpx.Auth):
    """Looks for a key when a request needs one."""

    def __init__(self, row: Provider, find: Callable[[], str | None]) -> None:
        self._row = row
        self._find = find

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        key = self._find() or self._row.credential()
        request.headers[self._row.credential_header] = self._row.credential_prefix + key
        yield request


@dataclass
class Access:
    """How a provider is reached. ``address`` may hold ``{project}``, which Google's credentials know."""

    row: Provider
    api_key: str | Callable[[], str | None] | None = field(default=None, repr=False)
    base_url: str | None = None
    http_client: httpx.AsyncClient | None = None
    """Carries the requests and is never closed; None takes the client that all models share."""
    region: str | None = None
    project: str | None = None
    publisher: str = "google"
    service_account: ServiceAccount | None = field(default=None, repr=False)
    aws_keys: AWSKeys | None = None
    auth: httpx.Auth = field(init=False, repr=False, compare=False)
    address: str = field(init=False)
    own_client: httpx.AsyncClient | None = field(default=None, init=False, repr=False, compare=False)
    """What `own_client` made of this."""

    def __post_init__(self) -> None:
        prepare = {"google": self._prepare_google, "aws": self._prepare_aws, "header": self._prepare_key}
        self.address = self.base_url or self.row.address()
        self.auth = prepare[self.row.authentication]()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "own_client": None}  # a client cannot be copied

    def _prepare_key(self) -> httpx.Auth:
        given = self.api_key
        if callable(given) or not (given or self.row.has_credential()):
            return _LaterKey(self.row, given if callable(given) else lambda: None)
        return HeaderKey(self.row.credential_header, given or self.row.credential(), self.row.credential_prefix)

    def _prepare_aws(self) -> httpx.Auth:
        self.region = self.region or aws_region()
        self.address = self.address.replace("{region}", self.region)
        key = None if self.aws_keys else self._given_key() or bearer_token()
        if key:
            return HeaderKey(self.row.credential_header, key, self.row.credential_prefix)
        return AWSSignature("bedrock", self.region, self.aws_keys)

    def _prepare_google(self) -> httpx.Auth:
        self.region = self.region or os.environ.get("GOOGLE_CLOUD_LOCATION") or "us-central1"
        host = "aiplatform" if self.region == "global" else f"{self.region}-aiplatform"
        address = self.address.replace("{region}-aiplatform", host).replace("{region}", self.region)
        self.address = address.replace("/publishers/google/", f"/publishers/{self.publisher}/")
        self._set_project(self.project or os.environ.get("GOOGLE_CLOUD_PROJECT"))
        token = self._given_key()
        if not token and self.service_account is None:
            token = os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN")
        return HeaderKey("Authorization", token, "Bearer ") if token else GoogleToken(self.service_account)

    def _given_key(self) -> str | None:
        return self.api_key() if callable(self.api_key) else self.api_key

    def _set_project(self, project: str | None) -> None:
        if project:
            self.project = project
            self.address = self.address.replace("{project}", project)

    def headers(self) -> dict[str, str]:
        """Return the headers that tell who asks, as far as they are known before a request."""
        return {**dict(self.row.headers), **(self.auth.header if isinstance(self.auth, HeaderKey) else {})}

    def shown_address(self) -> str:
        """Return the address without a query; a project that is not known yet is called None."""
        return self.address.partition("?")[0].replace("{project}", str(self.project))

    def client(self) -> httpx.AsyncClient:
        """Return the client that carries the requests."""
        return self.http_client or shared_client()

    async def base(self) -> str:
        """Return the address with everything filled in; `UserError` where no project is known."""
        if "{project}" in self.address and isinstance(self.auth, GoogleToken):
            self._set_project(await self.auth.project())
        if "{project}" in self.address:
            raise UserError(
                "Vertex AI needs a project. Set the environment variable GOOGLE_CLOUD_PROJECT, or pass `project_id` "
                "to the model."
            )
        return self.address

    async def url(self, path: str, model: str) -> str:
        """Return the address of a request; a query of the base URL (Azure's ``api-version``) stays."""
        base, _, query = (await self.base()).partition("?")
        address = "/".join([base.rstrip("/"), (self.row.root.replace("{model}", quote(model)) + path).lstrip("/")])
        return f"{address}{'&' if '?' in path else '?'}{query}" if query else address


class HasAccess(Protocol):
    """What a model takes as its ``provider`` beside a name and a row: the classes of `replay_agent.providers`."""

    @property
    def access(self) -> Access | None:
        """How the provider is reached; None where its client knows all of that."""


def access_of(
    provider: str | Provider | HasAccess | None,
    default: str,
    *,
    api_key: str | Callable[[], str | None] | None = None,
    base_url: str | None = None,
    http_client: httpx.AsyncClient | None = None,
    **options: Any,
) -> Access:
    """Return how a model reaches its provider, from what it was given.

    Raises `UserError` for an unknown provider, and for further arguments beside an object that holds them already.
    """
    given = {"api_key": api_key, "base_url": base_url, "http_client": http_client, **options}
    given = {name: value for name, value in given.items() if value is not None}
    if provider is None or isinstance(provider, str | Provider):
        row = provider_named(provider or default) if not isinstance(provider, Provider) else provider
        return Access(row, **given)
    if given:
        names = ", ".join(f"`{name}`" for name in given)
        raise UserError(f"{type(provider).__name__} is given beside {names}. Give them to the provider instead.")
    return provider.access or _of_client(provider, default)


def _of_client(provider: Any, default: str) -> Access:
    """Return the access of a provider that somebody wrote: its client knows address and credential."""
    client = provider.client
    if not isinstance(client, httpx.AsyncClient):
        refuse_client(f"client of {type(provider).__name__}", client)
    access = Access(provider_named(default), api_key="unused", base_url=provider.base_url, http_client=client)
    access.auth = client.auth or httpx.Auth()
    return access


def refuse_client(argument: str, client: object) -> None:
    """Raise `UserError` for a client of a provider's SDK, with what to give instead; None is no client."""
    if client is None:
        return
    raise UserError(
        f"`{argument}` cannot be used: models speak to their provider themselves, not through an SDK. "
        f"Give what the {type(client).__name__} was made of: `api_key`, `base_url` or the endpoint, and `http_client`, an "
        "`httpx.AsyncClient`, for headers, proxies and time-outs."
    )
