from __future__ import annotations

import httpx
import pytest

from replay_agent.exceptions import CredentialMissing, ModelHTTPError, UserError
from replay_agent.messages import ModelRequest, UserPromptPart
from replay_agent.models.anthropic import AnthropicModel
from replay_agent.models.bedrock import BedrockConverseModel
from replay_agent.models.cohere import CohereModel
from replay_agent.models.gemini import GeminiModel
from replay_agent.models.groq import GroqModel
from replay_agent.models.mistral import MistralModel
from replay_agent.models.openai import OpenAIModel
from replay_agent.providers import Provider, infer_provider
from replay_agent.providers.anthropic import AnthropicProvider
from replay_agent.providers.azure import AzureProvider
from replay_agent.providers.bedrock import BedrockProvider
from replay_agent.providers.cohere import CohereProvider
from replay_agent.providers.deepseek import DeepSeekProvider
from replay_agent.providers.google_gla import GoogleGLAProvider
from replay_agent.providers.google_vertex import GoogleVertexProvider
from replay_agent.providers.groq import GroqProvider
from replay_agent.providers.mistral import MistralProvider
from replay_agent.providers.openai import OpenAIProvider

pytestmark = pytest.mark.anyio

HELLO = [ModelRequest([UserPromptPart("Hello")])]
CHAT = "/chat/completions"
PROVIDERS = [
    (OpenAIProvider, OpenAIModel, "openai", f"https://api.openai.com/v1{CHAT}", "authorization", "Bearer k"),
    (DeepSeekProvider, OpenAIModel, "deepseek", f"https://api.deepseek.com{CHAT}", "authorization", "Bearer k"),
    (GroqProvider, GroqModel, "groq", f"https://api.groq.com/openai/v1{CHAT}", "authorization", "Bearer k"),
    (MistralProvider, MistralModel, "mistral", f"https://api.mistral.ai/v1{CHAT}", "authorization", "Bearer k"),
    (CohereProvider, CohereModel, "cohere", "https://api.cohere.com/v2/chat", "authorization", "Bearer k"),
    (AnthropicProvider, AnthropicModel, "anthropic", "https://api.anthropic.com/v1/messages", "x-api-key", "k"),
    (
        GoogleGLAProvider,
        GeminiModel,
        "google-gla",
        "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
        "x-goog-api-key",
        "k",
    ),
]


async def sent(wire, model, plain):
    with pytest.raises(ModelHTTPError):
        await model.request(HELLO, None, plain)
    return wire.requests[-1]


@pytest.mark.parametrize(
    ("make", "model", "name", "address", "header", "value"), PROVIDERS, ids=lambda value: str(value)
)
async def test_a_model_goes_where_its_provider_says(bare, wire, plain, make, model, name, address, header, value):
    provider = make(api_key="k", http_client=wire.client)
    assert (provider.name, provider.client.api_key) == (name, "k")
    assert address.startswith(provider.base_url.rstrip("/"))
    request = await sent(wire, model("m", provider=provider), plain)
    assert (str(request.url), request.headers[header]) == (address, value)


@pytest.mark.parametrize("make", [row[0] for row in PROVIDERS if row[0] is not GoogleGLAProvider])
async def test_an_address_may_be_given(bare, make):
    provider = make(api_key="k", base_url="http://localhost:8080/mine")
    assert provider.base_url.removesuffix("/") == "http://localhost:8080/mine"
    assert str(provider.client.base_url) == "http://localhost:8080/mine/"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, "https://api.openai.com/v1/"),
        ("http://localhost:1/v1", "http://localhost:1/v1/"),
        ("http://localhost:1/v1/", "http://localhost:1/v1/"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://localhost:1/v1?version=2", "http://localhost:1/v1/"),
    ],
)
async def test_an_address_is_shown_with_a_slash_behind_its_path(bare, given, shown):
    provider = OpenAIProvider(given, "k")
    model = OpenAIModel("m", provider=provider)
    assert {provider.base_url, model.base_url, str(model.client.base_url)} == {shown}


@pytest.mark.parametrize(("make", "model"), [row[:2] for row in PROVIDERS])
async def test_a_models_client_is_that_of_its_provider(bare, make, model):
    provider = make(api_key="k")
    assert model("a", provider=provider).client is model("b", provider=provider).client is provider.client
    await provider.client.aclose()
    assert not provider.client.is_closed


