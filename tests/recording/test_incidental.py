from __future__ import annotations

import pytest

from replay_agent.recording.incidental import is_incidental


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/traces/ingest",
        "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
        "https://us.i.posthog.com/batch/",
        "https://o123.ingest.sentry.io/api/1/envelope/",
        "https://api.smith.langchain.com/runs/multipart",
        "https://api.segment.io/v1/batch",
    ],
)
def test_telemetry_and_price_lists_are_incidental(url):
    assert is_incidental(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/chat/completions",
        "https://raw.githubusercontent.com/me/my-data/main/x.json",
        "https://example.org/v1/traces/ingest",
        "https://posthog.com.example.org/",
        "http://127.0.0.1:8000/",
    ],
)
def test_other_traffic_is_not(url):
    assert not is_incidental(url)
