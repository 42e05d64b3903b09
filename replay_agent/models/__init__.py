"""Models answer a call; every provider is a row in a table.

Set ``models.ALLOW_MODEL_REQUESTS = False`` to have every model that talks to a provider refuse; `TestModel`,
`FunctionModel` and their like still answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from replay_agent.models.base import Model, ModelRequestParameters, StreamedResponse
    from replay_agent.models.names import KnownModelName

__all__ = (
    "ALLOW_MODEL_REQUESTS",
    "KnownModelName",
    "Model",
    "ModelRequestParameters",
    "StreamedResponse",
    "cached_async_http_client",
    "check_allow_model_requests",
    "get_user_agent",
    "infer_model",
    "override_allow_model_requests",
)

ALLOW_MODEL_REQUESTS = True
"""Whether models may send requests to providers."""

# These need pydantic, which a test session that only installs this package should not pay for.
_HOME_OF = {
    "KnownModelName": "replay_agent.models.names",
    "Model": "replay_agent.models.base",
    "ModelRequestParameters": "replay_agent.models.base",
    "StreamedResponse": "replay_agent.models.base",
}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})


def check_allow_model_requests() -> None:
    """Raise `RuntimeError` if requests to providers are switched off."""
    if not ALLOW_MODEL_REQUESTS:
        raise RuntimeError("Model requests are not allowed, since ALLOW_MODEL_REQUESTS is False")


@contextmanager
def override_allow_model_requests(allow_model_requests: bool) -> Iterator[None]:
    """Allow or refuse requests to providers inside the block."""
    global ALLOW_MODEL_REQUESTS  # noqa: PLW0603  users read and set it as `models.ALLOW_MODEL_REQUESTS`
    before = ALLOW_MODEL_REQUESTS
    ALLOW_MODEL_REQUESTS = allow_model_requests
    try:
        yield
    finally:
        ALLOW_MODEL_REQUESTS = before


def infer_model(model: Model | KnownModelName | str) -> Model:
    """Return the model that a name stands for; a model comes back as it is.

    A name is ``provider:model``, a bare name of OpenAI, Anthropic or Google, or ``test``. Raises `UserError` for any
    other. A key that the provider needs is looked for at the first call.
    """
    from replay_agent.models.base import Model
    from replay_agent.models.providers import provider_and_model

    if isinstance(model, Model):
        return model
    if model == "test":
        from replay_agent.models.test import TestModel

        return TestModel()
    provider, name = provider_and_model(model)
    module, class_name = provider.model_class
    found: Model = getattr(import_module(module), class_name)(name, provider=provider)
    return found


def cached_async_http_client(timeout: float = 600, connect: float = 5) -> httpx.AsyncClient:
    """Return the HTTP client that all models of the running event loop share; a new one if it was closed.

    ``timeout`` and ``connect`` are seconds.
    """
    from replay_agent.models.client import shared_client

    return shared_client(timeout, connect)


def get_user_agent() -> str:
    """Return the ``User-Agent`` that the shared client sends."""
    from replay_agent.models.client import user_agent

    return user_agent()
