from __future__ import annotations

import json
import subprocess
import sys

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from replay_agent.exceptions import CredentialMissing, ModelHTTPError, UserError
from replay_agent.framing.aws_frames import encode_frame
from replay_agent.messages import (
    BinaryContent,
    DocumentUrl,
    ModelRequest,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from replay_agent.models.bedrock import BedrockConverseModel

pytestmark = pytest.mark.anyio

INVITATION = "\n\nFix the errors and try again."
NOVA = "us.amazon.nova-lite-v1:0"
CLAUDE = "us.anthropic.claude-3-5-haiku-20241022-v1:0"
ANSWER = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"text": "I add."},
                {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"a": 1, "b": 2}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
}


@pytest.fixture
def aws(monkeypatch, tmp_path):
    for variable in (
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.fixture
def keys(aws):
    aws.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    aws.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    aws.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return aws


@pytest.fixture
def model(wire, keys):
    return BedrockConverseModel(NOVA, http_client=wire.client)


def tool(definition):
    return {
        "toolSpec": {
            "name": definition.name,
            "description": definition.description,
            "inputSchema": {"json": definition.parameters_json_schema},
        }
    }


def result(call_id, text, status):
    return {"toolResult": {"toolUseId": call_id, "content": [{"text": text}], "status": status}}


async def test_the_whole_conversation_goes_out(wire, model, conversation, required, settings):
    wire.answers(ANSWER)
    await model.request(conversation, settings, required)
    assert wire.body == {
        "system": [{"text": "Be brief.Be kind."}],
        "messages": [
            {"role": "user", "content": [{"text": "What is 2 + 2?"}]},
            {
                "role": "assistant",
                "content": [
                    {"text": "Let me see."},
                    {"text": "I add."},
                    {"toolUse": {"toolUseId": "call_1", "name": "add", "input": {"a": 2, "b": 2}}},
                ],
            },
            {"role": "user", "content": [result("call_1", '{"sum":4}', "success")]},
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "call_2", "name": "final_result", "input": {"sum": "four"}}}],
            },
            {"role": "user", "content": [result("call_2", f"No number.{INVITATION}", "error")]},
            {"role": "user", "content": [{"text": f"Call a tool.{INVITATION}"}]},
        ],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.9},
        "toolConfig": {"tools": [tool(required.function_tools[0]), tool(required.result_tools[0])]},
    }


@pytest.mark.parametrize(("parameters", "choice"), [("required", {"any": {}}), ("optional", {"auto": {}})])
async def test_claude_is_told_whether_to_call(wire, keys, hello, request, parameters, choice):
    wire.answers(ANSWER)
    model = BedrockConverseModel(CLAUDE, http_client=wire.client)
    await model.request(hello, None, request.getfixturevalue(parameters))
    assert wire.body["toolConfig"]["toolChoice"] == choice


async def test_only_what_is_set_goes_out(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, None, plain)
    assert wire.body == {
        "system": [],
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "inferenceConfig": {},
    }
    assert (
        str(wire.request.url)
        == "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/converse"
    )


async def test_requests_are_signed(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, None, plain)
    signature = wire.request.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-east-1/bedrock/aws4_request" in signature
    assert "host" in signature.partition("SignedHeaders=")[2].partition(",")[0]
    assert "x-amz-date" in wire.request.headers


async def test_the_signature_is_that_of_what_is_sent(wire, model, hello, plain):
    wire.answers(ANSWER)
    await model.request(hello, None, plain)
    sent = wire.request
    signature = sent.headers["authorization"]
    signed = signature.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    again = AWSRequest("POST", str(sent.url), headers={name: sent.headers[name] for name in signed}, data=sent.content)
    again.context["timestamp"] = sent.headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), "bedrock", "us-east-1")
    text = signer.string_to_sign(again, signer.canonical_request(again))
    assert signature.endswith(f"Signature={signer.signature(text, again)}")


async def test_session_tokens_are_sent(wire, keys, hello, plain):
    keys.setenv("AWS_SESSION_TOKEN", "session")
    wire.answers(ANSWER)
    await BedrockConverseModel(NOVA, http_client=wire.client).request(hello, None, plain)
    assert wire.request.headers["x-amz-security-token"] == "session"


async def test_a_bearer_token_takes_the_place_of_a_signature(wire, keys, hello, plain):
    keys.setenv("AWS_BEARER_TOKEN_BEDROCK", "token")
    wire.answers(ANSWER)
    await BedrockConverseModel(NOVA, http_client=wire.client).request(hello, None, plain)
    assert wire.request.headers["authorization"] == "Bearer token"


