"""Gemini models on Google's Vertex AI."""

from __future__ import annotations

from typing import ClassVar

from replay_agent.models.gemini import GeminiModel

__all__ = ("VertexAIModel",)


class VertexAIModel(GeminiModel):
    """A Gemini model on Vertex AI: `GeminiModel` with the provider ``google-vertex``."""

    default_provider: ClassVar[str] = "google-vertex"
