"""The interface of the seed, pydantic-ai 0.0.40: names, parameters and their defaults, held against ours.

``seed_names.txt`` lists the names of each module, ``seed_interface.txt`` the signatures: ``=...`` is a default that has no
short spelling. What later versions added stays as an addition, and has to stand in the lists below.
"""

from __future__ import annotations

import inspect
import types
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent

PROVIDERS_BESIDE = {"provider", "base_url", "system"}
ADDED = {
    # An agent's run counts the failures of its tools in the context; a tool of the seed counted them itself.
    "tools:RunContext": {"tool_failures"},
    "tools:ToolDefinition": {"strict"},
    "messages:ModelResponse": {"finish_reason", "usage", "provider_response_id"},
    "agent:InstrumentationSettings": {"include_content"},
    "agent:AgentRun": {"ctx", "next_node"},
    "models.anthropic:AnthropicModel": PROVIDERS_BESIDE,
    "models.cohere:CohereModel": PROVIDERS_BESIDE,
    "models.groq:GroqModel": {"base_url", "system"},
    "models.mistral:MistralModel": PROVIDERS_BESIDE,
    "models.gemini:GeminiModel": {"base_url", "system", "project_id", "region", "service_account_file"},
    "models.vertexai:VertexAIModel": {"api_key", "base_url", "system"},
    "models.bedrock:BedrockConverseModel": {"region_name", "api_key", "base_url", "http_client", "system"},
    "providers.deepseek:DeepSeekProvider": {"base_url"},
    "providers.groq:GroqProvider": {"base_url"},
    "providers.bedrock:BedrockProvider": {"base_url", "http_client"},
    "common_tools.tavily:tavily_search_tool": {"http_client"},
}
"""Parameters that the seed does not have; all can be left out."""

OTHERWISE = {
    # None stands for the default of the provider's row, or of the environment.
    "models.openai:OpenAIModel": {"system": None},
    "models.bedrock:BedrockConverseModel": {"provider": None},
    "models.vertexai:VertexAIModel": {"region": None, "model_publisher": None},
    # Parameters may be left out where the seed wants them.
    "models:ModelRequestParameters": {"function_tools": ..., "allow_text_result": True, "result_tools": ...},
    # Without a client, the library is looked for at the first call. Tavily is asked with a key, not with its SDK.
    "common_tools.duckduckgo:DuckDuckGoSearchTool": {"client": None},
    "common_tools.tavily:TavilySearchTool": None,
    # It was `*args, **kwargs`, which hands on the same three.
    "models.wrapper:WrapperModel.request": None,
    # A group's signature is that of its base class, which differs among versions of Python.
    "exceptions:FallbackExceptionGroup": None,
}
"""Parameters whose default is another; None for a callable that is not compared."""


def lines(name):
    return (HERE / name).read_text("utf-8").splitlines()


NAMES = [
    (module, name)
    for module, _, names in (line.partition(": ") for line in lines("seed_names.txt"))
    for name in names.split()
]
SIGNATURES = [
    (place, sign + rest) for place, sign, rest in (line.partition("(") for line in lines("seed_interface.txt"))
]


def home(module):
    return import_module("replay_agent" if module == "." else f"replay_agent.{module}")


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_name_is_where_it_was(module, name):
    assert getattr(home(module), name, None) is not None


def test_modules_that_show_the_same_thing_show_one():
    for name in (
        "Agent",
        "RunContext",
        "Tool",
        "Usage",
        "UsageLimits",
        "InstrumentationSettings",
        "capture_run_messages",
    ):
        shown = {id(getattr(home(module), name)) for module, other in NAMES if other == name}
        assert len(shown) == 1, name


def found(place):
    """Return what stands at a place, and whether a call of it leaves out the first parameter."""
    module, _, path = place.partition(":")
    name, _, member = path.partition(".")
    value = getattr(home(module), name)
    if not member:
        return value, False
    if member in getattr(value, "__dataclass_fields__", ()):
        return value.__dataclass_fields__[member], False
    value = inspect.getattr_static(value, member)
    return (value.__func__, False) if isinstance(value, staticmethod) else (value, True)


def told(default):
    if default is inspect.Parameter.empty:
        return ""
    if isinstance(default, type):
        return f"={default.__name__}"
    if isinstance(default, str):
        return f'="{default}"'
    return f"={default!r}" if isinstance(default, bool | int | float | tuple | types.NoneType) else "=..."


def parameters(function, *, bound):
    """Return the parameters of a callable: name to how it is given and its default."""
    given = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    return {
        parameter.name: ("*" if parameter.kind is parameter.KEYWORD_ONLY else "", told(parameter.default))
        for parameter in given
        if not parameter.name.startswith("_")
    }


def wanted(signature):
    result, how = {}, ""
    for part in filter(None, signature.strip("()").split(", ")):
        if part == "*":
            how = "*"
            continue
        name, sign, default = part.lstrip("*").partition("=")
        result[name] = (how, sign + default)
        how = "*" if part.startswith("*") else how
    return result


def differences(place, signature):
    """Yield what differs between the seed's signature and ours."""
    value, bound = found(place)
    ours = parameters(value.__init__, bound=True) if isinstance(value, type) else parameters(value, bound=bound)
    theirs = wanted(signature)
    for name, (how, default) in theirs.items():
        otherwise = OTHERWISE.get(place, {})
        expected = (how, told(otherwise[name]) if name in otherwise else default)
        if name not in ours:
            yield f"{place}: {name} is missing"
        elif ours[name] != expected and not (expected[1] == "=..." and ours[name][0] == how and ours[name][1]):
            yield f"{place}: {name} is {''.join(ours[name])!r}, it was {''.join(expected)!r}"
    for name in ours.keys() - theirs.keys():
        if name not in ADDED.get(place, ()):
            yield f"{place}: {name} is new"
        elif place != "agent:AgentRun" and not ours[name][1]:
            yield f"{place}: {name} is new and must be given"


@pytest.mark.parametrize(("place", "signature"), SIGNATURES)
def test_a_signature_is_as_it_was(place, signature):
    if OTHERWISE.get(place, ()) is None:
        pytest.skip("not compared")
    if not signature:
        value, _ = found(place)
        assert isinstance(value, property) or not callable(value)
        return
    assert list(differences(place, signature)) == []


def test_no_exception_is_made_for_what_is_gone():
    places = {place for place, _ in SIGNATURES}
    assert (ADDED.keys() | OTHERWISE.keys()) - places == set()
