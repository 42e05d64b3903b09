"""Table of addresses where libraries send on their own account (telemetry, lists): never recorded, answered empty."""

from __future__ import annotations

import json
from functools import lru_cache

from replay_agent.recording.matching.hosts import CLOUD_METADATA, matches_host, split_host, split_url
from replay_agent.traffic import Response

__all__ = "EMPTY_ANSWER", "is_incidental", "may_be_incidental"

EMPTY_ANSWER = Response(status=200, headers=(("content-length", "0"),), reason="OK")
"""What such a request gets in replay."""

_INCIDENTAL: tuple[tuple[str, str], ...] = (
    # openai-agents uploads its traces to the host of the model itself
    ("api.openai.com", "/v1/traces/ingest"),
    # litellm fetches its price list, and a few more lists, when it is imported
    ("raw.githubusercontent.com", "/BerriAI/litellm/"),
    ("raw.githubusercontent.com", "/pydantic/genai-prices/"),
    ("huggingface.co", "/api/telemetry/"),
    ("huggingface.co", "/api/agent-harnesses"),
    ("*.posthog.com", "/"),
    ("*.ingest.sentry.io", "/"),
    ("*.ingest.us.sentry.io", "/"),
    ("*.ingest.de.sentry.io", "/"),
    ("sentry.io", "/api/"),
    ("api.smith.langchain.com", "/runs"),
    ("api.smith.langchain.com", "/info"),
    ("*.api.smith.langchain.com", "/runs"),
    ("*.api.smith.langchain.com", "/info"),
    ("cloud.langfuse.com", "/api/public/"),
    ("*.cloud.langfuse.com", "/api/public/"),
    ("api.segment.io", "/v1/"),
    ("api.mixpanel.com", "/"),
    ("api.amplitude.com", "/"),
    ("*.amplitude.com", "/"),
    ("logfire-api.pydantic.dev", "/v1/"),
    ("logfire-us.pydantic.dev", "/v1/"),
    ("logfire-eu.pydantic.dev", "/v1/"),
    ("telemetry.crewai.com", "/"),
    ("app.agentops.ai", "/"),
    ("*.agentops.ai", "/"),
    ("otlp.arize.com", "/"),
    ("api.traceloop.com", "/v1/"),
    ("api.braintrust.dev", "/logs3"),
    ("api.scarf.sh", "/"),
    ("*.gateway.scarf.sh", "/"),
    ("stats.pinecone.io", "/"),
    ("browser-intake-datadoghq.com", "/"),
    ("http-intake.logs.datadoghq.com", "/"),
    *((host, "/") for host in CLOUD_METADATA),
)
"""Host pattern and beginning of the path."""

_TRACES = "/v1/traces/ingest"
"""Where openai-agents uploads ``{"data": [{"object": "trace", ...}, {"object": "trace.span", ...}]}``: to OpenAI, or to
whatever base URL its clients were given."""


@lru_cache(maxsize=256)
def _prefixes(authority: str) -> tuple[str, ...]:
    host, port = split_host(authority)
    return tuple(prefix for pattern, prefix in _INCIDENTAL if matches_host(host, port, (pattern,)))


def is_incidental(url: str, body: bytes = b"") -> bool:
    """Tell whether a request is none of the test's own: by host and path, or, wherever it goes, as an upload of traces."""
    return _is_listed(url) or (_TRACES in url and _takes_traces(url) and _holds_traces(body))


def may_be_incidental(url: str) -> bool:
    """Tell whether a request to this address can be incidental, whatever its body is."""
    return _is_listed(url) or _takes_traces(url)


def _takes_traces(url: str) -> bool:
    return _TRACES in url and split_url(url)[1].partition("?")[0].endswith(_TRACES)


@lru_cache(maxsize=256)
def _is_listed(url: str) -> bool:
    authority, path = split_url(url)
    prefixes = _prefixes(authority)
    return bool(prefixes) and path.startswith(prefixes)


def _holds_traces(body: bytes) -> bool:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return False
    traces = sent.get("data") if isinstance(sent, dict) else None
    return isinstance(traces, list) and all(
        isinstance(trace, dict) and str(trace.get("object", "")).partition(".")[0] == "trace" for trace in traces
    )
