"""OpenAI's chat completions, and whoever else speaks them."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import httpx

from replay_agent.calls import ModelCall
from replay_agent.messages import ModelMessage
from replay_agent.models.access import HasAccess, refuse_client
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.http import HTTPModel
from replay_agent.models.names import LatestOpenAIModelNames, OpenAIModelName
from replay_agent.models.providers import Provider
from replay_agent.settings import ModelSettings

__all__ = (
    "LatestOpenAIModelNames",
    "OpenAIModel",
    "OpenAIModelName",
    "OpenAIModelSettings",
    "OpenAISystemPromptRole",
)

OpenAISystemPromptRole: TypeAlias = Literal["system", "developer", "user"]


class OpenAIModelSettings(ModelSettings, total=False):
    """Settings that only these models know."""

    openai_reasoning_effort: Literal["low", "medium", "high"]
    """How much a reasoning model may think."""


class OpenAIModel(HTTPModel):
    """A model of OpenAI, DeepSeek, or a server of the same tongue at ``base_url``.

    ``system_prompt_role`` is the role in which system prompts are sent; reasoning models want ``developer``.
    """

    default_provider: ClassVar[str] = "openai"

    def __init__(
        self,
        model_name: OpenAIModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        openai_client: object = None,
        http_client: httpx.AsyncClient | None = None,
        system_prompt_role: OpenAISystemPromptRole | None = None,
        system: str | None = None,
    ) -> None:
        refuse_client("openai_client", openai_client)
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
        self.system_prompt_role = system_prompt_role

    def _compared(self) -> tuple[object, ...]:
        return *super()._compared(), self.system_prompt_role

    def _call(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
        *,
        stream: bool,
    ) -> ModelCall:
        call = super()._call(messages, settings, parameters, stream=stream)
        call.system_role = self.system_prompt_role
        return call
