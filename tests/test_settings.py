from __future__ import annotations

import subprocess
import sys
from typing import get_type_hints

import httpx
import pytest
from pydantic import BaseModel, ValidationError, create_model

from replay_agent.models.anthropic import AnthropicModelSettings
from replay_agent.models.bedrock import BedrockModelSettings
from replay_agent.models.cohere import CohereModelSettings
from replay_agent.models.gemini import GeminiModelSettings
from replay_agent.models.groq import GroqModelSettings
from replay_agent.models.mistral import MistralModelSettings
from replay_agent.models.openai import OpenAIModelSettings
from replay_agent.settings import ModelSettings, merge_model_settings

EVERY = [
    ModelSettings,
    AnthropicModelSettings,
    BedrockModelSettings,
    CohereModelSettings,
    GeminiModelSettings,
    GroqModelSettings,
    MistralModelSettings,
    OpenAIModelSettings,
]


@pytest.mark.parametrize("settings", EVERY)
def test_settings_are_a_field_of_a_model_of_pydantic(settings):
    model: type[BaseModel] = create_model("Configured", settings=(settings, ...))
    given = {"max_tokens": 10, "timeout": 2.5}
    assert model(settings=given).settings == given
    with pytest.raises(ValidationError, match="max_tokens"):
        model(settings={"max_tokens": "many"})


def test_a_timeout_of_httpx_is_kept_in_a_field():
    model = create_model("Configured", settings=(ModelSettings, ...))
    assert model(settings={"timeout": httpx.Timeout(3)}).settings["timeout"] == httpx.Timeout(3)


@pytest.mark.parametrize("settings", EVERY)
def test_annotations_can_be_read(settings):
    assert get_type_hints(settings)["max_tokens"] is int


def test_settings_bring_no_http_client_along():
    code = "import sys, replay_agent.settings; print('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_later_settings_win():
    assert merge_model_settings({"seed": 1, "top_p": 0.5}, {"seed": 2}) == {"seed": 2, "top_p": 0.5}
    assert merge_model_settings(None, {"seed": 2}) == {"seed": 2}
    assert merge_model_settings({"seed": 1}, None) == {"seed": 1}
    assert merge_model_settings(None, None) is None
