"""Models answer a call; every provider is a row in a table."""

from __future__ import annotations

from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse

__all__ = "Model", "ModelRequestParameters", "StreamedResponse"
