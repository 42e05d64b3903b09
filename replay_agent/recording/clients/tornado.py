"""Tornado's clients, through vcrpy's stub for them: it is given our recording in the shape of a vcrpy cassette."""

from __future__ import annotations

from functools import wraps
from typing import Any

from replay_agent.framing.http1 import phrase
from replay_agent.recording import dispatch
from replay_agent.recording.answers import UNKNOWN_PATIENCE, Live, Replay
from replay_agent.recording.clients.failures import error_of, os_error
from replay_agent.recording.process import backoff
from replay_agent.recording.process.patching import Patch
from replay_agent.traffic import Chunk, Failure, Phase, Request, Response

__all__ = ("tornado_patches",)

NO_RESPONSE = 599
"""Tornado's own status for a request that got no response."""


def tornado_patches(module: Any) -> list[Patch]:
    """Return the patches for ``tornado.simple_httpclient`` or ``tornado.curl_httpclient``."""
    kinds = getattr(module, "SimpleAsyncHTTPClient", None), getattr(module, "CurlAsyncHTTPClient", None)
    return [Patch(kind, "fetch_impl", _fetching) for kind in kinds if kind]


def _fetching(original: Any) -> Any:
    @wraps(original)
    def fetch_impl(client: Any, request: Any, callback: Any) -> Any:
        recording = dispatch.claimant(request.url)
        if recording is None:
            return original(client, request, callback)
        from vcr.stubs.tornado_stubs import vcr_fetch_impl

        return vcr_fetch_impl(_AsCassette(recording), original)(client, request, callback)

    return fetch_impl


class _AsCassette:
    """One exchange of a recording, as a vcrpy stub wants to see a cassette."""

    write_protected = False

    def __init__(self, recording: dispatch.Claimant) -> None:
        self._recording = recording
        self._answer: Replay | Live | None = None

    def can_play_response_for(self, request: Any) -> bool:
        headers = tuple((str(name), str(value)) for name, value in request.headers.items())
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        self._answer = dispatch.begin(self._recording, Request(request.method, request.uri, headers, body))
        if not isinstance(self._answer, Replay):
            return False
        self._answer.heed(UNKNOWN_PATIENCE)
        if isinstance(self._answer.outcome, Failure):
            raise error_of(self._answer, self._answer.outcome, os_error)
        backoff.note(self._answer.outcome)
        return True

    def play_response(self, _request: Any) -> dict[str, Any]:
        assert isinstance(self._answer, Replay)
        response = self._answer.outcome
        assert isinstance(response, Response)
        return {
            "status": {"code": response.status, "message": response.reason or phrase(response.status)},
            "headers": [(name, [value]) for name, value in response.headers],
            "body": {"string": response.body},
        }

    def append(self, _request: Any, response: dict[str, Any]) -> None:
        if isinstance(self._answer, Live) and response["status"]["code"] == NO_RESPONSE:
            self._answer.finish(Failure("ConnectError", Phase.CONNECT, response["status"]["message"]))
        elif isinstance(self._answer, Live):
            headers = tuple((name, value) for name, values in response["headers"] for value in values)
            body = response["body"]["string"] or b""
            status = response["status"]
            chunks = (Chunk(body),) if body else ()
            self._answer.finish(Response(status["code"], headers, chunks, reason=status["message"]))
