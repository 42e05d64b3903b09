"""Which credentials the recorded calls of tests need that are not there, told without asking anybody."""

from __future__ import annotations

import configparser
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from replay_agent.cli.runs.recorded import Recorded
from replay_agent.models.providers import PROVIDERS, Provider
from replay_agent.recording.matching.hosts import host_of, matches_host
from replay_agent.surroundings.credentials import is_placeholder

__all__ = "Missing", "missing_keys"

Known: TypeAlias = Collection[str]
"""Variables that are set in the process that runs the tests, though perhaps not in this one."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A host that is called, and what it wants to be set."""

    host: str
    wanted: str


_FURTHER: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "anthropic": ((), ("ANTHROPIC_AUTH_TOKEN",)),
    "cohere": (("api.cohere.ai",), ()),
    "openai": (("*.api.openai.com",), ()),
    "mistral": (("codestral.mistral.ai",), ("CODESTRAL_API_KEY",)),
}
"""Of providers of the table, hosts and variables that we ask none of ourselves, and other clients do."""
_OTHERS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com", "*.models.ai.azure.com"),
        ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_AI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_CLIENT_ID"),
    ),
    (("ollama.com", "*.ollama.com"), ("OLLAMA_API_KEY",)),
    (("openrouter.ai", "*.openrouter.ai"), ("OPENROUTER_API_KEY",)),
    (("api.x.ai", "*.api.x.ai"), ("XAI_API_KEY",)),
    (("api.together.xyz", "api.together.ai"), ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY")),
    (("api.fireworks.ai",), ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY")),
    (("api.perplexity.ai",), ("PERPLEXITY_API_KEY",)),
    (("api.cerebras.ai",), ("CEREBRAS_API_KEY",)),
    (("api.deepinfra.com",), ("DEEPINFRA_API_KEY",)),
    (("api.moonshot.ai", "api.moonshot.cn"), ("MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY")),
    (("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com"), ("DASHSCOPE_API_KEY",)),
    (("integrate.api.nvidia.com",), ("NVIDIA_API_KEY",)),
    (("api.sambanova.ai",), ("SAMBANOVA_API_KEY",)),
    (("ai-gateway.vercel.sh",), ("VERCEL_AI_GATEWAY_API_KEY", "AI_GATEWAY_API_KEY")),
    (
        ("api-inference.huggingface.co", "router.huggingface.co", "*.endpoints.huggingface.cloud"),
        ("HF_TOKEN", "HUGGINGFACE_API_KEY", "HUGGINGFACEHUB_API_TOKEN"),
    ),
    (("models.github.ai", "models.inference.ai.azure.com"), ("GITHUB_API_KEY", "GITHUB_TOKEN")),
)
"""Patterns of hosts, and the variables of which one has to hold the key, that to be named first.

Of Hugging Face those that answer for models: what is downloaded from the others needs no key.
"""
_AWS_HOSTS = tuple(
    host
    for service in ("bedrock-runtime", "bedrock-agent-runtime", "bedrock-mantle")
    for home in ("amazonaws.com", "amazonaws.com.cn", "api.aws")
    for host in (f"{service}.*.{home}", f"{service}-fips.*.{home}", f"*.{service}.*.vpce.{home}")
)
"""Those of models. A file that is fetched from S3 comes by an address that was signed before, or needs no key."""
_AWS_PAIR = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
_AWS_PROFILES = "AWS_PROFILE", "AWS_DEFAULT_PROFILE"
_AWS_OTHERS = (
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""Variables each of which leads AWS's clients to credentials."""
_AWS_FIELDS = (
    "aws_access_key_id",
    "credential_process",
    "role_arn",
    "sso_session",
    "sso_start_url",
    "login_session",
    "web_identity_token_file",
)
"""What a profile has that leads to credentials."""
_GOOGLE_HOSTS = "aiplatform.googleapis.com", "*-aiplatform.googleapis.com", "aiplatform.*.rep.googleapis.com"
_GOOGLE_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_GOOGLE_OTHERS = "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_API_KEY"


def missing_keys(recorded: Iterable[Recorded], known: Known) -> list[Missing]:
    """Return the hosts of recorded calls whose credentials are not set; ``known`` are the variables that tests find.

    What only a machine in a cloud can tell by asking its neighbours (an instance's own role) counts as missing.
    """
    hosts = {host for one in recorded for host in one.hosts}
    wanted = ((host, _wanted(host, known)) for host in sorted(hosts))
    return [Missing(host, what) for host, what in wanted if what]


def _wanted(host: str, known: Known) -> str:
    """Return what a host wants to be set, empty where all is there, or where nobody knows what it takes."""
    if matches_host(host, None, _AWS_HOSTS):
        return _wanted_by_aws(known)
    if matches_host(host, None, _GOOGLE_HOSTS):
        return _wanted_by_google(known)
    for patterns, variables in _by_host():
        if matches_host(host, None, patterns) and not any(_is_set(name, known) for name in variables):
            return variables[0]
    return ""


@cache
def _by_host() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    rows = (row for row in PROVIDERS.values() if row.authentication == "header")
    return (*map(_hosts_and_variables, rows), *_OTHERS)


def _hosts_and_variables(row: Provider) -> tuple[tuple[str, ...], tuple[str, ...]]:
    hosts, variables = _FURTHER.get(row.name, ((), ()))
    return (host_of(row.base_url)[0], *hosts), (*row.credential_variables, *variables)


def _is_set(variable: str, known: Known) -> bool:
    value = os.environ.get(variable)
    return variable in known or bool(value and not is_placeholder(value))


# --- AWS --------------------------------------------------------------------------------------------------------------


def _wanted_by_aws(known: Known) -> str:
    if any(_is_set(name, known) for name in _AWS_OTHERS):
        return ""
    half = [name for name in _AWS_PAIR if not _is_set(name, known)]
    if len(half) == 1:
        return half[0]
    profile = next(filter(None, map(os.environ.get, _AWS_PROFILES)), None)
    told_elsewhere = not profile and any(name in known for name in _AWS_PROFILES)
    if not half or told_elsewhere or _has_profile(profile or "default"):
        return ""
    said = f"the profile {profile!r} of AWS_PROFILE has none; " if profile else ""
    return f"{said}{' and '.join(_AWS_PAIR)}, or AWS_BEARER_TOKEN_BEDROCK, or a profile in {_aws_file('credentials')}"


def _has_profile(profile: str) -> bool:
    names = (("credentials", profile), ("config", profile if profile == "default" else f"profile {profile}"))
    return any(_leads_to_credentials(_aws_file(file), section) for file, section in names)


def _aws_file(name: str) -> Path:
    variable = "AWS_SHARED_CREDENTIALS_FILE" if name == "credentials" else "AWS_CONFIG_FILE"
    return Path(os.environ.get(variable) or f"~/.aws/{name}").expanduser()


def _leads_to_credentials(file: Path, section: str) -> bool:
    parser = configparser.RawConfigParser(strict=False, default_section="", allow_no_value=True)
    try:
        parser.read(file, "utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return file.is_file()  # AWS's clients say what is wrong with it, if it is what they read
    return parser.has_section(section) and any(parser.has_option(section, field) for field in _AWS_FIELDS)


# --- Google -----------------------------------------------------------------------------------------------------------


def _wanted_by_google(known: Known) -> str:
    if _GOOGLE_FILE in known or any(_is_set(name, known) for name in _GOOGLE_OTHERS):
        return ""
    named = os.environ.get(_GOOGLE_FILE)
    if named and not is_placeholder(named):
        return "" if Path(named).is_file() else f"{_GOOGLE_FILE}: there is no file {named}"
    if any(place.is_file() for place in _places_of_google()):
        return ""
    return f"{_GOOGLE_FILE}, or log in: gcloud auth application-default login"


def _places_of_google() -> Iterator[Path]:
    """Yield where ``gcloud auth application-default login`` leaves a file."""
    folders = (os.environ.get("CLOUDSDK_CONFIG"), f"{os.environ.get('APPDATA', '')}/gcloud", "~/.config/gcloud")
    for folder in folders:
        if folder:
            yield Path(folder).expanduser() / "application_default_credentials.json"
