"""How providers differ in the chat completions format: a row each, chosen by what the traffic is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

__all__ = (
    "ANYONE",
    "DIALECTS",
    "Dialect",
    "dialect_named",
    "dialect_of",
    "drops_leading_blanks",
)

ReasoningForm: TypeAlias = Literal["reasoning_content", "reasoning", "reasoning_details"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's spelling. The defaults are what most servers of this format do."""

    name: str | None
    hosts: tuple[str, ...] = ()
    """Ends of the host names that speak it."""
    paths: tuple[str, ...] = ()
    """What tells its addresses where they are served from this machine, by a proxy or a scripted provider."""
    reasoning: ReasoningForm | None = "reasoning_content"
    """The field of an assistant message that carries reasoning; None: the provider does not take it back."""
    strict: bool = False
    """Whether fields that the provider does not know make it refuse a message."""
    asks_for_usage: bool = True
    """Whether a stream must be asked for its token counts."""
    usage_in_x_groq: bool = False
    """Whether the token counts of a stream come under ``x_groq``."""
    reads_cached: bool = True
    """Whether the count of cached tokens is a discount of this provider, not a server's inner affair."""
    reasoning_apart: bool = False
    """Whether ``completion_tokens`` leaves out the tokens of the reasoning."""
    think_tags: bool = True
    """Whether reasoning may come in tags at the head of the text."""
    chunks: bool = False
    """Mistral's shapes: assistant content in chunks, calls with an index, tools without a type, its own error body."""


ANYONE = Dialect(None)

_ROWS = (
    Dialect("openai", ("api.openai.com",), reasoning=None, strict=True),
    Dialect("azure", (".azure.com", ".azure-api.net"), ("/openai/deployments/",), reasoning=None, strict=True),
    Dialect(
        "groq",
        ("api.groq.com",),
        ("/openai/v1/chat/completions",),
        reasoning="reasoning",
        strict=True,
        asks_for_usage=False,
        usage_in_x_groq=True,
    ),
    Dialect("deepseek", ("api.deepseek.com",), strict=True),
    Dialect("openrouter", ("openrouter.ai",), reasoning="reasoning_details"),
    Dialect("snowflake", (".snowflakecomputing.com",), ("/cortex/v1/chat/completions",), reasoning="reasoning_details"),
    Dialect("cerebras", ("api.cerebras.ai",), reasoning="reasoning", strict=True, reads_cached=False),
    Dialect("huggingface", (".huggingface.co",), asks_for_usage=False, reads_cached=False),
    Dialect("ollama", ("ollama.com",), reasoning="reasoning"),
    Dialect("xai", ("api.x.ai",), reasoning_apart=True),
    Dialect(
        "mistral", (".mistral.ai",), strict=True, reasoning=None, asks_for_usage=False, think_tags=False, chunks=True
    ),
)

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

DIALECTS: Mapping[str, Dialect] = MappingProxyType({row.name: row for row in _ROWS if row.name})
"""The rows by name. A provider without one speaks like `ANYONE`."""


def dialect_named(name: str | None) -> Dialect:
    """Return the row of a provider, `ANYONE`'s where there is none."""
    return DIALECTS.get(name, ANYONE) if name else ANYONE


def dialect_of(url: str, body: Mapping[str, Any]) -> str | None:
    """Return whose traffic this is, None where neither host, path nor body tell."""
    host, path = _host_and_path(url)
    for row in _ROWS:
        if any(f".{host}".endswith(f".{end.lstrip('.')}") for end in row.hosts):
            return row.name
    # On this machine alone: elsewhere such a path may be any gateway's.
    if host in _LOOPBACK:
        for row in _ROWS:
            if any(mark in path for mark in row.paths):
                return row.name
    return "mistral" if _is_mistral(body) else None


def _host_and_path(url: str) -> tuple[str, str]:
    """Return host name and path of an address; both are empty where it is none."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.path
    except ValueError:
        return "", ""


def _is_mistral(body: Mapping[str, Any]) -> bool:
    if (
        any(field in body for field in ("random_seed", "safe_prompt", "prompt_mode"))
        or body.get("tool_choice") == "any"
    ):
        return True
    tools = body.get("tools")
    if not isinstance(tools, list) or not tools:
        return False
    return all(isinstance(tool, dict) and "function" in tool and "type" not in tool for tool in tools)


_BLANKS_FIRST = ("qwen", "qwq", "deepseek-r1", "deepseek-reasoner", "kimi", "moonshot", "gpt-oss")


def drops_leading_blanks(model: str | None) -> bool:
    """Tell whether the model's family streams blank lines between its reasoning and its text, which are not text."""
    return (model or "").lower().rpartition("/")[2].startswith(_BLANKS_FIRST)
