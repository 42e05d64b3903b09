from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import httpx
import pytest

from replay_agent import models
from replay_agent.exceptions import ModelHTTPError, UnexpectedModelBehavior
from replay_agent.messages import PartDeltaEvent, PartStartEvent, TextPart
from replay_agent.models.anthropic import AnthropicModel
from replay_agent.models.client import shared_client

pytestmark = pytest.mark.anyio

ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-20250101",
    "content": [{"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


START = event("message_start", message={**ANSWER, "content": [], "usage": {"input_tokens": 3, "output_tokens": 0}})
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
END = [
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}),
    event("message_stop"),
]


def text(piece):
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})


STREAM = [START, BLOCK, text("Hi"), text("."), *END]


@pytest.fixture
def model(wire):
    return AnthropicModel("claude-x", api_key="k", http_client=wire.client)


async def test_an_answer_is_completed(wire, model, hello, plain, is_recent):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, plain)
    assert response.parts == [TextPart("Hi.")]
    assert response.model_name == "claude-x-20250101"
    assert is_recent(response.timestamp)
    assert (response.finish_reason, response.provider_response_id) == ("stop", "msg_1")
    assert (usage.requests, usage.request_tokens, usage.response_tokens, usage.total_tokens) == (0, 3, 2, 5)


async def test_an_answer_without_a_model_has_the_requested_one(wire, model, hello, plain):
    wire.answers({key: value for key, value in ANSWER.items() if key != "model"})
    response, _ = await model.request(hello, None, plain)
    assert response.model_name == "claude-x"


@pytest.mark.parametrize("timeout", [7, httpx.Timeout(9, connect=1)])
async def test_timeout_is_that_of_the_settings(wire, model, hello, plain, timeout):
    wire.answers(ANSWER)
    await model.request(hello, {"timeout": timeout}, plain)
    assert wire.request.extensions["timeout"] == httpx.Timeout(timeout).as_dict()
    assert "timeout" not in wire.body


async def test_timeout_is_that_of_the_client_otherwise(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, None, plain)
    assert wire.request.extensions["timeout"] == wire.client.timeout.as_dict()


@pytest.mark.parametrize("stream", [False, True])
async def test_requests_can_be_forbidden(wire, model, hello, plain, stream):
    with models.override_allow_model_requests(False), pytest.raises(RuntimeError, match="ALLOW_MODEL_REQUESTS"):
        await ask(model, hello, plain, stream=stream)
    assert wire.requests == []


async def ask(model, messages, parameters, *, stream, settings=None):
    if not stream:
        response, _ = await model.request(messages, settings, parameters)
        return response
    async with model.request_stream(messages, settings, parameters) as response:
        async for _ in response:
            pass
        return response.get()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
@pytest.mark.parametrize(
    ("content", "body"),
    [
        ('{"error": {"message": "no"}}', {"error": {"message": "no"}}),
        ("<html>Bad gateway</html>", "<html>Bad gateway</html>"),
        ("", None),
    ],
)
async def test_a_refusal_is_told_with_its_body(wire, model, hello, plain, stream, status, content, body):
    wire.answers(content, status=status)
    with pytest.raises(ModelHTTPError) as caught:
        await ask(model, hello, plain, stream=stream)
    assert (caught.value.status_code, caught.value.model_name, caught.value.body) == (status, "claude-x", body)


@pytest.mark.parametrize("status", [200, 302])
@pytest.mark.parametrize("content", ["", "not JSON", "[1, 2]", "<html>Sign in</html>"])
async def test_a_useless_answer_is_unexpected(wire, model, hello, plain, status, content):
    wire.answers(content, status=status)
    with pytest.raises(UnexpectedModelBehavior):
        await ask(model, hello, plain, stream=False)


async def test_an_error_in_a_good_answer_is_a_refusal(wire, model, hello, plain):
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    wire.answers(body)
    with pytest.raises(ModelHTTPError) as caught:
        await ask(model, hello, plain, stream=False)
    assert (caught.value.status_code, caught.value.body) == (529, body)


async def test_an_error_without_a_status_is_unexpected(wire, model, hello, plain):
    wire.answers({"type": "error", "error": {"type": "novel_error", "message": "What now"}})
    with pytest.raises(UnexpectedModelBehavior, match="What now"):
        await ask(model, hello, plain, stream=False)


async def test_transport_errors_are_raised_as_they_are(hello, plain):
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    client = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
    with pytest.raises(httpx.ConnectError, match="refused"):
        await ask(AnthropicModel("m", api_key="k", http_client=client), hello, plain, stream=False)


async def test_a_stream_arrives_event_by_event(wire, model, hello, plain, is_recent):
    wire.streams(*STREAM)
    async with model.request_stream(hello, None, plain) as response:
        assert is_recent(response.timestamp)
        assert response.model_name == "claude-x"
        events = [event async for event in response]
    assert [type(event) for event in events] == [PartStartEvent, PartDeltaEvent]
    whole = response.get()
    assert whole.parts == [TextPart("Hi.")]
    assert (whole.model_name, whole.timestamp) == ("claude-x", response.timestamp)
    assert whole.finish_reason == "stop"
    usage = response.usage()
    assert (usage.requests, usage.request_tokens, usage.response_tokens, usage.total_tokens) == (0, 3, 2, 5)


