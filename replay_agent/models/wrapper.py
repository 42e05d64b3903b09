"""A model around another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from replay_agent.messages import ModelMessage, ModelResponse
from replay_agent.models import infer_model
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.names import KnownModelName
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage

__all__ = ("WrapperModel",)


@dataclass(init=False)
class WrapperModel(Model):
    """Hands everything to ``wrapped``: derive from it to change one thing about any model."""

    wrapped: Model

    def __init__(self, wrapped: Model | KnownModelName | str) -> None:
        self.wrapped = infer_model(wrapped)

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        return await self.wrapped.request(messages, model_settings, model_request_parameters)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> AsyncIterator[StreamedResponse]:
        async with self.wrapped.request_stream(messages, model_settings, model_request_parameters) as response:
            yield response

    @property
    def model_name(self) -> str:
        return self.wrapped.model_name

    @property
    def system(self) -> str:
        return self.wrapped.system

    @property
    def base_url(self) -> str | None:
        return self.wrapped.base_url

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":  # not set yet, as in an unfinished copy
            raise AttributeError(name)
        return getattr(self.wrapped, name)
