from __future__ import annotations

import os

import httpx
import pytest

from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.providers import PROVIDERS

VARIABLES = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION", "GOOGLE_CLOUD_PROJECT")


@pytest.fixture
def bare(monkeypatch):
    """An environment without any credential or address."""
    rows = [name for row in PROVIDERS.values() for name in (*row.credential_variables, *row.base_url_variables)]
    for name in {*rows, *VARIABLES, "AWS_BEARER_TOKEN_BEDROCK", *(n for n in os.environ if n.startswith("AWS_"))}:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


class Wire:
    def __init__(self):
        self.requests = []
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request):
        self.requests.append(request)
        return httpx.Response(418, json={"error": "teapot"})


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def plain():
    return ModelRequestParameters([], True, [])
