"""A provider on loopback: real HTTP, answers from a function."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from replay_agent.exceptions import UserError
from replay_agent.traffic import Request
from replay_agent.wire.codec import EncodedAnswer

if TYPE_CHECKING:
    from starlette.requests import Request as HTTPRequest
    from starlette.responses import Response as HTTPResponse
    from starlette.types import ASGIApp

__all__ = "AnswerFunction", "serve"

AnswerFunction: TypeAlias = Callable[[Request], EncodedAnswer]


def _application(answer: AnswerFunction) -> ASGIApp:
    """Return an ASGI application that hands every request to ``answer``; each chunk goes out on its own.

    Raises `UserError` naming the extra if starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response, StreamingResponse
        from starlette.routing import Route
    except ImportError as exc:
        raise UserError("the embedded provider needs starlette: pip install 'pytest-replay-agent[server]'") from exc

    async def endpoint(http_request: HTTPRequest) -> HTTPResponse:
        encoded = await run_in_threadpool(answer, await _plain(http_request))
        if len(encoded.chunks) == 1:
            return Response(encoded.chunks[0], encoded.status, headers=dict(encoded.headers))
        return StreamingResponse(_pieces(encoded), encoded.status, headers=dict(encoded.headers))

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", endpoint, methods=methods)])


async def _plain(http_request: HTTPRequest) -> Request:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in http_request.headers.raw)
    return Request(http_request.method, str(http_request.url), headers, await http_request.body())


async def _pieces(encoded: EncodedAnswer) -> AsyncIterator[bytes]:
    for chunk in encoded.chunks:
        yield chunk


@contextmanager
def serve(answer: AnswerFunction, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve ``answer`` over HTTP in a thread and yield the server's address (``http://127.0.0.1:PORT``).

    Port 0 takes a free one. The server is down and its port closed when the block is left. Raises `UserError` naming
    the extra if uvicorn or starlette is not installed, and `OSError` if the port is taken.
    """
    app = _application(answer)
    try:
        import uvicorn
    except ImportError as exc:
        raise UserError("the embedded provider needs uvicorn: pip install 'pytest-replay-agent[server]'") from exc
    with socket.create_server((host, port)) as listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            loop="asyncio",
            ws="none",  # left to choose, it imports whatever library of WebSockets is there, with that one's warnings
        )
        server = uvicorn.Server(config)
        # The listener is open already: connections made before the loop accepts them wait in its queue.
        thread = threading.Thread(target=server.run, args=([listener],), name="replay-agent provider", daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()