async def test_a_stream_may_be_cut_anywhere(wire, model, hello, plain):
    body = b"".join(STREAM)
    wire.streams(*(body[i : i + 1] for i in range(len(body))))
    assert (await ask(model, hello, plain, stream=True)).parts == [TextPart("Hi.")]


async def test_events_are_handed_on_before_the_next_bytes_come(hello, plain):
    goes_on = anyio.Event()

    async def body():
        for piece in STREAM[:3]:
            yield piece
        await goes_on.wait()
        for piece in STREAM[3:]:
            yield piece

    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body())))
    model = AnthropicModel("m", api_key="k", http_client=client)
    with anyio.fail_after(5):
        async with model.request_stream(hello, None, plain) as response:
            assert await anext(aiter(response)) == PartStartEvent(0, TextPart("Hi"))
            assert response.get().parts == [TextPart("Hi")]
            goes_on.set()
            assert len([event async for event in response]) == 1


async def test_an_error_at_the_head_of_a_stream_is_raised_before_it_opens(wire, model, hello, plain):
    wire.streams(START, event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    with pytest.raises(ModelHTTPError) as caught:
        async with model.request_stream(hello, None, plain):
            pytest.fail("the stream was opened")
    assert caught.value.status_code == 529


async def test_an_error_inside_a_stream_comes_after_its_text(wire, model, hello, plain):
    wire.streams(*STREAM[:3], event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    async with model.request_stream(hello, None, plain) as response:
        seen = []
        with pytest.raises(ModelHTTPError, match="Overloaded"):
            async for each in response:
                seen.append(each)  # noqa: PERF401  what came before the error counts
        assert len(seen) == 1
        assert response.get().parts == [TextPart("Hi")]


async def test_an_error_inside_a_stream_does_not_wait_for_its_end(hello, plain):
    async def body():
        for piece in STREAM[:3]:
            yield piece
        yield event("error", error={"type": "overloaded_error", "message": "Overloaded"})
        await anyio.sleep_forever()

    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body())))
    model = AnthropicModel("m", api_key="k", http_client=client)
    with anyio.fail_after(5), pytest.raises(ModelHTTPError, match="Overloaded"):
        await ask(model, hello, plain, stream=True)


async def test_a_waiting_stream_can_be_left(hello, plain):
    async def body():
        for piece in STREAM[:3]:
            yield piece
        await anyio.sleep_forever()

    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body())))
    model = AnthropicModel("m", api_key="k", http_client=client)
    with anyio.fail_after(5):
        async with model.request_stream(hello, None, plain) as response:
            await anext(aiter(response))


async def test_an_empty_stream_is_unexpected(wire, model, hello, plain):
    wire.streams()
    with pytest.raises(UnexpectedModelBehavior):
        await ask(model, hello, plain, stream=True)


async def test_a_stream_that_is_none_is_unexpected(wire, model, hello, plain):
    wire.answers("<html>Sign in</html>")
    with pytest.raises(UnexpectedModelBehavior):
        await ask(model, hello, plain, stream=True)


async def test_a_stream_may_come_in_one_document(wire, model, hello, plain):
    wire.answers(ANSWER)
    assert (await ask(model, hello, plain, stream=True)).parts == [TextPart("Hi.")]


async def test_a_left_stream_is_closed(wire, model, hello, plain):
    closed = []

    async def body():
        try:
            for piece in STREAM:
                yield piece
        finally:
            closed.append(True)

    wire.answers(body())
    async with model.request_stream(hello, None, plain) as response:
        await anext(aiter(response))
    assert closed == [True]
    assert response.get().parts == [TextPart("Hi")]


async def test_an_error_of_the_reader_closes_the_stream(wire, model, hello, plain):
    wire.streams(*STREAM)
    with pytest.raises(LookupError):
        async with model.request_stream(hello, None, plain):
            raise LookupError


class _Slow(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pieces = STREAM if self.path.startswith("/whole") else STREAM[:4]
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if pieces is STREAM:
            self.wfile.write(b"0\r\n\r\n")
        elif self.path.startswith("/broken"):
            self.close_connection = True
        else:
            self.connection.recv(1)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_the_shared_client_talks_to_a_server(server, hello, plain):
    model = AnthropicModel("m", api_key="k", base_url=f"{server}/whole")
    assert (await ask(model, hello, plain, stream=True)).parts == [TextPart("Hi.")]
    assert (await ask(model, hello, plain, stream=False)).parts == [TextPart("Hi.")]


async def test_a_stream_of_a_server_can_be_left(server, hello, plain):
    model = AnthropicModel("m", api_key="k", base_url=f"{server}/slow")
    async with model.request_stream(hello, None, plain) as response:
        await anext(aiter(response))


async def test_a_broken_connection_is_an_error(server, hello, plain):
    model = AnthropicModel("m", api_key="k", base_url=f"{server}/broken")
    async with model.request_stream(hello, None, plain) as response:
        with pytest.raises(httpx.RemoteProtocolError):
            [event async for event in response]
        assert response.get().parts == [TextPart("Hi.")]


async def test_models_share_one_client():
    client = shared_client()
    one = AnthropicModel("m", api_key="k")
    other = AnthropicModel("m", api_key="k")
    assert one.access.client() is other.access.client() is client
