from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from typing import get_args

import pytest

from replay_agent import Agent, models
from replay_agent.exceptions import CredentialMissing, UserError
from replay_agent.models.anthropic import AnthropicModel
from replay_agent.models.base import Model
from replay_agent.models.mistral import MistralModel
from replay_agent.models.names import KnownModelName
from replay_agent.models.providers import PROVIDERS, provider_and_model, provider_named
from replay_agent.models.test import TestModel
from replay_agent.surroundings.credentials import credential_variables

KEYS = [
    ("openai", "OPENAI_API_KEY", "Authorization", "Bearer k"),
    ("deepseek", "DEEPSEEK_API_KEY", "Authorization", "Bearer k"),
    ("google-gla", "GEMINI_API_KEY", "X-Goog-Api-Key", "k"),
    ("google-vertex", "GOOGLE_OAUTH_ACCESS_TOKEN", "Authorization", "Bearer k"),
    ("anthropic", "ANTHROPIC_API_KEY", "x-api-key", "k"),
    ("groq", "GROQ_API_KEY", "Authorization", "Bearer k"),
    ("mistral", "MISTRAL_API_KEY", "Authorization", "Bearer k"),
    ("cohere", "CO_API_KEY", "Authorization", "Bearer k"),
    ("bedrock", "AWS_BEARER_TOKEN_BEDROCK", "Authorization", "Bearer k"),
]
NAMES = [
    ("openai:gpt-4o", "OpenAIModel", "gpt-4o", "openai", "https://api.openai.com/v1/"),
    ("gpt-4o", "OpenAIModel", "gpt-4o", "openai", "https://api.openai.com/v1/"),
    ("o1-mini", "OpenAIModel", "o1-mini", "openai", "https://api.openai.com/v1/"),
    ("o3-mini", "OpenAIModel", "o3-mini", "openai", "https://api.openai.com/v1/"),
    ("chatgpt-4o-latest", "OpenAIModel", "chatgpt-4o-latest", "openai", "https://api.openai.com/v1/"),
    ("deepseek:deepseek-chat", "OpenAIModel", "deepseek-chat", "openai", "https://api.deepseek.com"),
    (
        "google-gla:gemini-1.5-flash",
        "GeminiModel",
        "gemini-1.5-flash",
        "google-gla",
        "https://generativelanguage.googleapis.com/v1beta/models/",
    ),
    (
        "gemini-1.5-flash",
        "GeminiModel",
        "gemini-1.5-flash",
        "google-gla",
        "https://generativelanguage.googleapis.com/v1beta/models/",
    ),
    (
        "google-vertex:gemini-1.5-flash",
        "GeminiModel",
        "gemini-1.5-flash",
        "google-vertex",
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/",
    ),
    (
        "vertexai:gemini-1.5-flash",
        "GeminiModel",
        "gemini-1.5-flash",
        "google-vertex",
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/",
    ),
    ("anthropic:claude-x", "AnthropicModel", "claude-x", "anthropic", "https://api.anthropic.com"),
    ("claude-x", "AnthropicModel", "claude-x", "anthropic", "https://api.anthropic.com"),
    ("groq:llama", "GroqModel", "llama", "groq", "https://api.groq.com"),
    ("mistral:small", "MistralModel", "small", "mistral_ai", "https://api.mistral.ai"),
    ("cohere:command", "CohereModel", "command", "cohere", "https://api.cohere.com"),
    (
        "bedrock:us.amazon.nova-lite-v1:0",
        "BedrockConverseModel",
        "us.amazon.nova-lite-v1:0",
        "bedrock",
        "https://bedrock-runtime.eu-west-1.amazonaws.com",
    ),
]
BASE_URLS = [
    ("openai", "OPENAI_BASE_URL"),
    ("anthropic", "ANTHROPIC_BASE_URL"),
    ("groq", "GROQ_BASE_URL"),
    ("cohere", "CO_API_URL"),
    ("bedrock", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
]


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """An environment without any credential; AWS and Google find no configuration either."""
    others = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION")
    rows = (name for row in PROVIDERS.values() for name in row.credential_variables)
    for variable in (*credential_variables(), *rows, *others, *(name for _, name in BASE_URLS)):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


@pytest.fixture
def full(bare):
    for _, variable, _, _ in KEYS:
        bare.setenv(variable, "k")
    bare.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    bare.setenv("GOOGLE_CLOUD_PROJECT", "p")
    return bare


def test_every_row_is_tested():
    assert {row[0] for row in KEYS} == set(PROVIDERS)


@pytest.mark.parametrize(("name", "class_name", "model_name", "system", "base_url"), NAMES)
def test_a_name_becomes_a_model(full, name, class_name, model_name, system, base_url):
    model = models.infer_model(name)
    assert isinstance(model, Model)
    assert type(model).__name__ == class_name
    assert (model.model_name, model.system, model.base_url) == (model_name, system, base_url)


@pytest.mark.parametrize("name", sorted(get_args(KnownModelName)))
def test_known_names_are_known(name):
    if name != "test":
        provider, _ = provider_and_model(name)
        assert ":" not in name or provider.name == name.partition(":")[0]


def test_known_names_are_as_many_as_ever():
    names = get_args(KnownModelName)
    assert len(names) == len(set(names)) == 183
    bare_openai = {name for name in names if f"openai:{name}" in names}
    of_openai = {name.removeprefix("openai:") for name in names if name.startswith("openai:")}
    assert of_openai - bare_openai == {"chatgpt-4o-latest"}
    assert "bedrock:amazon.titan-tg1-large" in names
    assert len([name for name in names if f"anthropic:{name}" in names]) == 4
    assert {name.partition(":")[0] for name in names if ":" in name} == set(PROVIDERS)


@pytest.mark.parametrize(
    ("module", "label", "prefix"),
    [
        ("anthropic", "Anthropic", "anthropic"),
        ("bedrock", "Bedrock", "bedrock"),
        ("cohere", "Cohere", "cohere"),
        ("gemini", "Gemini", "google-gla"),
        ("groq", "Groq", "groq"),
        ("mistral", "Mistral", "mistral"),
        ("openai", "OpenAI", "openai"),
    ],
)
def test_each_provider_has_the_type_of_its_names(module, label, prefix):
    models_of = import_module(f"replay_agent.models.{module}")
    latest = get_args(getattr(models_of, f"Latest{label}ModelNames"))
    known = [name.partition(":")[2] for name in get_args(KnownModelName) if name.startswith(f"{prefix}:")]
    assert sorted(latest) == sorted(known)
    assert get_args(getattr(models_of, f"{label}ModelName"))[0] is str


def test_test_is_a_fresh_test_model():
    one, other = models.infer_model("test"), models.infer_model("test")
    assert isinstance(one, TestModel)
    assert one is not other


def test_a_model_stays_itself():
    model = TestModel()
    assert models.infer_model(model) is model


@pytest.mark.parametrize("name", ["nonsense", "nonsense:model", "", "OPENAI:gpt-4o", ":gpt-4o"])
def test_unknown_models_are_refused(name):
    with pytest.raises(UserError, match=f"Unknown model: {name}"):
        models.infer_model(name)


def test_unknown_providers_are_refused():
    with pytest.raises(UserError, match=r"Unknown provider: nonsense.*openai, deepseek"):
        provider_named("nonsense")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("anthropic:claude-x", "ANTHROPIC_API_KEY"),
        ("mistral:small", "MISTRAL_API_KEY"),
        ("cohere:command", "CO_API_KEY"),
        ("deepseek:deepseek-chat", "DEEPSEEK_API_KEY"),
        ("google-gla:gemini-1.5-flash", "GEMINI_API_KEY"),
        ("groq:llama", "GROQ_API_KEY"),
    ],
)
async def test_where_a_model_is_made_without_a_key_its_call_names_it(bare, name, variable):
    agent = Agent(name)
    with pytest.raises(CredentialMissing, match=variable) as caught:
        await agent.run("Hello")
    assert caught.value.variable == variable