async def test_missing_keys_are_named(wire, aws, hello, plain):
    model = BedrockConverseModel(NOVA, region_name="us-east-1", http_client=wire.client)
    with pytest.raises(CredentialMissing, match="AWS_ACCESS_KEY_ID"):
        await model.request(hello, None, plain)


def test_a_missing_region_is_named(aws):
    with pytest.raises(UserError, match="AWS_DEFAULT_REGION"):
        BedrockConverseModel(NOVA)


def test_the_region_may_be_configured(aws, tmp_path):
    (tmp_path / "config").write_text("[default]\nregion = eu-central-1\n")
    assert BedrockConverseModel(NOVA).base_url == "https://bedrock-runtime.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_DEFAULT_REGION": "a"}, "a"),
        ({"AWS_DEFAULT_REGION": "a", "AWS_REGION": "b"}, "b"),
    ],
)
def test_the_region_may_be_in_the_environment(aws, variables, region):
    for name, value in variables.items():
        aws.setenv(name, value)
    assert BedrockConverseModel(NOVA).region_name == region
    assert BedrockConverseModel(NOVA, region_name="own").region_name == "own"


async def test_documents_go_out(wire, model, plain):
    wire.answers(b"pdf", headers={"content-type": "application/pdf"})
    wire.answers(ANSWER)
    content = ["Read", DocumentUrl("http://x/a.pdf"), BinaryContent(b"png", "image/png")]
    await model.request([ModelRequest([UserPromptPart(content)])], None, plain)
    text, document, image = json.loads(wire.requests[1].content)["messages"][0]["content"]
    assert text == {"text": "Read"}
    assert document == {"document": {"name": "Document 1", "format": "pdf", "source": {"bytes": "cGRm"}}}
    assert image == {"image": {"format": "png", "source": {"bytes": "cG5n"}}}
    assert "authorization" not in wire.requests[0].headers


async def test_an_answer_is_read(wire, model, hello, optional, is_recent):
    wire.answers(ANSWER)
    response, usage = await model.request(hello, None, optional)
    assert response.parts == [TextPart("I add."), ToolCallPart("add", {"a": 1, "b": 2}, "t1")]
    assert response.model_name == NOVA
    assert is_recent(response.timestamp)
    assert (usage.request_tokens, usage.response_tokens, usage.total_tokens) == (3, 2, 5)


async def test_a_refusal_is_told(wire, model, hello, plain):
    wire.answers({"message": "slow down"}, status=429, headers={"x-amzn-errortype": "ThrottlingException"})
    with pytest.raises(ModelHTTPError, match="slow down"):
        await model.request(hello, None, plain)


def frame(kind, **fields):
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return encode_frame(headers, json.dumps(fields).encode())


async def test_frames_stream(wire, model, hello, optional):
    use = {"toolUse": {"toolUseId": "t1", "name": "add"}}
    body = b"".join(
        [
            frame("messageStart", role="assistant"),
            frame("contentBlockDelta", contentBlockIndex=0, delta={"text": "I "}),
            frame("contentBlockDelta", contentBlockIndex=0, delta={"text": "add."}),
            frame("contentBlockStop", contentBlockIndex=0),
            frame("contentBlockStart", contentBlockIndex=1, start=use),
            frame("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": '{"a": 1,'}}),
            frame("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": '"b": 2}'}}),
            frame("contentBlockStop", contentBlockIndex=1),
            frame("messageStop", stopReason="tool_use"),
            frame("metadata", usage={"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}),
        ]
    )
    pieces = [body[i : i + 50] for i in range(0, len(body), 50)]
    wire.streams(*pieces, headers={"content-type": "application/vnd.amazon.eventstream"})
    async with model.request_stream(hello, None, optional) as response:
        assert [event async for event in response]
        assert response.get().parts == [TextPart("I add."), ToolCallPart("add", '{"a": 1,"b": 2}', "t1")]
        assert response.usage().total_tokens == 5
    assert str(wire.request.url).endswith("/converse-stream")


def test_without_botocore_the_extra_is_named():
    code = """
import os, sys
os.environ.pop("AWS_BEARER_TOKEN_BEDROCK", None)
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
sys.modules["botocore.session"] = None
from replay_agent.exceptions import UserError
from replay_agent.models import infer_model
try:
    infer_model("bedrock:m")
except UserError as exc:
    print(exc)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pytest-replay-agent[bedrock]" in told
