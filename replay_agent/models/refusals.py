"""What a provider's refusal becomes: an error that says who refused, and why."""

from __future__ import annotations

import httpx
from pydantic_core import from_json

from replay_agent.calls import AnswerError
from replay_agent.exceptions import AgentRunError, ModelHTTPError, UnexpectedModelBehavior

__all__ = "check_status", "decoded", "refused"


async def check_status(response: httpx.Response, model_name: str) -> None:
    """Read the body and raise `ModelHTTPError` if the status is 400 or above."""
    if response.status_code < 400:
        return
    try:
        await response.aread()
    finally:
        await response.aclose()
    raise ModelHTTPError(response.status_code, model_name, decoded(response))


def decoded(response: httpx.Response) -> object | None:
    """Return what a body says: its JSON value, else its text; None for an empty one."""
    try:
        return from_json(response.content)  # type: ignore[no-any-return]
    except ValueError:
        return response.text or None


def refused(error: AnswerError, model_name: str, body: object | None = None) -> AgentRunError:
    """Return what to raise for an error inside an answer that began well."""
    if error.status is None:
        return UnexpectedModelBehavior(f"{model_name} answered with an error: {error.message}")
    return ModelHTTPError(error.status, model_name, error.message if body is None else body)
