from __future__ import annotations

import json

import pytest

from replay_agent.recording.meaning.incidental import is_incidental


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/traces/ingest",
        "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
        "https://us.i.posthog.com/batch/",
        "https://o123.ingest.sentry.io/api/1/envelope/",
        "https://api.smith.langchain.com/runs/multipart",
        "https://api.segment.io/v1/batch",
        "https://huggingface.co/api/agent-harnesses",
        "http://169.254.169.254/latest/api/token",
        "http://[fd00:ec2::254]/latest/meta-data/iam/security-credentials/",
        "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
    ],
)
def test_telemetry_lists_and_the_machines_metadata_are_incidental(url):
    assert is_incidental(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/chat/completions",
        "https://raw.githubusercontent.com/me/my-data/main/x.json",
        "https://example.org/v1/traces/ingest",
        "https://posthog.com.example.org/",
        "https://huggingface.co/api/models/gpt2",
        "http://127.0.0.1:8000/",
    ],
)
def test_other_traffic_is_not(url):
    assert not is_incidental(url)


TRACE = {"object": "trace", "id": "trace_1", "workflow_name": "Agent workflow"}
SPAN = {"object": "trace.span", "id": "span_1", "trace_id": "trace_1"}


@pytest.mark.parametrize("data", [[TRACE], [SPAN], [TRACE, SPAN], []])
@pytest.mark.parametrize(
    "url",
    [
        "https://my-proxy.example/v1/traces/ingest",
        "http://10.0.0.1:4000/openai/v1/traces/ingest",
        "https://r.openai.azure.com/v1/traces/ingest?api-version=1",
    ],
)
def test_uploads_of_traces_are_nobodys_traffic(url, data):
    assert is_incidental(url, json.dumps({"data": data}).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b'{"data": 1}', b'{"data": [1]}', b'{"data": [{"object": "order"}]}', b"[" * 100_000],
)
def test_other_uploads_are_the_tests_own(body):
    assert not is_incidental("https://shop.example/v1/traces/ingest", body)
    assert not is_incidental("https://shop.example/orders", json.dumps({"data": [TRACE]}).encode())
