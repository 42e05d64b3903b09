"""What changed between two calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replay_agent.calls import ModelCall, OutputSchema, ToolDefinition
from replay_agent.messages import (
    BinaryContent,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.report.compare import (
    ArgumentChanged,
    CallIdChanged,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    RemoteCallChanged,
    SettingChanged,
    ToolAdded,
    ToolChanged,
    ToolRemoved,
    ToolsReordered,
    compare_calls,
    distance,
    turn_of,
)
from replay_agent.report.json_diff import ABSENT, ValueChange
from replay_agent.report.words import word_diff

SYSTEM = SystemPromptPart("Be a geographer.")
USER = UserPromptPart("What is the capital of France?")
CALL = ToolCallPart("lookup", '{"country": "France"}', "call_1")
RETURN = ToolReturnPart("lookup", {"name": "Paris"}, "call_1")
FIRST = ModelRequest([SYSTEM, USER])
HISTORY = [FIRST, ModelResponse([CALL]), ModelRequest([RETURN])]
TOOL = ToolDefinition("lookup", "Look it up.", {"type": "object", "properties": {"country": {"type": "string"}}})
BASE = ModelCall(HISTORY, model="gpt-4o", tools=[TOOL], settings={"temperature": 0.2})


def with_messages(*messages):
    return replace(BASE, messages=list(messages))


def test_equal_calls_have_no_changes():
    assert compare_calls(BASE, replace(BASE)) == []


@pytest.mark.parametrize(
    ("after", "turn", "role", "texts"),
    [
        (
            [ModelRequest([SystemPromptPart("Be a historian."), USER]), *HISTORY[1:]],
            1,
            "system prompt",
            ("Be a geographer.", "Be a historian."),
        ),
        (
            [ModelRequest([SYSTEM, UserPromptPart("And Spain?")]), *HISTORY[1:]],
            1,
            "user prompt",
            ("What is the capital of France?", "And Spain?"),
        ),
        (
            [*HISTORY[:2], ModelRequest([ToolReturnPart("lookup", {"name": "Lyon"}, "call_1")])],
            2,
            "result of tool lookup",
            ('{\n "name": "Paris"\n}', '{\n "name": "Lyon"\n}'),
        ),
        (
            [FIRST, ModelResponse([ToolCallPart("lookup", {"country": "Spain"}, "call_1")]), HISTORY[2]],
            1,
            "assistant's call of lookup",
            ('{\n "country": "France"\n}', '{\n "country": "Spain"\n}'),
        ),
    ],
)
def test_a_changed_message_is_named(after, turn, role, texts):
    assert compare_calls(BASE, with_messages(*after)) == [MessageChanged(turn, role, word_diff(*texts))]


def test_spelling_of_arguments_is_no_change():
    respelled = ModelResponse([ToolCallPart("lookup", {"country": "France"}, "call_1")])
    assert compare_calls(BASE, with_messages(FIRST, respelled, HISTORY[2])) == []


def test_added_and_removed_messages_are_named():
    more = with_messages(*HISTORY, ModelResponse([TextPart("Paris.")]), ModelRequest([UserPromptPart("Thanks.")]))
    assert compare_calls(BASE, more) == [
        MessageAdded(2, "assistant's text", "Paris."),
        MessageAdded(3, "user prompt", "Thanks."),
    ]
    assert compare_calls(more, BASE) == [
        MessageRemoved(2, "assistant's text", "Paris."),
        MessageRemoved(3, "user prompt", "Thanks."),
    ]


def test_an_inserted_prompt_does_not_shift_the_others():
    before = with_messages(ModelRequest([UserPromptPart("Where is Paris on the map?")]))
    after = with_messages(
        ModelRequest([UserPromptPart("Hello."), UserPromptPart("Where is Lyon on the map?")]),
    )
    assert compare_calls(before, after) == [
        MessageAdded(1, "user prompt", "Hello."),
        MessageChanged(1, "user prompt", word_diff("Where is Paris on the map?", "Where is Lyon on the map?")),
    ]


def test_a_dropped_prompt_does_not_shift_the_others():
    before = with_messages(ModelRequest([UserPromptPart("Hello."), UserPromptPart("Where is Paris on the map?")]))
    after = with_messages(ModelRequest([UserPromptPart("Where is Lyon on the map?")]))
    assert [type(change) for change in compare_calls(before, after)] == [MessageRemoved, MessageChanged]


def test_ids_count_only_if_nothing_else_changed():
    renamed = [
        FIRST,
        ModelResponse([replace(CALL, tool_call_id="x")]),
        ModelRequest([replace(RETURN, tool_call_id="x")]),
    ]
    assert compare_calls(BASE, with_messages(*renamed)) == [
        CallIdChanged(1, "assistant's call of lookup", "call_1", "x"),
        CallIdChanged(2, "result of tool lookup", "call_1", "x"),
    ]
    edited = with_messages(ModelRequest([SYSTEM, UserPromptPart("Else?")]), *renamed[1:])
    assert [type(change) for change in compare_calls(BASE, edited)] == [MessageChanged]


def test_every_kind_of_part_is_compared():
    parts = [
        RetryPromptPart("Again.", tool_name="lookup"),
        RetryPromptPart("Again."),
        UnknownPart({"type": "odd"}),
        UserPromptPart(["Look:", BinaryContent(b"abc", "image/png")]),
    ]
    before = with_messages(ModelRequest(parts), ModelResponse([ThinkingPart("Hm.")]))
    after = with_messages(
        ModelRequest(
            [
                RetryPromptPart("No.", tool_name="lookup"),
                RetryPromptPart("No."),
                UnknownPart({"type": "even"}),
                UserPromptPart(["Look:", BinaryContent(b"abd", "image/png")]),
            ]
        ),
        ModelResponse([ThinkingPart("Ha.")]),
    )
    assert [change.role for change in compare_calls(before, after)] == [
        "retry prompt of tool lookup",
        "retry prompt",
        "unknown part",
        "user prompt",
        "assistant's reasoning",
    ]


def test_tools_are_compared_by_name():
    other = ToolDefinition("other", None, {})
    assert compare_calls(BASE, replace(BASE, tools=[TOOL, other])) == [ToolAdded("other")]
    assert compare_calls(BASE, replace(BASE, tools=[])) == [ToolRemoved("lookup")]
    both = replace(BASE, tools=[TOOL, other])
    assert compare_calls(both, replace(BASE, tools=[other, TOOL])) == [
        ToolsReordered(("lookup", "other"), ("other", "lookup"))
    ]


def test_a_tool_that_is_equal_but_for_its_name_was_renamed():
    found = compare_calls(BASE, replace(BASE, tools=[replace(TOOL, name="find")]))
    assert found == [ToolAdded("find", "lookup"), ToolRemoved("lookup", "find")]


@pytest.mark.parametrize(
    "other",
    [
        replace(TOOL, name="find", description="Find it."),
        replace(TOOL, name="find", parameters_json_schema={"type": "object", "properties": {}}),
        ToolDefinition("find", None, {}),
    ],
)
def test_a_tool_that_is_another_was_not_renamed(other):
    bare = ToolDefinition("bare", None, {})
    found = compare_calls(replace(BASE, tools=[TOOL, bare]), replace(BASE, tools=[other]))
    assert found == [ToolAdded("find"), ToolRemoved("lookup"), ToolRemoved("bare")]


def test_one_tool_is_renamed_to_one_other_only():
    found = compare_calls(BASE, replace(BASE, tools=[replace(TOOL, name="find"), replace(TOOL, name="seek")]))
    assert found == [ToolAdded("find", "lookup"), ToolAdded("seek"), ToolRemoved("lookup", "find")]


def test_a_changed_schema_is_named_by_path():
    schema = {"type": "object", "properties": {"country": {"type": "integer"}, "unit": {"type": "string"}}}
    changed = replace(TOOL, description="Look.", parameters_json_schema=schema)
    assert compare_calls(BASE, replace(BASE, tools=[changed])) == [
        ToolChanged(
            "lookup",
            (
                ValueChange("description", "Look it up.", "Look."),
                ValueChange("parameters.properties.country.type", "string", "integer"),
                ValueChange("parameters.properties.unit", ABSENT, {"type": "string"}),
            ),
        )
    ]


@pytest.mark.parametrize(
    ("edit", "change"),
    [
        ({"settings": {"temperature": 0.7}}, SettingChanged("temperature", 0.2, 0.7)),
        ({"settings": {}}, SettingChanged("temperature", 0.2, ABSENT)),
        ({"settings": {"temperature": 0.2, "seed": 1}}, SettingChanged("seed", ABSENT, 1)),
        ({"model": "gpt-5"}, SettingChanged("model", "gpt-4o", "gpt-5")),
        ({"tool_choice": "required"}, SettingChanged("tool choice", ABSENT, "required")),
        ({"stream": True}, SettingChanged("stream", False, True)),
        ({"previous_response_id": "r"}, SettingChanged("previous response id", ABSENT, "r")),
        ({"extras": {"user": {"id": 1}}}, SettingChanged("user", ABSENT, {"id": 1})),
    ],
)
def test_every_setting_counts(edit, change):
    assert compare_calls(BASE, replace(BASE, **edit)) == [change]


def test_a_changed_output_schema_is_named_by_path():
    before = replace(BASE, output_schema=OutputSchema({"properties": {"a": {"type": "string"}}}, name="City"))
    after = replace(BASE, output_schema=OutputSchema({"properties": {"a": {"type": "number"}}}, name="City"))
    assert compare_calls(before, after) == [
        SettingChanged("output schema.schema.properties.a.type", "string", "number")
    ]
    [added] = compare_calls(BASE, after)
    assert added.name == "output schema"


def test_distance_orders_by_how_much_changed():
    small = compare_calls(BASE, replace(BASE, settings={"temperature": 0.7}))
    medium = compare_calls(BASE, with_messages(ModelRequest([SYSTEM, UserPromptPart("And of Spain?")]), *HISTORY[1:]))
    large = compare_calls(BASE, with_messages(ModelRequest([UserPromptPart("x" * 500)])))
    assert 0 == distance([]) < distance(small) < distance(medium) < distance(large)


def test_turns_are_counted_by_answers():
    assert turn_of(BASE) == 2
    assert turn_of(with_messages(FIRST)) == 1


def asking(*prompts):
    return ModelCall([ModelRequest([UserPromptPart(prompt) for prompt in prompts])])


WEATHER, TOWER, BRIDGE = "The weather in Oslo?", "How tall is the tower in Paris?", "How tall is the tower in Rome?"


def test_of_several_prompts_the_nearest_one_became_the_new_one():
    assert compare_calls(asking(WEATHER, TOWER), asking(BRIDGE)) == [
        MessageRemoved(1, "user prompt", WEATHER),
        MessageChanged(1, "user prompt", word_diff(TOWER, BRIDGE)),
    ]
    assert compare_calls(asking(TOWER, WEATHER), asking(BRIDGE)) == [
        MessageChanged(1, "user prompt", word_diff(TOWER, BRIDGE)),
        MessageRemoved(1, "user prompt", WEATHER),
    ]


def test_one_of_too_many_prompts_became_the_new_one_however_unlike_it_is():
    kinds = [type(change) for change in compare_calls(asking("One two", "three four"), asking("five six"))]
    assert sorted(kind.__name__ for kind in kinds) == ["MessageChanged", "MessageRemoved"]


def test_a_prompt_that_shares_a_word_by_chance_was_added():
    new = "Write a long poem about the sea and all of its many ships"
    assert compare_calls(asking(TOWER), asking(new, BRIDGE)) == [
        MessageAdded(1, "user prompt", new),
        MessageChanged(1, "user prompt", word_diff(TOWER, BRIDGE)),
    ]


def calling(args):
    return ModelCall([FIRST, ModelResponse([ToolCallPart("lookup", args, "call_1")])])


def test_the_order_of_arguments_is_no_change():
    assert compare_calls(calling({"b": 1, "a": "München"}), calling('{"a": "München", "b": 1}')) == []


def test_arguments_are_shown_as_they_read():
    [change] = compare_calls(calling({"city": "München"}), calling({"city": "Zürich"}))
    assert {span.text for span in change.spans if span.kind != "same"} == {"München", "Zürich"}


def test_media_are_told_by_their_type():
    def showing(kind):
        return ModelCall([ModelRequest([UserPromptPart([BinaryContent(b"x", kind)])])])

    [change] = compare_calls(showing("image/png"), showing("image/gif"))
    assert "image/gif" in "".join(span.text for span in change.spans if span.kind != "removed")


SHORT, LONG = "a", "a long text"


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        (
            MessageChanged(1, "user prompt", word_diff(SHORT, "b")),
            MessageChanged(1, "user prompt", word_diff(LONG, "b")),
        ),
        (MessageChanged(1, "user prompt", word_diff(SHORT, "b")), MessageAdded(1, "user prompt", "b")),
        (MessageAdded(1, "user prompt", SHORT), MessageAdded(1, "user prompt", LONG)),
        (MessageRemoved(1, "user prompt", SHORT), MessageRemoved(1, "user prompt", LONG)),
        (ToolChanged("t", (ValueChange("x", 1, 2),)), ToolChanged("t", (ValueChange("x", LONG, 2),))),
        (ToolChanged("t", (ValueChange("x", 1, 2),)), ToolChanged("t", (ValueChange("x", 1, LONG),))),
        (ToolChanged("t", (ValueChange("x", 1, 2),)), ToolAdded("t")),
        (SettingChanged("model", "a", LONG), ToolRemoved("t")),
        (ArgumentChanged("t", "x", 1, 2), ArgumentChanged("t", "x", LONG, 2)),
        (ArgumentChanged("t", "x", 1, 2), ArgumentChanged("t", "x", 1, LONG)),
        (ArgumentChanged("t", "x", LONG, "b" * 300), RemoteCallChanged("tool `a`", "tool `b`")),
    ],
)
def test_what_is_nearer(nearer, farther):
    assert distance([nearer]) < distance([farther]) < distance([nearer, farther])
