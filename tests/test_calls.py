from __future__ import annotations

from dataclasses import asdict, fields, replace

import pytest

from replay_agent.calls import ModelCall, ToolDefinition

SCHEMA = {"type": "object", "properties": {}}


def test_definitions_are_equal_by_value_and_strictness_counts():
    one = ToolDefinition("add", "Add.", SCHEMA)
    assert one == ToolDefinition("add", "Add.", dict(SCHEMA))
    assert one != ToolDefinition("add", "Add.", SCHEMA, strict=True)
    assert one != ToolDefinition("add", "Add.", SCHEMA, "response")
    assert one != "add"


def test_strictness_is_no_field():
    definition = ToolDefinition("add", "Add.", SCHEMA, strict=True)
    assert [field.name for field in fields(definition)] == [
        "name",
        "description",
        "parameters_json_schema",
        "outer_typed_dict_key",
    ]
    assert "strict" not in asdict(definition)


def test_definitions_are_changeable_and_so_not_hashable():
    with pytest.raises(TypeError):
        hash(ToolDefinition("add", "Add.", SCHEMA))


def test_a_call_made_by_hand_has_no_source():
    assert ModelCall([]).source is None


def test_a_call_knows_the_body_that_it_was_read_from_and_nothing_else_changes():
    call = ModelCall([], "m")
    read = ModelCall([], "m").read_from(b"{}")
    assert read.source == b"{}"
    assert read == call
    assert asdict(read) == asdict(call)


def test_a_changed_copy_forgets_its_source():
    read = ModelCall([], "m").read_from(b"{}")
    assert replace(read, model="n").source is None


def test_whose_dialect_it_is_takes_no_part_in_comparison():
    assert ModelCall([], dialect="groq") == ModelCall([], dialect="openai")
    assert ModelCall([], system_role="developer") != ModelCall([])


def test_calls_do_not_share_what_they_start_with():
    one, other = ModelCall([]), ModelCall([])
    one.tools.append(ToolDefinition("add", None, SCHEMA))
    one.extras["user"] = "me"
    assert (other.tools, other.extras, other.settings) == ([], {}, {})
