from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from replay_agent import Agent
from replay_agent.calls import ToolDefinition
from replay_agent.exceptions import CredentialMissing, ModelHTTPError, UnexpectedModelBehavior, UserError
from replay_agent.messages import (
    AudioUrl,
    BinaryContent,
    ModelRequest,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from replay_agent.models.base import ModelRequestParameters
from replay_agent.models.gemini import GeminiModel
from replay_agent.models.providers import PROVIDERS
from replay_agent.models.vertexai import VertexAIModel
from replay_agent.providers.google_vertex import GoogleVertexProvider
from replay_agent.usage import Usage

pytestmark = pytest.mark.anyio

INVITATION = "\n\nFix the errors and try again."
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
ANSWER = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [{"text": "I add."}, {"functionCall": {"name": "add", "args": {"a": 1, "b": 2}}}],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": USAGE,
    "modelVersion": "gemini-1.5-flash-002",
}


@pytest.fixture
def model(wire):
    return GeminiModel("gemini-1.5-flash", api_key="secret", http_client=wire.client)


async def test_the_whole_conversation_goes_out(wire, model, conversation, required, settings):
    wire.answers(ANSWER)
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    await model.request(conversation, {**settings, "gemini_safety_settings": safety}, required)
    numbers = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    assert wire.body == {
        "system_instruction": {"role": "user", "parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "What is 2 + 2?"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "Let me see."},
                    {"text": "I add."},
                    {"functionCall": {"name": "add", "args": {"a": 2, "b": 2}}},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"sum": 4}}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "final_result", "args": {"sum": "four"}}}]},
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "name": "final_result",
                            "response": {"call_error": f"No number.{INVITATION}"},
                        }
                    },
                    {"text": f"Call a tool.{INVITATION}"},
                ],
            },
        ],
        "tools": {
            "function_declarations": [
                {
                    "name": "add",
                    "description": "Add two numbers.",
                    "parameters": {"type": "object", "properties": numbers, "required": ["a", "b"]},
                },
                {
                    "name": "final_result",
                    "description": "The sum.",
                    "parameters": {
                        "type": "object",
                        "properties": {"sum": {"type": "integer"}},
                        "required": ["sum"],
                    },
                },
            ]
        },
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["add", "final_result"]}},
        "generation_config": {
            "max_output_tokens": 100,
            "temperature": 0.5,
            "top_p": 0.9,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
        },
        "safety_settings": safety,
    }


async def test_only_what_is_set_goes_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, {"seed": 3, "timeout": 5}, plain)
    assert wire.body == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    assert (
        str(wire.request.url)
        == "https://generativelanguage.googleapis.com/v1beta/models/gemini-1.5-flash:generateContent"
    )
    assert wire.request.headers["x-goog-api-key"] == "secret"
    assert "authorization" not in wire.request.headers


async def test_choice_is_not_told_beside_text(wire, model, hello, optional):
    wire.answers(ANSWER)
    await model.request(hello, None, optional)
    assert "tool_config" not in wire.body


