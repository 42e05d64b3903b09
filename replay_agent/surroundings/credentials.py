"""The environment variables in which providers' clients look for credentials. Light: the plugin reads it at start."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterator, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = (
    "PLACEHOLDER",
    "credential_names",
    "credential_variables",
    "deciding_variables",
    "is_in_place",
    "is_placeholder",
    "place",
    "placed_credentials",
    "remove",
)

PLACEHOLDER = "replay"
"""What stands for a credential. In a variable it has the beginning that the provider's own keys have (`_BEGINNINGS`)."""

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
    "GITHUB_API_KEY",
    "GOOGLE_API_KEY",  # and not GEMINI_API_KEY: Google's client takes either, and warns where it finds both
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
_BEGINNINGS = {
    "ANTHROPIC_API_KEY": "sk-ant-",
    "AWS_ACCESS_KEY_ID": "AKIA-",
    "CEREBRAS_API_KEY": "csk-",
    "DASHSCOPE_API_KEY": "sk-",
    "DEEPSEEK_API_KEY": "sk-",
    "FIREWORKS_AI_API_KEY": "fw_",
    "FIREWORKS_API_KEY": "fw_",
    "GITHUB_API_KEY": "ghp_",
    "GOOGLE_API_KEY": "AIza-",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.",
    "GROQ_API_KEY": "gsk_",
    "HF_TOKEN": "hf_",
    "HUGGINGFACEHUB_API_TOKEN": "hf_",
    "HUGGINGFACE_API_KEY": "hf_",
    "MOONSHOTAI_API_KEY": "sk-",
    "MOONSHOT_API_KEY": "sk-",
    "NVIDIA_API_KEY": "nvapi-",
    "OPENAI_API_KEY": "sk-",
    "OPENROUTER_API_KEY": "sk-or-",
    "PERPLEXITY_API_KEY": "pplx-",
    "REPLICATE_API_TOKEN": "r8_",
    "TAVILY_API_KEY": "tvly-",
    "UPSTAGE_API_KEY": "up_",
    "VERCEL_AI_GATEWAY_API_KEY": "vck_",
    "VOYAGE_API_KEY": "pa-",
    "XAI_API_KEY": "xai-",
}
"""How keys of these providers begin: some clients (Hugging Face's) go another way for a key that does not.

With the placeholder behind it none is long enough for a real key, so that no search for secrets takes it for one.
"""
_FILES = {"GOOGLE_APPLICATION_CREDENTIALS": str(Path(__file__).with_name("google_credentials.json"))}
"""Google's clients read a file; with this one they look for no other credentials, and ask for a token in their name."""
_OTHERS = (
    "AI_GATEWAY_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_CLIENT_ID",
    "AZURE_OPENAI_AD_TOKEN",
    "CODESTRAL_API_KEY",
    "GEMINI_API_KEY",
    "GITHUB_TOKEN",
)
"""Further ones, in which a placeholder would have clients go another way."""
_REGIONS = {"AWS_DEFAULT_REGION": "us-east-1"}
_TWINS = (("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("CO_API_KEY", "COHERE_API_KEY"))
"""Spellings of one credential: where one is set, the other is left alone, since clients prefer one and warn."""


_HELD = {**{name: f"{_BEGINNINGS.get(name, '')}{PLACEHOLDER}" for name in _KEYS}, **_FILES, **_REGIONS}


_OF_THE_PROCESS, _putenv, _unsetenv = os.environ, os.putenv, os.unsetenv
_REGION = "AWS_REGION"
_COUNTING = frozenset((*_HELD, _REGION, *(name for twins in _TWINS for name in twins)))
"""What says which variables are to be filled."""


def credential_variables() -> dict[str, str]:
    """Return the variables that a replay fills where they are unset, each with what it then holds."""
    return dict(_HELD)


def credential_names() -> list[str]:
    """Return the variables in which credentials may be, or that lead to some, those that a replay leaves alone too."""
    return [*_KEYS, *_FILES, *_OTHERS]


def deciding_variables() -> frozenset[str]:
    """Return the variables by which a replay decides which of them it fills."""
    return _COUNTING


def is_placeholder(value: str) -> bool:
    """Tell whether a value is what a replay puts in a credential's place."""
    return value == PLACEHOLDER or value in _SHAPED


_SPELLED = {(name if os.name == "nt" else os.fsencode(name)): name for name in _COUNTING}
_SHAPED = frozenset([*(f"{beginning}{PLACEHOLDER}" for beginning in _BEGINNINGS.values()), *_FILES.values()])


@contextmanager
def placed_credentials(environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Hold placeholders in the unset credential variables; on leaving, those still in place are removed."""
    placed = place(environ)
    try:
        yield
    finally:
        remove(placed, environ)


def place(environ: MutableMapping[str, str] = os.environ, *, without: Collection[str] = ()) -> dict[str, str]:
    """Fill the unset credential variables, but for those named by ``without``, and return what was put where."""
    data = _held_by(environ)
    if data is None:
        missing = _missing(frozenset(environ) & _COUNTING, frozenset(without))
        environ.update(missing)
        return dict(missing)
    missing = _missing(frozenset(_SPELLED[name] for name in _SPELLED.keys() & data.keys()), frozenset(without))
    for name, value in _encoded(missing).items():
        _putenv(name, value)
        data[name] = value
    return dict(missing)


def _held_by(environ: MutableMapping[str, str]) -> dict[str | bytes, str | bytes] | None:
    """Return what the environment of the process holds, as the system has it; None for another one, or where that is not seen.

    By its methods each variable is encoded and decoded anew, which for all of these takes a twentieth of a replayed test.
    """
    data = getattr(environ, "_data", None) if environ is _OF_THE_PROCESS else None
    return data if isinstance(data, dict) else None


@lru_cache(maxsize=32)
def _missing(present: frozenset[str], without: frozenset[str] = frozenset()) -> dict[str, str]:
    taken = {name for twins in _TWINS if not present.isdisjoint(twins) for name in twins}.union(present, without)
    if _REGION in present:
        taken.add("AWS_DEFAULT_REGION")
    return {name: value for name, value in _HELD.items() if name not in taken}


def is_in_place(placed: dict[str, str]) -> bool:
    """Tell whether `place`, had it been taken back, would put just this into the environment of the process again.

    False where that takes as long to say as to do.
    """
    data = _held_by(os.environ)
    encoded, deciding = _held(placed)
    if data is None or not encoded.items() <= data.items():
        return False
    others = frozenset([_SPELLED[name] for name in deciding if name in data])
    return _missing(others) == placed


@lru_cache(maxsize=32)
def _others(encoded: frozenset[str | bytes]) -> tuple[str | bytes, ...]:
    """Return the variables that decide and are not among these."""
    return tuple(name for name in _SPELLED if name not in encoded)


def _encoded(placed: dict[str, str]) -> dict[str | bytes, str | bytes]:
    """Return variables as the system has them."""
    return _held(placed)[0]


def _held(placed: dict[str, str]) -> _Held:
    """Return variables as the system has them, and which others decide: for those that all tests get, as found the last time."""
    for known, held in _last_held:
        if known is placed and len(held.encoded) == len(placed):
            return held
    encoded = {_as_held(name): _as_held(value) for name, value in placed.items()}
    held = _Held(encoded, _others(frozenset(encoded)))
    _last_held.appendleft((placed, held))
    return held


class _Held(NamedTuple):
    """Variables as the system has them, and those that decide and are not among these."""

    encoded: dict[str | bytes, str | bytes]
    deciding: tuple[str | bytes, ...]


_last_held: deque[tuple[dict[str, str], _Held]] = deque(maxlen=4)


@lru_cache(maxsize=256)
def _as_held(text: str) -> str | bytes:
    return text if os.name == "nt" else os.fsencode(text)


def remove(placed: dict[str, str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Take back what `place` put there, leaving alone what has been changed since."""
    data = _held_by(environ)
    if data is None:
        for name, value in placed.items():
            if environ.get(name) == value:
                del environ[name]
        return
    for spelled, held in _encoded(placed).items():
        if data.get(spelled) == held:
            _unsetenv(spelled)
            del data[spelled]