async def test_several_models_may_share_one_provider(bare, wire, plain):
    provider = OpenAIProvider("http://localhost/v1", "k", http_client=wire.client)
    for name in ("a", "b"):
        await sent(wire, OpenAIModel(name, provider=provider), plain)
    assert {str(request.url) for request in wire.requests} == {f"http://localhost/v1{CHAT}"}


@pytest.mark.parametrize(
    ("make", "variable"),
    [
        (GoogleGLAProvider, "GEMINI_API_KEY"),
        (GroqProvider, "GROQ_API_KEY"),
        (DeepSeekProvider, "DEEPSEEK_API_KEY"),
    ],
)
async def test_a_missing_key_is_named_at_once(bare, make, variable):
    with pytest.raises(ValueError, match=rf"`{variable}`.*{make.__name__}\(api_key=\.\.\.\)") as caught:
        make()
    assert isinstance(caught.value, CredentialMissing)
    assert caught.value.variable == variable
    bare.setenv(variable, "set")
    assert make().client.api_key == "set"


@pytest.mark.parametrize("make", [AnthropicProvider, MistralProvider, CohereProvider])
async def test_other_providers_put_a_missing_key_off(bare, wire, plain, make):
    provider = make(http_client=wire.client)
    assert provider.client.api_key is None
    with pytest.raises(CredentialMissing):
        await provider.client.get("/models")
    assert wire.requests == []


async def test_azure_wants_a_key_at_once(bare):
    with pytest.raises(CredentialMissing, match="AZURE_OPENAI_API_KEY"):
        AzureProvider(azure_endpoint="https://me.openai.azure.com", api_version="2024-10-21")


@pytest.mark.parametrize("make", [row[0] for row in PROVIDERS])
async def test_a_providers_client_sends_through_the_one_that_was_given(bare, wire, make):
    provider = make(api_key="k", http_client=wire.client)
    response = await provider.client.get("/models")
    assert response.status_code == 418
    assert str(wire.requests[0].url) == provider.base_url.rstrip("/") + "/models"
    assert provider.client.auth is provider.access.auth
    assert (wire.client.auth, str(wire.client.base_url)) == (None, "")


@pytest.mark.parametrize(
    ("provider", "make"),
    [
        ("openai", OpenAIProvider),
        ("anthropic", AnthropicProvider),
        ("mistral", MistralProvider),
        ("cohere", CohereProvider),
        ("google-vertex", GoogleVertexProvider),
    ],
)
async def test_a_provider_is_found_by_its_name(bare, provider, make):
    found = infer_provider(provider)
    assert (type(found), found.name) == (make, provider)
    assert isinstance(found, Provider)
    assert isinstance(found.client, httpx.AsyncClient)


@pytest.mark.parametrize(("provider", "variable"), [("groq", "GROQ_API_KEY"), ("azure", "AZURE_OPENAI_ENDPOINT")])
async def test_a_provider_found_by_its_name_wants_its_variables(bare, provider, variable):
    with pytest.raises(CredentialMissing, match=variable):
        infer_provider(provider)


async def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown provider: acme.*openai"):
        infer_provider("acme")


async def test_the_own_client_knows_address_and_key_and_leaves_the_shared_one_alone(bare, wire):
    provider = GoogleGLAProvider("k")
    assert provider.client.headers["x-goog-api-key"] == "k"
    model = GeminiModel("m", api_key="k", http_client=wire.client)
    await model.client.get("/m")
    assert str(wire.requests[0].url) == "https://generativelanguage.googleapis.com/v1beta/models/m"
    assert wire.requests[0].headers["x-goog-api-key"] == "k"
    assert "x-goog-api-key" not in wire.client.headers


async def test_azure_names_deployment_and_version(bare, wire, plain):
    provider = AzureProvider(
        azure_endpoint="https://me.openai.azure.com/", api_version="2024-10-21", api_key="k", http_client=wire.client
    )
    assert (provider.name, provider.base_url) == ("azure", "https://me.openai.azure.com/openai/")
    request = await sent(wire, OpenAIModel("gpt 4", provider=provider), plain)
    assert str(request.url) == (
        "https://me.openai.azure.com/openai/deployments/gpt%204/chat/completions?api-version=2024-10-21"
    )
    assert request.headers["api-key"] == "k"
    assert "authorization" not in request.headers


