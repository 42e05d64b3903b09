"""Mistral's chat completions."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, cast

import httpx

from replay_agent.calls import ModelCall, OutputSchema
from replay_agent.messages import ModelMessage, ModelRequest, UserPromptPart
from replay_agent.models.access import HasAccess, refuse_client
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.http import HTTPModel
from replay_agent.models.mistral_json import JSONStreamedResponse, wanted_objects
from replay_agent.models.names import LatestMistralModelNames, MistralModelName
from replay_agent.models.providers import Provider
from replay_agent.models.streaming import HTTPStreamedResponse
from replay_agent.settings import ModelSettings

__all__ = (
    "LatestMistralModelNames",
    "MistralModel",
    "MistralModelName",
    "MistralModelSettings",
)

_PENALTIES = ("presence_penalty", "frequency_penalty")


class MistralModelSettings(ModelSettings, total=False):
    """The shared settings; Mistral has none of its own."""


class MistralModel(HTTPModel):
    """A model of Mistral; ``api_key`` may be a function that is asked for the key at each call.

    Streamed calls without function tools ask for a result as JSON text and make a call of the result tool of it: so
    the result can be read while it comes. ``json_mode_schema_prompt`` asks for it in your words: ``{schema}`` in it stands
    for the form.
    """

    default_provider: ClassVar[str] = "mistral"

    def __init__(
        self,
        model_name: MistralModelName,
        *,
        provider: str | Provider | HasAccess | None = None,
        api_key: str | Callable[[], str | None] | None = None,
        client: object = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        json_mode_schema_prompt: str | None = None,
        system: str | None = None,
    ) -> None:
        refuse_client("client", client)
        super().__init__(
            model_name, provider=provider, api_key=api_key, base_url=base_url, http_client=http_client, system=system
        )
        self.json_mode_schema_prompt = json_mode_schema_prompt

    def _compared(self) -> tuple[object, ...]:
        return *super()._compared(), self.json_mode_schema_prompt

    def _call(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
        *,
        stream: bool,
    ) -> ModelCall:
        call = super()._call(messages, settings, parameters, stream=stream)
        if stream and parameters.function_tools:
            penalties = {key: settings.get(key) for key in _PENALTIES}
            call.settings = cast("ModelSettings", {**call.settings, **penalties})
        elif stream and parameters.result_tools:
            call.tools, call.tool_choice, call.output_schema = [], None, OutputSchema()
            call.messages = [
                *messages,
                ModelRequest([UserPromptPart(wanted_objects(parameters.result_tools, self.json_mode_schema_prompt))]),
            ]
        return call

    def _streamed(
        self, call: ModelCall, http_response: httpx.Response, parameters: ModelRequestParameters
    ) -> HTTPStreamedResponse:
        if call.output_schema is None:
            return super()._streamed(call, http_response, parameters)
        decoder = self._decoder(call, http_response)
        return JSONStreamedResponse(self.model_name, http_response, decoder, parameters.result_tools)
