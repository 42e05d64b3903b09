"""Several models in a row: the next one answers where one fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from replay_agent.exceptions import FallbackExceptionGroup, ModelHTTPError
from replay_agent.messages import ModelMessage, ModelResponse
from replay_agent.models import infer_model
from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
from replay_agent.models.instrumented import tell_who_answers
from replay_agent.models.names import KnownModelName
from replay_agent.settings import ModelSettings
from replay_agent.usage import Usage

__all__ = ("FallbackModel",)


@dataclass(init=False)
class FallbackModel(Model):
    """Asks its models in turn until one answers.

    ``fallback_on`` says which errors lead on to the next model: exception classes, or a function of the error. Any
    other error is raised as it is. When every model has failed, `FallbackExceptionGroup` holds all their errors.
    A streamed response falls back only until its first event: afterwards the answer is half told.
    """

    models: list[Model]
    _fallback_on: Callable[[Exception], bool] = field(repr=False)

    def __init__(
        self,
        default_model: Model | KnownModelName | str,
        *fallback_models: Model | KnownModelName | str,
        fallback_on: Callable[[Exception], bool] | tuple[type[Exception], ...] = (ModelHTTPError,),
    ) -> None:
        self.models = [infer_model(model) for model in (default_model, *fallback_models)]
        self._fallback_on = _is_one_of(fallback_on) if isinstance(fallback_on, tuple) else fallback_on

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> tuple[ModelResponse, Usage]:
        failures: list[Exception] = []
        for model in self.models:
            try:
                answered = await model.request(messages, model_settings, model_request_parameters)
            except Exception as exc:  # noqa: BLE001  the user says which errors lead on
                self._note(exc, failures)
            else:
                tell_who_answers(self, model)
                return answered
        raise _all_failed(failures)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> AsyncIterator[StreamedResponse]:
        failures: list[Exception] = []
        for model in self.models:
            async with AsyncExitStack() as stack:
                try:
                    response = await stack.enter_async_context(
                        model.request_stream(messages, model_settings, model_request_parameters)
                    )
                except Exception as exc:  # noqa: BLE001  the user says which errors lead on
                    self._note(exc, failures)
                    continue
                tell_who_answers(self, model)
                yield response
                return
        raise _all_failed(failures)

    def _note(self, failure: Exception, failures: list[Exception]) -> None:
        if not self._fallback_on(failure):
            raise failure
        failures.append(failure)

    @property
    def model_name(self) -> str:
        return f"fallback:{','.join(model.model_name for model in self.models)}"

    @property
    def system(self) -> str:
        return f"fallback:{','.join(model.system for model in self.models)}"

    @property
    def base_url(self) -> str | None:
        return self.models[0].base_url


def _is_one_of(kinds: tuple[type[Exception], ...]) -> Callable[[Exception], bool]:
    return lambda failure: isinstance(failure, kinds)


def _all_failed(failures: list[Exception]) -> FallbackExceptionGroup:
    return FallbackExceptionGroup("All models from FallbackModel failed", failures)