@pytest.mark.parametrize("missing", ["AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION", "AZURE_OPENAI_API_KEY"])
async def test_azure_takes_the_environment_and_names_what_it_lacks(bare, missing):
    given = {
        "AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com",
        "OPENAI_API_VERSION": "2024-10-21",
        "AZURE_OPENAI_API_KEY": "k",
    }
    for name, value in given.items():
        bare.setenv(name, value)
    assert AzureProvider().base_url == "https://me.openai.azure.com/openai/"
    bare.delenv(missing)
    with pytest.raises(ValueError, match=missing):
        AzureProvider()


async def test_vertex_names_region_and_publisher(bare, wire, plain):
    bare.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "t")
    provider = GoogleVertexProvider(
        project_id="p", region="asia-east1", model_publisher="acme", http_client=wire.client
    )
    request = await sent(wire, GeminiModel("m", provider=provider), plain)
    assert str(request.url) == (
        "https://asia-east1-aiplatform.googleapis.com/v1/projects/p/locations/asia-east1"
        "/publishers/acme/models/m:generateContent"
    )
    assert request.headers["authorization"] == "Bearer t"


async def test_vertex_without_a_project_says_so_when_asked(bare, wire, plain):
    bare.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "t")
    provider = GoogleVertexProvider()
    assert "/projects/None/" in provider.base_url
    with pytest.raises(UserError, match="GOOGLE_CLOUD_PROJECT"):
        await GeminiModel("m", provider=provider).request(HELLO, None, plain)


async def test_vertex_takes_one_service_account(bare):
    with pytest.raises(ValueError, match="Only one of"):
        GoogleVertexProvider(service_account_file="a.json", service_account_info={"type": "service_account"})


async def test_bedrock_signs_with_the_keys_given(bare, wire, plain):
    provider = BedrockProvider(
        region_name="eu-west-1",
        aws_access_key_id="AKIAMINE",
        aws_secret_access_key="s",
        aws_session_token="t",
        http_client=wire.client,
    )
    request = await sent(wire, BedrockConverseModel("m", provider=provider), plain)
    assert request.url.host == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert "Credential=AKIAMINE/" in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == "t"


async def test_bedrock_wants_both_keys(bare):
    with pytest.raises(UserError, match="aws_secret_access_key"):
        BedrockProvider(region_name="eu-west-1", aws_access_key_id="AKIAMINE")


class Sdk:
    """A client that an SDK made."""


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (OpenAIProvider, "openai_client"),
        (DeepSeekProvider, "openai_client"),
        (AzureProvider, "openai_client"),
        (GroqProvider, "groq_client"),
        (MistralProvider, "mistral_client"),
        (CohereProvider, "cohere_client"),
        (AnthropicProvider, "anthropic_client"),
        (BedrockProvider, "bedrock_client"),
        (lambda **given: OpenAIModel("m", **given), "openai_client"),
        (lambda **given: AnthropicModel("m", **given), "anthropic_client"),
        (lambda **given: GroqModel("m", **given), "groq_client"),
        (lambda **given: CohereModel("m", **given), "cohere_client"),
        (lambda **given: MistralModel("m", **given), "client"),
    ],
)
async def test_a_client_of_an_sdk_is_refused_with_what_to_give(make, argument):
    with pytest.raises(UserError, match=rf"`{argument}` cannot be used.*`base_url`.*`http_client`"):
        make(**{argument: Sdk()})


async def test_a_provider_beside_other_arguments_is_refused(bare):
    with pytest.raises(UserError, match="`api_key`"):
        OpenAIModel("m", provider=OpenAIProvider(), api_key="k")


class Own(Provider):
    """A provider that somebody wrote."""

    name = "own"
    base_url = "https://own.example/v1"

    def __init__(self, client):
        self._own_client = client

    @property
    def client(self):
        return self._own_client


async def test_a_provider_of_ones_own_brings_its_client(bare, wire, plain):
    wire.client.headers["x-own-key"] = "k"
    request = await sent(wire, OpenAIModel("m", provider=Own(wire.client)), plain)
    assert (str(request.url), request.headers["x-own-key"]) == (f"https://own.example/v1{CHAT}", "k")
    assert "authorization" not in request.headers


async def test_a_provider_of_ones_own_with_an_sdks_client_is_refused(bare):
    with pytest.raises(UserError, match="client of Own"):
        OpenAIModel("m", provider=Own(Sdk()))
