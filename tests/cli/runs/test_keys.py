"""What is missing before models are asked live, told from hosts, variables and files alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from replay_agent.cli.runs.keys import Missing, missing_keys
from replay_agent.cli.runs.recorded import Recorded
from replay_agent.models.providers import PROVIDERS
from replay_agent.surroundings.credentials import credential_names, credential_variables

HOSTS = {
    "openai_chat": ("api.openai.com", "OPENAI_API_KEY"),
    "openai_responses": ("api.openai.com", "OPENAI_API_KEY"),
    "azure": ("team.openai.azure.com", "AZURE_OPENAI_API_KEY"),
    "anthropic": ("api.anthropic.com", "ANTHROPIC_API_KEY"),
    "gemini": ("generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    "mistral": ("api.mistral.ai", "MISTRAL_API_KEY"),
    "cohere": ("api.cohere.com", "CO_API_KEY"),
    "ollama": ("ollama.com", "OLLAMA_API_KEY"),
    "groq": ("api.groq.com", "GROQ_API_KEY"),
    "deepseek": ("api.deepseek.com", "DEEPSEEK_API_KEY"),
    "gateway": ("openrouter.ai", "OPENROUTER_API_KEY"),
}
BEDROCK, VERTEX = "bedrock-runtime.eu-west-1.amazonaws.com", "europe-west1-aiplatform.googleapis.com"


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """A machine on which nobody has logged in anywhere."""
    for name in (*credential_names(), "CLOUDSDK_CONFIG", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def missing(*hosts, known=()):
    return missing_keys([Recorded("test", hosts=hosts)], known)


@pytest.mark.parametrize("name", HOSTS)
def test_a_key_that_is_not_set_is_named(name, monkeypatch):
    host, variable = HOSTS[name]
    assert missing(host) == [Missing(host, variable)]
    assert missing(host, known=[variable]) == []
    monkeypatch.setenv(variable, "sk-1")
    assert missing(host) == []


def test_a_placeholder_is_no_key(monkeypatch):
    for name, value in credential_variables().items():
        monkeypatch.setenv(name, value)
    assert [each.host for each in missing("api.openai.com", BEDROCK, VERTEX)] == ["api.openai.com", BEDROCK, VERTEX]


@pytest.mark.parametrize(
    "row", [row for row in PROVIDERS.values() if row.authentication == "header"], ids=lambda row: row.name
)
def test_every_provider_of_the_table_is_known(row):
    host = urlsplit(row.base_url).hostname
    assert missing(host) == [Missing(host, row.credential_variables[0])]
    for variable in row.credential_variables:
        assert missing(host, known=[variable]) == []


@pytest.mark.parametrize(
    "host",
    [
        "eu.api.openai.com",
        "api.cohere.ai",
        "codestral.mistral.ai",
        "us-east-1.api.x.ai",
        "router.huggingface.co",
        "x1.eu-west-1.aws.endpoints.huggingface.cloud",
        "bedrock-runtime-fips.us-east-1.amazonaws.com",
        "bedrock-runtime.cn-north-1.amazonaws.com.cn",
        "vpce-1-a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        "aiplatform.googleapis.com",
    ],
)
def test_other_addresses_of_providers_are_known(host):
    assert [each.host for each in missing(host)] == [host]


@pytest.mark.parametrize(
    "host",
    [
        "myopenrouter.ai",
        "notapi.openai.com",
        "api.openai.com.example.org",
        "evilapi.x.ai",
        "bigollama.com",
        "myaiplatform.googleapis.com",
        "bucket.s3.eu-west-1.amazonaws.com",
        "s3.amazonaws.com",
        "sts.amazonaws.com",
        "huggingface.co",
        "cdn-lfs.huggingface.co",
        "datasets-server.huggingface.co",
    ],
)
def test_a_host_that_only_ends_alike_or_serves_files_wants_nothing(host):
    assert missing(host) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "gateway.example", ""])
def test_what_nobody_knows_is_not_judged(host):
    assert missing(host) == []


def test_several_are_named_together():
    found = missing("api.openai.com", "api.anthropic.com", "api.openai.com")
    assert [each.wanted for each in found] == ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]


# --- AWS --------------------------------------------------------------------------------------------------------------


def test_aws_names_all_ways():
    (found,) = missing(BEDROCK)
    assert found.wanted.startswith("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK, or")


def test_half_of_a_pair_of_keys_is_none(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAX")
    assert [each.wanted for each in missing(BEDROCK)] == ["AWS_SECRET_ACCESS_KEY"]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert missing(BEDROCK) == []


@pytest.mark.parametrize(
    "variable",
    ["AWS_BEARER_TOKEN_BEDROCK", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"],
)
def test_aws_has_other_ways(variable, monkeypatch):
    monkeypatch.setenv(variable, "x")
    assert missing(BEDROCK) == []


@pytest.mark.parametrize(
    ("file", "text", "profile", "leads"),
    [
        ("credentials", "[default]\naws_access_key_id = AKIAX\n", None, True),
        ("credentials", "[work]\naws_access_key_id = AKIAX\n", "work", True),
        ("credentials", "[work]\naws_access_key_id = AKIAX\n", None, False),
        ("config", "[profile work]\nsso_session = us\n", "work", True),
        ("config", "[default]\nregion = eu-west-1\n", None, False),
        ("config", "[default]\ncredential_process = /bin/keys\n", None, True),
        ("config", "no section", None, True),
        ("config", "", "work", False),
    ],
)
def test_a_profile_leads_to_credentials(file, text, profile, leads, bare, monkeypatch):
    (bare / file).write_text(text)
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    found = missing(BEDROCK)
    assert (found == []) == leads
    assert leads or profile is None or f"profile '{profile}'" in found[0].wanted


def test_a_profile_that_only_the_tests_know_is_believed():
    assert missing(BEDROCK, known=["AWS_PROFILE"]) == []
    assert missing(BEDROCK, known=["AWS_DEFAULT_PROFILE"]) == []


# --- Google -----------------------------------------------------------------------------------------------------------


def test_google_names_the_file_and_how_to_log_in(bare, monkeypatch):
    assert [each.wanted for each in missing(VERTEX)] == [
        "GOOGLE_APPLICATION_CREDENTIALS, or log in: gcloud auth application-default login"
    ]
    place = bare / ".config" / "gcloud" / "application_default_credentials.json"
    place.parent.mkdir(parents=True)
    place.write_text("{}")
    assert missing(VERTEX) == []


def test_a_file_that_is_not_there_is_none(bare, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(bare / "gone.json"))
    assert [each.wanted for each in missing(VERTEX)] == [
        f"GOOGLE_APPLICATION_CREDENTIALS: there is no file {bare / 'gone.json'}"
    ]
    (bare / "gone.json").write_text("{}")
    assert missing(VERTEX) == []


@pytest.mark.parametrize("known", ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_API_KEY"])
def test_what_the_tests_set_is_enough_for_google(known):
    assert missing(VERTEX, known=[known]) == []
