"""Retries on the wire: providers have no word for them, so the invitation that ends their text gives them away."""

from __future__ import annotations

from replay_agent.messages import RetryPromptPart

__all__ = ("retry_reason",)

_INVITATION = RetryPromptPart("").model_response()


def retry_reason(text: str) -> str | None:
    """Return why a text asks the model to try again, None where it does not."""
    return text.removesuffix(_INVITATION) if text.endswith(_INVITATION) else None
