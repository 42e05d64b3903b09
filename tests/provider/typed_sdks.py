"""The providers' own clients, each asked for a typed result in the way that it has for that."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, NamedTuple

import anthropic
import boto3
import cohere
import google.genai
import groq
import mistralai.client
import ollama
import openai
from pydantic import BaseModel

from tests.provider.sdks import KEY

PROMPT = [{"role": "user", "content": "The capital of France?"}]


class City(BaseModel):
    name: str
    country: str


PARIS = City(name="Paris", country="France")
SCHEMA = City.model_json_schema()
_NAMED = {"type": "json_schema", "json_schema": {"name": "City", "schema": SCHEMA, "strict": True}}


class Typed(NamedTuple):
    """What makes a client, its blocking and its async side; how that is asked; and how the answer is read."""

    sync: Callable[[], Any]
    later: Callable[[], Any] | None
    ask: Callable[[Any], Any]
    read: Callable[[Any], City]

    def result(self) -> City:
        return self.read(self.ask(self.sync()))

    async def async_result(self) -> City:
        assert self.later is not None
        answer: Awaitable[Any] = self.ask(self.later())
        assert isawaitable(answer)
        return self.read(await answer)


def _mistral(client: Any, *, later: bool) -> Any:
    parse = client.chat.parse_async if later else client.chat.parse
    return parse(model="mistral-large-latest", messages=PROMPT, response_format=City)


def _asks_bedrock(client: Any) -> Any:
    tool = {"toolSpec": {"name": "final_result", "inputSchema": {"json": SCHEMA}}}
    return client.converse(
        modelId="amazon.nova-lite-v1:0",
        messages=[{"role": "user", "content": [{"text": "The capital of France?"}]}],
        toolConfig={"tools": [tool], "toolChoice": {"tool": {"name": "final_result"}}},
    )


class _OfMistral(NamedTuple):
    """Its async methods have other names."""

    client: Any
    later: bool


def _bedrock() -> Any:
    return boto3.client(
        "bedrock-runtime", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="secret", region_name="us-east-1"
    )


def _gemini_config() -> Any:
    return {"response_mime_type": "application/json", "response_schema": City}


TYPED = {
    "openai": Typed(
        lambda: openai.OpenAI(api_key=KEY, max_retries=0),
        lambda: openai.AsyncOpenAI(api_key=KEY, max_retries=0),
        lambda sdk: sdk.chat.completions.parse(model="gpt-4o", messages=PROMPT, response_format=City),
        lambda answer: answer.choices[0].message.parsed,
    ),
    "openai responses": Typed(
        lambda: openai.OpenAI(api_key=KEY, max_retries=0),
        lambda: openai.AsyncOpenAI(api_key=KEY, max_retries=0),
        lambda sdk: sdk.responses.parse(model="gpt-4o", input=PROMPT, text_format=City),
        lambda answer: answer.output_parsed,
    ),
    "anthropic": Typed(
        lambda: anthropic.Anthropic(api_key=KEY, max_retries=0),
        lambda: anthropic.AsyncAnthropic(api_key=KEY, max_retries=0),
        lambda sdk: sdk.messages.parse(model="claude-sonnet-5", max_tokens=99, messages=PROMPT, output_format=City),
        lambda answer: answer.parsed_output,
    ),
    "google-genai": Typed(
        lambda: google.genai.Client(api_key=KEY),
        lambda: google.genai.Client(api_key=KEY).aio,
        lambda sdk: sdk.models.generate_content(
            model="gemini-2.0-flash", contents="The capital of France?", config=_gemini_config()
        ),
        lambda answer: answer.parsed,
    ),
    "mistralai": Typed(
        lambda: _OfMistral(mistralai.client.Mistral(api_key=KEY), later=False),
        lambda: _OfMistral(mistralai.client.Mistral(api_key=KEY), later=True),
        lambda sdk: _mistral(sdk.client, later=sdk.later),
        lambda answer: answer.choices[0].message.parsed,
    ),
    "cohere": Typed(
        lambda: cohere.ClientV2(api_key=KEY),
        lambda: cohere.AsyncClientV2(api_key=KEY),
        lambda sdk: sdk.chat(
            model="command-a-03-2025", messages=PROMPT, response_format={"type": "json_object", "json_schema": SCHEMA}
        ),
        lambda answer: City.model_validate_json(answer.message.content[0].text),
    ),
    "groq": Typed(
        lambda: groq.Groq(api_key=KEY, max_retries=0),
        lambda: groq.AsyncGroq(api_key=KEY, max_retries=0),
        lambda sdk: sdk.chat.completions.create(model="openai/gpt-oss-20b", messages=PROMPT, response_format=_NAMED),
        lambda answer: City.model_validate_json(answer.choices[0].message.content),
    ),
    "boto3": Typed(
        _bedrock,
        None,
        _asks_bedrock,
        lambda answer: City.model_validate(answer["output"]["message"]["content"][0]["toolUse"]["input"]),
    ),
    "ollama": Typed(
        ollama.Client,
        ollama.AsyncClient,
        lambda sdk: sdk.chat(model="llama3.2", messages=PROMPT, format=SCHEMA),
        lambda answer: City.model_validate(json.loads(answer.message.content)),
    ),
}
