from __future__ import annotations

import pytest

from replay_agent.wire.openai_chat.dialects import ANYONE, dialect_named, dialect_of, drops_leading_blanks


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai"),
        ("https://me.openai.azure.com/openai/deployments/x/chat/completions", "azure"),
        ("https://api.groq.com/openai/v1/chat/completions", "groq"),
        ("https://eu.api.mistral.ai/v1/chat/completions", "mistral"),
        ("https://router.huggingface.co/v1/chat/completions", "huggingface"),
        ("http://127.0.0.1:80/openai/v1/chat/completions", "groq"),
        ("http://localhost:80/v1/chat/completions", None),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1/chat/completions", None),
        ("https://notapi.groq.com.example/openai/v1/chat/completions", None),
        ("http://[", None),
    ],
)
def test_the_address_tells(url, name):
    assert dialect_of(url, {}) == name


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"random_seed": 1}, "mistral"),
        ({"tool_choice": "any"}, "mistral"),
        ({"tools": [{"function": {"name": "f"}}]}, "mistral"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, None),
        ({"tools": []}, None),
        ({"tools": [1]}, None),
    ],
)
def test_the_body_tells(body, name):
    assert dialect_of("http://localhost/v1/chat/completions", body) == name


def test_a_provider_without_a_row_speaks_like_anyone():
    assert dialect_named("fireworks") is ANYONE
    assert dialect_named(None) is ANYONE


@pytest.mark.parametrize(
    ("model", "drops"),
    [
        ("Qwen/Qwen3-32B", True),
        ("openai/gpt-oss-20b", True),
        ("gpt-4o", False),
        ("deepseek-chat", False),
        (None, False),
    ],
)
def test_models_that_stream_blank_lines_first(model, drops):
    assert drops_leading_blanks(model) is drops