@pytest.mark.anyio
async def test_a_key_that_is_set_after_the_model_was_made_is_sent(bare, wire, hello, plain):
    model = AnthropicModel("claude-x", http_client=wire.client)
    bare.setenv("ANTHROPIC_API_KEY", "late")
    wire.answers({"content": [], "model": "claude-x"})
    await model.request(hello, None, plain)
    assert wire.request.headers["x-api-key"] == "late"


@pytest.mark.anyio
async def test_a_function_is_asked_for_the_key_at_each_call(bare, wire, hello, plain):
    keys = iter(["one", "two"])
    model = MistralModel("m", api_key=lambda: next(keys), http_client=wire.client)
    for _ in range(2):
        wire.answers({"choices": [{"message": {"role": "assistant", "content": "hi"}}], "model": "m"})
        await model.request(hello, None, plain)
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer one", "Bearer two"]


def test_openai_needs_no_key(bare):
    assert models.infer_model("openai:gpt-4o").model_name == "gpt-4o"


@pytest.mark.parametrize(("provider", "variable"), [("google-gla", "GOOGLE_API_KEY"), ("cohere", "COHERE_API_KEY")])
def test_a_second_spelling_of_the_key_will_do(bare, provider, variable):
    bare.setenv(variable, "second")
    assert PROVIDERS[provider].credential() == "second"


def test_the_first_spelling_of_the_key_wins(bare):
    bare.setenv("GOOGLE_API_KEY", "second")
    bare.setenv("GEMINI_API_KEY", "first")
    assert PROVIDERS["google-gla"].credential() == "first"


def test_an_empty_key_is_no_key(bare):
    bare.setenv("GROQ_API_KEY", "")
    with pytest.raises(CredentialMissing):
        PROVIDERS["groq"].credential()


@pytest.mark.parametrize(("provider", "variable"), BASE_URLS)
def test_base_url_comes_from_the_environment(full, provider, variable):
    full.setenv(variable, "http://localhost:1234/x")
    assert models.infer_model(f"{provider}:m").base_url == "http://localhost:1234/x/"


@pytest.mark.parametrize("row", PROVIDERS.values(), ids=lambda row: row.name)
def test_arguments_win_over_the_environment(full, row):
    module, class_name = row.model_class
    model_class = getattr(import_module(module), class_name)
    model = model_class("m", provider=row.name, base_url="http://localhost/v9", api_key="own", system="other")
    assert (model.base_url, model.system) == ("http://localhost/v9/", "other")
    assert repr(model) == f"{class_name}('m', provider={row.name!r})"


def test_a_row_of_ones_own(bare):
    row = replace(
        PROVIDERS["openai"], name="mine", base_url="http://mine/v1", credential_variables=("MINE",), system="mine"
    )
    bare.setenv("MINE", "k")
    model = import_module("replay_agent.models.openai").OpenAIModel("m", provider=row)
    assert (model.base_url, model.system) == ("http://mine/v1/", "mine")


def test_a_replay_needs_no_credential_of_any_row():
    placeholders = credential_variables()
    rows = [row for row in PROVIDERS.values() if row.credential_variables]
    assert [row.name for row in rows if placeholders.keys().isdisjoint(row.credential_variables)] == []


def test_the_table_is_light():
    code = "import sys, replay_agent.models.providers; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"pydantic", "httpx", "anyio", "replay_agent.models.base"}.isdisjoint(loaded)