async def test_system_prompts_alone_add_no_content(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request([ModelRequest([SystemPromptPart("Be brief.")]), *hello], None, plain)
    assert wire.body["contents"] == [{"role": "user", "parts": [{"text": "Hello"}]}]


async def test_empty_parameters_are_left_out(wire, model, hello):
    wire.answers(ANSWER)
    tool = ToolDefinition("now", "The time.", {"type": "object", "properties": {}, "additionalProperties": False})
    await model.request(hello, None, ModelRequestParameters([tool]))
    assert wire.body["tools"] == {"function_declarations": [{"name": "now", "description": "The time."}]}


async def test_impossible_schemas_are_refused(wire, model, hello):
    tool = ToolDefinition("any", "", {"type": "object", "properties": {}, "additionalProperties": True})
    with pytest.raises(UserError):
        await model.request(hello, None, ModelRequestParameters([tool]))


async def test_media_go_out(wire, model, plain):
    wire.answers(b"mp3", headers={"content-type": "audio/mpeg"})
    wire.answers(ANSWER)
    content = ["Hear", AudioUrl("http://x/a.mp3"), BinaryContent(b"png", "image/png")]
    await model.request([ModelRequest([UserPromptPart(content)])], None, plain)
    assert json.loads(wire.requests[1].content)["contents"][0]["parts"] == [
        {"text": "Hear"},
        {"inlineData": {"data": "bXAz", "mimeType": "audio/mpeg"}},
        {"inlineData": {"data": "cG5n", "mimeType": "image/png"}},
    ]


async def test_an_answer_is_read(wire, model, hello, optional, is_recent):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, optional)
    assert response.parts == [TextPart("I add."), ToolCallPart("add", {"a": 1, "b": 2})]
    assert response.model_name == "gemini-1.5-flash-002"
    assert is_recent(response.timestamp)
    assert (usage.request_tokens, usage.response_tokens, usage.total_tokens) == (3, 2, 5)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"candidates": [], "usageMetadata": USAGE}, "No content"),
        ({"candidates": [{"finishReason": "STOP"}]}, "No content"),
        ({"candidates": [{"finishReason": "SAFETY"}]}, "Safety settings"),
    ],
)
async def test_an_answer_without_content_is_unexpected(wire, model, hello, plain, answer, message):
    wire.answers(answer)
    with pytest.raises(UnexpectedModelBehavior, match=message):
        await model.request(hello, None, plain)


async def test_an_array_streams(wire, model, hello, plain):
    first = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Good "}]}}]}
    second = {"candidates": [{"content": {"role": "model", "parts": [{"text": "day"}]}, "finishReason": "STOP"}]}
    body = json.dumps([first, {**second, "usageMetadata": USAGE}]).encode()
    wire.streams(*(body[i : i + 7] for i in range(0, len(body), 7)), headers={"content-type": "application/json"})
    async with model.request_stream(hello, None, plain) as response:
        assert [event async for event in response]
        assert response.get().parts == [TextPart("Good day")]
        assert response.get().model_name == "gemini-1.5-flash"
        assert response.usage().total_tokens == 5
    assert str(wire.request.url).endswith("gemini-1.5-flash:streamGenerateContent")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_is_told(wire, model, hello, plain, stream):
    error = {"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}
    wire.answers([error] if stream else error, status=400)
    with pytest.raises(ModelHTTPError, match="API key not valid"):
        if stream:
            async with model.request_stream(hello, None, plain):
                pass
        await model.request(hello, None, plain)


# --- Vertex AI --------------------------------------------------------------------------------------------------------


@pytest.fixture
def google(monkeypatch):
    for variable in (
        "GOOGLE_OAUTH_ACCESS_TOKEN",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ):
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


async def test_vertex_takes_a_token_of_the_environment(wire, google, hello, plain):
    google.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "secret")
    wire.answers(ANSWER)
    model = VertexAIModel("gemini-1.5-flash", project_id="mine", region="europe-west1", http_client=wire.client)
    await model.request(hello, None, plain)
    assert str(wire.request.url) == (
        "https://europe-west1-aiplatform.googleapis.com/v1/projects/mine/locations/europe-west1"
        "/publishers/google/models/gemini-1.5-flash:generateContent"
    )
    assert wire.request.headers["authorization"] == "Bearer secret"
    assert (model.system, model.provider.name) == ("google-vertex", "google-vertex")


async def test_vertex_knows_a_place_without_a_region(wire, google, hello, plain):
    wire.answers(ANSWER)
    google.setenv("GOOGLE_CLOUD_PROJECT", "mine")
    google.setenv("GOOGLE_CLOUD_LOCATION", "global")
    await VertexAIModel("m", api_key="k", http_client=wire.client).request(hello, None, plain)
    assert str(wire.request.url).startswith("https://aiplatform.googleapis.com/v1/projects/mine/locations/global/")


async def test_vertex_needs_a_project(wire, google, hello, plain):
    with pytest.raises(UserError, match="GOOGLE_CLOUD_PROJECT"):
        await VertexAIModel("m", api_key="k", http_client=wire.client).request(hello, None, plain)


