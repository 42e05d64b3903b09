from __future__ import annotations

import subprocess
import sys

import pytest

from replay_agent import models
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse


def test_public_names_are_there():
    for name in models.__all__:
        assert getattr(models, name) is not None
        assert name in dir(models)
    assert (models.Model, models.StreamedResponse) == (Model, StreamedResponse)
    assert models.ModelRequestParameters is ModelRequestParameters


def test_other_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        models.Nonsense  # noqa: B018


def test_requests_are_allowed():
    assert models.ALLOW_MODEL_REQUESTS is True
    models.check_allow_model_requests()


def test_requests_can_be_refused(monkeypatch):
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", False)
    with pytest.raises(RuntimeError, match="ALLOW_MODEL_REQUESTS is False"):
        models.check_allow_model_requests()
    with models.override_allow_model_requests(True):
        models.check_allow_model_requests()
    assert models.ALLOW_MODEL_REQUESTS is False


def test_refusal_ends_with_its_block():
    with pytest.raises(LookupError), models.override_allow_model_requests(False):
        assert models.ALLOW_MODEL_REQUESTS is False
        raise LookupError
    assert models.ALLOW_MODEL_REQUESTS is True


def test_importing_is_cheap():
    code = "import sys, replay_agent.models.test, replay_agent.models.function; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"httpx", "botocore", "google.auth", "opentelemetry"}.isdisjoint(loaded)
