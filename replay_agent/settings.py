"""Settings of a model request that several providers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from httpx import Timeout
else:  # for who reads the annotations while it runs, as pydantic does; without bringing an HTTP client along
    Timeout: TypeAlias = Any

__all__ = "ModelSettings", "merge_model_settings"


class ModelSettings(TypedDict, total=False):
    """What a request may ask of a model. A provider that does not know a key ignores it."""

    max_tokens: int
    """The most tokens to generate."""
    temperature: float
    """How random the answer may be; providers differ in the range."""
    top_p: float
    """Nucleus sampling; only the tokens that make up this probability mass are considered."""
    timeout: float | Timeout
    """Seconds (or an ``httpx.Timeout``) before the HTTP request is given up. Never sent to the provider."""
    parallel_tool_calls: bool
    """Whether one answer may hold several tool calls."""
    seed: int
    """Seed for providers that offer repeatable sampling."""
    presence_penalty: float
    """Penalty for tokens that have appeared at all."""
    frequency_penalty: float
    """Penalty for tokens by how often they have appeared."""
    logit_bias: dict[str, int]
    """Bias by token id."""


def merge_model_settings(base: ModelSettings | None, overrides: ModelSettings | None) -> ModelSettings | None:
    """Return ``base`` with the keys of ``overrides`` on top; None when neither is given."""
    if base and overrides:
        return cast("ModelSettings", {**base, **overrides})
    return base or overrides
