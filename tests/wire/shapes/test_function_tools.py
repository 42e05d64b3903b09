from __future__ import annotations

import pytest
from hypothesis import given

from replay_agent.calls import ToolDefinition
from replay_agent.wire.shapes.function_tools import read_function_tools, write_function_tools
from tests.wire import generated as g


@given(g.tool_lists)
def test_tools_come_back(tools):
    assert read_function_tools(write_function_tools(tools)) == (tools, [])


def test_a_tool_without_parameters_takes_none():
    tools, _ = read_function_tools([{"type": "function", "function": {"name": "f", "parameters": None}}])
    assert tools == [ToolDefinition("f", None, {"type": "object", "properties": {}})]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "f",
        {},
        {"type": "web_search"},
        {"function": {"name": 1}},
        {"function": {"name": "f", "parameters": []}},
        {"function": {"name": "f", "strict": True}},
        {"function": {"name": "f"}, "cache": True},
    ],
)
def test_other_entries_are_handed_back(entry):
    assert read_function_tools([entry]) == ([], [entry])


@pytest.mark.parametrize("raw", [None, {}, "x", 1])
def test_what_is_no_list_holds_no_tools(raw):
    assert read_function_tools(raw) == ([], [])
