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
    path: str
    """What the end of the path looks like: a pattern, compiled when the first request is no call of a model."""
    asks: Callable[[Fields], bool] | None = None
    """What the body of a request with that path must say; None: the path tells enough."""


def _says(*names: str) -> Callable[[Fields], bool]:
    return lambda fields: any(fields.get(name) is not None for name in names)


_KINDS = (
    _Kind("ollama_generate", r"/api/generate$", _says("model")),
    _Kind("mistral_fim", r"/v1/fim/completions$", _says("prompt")),
    _Kind("openai_embeddings", r"/embeddings$", _says("input")),
    _Kind("openai_completions", r"(?<!/chat)/completions$", _says("prompt")),
    _Kind("openai_assistants", r"/v1/(?:assistants|threads)(?:/|$)|/openai/(?:assistants|threads)(?:/|$)"),
    _Kind("openai_moderations", r"/moderations$", _says("input")),
    _Kind("openai_images", r"/images/(?:generations|edits|variations)$"),
    _Kind("openai_audio", r"/audio/(?:transcriptions|translations|speech)$"),
    _Kind("openai_realtime", r"/realtime/(?:sessions|client_secrets|calls)$"),
    _Kind("openai_batches", r"/v1/batches(?:/|$)"),
    _Kind("openai_vector_stores", r"/vector_stores(?:/|$)"),
    _Kind("openai_fine_tuning", r"/fine_tuning/jobs(?:/|$)"),
    _Kind("openai_files", r"/v1/files(?:/|$)"),
    _Kind("openai_responses_store", r"/v1/(?:responses|conversations)/[^/]+"),
    _Kind("cohere_v1_chat", r"(?<!/v2)(?<!/api)/chat$", _says("message")),
    _Kind("cohere_v1_generate", r"/(?:v1/)?generate$", _says("prompt")),
    _Kind("cohere_embed", r"/v[12]/embed$", _says("texts", "inputs", "images")),
    _Kind("rerank", r"/rerank$", _says("documents")),
    _Kind("cohere_classify", r"/v1/classify$", _says("inputs")),
    _Kind("anthropic_count_tokens", r"/messages/count[-_]tokens$"),
    _Kind("anthropic_batches", r"/messages/batches(?:/|$)"),
    _Kind("anthropic_completions", r"/v1/complete$", _says("prompt")),
    _Kind("gemini_count_tokens", r":countTokens$"),
    _Kind("gemini_cached_contents", r"/cachedContents(?:/|$)"),
    _Kind("gemini_embeddings", r":(?:batchE|e)mbedContents?$"),
    _Kind("vertex_predict", r"/(?:models|endpoints)/[^/]+:(?:rawP|p|streamRawP|serverStreamingP)redict$"),
    _Kind("gemini_code_assist", r"/v1internal:"),
    _Kind("ollama_embeddings", r"/api/embed(?:dings)?$", _says("model")),
    _Kind("bedrock_invoke", r"/model/[^/]+/invoke(?:-with-response-stream)?$"),
    _Kind("huggingface_inference", r"/(?:hf-inference/)?models/[^:]+$", _says("inputs")),
    _Kind("mistral_ocr", r"/v1/ocr$", _says("document")),
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
    if re.search(kind.path, asked.path) is None:
        return False
    return kind.asks is None or kind.asks(asked.fields)
