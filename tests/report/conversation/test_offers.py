import pytest

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.report.compare import ToolAdded, ToolChanged, ToolRemoved, compare_calls
from replay_agent.report.conversation.offers import offers, settings_beside
from replay_agent.report.json_diff import ABSENT, ValueChange

SEARCH = ToolDefinition("search", "Find it.", {"type": "object", "properties": {}})


def call(**extras):
    return ModelCall([], tools=[SEARCH], extras=extras)


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ({"type": "web_search_20250305", "name": "web_search"}, "web_search"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "code_interpreter"),
        ({"type": "mcp", "server_label": "maps"}, "maps"),
        ({"type": "custom", "custom": {"name": "shell"}}, "shell"),
        ({"googleSearch": {}}, "googleSearch"),
    ],
)
def test_a_tool_of_the_provider_has_a_name(tool, name):
    assert [each.name for each in offers(call(tools=[tool]))] == ["search", name]
    assert settings_beside(call(tools=[tool])) == {}
    assert compare_calls(call(), call(tools=[tool])) == [ToolAdded(name)]
    assert compare_calls(call(tools=[tool]), call()) == [ToolRemoved(name)]


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "function"}],
        [{"type": "web_search"}, {"type": "web_search"}],
        [{"type": "custom", "name": "search"}],
        [{"a": 1, "b": 2}],
        ["search"],
        "search",
        [],
    ],
)
def test_what_has_no_name_of_its_own_stays_a_setting(tools):
    assert [each.name for each in offers(call(tools=tools))] == ["search"]
    assert settings_beside(call(tools=tools)) == {"tools": tools}


def test_a_tool_of_the_provider_is_compared_field_by_field():
    before, after = ({"type": "web_search", "max_uses": most} for most in (3, 5))
    changed = compare_calls(call(tools=[before]), call(tools=[after]))
    assert changed == [ToolChanged("web_search", (ValueChange("max_uses", 3, 5),))]


def test_what_a_format_says_of_a_tool_is_of_the_tool():
    marked = call(**{"tools[search].cache_control": {"type": "ephemeral"}, "top_k": 5})
    assert settings_beside(marked) == {"top_k": 5}
    change = ValueChange("cache_control", ABSENT, {"type": "ephemeral"})
    assert compare_calls(call(top_k=5), marked) == [ToolChanged("search", (change,))]


def test_what_is_said_of_no_tool_stays_a_setting():
    assert settings_beside(call(**{"tools[gone].strict": True})) == {"tools[gone].strict": True}


def test_who_runs_a_tool_counts():
    own = ModelCall([], tools=[SEARCH])
    provided = ModelCall([], extras={"tools": [{"type": "custom", "name": "search"}]})
    (change,) = compare_calls(own, provided)
    assert isinstance(change, ToolChanged)
    assert change.changes[0] == ValueChange("run by", "the client", "the provider")
