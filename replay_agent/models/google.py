"""Google Cloud credentials for requests: a token by google-auth, fetched anew when it runs out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, TypeAlias

import httpx
from anyio.to_thread import run_sync

from replay_agent.exceptions import CredentialMissing, UserError

__all__ = ("GoogleToken",)

Finder: TypeAlias = Callable[[], tuple[Any, str | None]]
"""Returns google-auth credentials and the project that they belong to."""

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


def _application_default() -> tuple[Any, str | None]:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        credentials, project = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as exc:
        raise CredentialMissing(
            "The provider 'google-vertex' needs Google credentials. Set the environment variable "
            f"GOOGLE_APPLICATION_CREDENTIALS, or configure them as Google describes: {exc}",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ) from exc
    return credentials, project


def _service_account(account: str | Path | Mapping[str, str]) -> Finder:
    def find() -> tuple[Any, str | None]:
        from google.oauth2.service_account import Credentials

        if isinstance(account, Mapping):
            credentials = Credentials.from_service_account_info(account, scopes=_SCOPES)  # type: ignore[no-untyped-call]
        else:
            credentials = Credentials.from_service_account_file(account, scopes=_SCOPES)  # type: ignore[no-untyped-call]
        return credentials, credentials.project_id

    return find


class GoogleToken(httpx.Auth):
    """Sends a bearer token of a service account or of the application default credentials.

    `UserError` where google-auth is not installed. `CredentialMissing` is raised when the token is first needed.
    """

    def __init__(self, service_account: str | Path | Mapping[str, str] | None = None) -> None:
        try:
            import google.auth.transport.requests  # noqa: F401  raises where google-auth or requests is absent
        except ImportError as exc:
            raise UserError(
                "Vertex AI needs google-auth. Install it with the extra `vertex`: "
                "pip install 'pytest-replay-agent[vertex]'"
            ) from exc
        self._find: Finder = _service_account(service_account) if service_account else _application_default
        self._found: tuple[Any, str | None] | None = None
        self._lock = RLock()
        self.project_id: str | None = None
        """The project that the credentials belong to, once they were needed."""
        self.token_created: datetime | None = None
        """When the token was last fetched."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {await run_sync(self._token)}"
        yield request

    async def project(self) -> str | None:
        """Return the project that the credentials belong to."""
        return (await run_sync(self._credentials))[1]

    def _credentials(self) -> tuple[Any, str | None]:
        with self._lock:
            if self._found is None:
                self._found = self._find()
                self.project_id = self._found[1]
            return self._found

    def _token(self) -> str:
        with self._lock:
            credentials, _ = self._credentials()
            if self.token_created is None or not getattr(credentials, "valid", True):
                self._refresh_token()
                self.token_created = datetime.now(UTC)
            token: str = credentials.token
            return token

    def _refresh_token(self) -> None:
        from google.auth.transport.requests import Request

        self._credentials()[0].refresh(Request())
