"""The environment variables in which providers' clients look for credentials. Light: the plugin reads it at start."""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

__all__ = "PLACEHOLDER", "credential_variables", "placed_credentials"

PLACEHOLDER = "replay"

_KEYS = (
    "AI21_API_KEY",
    "ANTHROPIC_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_AI_API_KEY",
    "AZURE_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "CEREBRAS_API_KEY",
    "COHERE_API_KEY",
    "CO_API_KEY",
    "DASHSCOPE_API_KEY",
    "DEEPINFRA_API_KEY",
    "DEEPSEEK_API_KEY",
    "EXA_API_KEY",
    "FIREWORKS_AI_API_KEY",
    "FIREWORKS_API_KEY",
    "GEMINI_API_KEY",
    "GITHUB_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "GROQ_API_KEY",
    "HEROKU_INFERENCE_KEY",
    "HF_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN",
    "HUGGINGFACE_API_KEY",
    "MISTRAL_API_KEY",
    "MOONSHOTAI_API_KEY",
    "MOONSHOT_API_KEY",
    "NEBIUS_API_KEY",
    "NVIDIA_API_KEY",
    "OLLAMA_API_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "OVHCLOUD_API_KEY",
    "PERPLEXITY_API_KEY",
    "REPLICATE_API_TOKEN",
    "SAMBANOVA_API_KEY",
    "TAVILY_API_KEY",
    "TOGETHERAI_API_KEY",
    "TOGETHER_API_KEY",
    "UPSTAGE_API_KEY",
    "VERCEL_AI_GATEWAY_API_KEY",
    "VOYAGE_API_KEY",
    "XAI_API_KEY",
    "ZAI_API_KEY",
)
_FILES = {"GOOGLE_APPLICATION_CREDENTIALS": str(Path(__file__).with_name("google_credentials.json"))}
"""Google's clients read a file; with this one they look for no other credentials, and ask for a token in their name."""
_REGIONS = {"AWS_DEFAULT_REGION": "us-east-1"}
_TWINS = (("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("CO_API_KEY", "COHERE_API_KEY"))
"""Spellings of one credential: where one is set, the other is left alone, since clients prefer one and warn."""


def credential_variables() -> dict[str, str]:
    """Return the variables that a replay fills where they are unset, each with what it then holds."""
    return {**dict.fromkeys(_KEYS, PLACEHOLDER), **_FILES, **_REGIONS}


@contextmanager
def placed_credentials(environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Hold placeholders in the unset credential variables; on leaving, those still in place are removed."""
    placed = place(environ)
    try:
        yield
    finally:
        remove(placed, environ)


def place(environ: MutableMapping[str, str] = os.environ) -> dict[str, str]:
    """Fill the unset credential variables and return what was put where."""
    taken = {name for twins in _TWINS if any(twin in environ for twin in twins) for name in twins}
    missing = {
        name: value
        for name, value in credential_variables().items()
        if name not in environ and name not in taken and not (name == "AWS_DEFAULT_REGION" and "AWS_REGION" in environ)
    }
    environ.update(missing)
    return missing


def remove(placed: dict[str, str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Take back what `place` put there, leaving alone what has been changed since."""
    for name, value in placed.items():
        if environ.get(name) == value:
            del environ[name]
