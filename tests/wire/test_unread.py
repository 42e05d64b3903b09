"""What is no call that a codec reads has a name all the same."""

from __future__ import annotations

import json

import pytest

from replay_agent.traffic import Request
from replay_agent.wire.registry import codec_for, kind_of


@pytest.mark.parametrize(
    ("url", "body", "kind"),
    [
        ("https://api.openai.com/v1/completions", {"model": "m", "prompt": "a"}, "openai_completions"),
        ("https://r.openai.azure.com/openai/deployments/d/completions", {"prompt": ["a"]}, "openai_completions"),
        ("https://api.openai.com/v1/engines/davinci/completions", {"prompt": "a"}, "openai_completions"),
        ("https://api.openai.com/v1/embeddings", {"input": "a"}, "openai_embeddings"),
        ("http://localhost:1/x/embeddings", {"input": [1, 2]}, "openai_embeddings"),
        ("https://api.openai.com/v1/assistants", {"model": "m"}, "openai_assistants"),
        ("https://api.openai.com/v1/threads/t/messages", {"role": "user", "content": "a"}, "openai_assistants"),
        ("https://api.openai.com/v1/threads/t/runs", {"assistant_id": "a"}, "openai_assistants"),
        ("https://api.openai.com/v1/moderations", {"input": "a"}, "openai_moderations"),
        ("https://api.cohere.com/v1/chat", {"message": "a", "chat_history": []}, "cohere_v1_chat"),
        ("https://api.cohere.ai/chat", {"message": "a"}, "cohere_v1_chat"),
        ("https://api.cohere.com/v1/generate", {"prompt": "a"}, "cohere_v1_generate"),
        ("https://api.cohere.com/v2/rerank", {"query": "a", "documents": []}, "rerank"),
        ("https://api.cohere.com/v2/embed", {"texts": ["a"]}, "cohere_embed"),
        ("http://localhost:11434/api/generate", {"model": "m", "prompt": "a"}, "ollama_generate"),
        ("http://localhost:11434/api/embed", {"model": "m", "input": "a"}, "ollama_embeddings"),
        ("https://b.amazonaws.com/model/amazon.titan-text/invoke", {"inputText": "a"}, "bedrock_invoke"),
        ("https://api.anthropic.com/v1/messages/count_tokens", {"messages": []}, "anthropic_count_tokens"),
        ("https://api.anthropic.com/v1/messages/batches", {"requests": []}, "anthropic_batches"),
        ("https://g.googleapis.com/v1beta/models/m:countTokens", {"contents": []}, "gemini_count_tokens"),
        ("https://g.googleapis.com/v1beta/models/m:batchEmbedContents", {"requests": []}, "gemini_embeddings"),
    ],
)
def test_other_requests_have_a_name(url, body, kind):
    request = Request("POST", url, body=json.dumps(body).encode())
    assert codec_for(request) is None
    assert kind_of(request) == kind


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "https://shop.example/v1/chat", b'{"text": "a"}'),
        ("POST", "https://shop.example/generate", b"{}"),
        ("POST", "https://shop.example/completions", b"not json"),
        ("GET", "https://shop.example/", b""),
        ("POST", "http://[", b"{}"),
    ],
)
def test_nothing_is_guessed(method, url, body):
    assert kind_of(Request(method, url, body=body)) is None


@pytest.mark.parametrize("url", ["https://api.openai.com/v1/models", "https://g.example/v1beta/models/gemini-2.5-pro"])
def test_lists_of_models(url):
    assert kind_of(Request("GET", url)) == "models"
