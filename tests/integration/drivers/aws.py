"""Driver of boto3: Bedrock for questions, S3 for files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import boto3
from botocore.config import Config

from tests.integration.drivers.driver import Driver, Reply, Settings, each
from tests.integration.drivers.sdks import SCHEMA

TOOLS = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]}


class BotoDriver:
    """Bedrock's Converse, and objects in a bucket."""

    def __init__(self, bedrock: Any, s3: Any) -> None:
        self._bedrock = bedrock
        self._s3 = s3

    async def ask(self, text: str) -> Reply:
        return self._ask([_user({"text": text})])

    def _ask(self, messages: list[Any], **more: Any) -> Reply:
        answer = self._bedrock.converse(modelId="m", messages=messages, **more)
        content = answer["output"]["message"]["content"]
        http = answer["ResponseMetadata"]
        return Reply(
            "".join(block.get("text", "") for block in content),
            tuple((block["toolUse"]["name"], block["toolUse"]["input"]) for block in content if "toolUse" in block),
            answer["usage"], http["HTTPStatusCode"], tuple(http["HTTPHeaders"].items()), answer,
        )  # fmt: skip

    async def stream(self, text: str) -> AsyncGenerator[Any]:
        events = self._bedrock.converse_stream(modelId="m", messages=[_user({"text": text})])["stream"]
        async with each(events) as in_turn:
            async for event in in_turn:
                yield event

    async def use_a_tool(self) -> list[Reply]:
        asked = [_user({"text": "What is the weather in Oslo?"})]
        first = self._ask(asked, toolConfig=TOOLS)
        message = first.whole["output"]["message"]
        made = message["content"][0]["toolUse"]["toolUseId"]
        returned = _user({"toolResult": {"toolUseId": made, "content": [{"text": "rain"}]}})
        return [first, self._ask([*asked, message, returned], toolConfig=TOOLS)]

    async def delete(self) -> Any:
        return self._s3.delete_object(Bucket="bucket", Key="key")

    async def download(self) -> bytes:
        return b"".join(self._s3.get_object(Bucket="bucket", Key="key")["Body"].iter_chunks(10_000))


def _user(block: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [block]}


@asynccontextmanager
async def boto(base: str, settings: Settings) -> AsyncIterator[Driver]:
    """Open boto3's clients."""
    config = Config(
        read_timeout=settings.timeout, connect_timeout=settings.timeout, max_pool_connections=64,
        retries={"total_max_attempts": settings.retries + 1}, s3={"addressing_style": "path"},
    )  # fmt: skip
    clients = [_client(service, base, config) for service in ("bedrock-runtime", "s3")]
    try:
        yield BotoDriver(*clients)
    finally:
        for client in clients:
            client.close()


def _client(service: str, base: str, config: Config) -> Any:
    return boto3.client(
        service, region_name="us-east-1", endpoint_url=base, aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example", config=config,
    )  # fmt: skip
