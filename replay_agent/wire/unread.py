"""What is sent to providers beside the calls that a codec reads: each kind by its name, judged by path and body."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from replay_agent.wire.codec import Asked
    from replay_agent.wire.shapes.json_text import Fields

__all__ = ("kind_of",)


class _Kind(NamedTuple):
    name: str
    path: re.Pattern[str]
    """What the end of the path looks like."""
    asks: Callable[[Fields], bool] | None = None
    """What the body of a request with that path must say; None: the path tells enough."""


def _says(*names: str) -> Callable[[Fields], bool]:
    return lambda fields: any(fields.get(name) is not None for name in names)


def _kind(name: str, path: str, asks: Callable[[Fields], bool] | None = None) -> _Kind:
    return _Kind(name, re.compile(path), asks)


_KINDS = (
    _kind("ollama_generate", r"/api/generate$", _says("model")),
    _kind("mistral_fim", r"/v1/fim/completions$", _says("prompt")),
    _kind("openai_embeddings", r"/embeddings$", _says("input")),
    _kind("openai_completions", r"(?<!/chat)/completions$", _says("prompt")),
    _kind("openai_assistants", r"/v1/(?:assistants|threads)(?:/|$)|/openai/(?:assistants|threads)(?:/|$)"),
    _kind("openai_moderations", r"/moderations$", _says("input")),
    _kind("openai_images", r"/images/(?:generations|edits|variations)$"),
    _kind("openai_audio", r"/audio/(?:transcriptions|translations|speech)$"),
    _kind("openai_realtime", r"/realtime/(?:sessions|client_secrets|calls)$"),
    _kind("openai_batches", r"/v1/batches(?:/|$)"),
    _kind("openai_vector_stores", r"/vector_stores(?:/|$)"),
    _kind("openai_fine_tuning", r"/fine_tuning/jobs(?:/|$)"),
    _kind("openai_files", r"/v1/files(?:/|$)"),
    _kind("openai_responses_store", r"/v1/(?:responses|conversations)/[^/]+"),
    _kind("cohere_v1_chat", r"(?<!/v2)(?<!/api)/chat$", _says("message")),
    _kind("cohere_v1_generate", r"/(?:v1/)?generate$", _says("prompt")),
    _kind("cohere_embed", r"/v[12]/embed$", _says("texts", "inputs", "images")),
    _kind("rerank", r"/rerank$", _says("documents")),
    _kind("cohere_classify", r"/v1/classify$", _says("inputs")),
    _kind("anthropic_count_tokens", r"/messages/count[-_]tokens$"),
    _kind("anthropic_batches", r"/messages/batches(?:/|$)"),
    _kind("anthropic_completions", r"/v1/complete$", _says("prompt")),
    _kind("gemini_count_tokens", r":countTokens$"),
    _kind("gemini_cached_contents", r"/cachedContents(?:/|$)"),
    _kind("gemini_embeddings", r":(?:batchE|e)mbedContents?$"),
    _kind("vertex_predict", r"/(?:models|endpoints)/[^/]+:(?:rawP|p|streamRawP|serverStreamingP)redict$"),
    _kind("gemini_code_assist", r"/v1internal:"),
    _kind("ollama_embeddings", r"/api/embed(?:dings)?$", _says("model")),
    _kind("bedrock_invoke", r"/model/[^/]+/invoke(?:-with-response-stream)?$"),
    _kind("huggingface_inference", r"/(?:hf-inference/)?models/[^:]+$", _says("inputs")),
    _kind("mistral_ocr", r"/v1/ocr$", _says("document")),
)
"""In this order; a request is of the first kind that fits. Their names begin with whose interface it is."""
# /v1/models, /v1beta/models/gemini-3-flash, /v1/models/org/name
_LISTS = re.compile(r"/v\d(?:beta\d?|alpha)?/models(?:/[^/:]+(?:/[^/:]+)?)?$")


def kind_of(asked: Asked) -> str | None:
    """Return the name of what a request is to a provider, None where neither path nor body tell."""
    if asked.request.method.upper() == "GET" and _LISTS.search(asked.path):
        return "models"
    return next((kind.name for kind in _KINDS if _fits(kind, asked)), None)


def _fits(kind: _Kind, asked: Asked) -> bool:
    if kind.path.search(asked.path) is None:
        return False
    return kind.asks is None or kind.asks(asked.fields)
