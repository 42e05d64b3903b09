"""A model behind an HTTP address: a codec says what to write and read, httpx carries it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, cast
from urllib.parse import urlsplit

import httpx

from replay_agent.calls import ModelCall, ToolChoice, ToolDefinition
from replay_agent.exceptions import UnexpectedModelBehavior, WireError
from replay_agent.messages import NO_TIMESTAMP, ModelMessage, ModelResponse
from replay_agent.models import check_allow_model_requests
from replay_agent.models.access import Access, HasAccess, access_of
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.media import sendable
from replay_agent.models.own_client import own_client
from replay_agent.models.providers import Provider
from replay_agent.models.refusals import check_status, decoded, refused
from replay_agent.models.streaming import HTTPStreamedResponse
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage
from replay_agent.wire.codec import Codec, StreamDecoder
from replay_agent.wire.registry import codec_named

__all__ = ("HTTPModel",)


class HTTPModel(Model):
    """Speaks to a provider of the table.

    ``provider`` is a name of the table, a row of your own or an object of `replay_agent.providers`. ``api_key`` and
    ``base_url`` win over the environment, ``http_client`` over the shared client; a client that was handed in is never
    closed. Where the provider needs a key and none is there, the first call raises `CredentialMissing` (a
    ``ValueError``), which names the variable to set.
    """

    default_provider: ClassVar[str]
    """The row to take where none is named."""

    def __init__(
        self,
        model_name: str,
        *,
        provider: str | Provider | HasAccess | None = None,
        api_key: str | Callable[[], str | None] | None = None,
        base_url: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        system: str | None = None,
    ) -> None:
        given = access_of(provider, self.default_provider, api_key=api_key, base_url=base_url, http_client=http_client)
        self._set_up(model_name, given, system)

    def _set_up(self, model_name: str, access: Access, system: str | None) -> None:
        self.access = access
        """Where requests go and as whom."""
        self.provider = access.row
        self._model_name = model_name
        self._system = system or self.provider.system

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HTTPModel):
            return NotImplemented
        return type(self) is type(other) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash((type(self), self._model_name, self._system, self.provider.name))

    def _compared(self) -> tuple[object, ...]:
        return self._model_name, self._system, self.access

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._model_name!r}, provider={self.provider.name!r})"

    @property
    def model_name(self) -> str:
        return self._model_name

    @property
    def system(self) -> str:
        return self._system

    @property
    def base_url(self) -> str | None:
        """The address that requests go to, as clients show it: behind a path stands a slash."""
        address = self.access.shown_address()
        return f"{address.rstrip('/')}/" if urlsplit(address).path.strip("/") else address

    @property
    def client(self) -> httpx.AsyncClient:
        """A client for requests of one's own that knows address and credential: that of the provider's object."""
        return own_client(self.access)

    @property
    def codec(self) -> Codec:
        """The wire format that this model speaks."""
        return codec_named(self.provider.codec)

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        check_allow_model_requests()
        call = self._call(messages, model_settings or {}, model_request_parameters, stream=False)
        http_response = await self._send(call, model_settings or {})
        response = self._response(call, http_response)
        return response, response.usage or Usage()

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> AsyncIterator[StreamedResponse]:
        check_allow_model_requests()
        if not self.provider.capabilities.streams:
            raise NotImplementedError(f"Streamed requests not supported by this {type(self).__name__}")
        call = self._call(messages, model_settings or {}, model_request_parameters, stream=True)
        http_response = await self._send(call, model_settings or {})
        response = self._streamed(call, http_response, model_request_parameters)
        try:
            await response.begin()
            yield response
        finally:
            await response.aclose()

    # --- what is asked ------------------------------------------------------------------------------------------------

    def _call(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
        *,
        stream: bool,
    ) -> ModelCall:
        tools = [*parameters.function_tools, *parameters.result_tools]
        return ModelCall(
            messages=messages,
            model=self._model_name,
            tools=tools,
            tool_choice=self._tool_choice(tools, parameters),
            settings=self._settings(settings),
            stream=stream,
            dialect=self.provider.name,
            extras=dict(self.provider.capabilities.extras),
        )

    def _tool_choice(self, tools: list[ToolDefinition], parameters: ModelRequestParameters) -> ToolChoice | None:
        when = self.provider.capabilities.tool_choice
        if not tools or when == "never":
            return None
        if when == "if required":
            return None if parameters.allow_text_result else "required"
        return "required" if parameters.result_tools and not parameters.allow_text_result else "auto"

    def _settings(self, settings: ModelSettings) -> ModelSettings:
        taken = {key: settings.get(key) for key in self.provider.capabilities.settings}
        return cast("ModelSettings", {key: value for key, value in taken.items() if value is not None})

    # --- how it is carried --------------------------------------------------------------------------------------------

    async def _fetch(self, url: str) -> httpx.Response:
        return await self.access.client().get(url, follow_redirects=True)

    async def _send(self, call: ModelCall, settings: ModelSettings) -> httpx.Response:
        """Return the response, its body unread if the call asks for a stream; `ModelHTTPError` from status 400 on."""
        call.messages = await sendable(call.messages, self.provider.capabilities, self._fetch)
        encoded = self.codec.encode_call(call)
        client = self.access.client()
        request = client.build_request(
            "POST",
            await self.access.url(encoded.path, self._model_name),
            headers=[*encoded.headers, *self.provider.headers],
            content=encoded.body,
            timeout=settings.get("timeout", httpx.USE_CLIENT_DEFAULT),
        )
        response = await client.send(request, auth=self.access.auth, stream=call.stream)
        await check_status(response, self._model_name)
        return response

    # --- what came back -----------------------------------------------------------------------------------------------

    def _streamed(
        self,
        call: ModelCall,
        http_response: httpx.Response,
        parameters: ModelRequestParameters,  # noqa: ARG002  a provider's stream may depend on what was offered
    ) -> HTTPStreamedResponse:
        return HTTPStreamedResponse(self._model_name, http_response, self._decoder(call, http_response))

    def _decoder(self, call: ModelCall, http_response: httpx.Response) -> StreamDecoder:
        return self.codec.stream_decoder(call, tuple(http_response.headers.multi_items()))

    def _response(self, call: ModelCall, http_response: httpx.Response) -> ModelResponse:
        headers = tuple(http_response.headers.multi_items())
        try:
            answer = self.codec.decode_answer(call, http_response.status_code, headers, http_response.content)
        except WireError as exc:
            raise UnexpectedModelBehavior(str(exc), http_response.text) from exc
        if answer.error is not None:
            raise refused(answer.error, self._model_name, decoded(http_response))
        if answer.response is None:
            raise UnexpectedModelBehavior(f"The answer of {self._model_name} holds no response", http_response.text)
        return self._completed(answer.response)

    def _completed(self, response: ModelResponse) -> ModelResponse:
        timestamp = datetime.now(tz=UTC) if response.timestamp == NO_TIMESTAMP else response.timestamp
        return replace(response, model_name=response.model_name or self._model_name, timestamp=timestamp)