class _TokenServer(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1
        body = json.dumps({"access_token": f"token-{self.server.asked}", "expires_in": 3600}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def token_server():
    server = HTTPServer(("127.0.0.1", 0), _TokenServer)
    server.asked = 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def service_account(token_server, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "the-accounts-own",
        "client_email": "me@example.com",
        "private_key": pem.decode(),
        "token_uri": f"http://127.0.0.1:{token_server.server_port}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    return str(file)


@pytest.mark.parametrize("given", ["argument", "environment"])
async def test_vertex_fetches_a_token_once(wire, google, hello, plain, token_server, service_account, given):
    if given == "environment":
        google.setenv("GOOGLE_APPLICATION_CREDENTIALS", service_account)
    file = service_account if given == "argument" else None
    model = VertexAIModel("m", service_account_file=file, http_client=wire.client)
    for _ in range(2):
        wire.answers(ANSWER)
        await model.request(hello, None, plain)
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer token-1"] * 2
    assert "/projects/the-accounts-own/locations/us-central1/" in str(wire.requests[0].url)
    assert "the-accounts-own" in model.base_url
    assert token_server.asked == 1


class Credentials:
    """What somebody's tests give in place of Google's own: it does not know how long its token is good."""

    def __init__(self, token):
        self.token = token
        self.refreshed = 0

    def refresh(self, request):
        self.refreshed += 1


@pytest.mark.parametrize("where", ["google.auth.default", "replay_agent.providers.google_vertex.google.auth.default"])
async def test_credentials_may_be_replaced(wire, google, hello, plain, where):
    credentials = Credentials("mine")
    google.setattr(where, lambda scopes: (credentials, "my-project"))
    provider = GoogleVertexProvider(http_client=wire.client)
    assert (provider.client.auth.project_id, provider.client.auth.token_created) == (None, None)
    for _ in range(2):
        wire.answers(ANSWER)
        await GeminiModel("m", provider=provider).request(hello, None, plain)
    wire.answers(ANSWER)
    await provider.client.post("/m:countTokens")
    assert {request.headers["authorization"] for request in wire.requests} == {"Bearer mine"}
    assert all("/projects/my-project/" in str(request.url) for request in wire.requests)
    assert (provider.client.auth.project_id, credentials.refreshed) == ("my-project", 1)
    assert provider.client.auth.token_created.tzinfo is not None


async def test_broken_google_credentials_are_named(wire, google, hello, plain, tmp_path):
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"type": "authorized_user", "client_id": "i", "client_secret": "s"}))
    google.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(CredentialMissing, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await VertexAIModel("m", http_client=wire.client).request(hello, None, plain)


async def test_missing_google_credentials_are_named(wire, google, hello, plain, tmp_path):
    google.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    model = VertexAIModel("m", project_id="p", http_client=wire.client)
    with pytest.raises(CredentialMissing, match="GOOGLE_APPLICATION_CREDENTIALS"):
        await model.request(hello, None, plain)


def test_without_google_auth_the_extra_is_named():
    code = """
import os, sys
os.environ.pop("GOOGLE_OAUTH_ACCESS_TOKEN", None)
sys.modules["google.auth.transport.requests"] = None
from replay_agent.exceptions import UserError
from replay_agent.models import infer_model
try:
    infer_model("google-vertex:gemini-1.5-flash")
except UserError as exc:
    print(exc)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pytest-replay-agent[vertex]" in told


def element(*parts, counts=(1, 2, 3), reason="STOP"):
    """An element of a stream, with a reason to stop of its own."""
    usage = dict(zip(("promptTokenCount", "candidatesTokenCount", "totalTokenCount"), counts, strict=True))
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-1.5-flash"}


def in_pieces(elements, size):
    data = json.dumps(elements, ensure_ascii=False).encode()
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_a_reason_to_stop_in_every_element_leaves_one_text(wire, model, size):
    wire.streams(*in_pieces([element({"text": "Héllo "}), element({"text": "wörld"})], size))
    async with Agent(model).run_stream("Hello") as result:
        texts = [text async for text in result.stream(debounce_by=None)]
        deltas = result.all_messages()[-1].parts
    assert texts == ["Héllo ", "Héllo wörld", "Héllo wörld"]
    assert deltas == [TextPart("Héllo wörld")]
    assert result.usage() == Usage(requests=1, request_tokens=2, response_tokens=4, total_tokens=6)


async def test_a_text_goes_on_beside_a_call(wire, model):
    call = {"functionCall": {"name": "where", "args": {"city": "Rome"}}}
    wire.streams(*in_pieces([element({"text": "Hello "}), element({"text": "foo"}, call)], 50))
    agent = Agent(model)

    @agent.tool_plain
    def where(city: str) -> str:
        return city

    async with agent.run_stream("Hello") as result:
        assert await result.get_data() == "Hello foo"
    assert [type(part).__name__ for part in result.all_messages()[1].parts] == ["TextPart", "ToolCallPart"]


@pytest.mark.parametrize(
    ("counts", "reasons", "total"),
    [
        ([(1, 2, 3), (1, 2, 3)], ("STOP", "STOP"), (2, 4, 6)),
        ([(1, 2, 3), (1, 1, 2), (1, 2, 3)], ("STOP", "STOP", "STOP"), (3, 5, 8)),
        ([(5, 2, 7), (5, 6, 11)], ("STOP", "STOP"), (5, 6, 11)),
        ([(15, 0, 15), (15, 0, 15), (13, 8, 21)], (None, None, "STOP"), (13, 8, 21)),
        ([(17, 41, 58), (17, 67, 84), (17, 67, 84)], (None, None, "STOP"), (17, 67, 84)),
    ],
    ids=["increments", "three increments", "sums with a reason each", "as recorded", "as recorded, nothing new"],
)
async def test_counts_that_begin_anew_are_added_and_sums_are_not(wire, model, counts, reasons, total):
    elements = [element({"text": "a"}, counts=count, reason=why) for count, why in zip(counts, reasons, strict=True)]
    wire.streams(*in_pieces(elements, 60))
    async with Agent(model).run_stream("Hello") as result:
        await result.get_data()
    used = result.usage()
    assert (used.request_tokens, used.response_tokens, used.total_tokens) == total


async def test_a_key_is_told_and_kept_off_the_shared_client(wire):
    model = GeminiModel("m", api_key="k", http_client=wire.client)
    assert model.auth.api_key == "k"
    assert model.client.headers["x-goog-api-key"] == "k"
    assert "x-goog-api-key" not in wire.client.headers


@pytest.mark.parametrize("value", [None, ""])
async def test_without_a_provider_a_missing_key_is_named_at_once(google, value):
    for variable in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        google.delenv(variable, raising=False)
        if value is not None:
            google.setenv(variable, value)
    with pytest.raises(UserError, match="API key must be provided or set in the GEMINI_API_KEY environment variable"):
        GeminiModel("m")


@pytest.mark.parametrize("provider", ["google-gla", PROVIDERS["google-gla"]])
async def test_with_a_provider_the_call_names_a_missing_key(wire, google, hello, plain, provider):
    for variable in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        google.delenv(variable, raising=False)
    model = GeminiModel("m", provider=provider, http_client=wire.client)
    with pytest.raises(CredentialMissing, match="GEMINI_API_KEY"):
        await model.request(hello, None, plain)
    assert wire.requests == []


async def test_an_address_may_be_a_template(wire, hello, plain):
    template = "https://mine.example/v1/{model}:"
    wire.answers(ANSWER)
    await GeminiModel("m", api_key="k", url_template=template, http_client=wire.client).request(hello, None, plain)
    assert str(wire.request.url) == "https://mine.example/v1/m:generateContent"


async def test_an_address_of_vertex_may_be_a_template(wire, google, hello, plain):
    template = "https://{region}.mine.example/{project_id}/{model_publisher}/{model}:"
    wire.answers(ANSWER)
    model = VertexAIModel("m", project_id="p", region="r", api_key="k", url_template=template, http_client=wire.client)
    await model.request(hello, None, plain)
    assert str(wire.request.url) == "https://r.mine.example/p/google/m:generateContent"


async def test_credentials_can_be_looked_for_beforehand(google, service_account):
    model = VertexAIModel("m", service_account_file=service_account)
    await model.ainit()
    assert "/projects/the-accounts-own/" in model.base_url
    with pytest.raises(UserError, match="GOOGLE_CLOUD_PROJECT"):
        await VertexAIModel("m", api_key="k").ainit()
