"""Nearly sixty kinds of edits in all eight wire formats, each of which has to be named; twelve that are none."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest

from replay_agent.calls import AnswerError, OutputSchema, ToolDefinition
from replay_agent.messages import NO_TIMESTAMP, BinaryContent, RetryPromptPart, TextPart, ToolCallPart
from replay_agent.traffic import Chunk, Response
from tests.report.comparison.stories import (
    FORMATS,
    Step,
    cassette,
    change_of,
    compared,
    interactions,
    returned,
    story,
    user,
    vcr_cassette,
)

WORDS = "amber", "birch", "copper", "dune", "ember"


def another_word(text, rng):
    words = text.split(" ")
    words[rng.randrange(1, len(words) - 1)] = rng.choice(WORDS)
    return " ".join(words)


def schema(story, tool=0):
    return story.tools[tool].parameters_json_schema


CAUSES, EFFECTS = [], []


def registered(kinds):
    """Take edits of a story, in place, with the kind, turn and subject of what has to be found."""

    def expecting(said):
        kind, turn, subject = said.split(maxsplit=2)

        def keep(edit):
            kinds.append(pytest.param(edit, (kind, int(turn), subject), id=edit.__name__))
            return edit

        return keep

    return expecting


cause, effect = registered(CAUSES), registered(EFFECTS)


@cause("message_changed 1 system prompt")
def system_word(s, rng):
    s.system = another_word(s.system, rng)


@cause("message_changed 1 system prompt")
def system_sentence(s, rng):
    s.system += f" Be {rng.choice(WORDS)}."


@cause("message_changed 1 system prompt")
def system_language(s, rng):
    s.system = "Du bist ein geduldiger Führer. Nutze die Werkzeuge für alles, und rate nie."


@cause("message_changed 1 system prompt")
def system_lines(s, rng):
    s.system = s.system.replace(". ", ".\n")


@cause("message_removed 1 system prompt")
def system_gone(s, rng):
    s.system = None


@cause("message_changed 3 system prompt")
def system_later(s, rng):
    s.second_system = (3, another_word(s.system, rng))


@cause("message_changed 1 user prompt")
def first_question(s, rng):
    s.steps[0].parts = [user(another_word(s.steps[0].parts[0].content, rng))]


@cause("message_changed 5 user prompt")
def last_question(s, rng):
    s.steps[4].parts = [user(another_word(s.steps[4].parts[0].content, rng))]


@cause("message_changed 5 user prompt")
def question_language(s, rng):
    s.steps[4].parts = [user("Danke sehr. Was von beidem geht schneller?")]


@cause("message_changed 2 result of tool search")
def tool_result(s, rng):
    s.steps[1].parts = [returned("search", f"Oslo is a {rng.choice(WORDS)}.", "call_a1")]


@cause("message_changed 4 result of tool distance")
def second_tool_result(s, rng):
    s.steps[3].parts[1] = returned("distance", "463 miles by road", "call_b2")


@cause("message_changed 3 user prompt")
def picture(s, rng):
    asked = s.steps[2].parts[0].content
    other = BinaryContent(b"\x89PNG another map", "image/png")
    s.steps[2].parts = [user(f"{asked} It is blue.") if isinstance(asked, str) else user(asked[0], other)]


@cause("message_changed 3 user prompt")
def picture_gone(s, rng):
    asked = s.steps[2].parts[0].content
    s.steps[2].parts = [user("How do I get there?") if isinstance(asked, str) else user(asked[0])]


@cause("message_moved 1 -")
def examples_order(s, rng):
    s.examples.reverse()


@cause("message_changed 1 assistant's text")
def example_answer(s, rng):
    s.examples[1] = (s.examples[1][0], "Yes, in winter.")


@cause("message_removed 1 user prompt")
def example_gone(s, rng):
    s.examples.pop(rng.randrange(2))


@cause("message_added 1 user prompt")
def example_added(s, rng):
    s.examples.append(("Is it old?", "A thousand years."))


@cause("tool_added 1 tool weather")
def tool_added(s, rng):
    s.tools.append(ToolDefinition("weather", "Tell the weather.", {"type": "object", "properties": {}}))


@cause("tool_removed 1 tool distance")
def tool_removed(s, rng):
    s.tools.pop()


@cause("tool_renamed 1 tool distance")
def tool_renamed(s, rng):
    s.tools[1].name = "range"


@cause("tool_changed 1 tool search")
def tool_description(s, rng):
    s.tools[0].description = another_word(s.tools[0].description, rng)


@cause("tool_changed 1 tool search")
def field_description(s, rng):
    schema(s)["properties"]["query"]["description"] = f"a {rng.choice(WORDS)}"


@cause("tool_changed 1 tool distance")
def field_added(s, rng):
    schema(s, 1)["properties"]["unit"] = {"type": "string"}


@cause("tool_changed 1 tool search")
def field_removed(s, rng):
    del schema(s)["properties"]["most"]


@cause("tool_changed 1 tool search")
def field_type(s, rng):
    schema(s)["properties"]["most"]["type"] = "string"


@cause("tool_changed 1 tool search")
def field_required(s, rng):
    schema(s)["required"] = ["query", "most"]


@cause("tool_changed 1 tool search")
def field_enum(s, rng):
    schema(s)["properties"]["kind"]["enum"].append("lake")


@cause("tools_reordered 1 order of the tools")
def tools_order(s, rng):
    s.tools.reverse()


@cause("model_changed 1 model")
def model(s, rng):
    s.model = f"model-{rng.randrange(2, 9)}"


@cause("setting_changed 1 temperature")
def temperature(s, rng):
    s.settings["temperature"] = rng.choice([0.1, 0.9])


@cause("setting_changed 1 max_tokens")
def max_tokens(s, rng):
    s.settings["max_tokens"] = rng.randrange(600, 900)


@cause("setting_changed 1 top_p")
def top_p(s, rng):
    s.settings["top_p"] = 0.25


@cause("setting_changed 1 x_field")
def field_of_the_provider(s, rng):
    s.extras["x_field"] = rng.choice(WORDS)


@cause("setting_changed 1 stream")
def streaming(s, rng):
    s.stream = True


@cause("output_changed 1 -")
def wanted_output(s, rng):
    s.output = OutputSchema({"type": "object", "properties": {"way": {"type": "string"}}}, "way")


@cause("address_changed 1 address")
def address(s, rng):
    s.base = "https://proxy.example/llm"


@cause("turn_added 3 user prompt")
def turn_in_the_middle(s, rng):
    s.steps.insert(2, Step([user("Is there a ferry?")], [TextPart("There is one.")]))


@cause("turn_removed 5 user prompt")
def turn_dropped(s, rng):
    s.steps.pop()


@cause("turn_removed 3 user prompt")
def turns_dropped_in_the_middle(s, rng):
    del s.steps[2:4]


@cause("history_changed 5 history")
def history_cut(s, rng):
    s.window = (5, 3)


# --- further ones, of questions that others would ask -----------------------------------------------------------------


@cause("message_changed 1 system prompt")
def system_spelling(s, rng):
    s.system = s.system.replace("never", "NEVER")


@cause("message_changed 1 system prompt")
def system_blanks(s, rng):
    s.system = s.system.replace(". ", ".  ")


@cause("message_changed 1 system prompt")
def system_with_nothing_in_common(s, rng):
    s.system = " ".join(rng.sample(WORDS, 3))


@cause("message_changed 3 user prompt")
def question_with_nothing_in_common(s, rng):
    s.steps[2].parts = [user(f"{rng.choice(WORDS)}?")]


@cause("message_changed 3 user prompt")
def picture_twice(s, rng):
    asked = s.steps[2].parts[0].content
    s.steps[2].parts = [user("And twice?") if isinstance(asked, str) else user(*asked, asked[1])]


@cause("message_changed 1 user prompt")
def example_question(s, rng):
    s.examples[0] = ("Is it very far?", s.examples[0][1])


@cause("message_removed 1 user prompt")
def examples_gone(s, rng):
    s.examples = []


@cause("message_changed 2 result of tool search")
def tool_result_is_structured(s, rng):
    s.steps[1].parts = [returned("search", {"place": "Oslo", "found": [rng.choice(WORDS)]}, "call_a1")]


@cause("message_added 2 retry prompt of tool search")
def tool_refuses(s, rng):
    s.steps[1].parts = [RetryPromptPart("no such place", "search", "call_a1", NO_TIMESTAMP)]


@cause("tool_changed 1 tool search")
def tool_description_gone(s, rng):
    s.tools[0].description = None


@cause("tool_changed 1 tool search")
def field_within_a_field(s, rng):
    inner = {"type": "object", "properties": {"name": {"type": "string", "description": rng.choice(WORDS)}}}
    schema(s)["properties"]["places"] = {"type": "array", "items": inner}


@cause("tool_changed 1 tool search")
def enum_order(s, rng):
    schema(s)["properties"]["kind"]["enum"].reverse()


@cause("tool_renamed 1 tool search")
def tool_renamed_and_told_otherwise(s, rng):
    s.tools[0].name, s.tools[0].description = "find", f"Find {rng.choice(WORDS)}."


@cause("setting_changed 1 temperature")
def setting_gone(s, rng):
    del s.settings["temperature"]


@cause("turn_added 1 user prompt")
def turn_at_the_start(s, rng):
    s.steps.insert(0, Step([user("Good morning!")], [TextPart("Good morning.")]))


@cause("turn_added 6 user prompt")
def turn_said_twice(s, rng):
    s.steps.append(deepcopy(s.steps[4]))


@cause("turn_removed 1 user prompt")
def first_turn_dropped(s, rng):
    del s.steps[:2]


@cause("message_removed 1 system prompt")
def first_turn_dropped_and_system_prompt_gone(s, rng):
    del s.steps[:2]
    s.system, s.examples = None, []


@cause("message_changed 1 system prompt")
def first_turn_dropped_and_system_prompt_changed(s, rng):
    del s.steps[:2]
    s.system = another_word(s.system, rng)


@cause("message_removed 1 system prompt")
def turn_at_the_start_and_system_prompt_gone(s, rng):
    s.steps.insert(0, Step([user("Good morning!")], [TextPart("Good morning.")]))
    s.system, s.examples = None, []


@cause("message_moved 1 user prompt")
def turns_in_another_order(s, rng):
    s.steps = [*s.steps[2:4], *s.steps[:2], s.steps[4]]


@cause("history_changed 3 history")
def window_over_the_history(s, rng):
    s.window = (3, 3)


# --- the same for what is answered -----------------------------------------------------------------------------------


@effect("answer_changed 5 answer")
def answer(s, rng):
    s.steps[4].answer = [TextPart(another_word("The train is, by about an hour.", rng))]


@effect("answer_changed 2 answer")
def answer_within(s, rng):
    s.steps[1].answer = [TextPart("It lies by the sea.")]


@effect("tool_arguments_changed 1 tool search")
def arguments(s, rng):
    s.steps[0].answer = [ToolCallPart("search", {"query": rng.choice(WORDS)}, "call_a1")]


@effect("tool_call_added 1 tool distance")
def call_added(s, rng):
    s.steps[0].answer = [*s.steps[0].answer, ToolCallPart("distance", {"one": "a", "other": "b"}, "call_a2")]
    s.steps[1].parts = [*s.steps[1].parts, returned("distance", "7 km", "call_a2")]


@effect("tool_call_removed 3 tool distance")
def call_removed(s, rng):
    s.steps[2].answer = s.steps[2].answer[:1]
    s.steps[3].parts = s.steps[3].parts[:1]


@effect("tool_calls_reordered 3 order of the tool calls")
def calls_order(s, rng):
    s.steps[2].answer = s.steps[2].answer[::-1]
    s.steps[3].parts = s.steps[3].parts[::-1]


@effect("failure_changed 5 failure")
def failure(s, rng):
    s.steps[4].answer = AnswerError(429, "slow down")


@effect("finish_reason_changed 5 finish reason")
def finish(s, rng):
    s.steps[4].finish = "length"


@effect("tool_arguments_changed 1 tool search")
def one_more_round(s, rng):
    s.steps[0].answer = [ToolCallPart("search", {"query": "Norway"}, "call_a1")]
    again = Step([returned("search", "a country", "call_a1")], [ToolCallPart("search", {"query": "Oslo"}, "call_a3")])
    s.steps[1].parts = [returned("search", "Oslo lies at the end of a fjord.", "call_a3")]
    s.steps.insert(1, again)


ALSO = {
    "tool_refuses": {("message_removed", 2)},
    "first_turn_dropped_and_system_prompt_gone": {("turn_removed", 1)},
    "first_turn_dropped_and_system_prompt_changed": {("turn_removed", 1)},
    "turn_at_the_start_and_system_prompt_gone": {("turn_added", 1)},
}
"""What else an edit changes."""


def found(differences):
    return [(each.kind, each.turn, each.subject) for each in differences]


def test_there_are_more_than_forty_kinds():
    assert len({each.id for each in CAUSES}) == len(CAUSES) > 50


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("edit", "wanted"), CAUSES)
def test_a_cause_is_named_at_its_turn(edit, wanted, format):
    kind, turn, subject = wanted
    change = change_of(format, lambda told: edit(told, Random(FORMATS.index(format))))
    named = found(change.causes)
    also = ALSO.get(edit.__name__, set())
    assert {each[:2] for each in named} == {(kind, turn), *also}, named
    assert subject == "-" or (kind, turn, subject) in named
    assert {effect.kind for effect in change.effects} <= (
        {"call_removed"} if "turn_removed" in {each[0] for each in named} else set()
    )


@pytest.mark.parametrize("format", FORMATS)
def test_a_system_prompt_that_came_with_a_first_turn_is_named(format):
    told = story(format)
    told.system, told.examples = None, []
    without = cassette(interactions(format, told))
    told.system = "Be brief."
    told.steps.insert(0, Step([user("Good morning!")], [TextPart("Good morning.")]))
    change = compared(without, cassette(interactions(format, told)))
    assert found(change.causes) == [("turn_added", 1, "user prompt"), ("message_added", 1, "system prompt")]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("alike", ["description", "schema"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_tool_that_only_has_another_name_is_known_before_one_that_is_merely_alike(format, alike, place):
    def edit(told):
        search = told.tools.pop(0)
        other = {"parameters_json_schema": {"type": "object", "properties": {"depth": {"type": "integer"}}}}
        merely = replace(search, name="a_new_one", **({"description": "Dig."} if alike == "schema" else other))
        told.tools.insert(0, merely)
        told.tools.insert(place, replace(search, name="lookup"))

    causes = change_of(format, edit).causes
    assert sorted(found(causes)) == [("tool_added", 1, "tool a_new_one"), ("tool_renamed", 1, "tool search")]
    assert [value.after for each in causes if each.kind == "tool_renamed" for value in each.values] == ["lookup"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("edit", "wanted"), EFFECTS)
def test_an_effect_is_named_at_its_turn_and_is_no_cause(edit, wanted, format):
    change = change_of(format, lambda told: edit(told, Random(3)))
    assert wanted in found(change.effects)
    assert found(change.causes) == []
    assert change.first_turn == wanted[1]


MARKS = [
    ("anthropic", ("tools", 0, "cache_control"), {"type": "ephemeral"}, "tool_changed", "tool search"),
    ("anthropic", ("tools", 1, "strict"), True, "tool_changed", "tool distance"),
    ("anthropic", ("tools", 2), {"type": "web_search_20250305", "name": "web_search"}, "tool_added", "tool web_search"),
    ("anthropic", ("thinking",), {"type": "enabled"}, "setting_changed", "thinking"),
    ("anthropic", ("messages", 0, "content", 0, "cache_control"), {"type": "ephemeral"}, "setting_changed",
     "messages[0].content[0].cache_control"),
    ("openai_responses", ("tools", 2), {"type": "web_search"}, "tool_added", "tool web_search"),
    ("openai_responses", ("tools", 2), {"type": "mcp", "server_label": "maps"}, "tool_added", "tool maps"),
    ("openai_chat", ("tools", 2), {"type": "custom", "custom": {"name": "shell"}}, "tool_added", "tool shell"),
    ("openai_chat", ("reasoning_effort",), "low", "setting_changed", "reasoning_effort"),
    ("openai_chat", ("messages", 0, "name"), "guide", "setting_changed", "messages[0].name"),
    ("gemini", ("tools", "google_search"), {}, "tool_added", "tool googleSearch"),
]  # fmt: skip


def put(body, path, value):
    *way, last = path
    for step in way:
        body = body[step]
    if isinstance(body, list) and last == len(body):
        body.append(value)
    else:
        body[last] = value


@pytest.mark.parametrize(("format", "path", "value", "kind", "subject"), MARKS)
def test_what_one_provider_alone_has_is_named(format, path, value, kind, subject):
    recorded = interactions(format, story(format))
    bodies = [json.loads(each.request.body) for each in recorded]
    for body in bodies:
        put(body, path, value)
    again = [
        body_as(each, lambda _, body=body: json.dumps(body).encode())
        for each, body in zip(recorded, bodies, strict=True)
    ]
    change = compared(cassette(recorded), cassette(again))
    assert found(change.causes) == [(kind, 1, subject)]
    back = compared(cassette(again), cassette(recorded))
    assert found(back.causes) == [(kind.replace("added", "removed"), 1, subject)]


# --- no difference ----------------------------------------------------------------------------------------------------


def body_as(interaction, write):
    request = interaction.request
    return replace(interaction, request=replace(request, body=write(json.loads(request.body))))


def reordered(value):
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value


def with_headers(interaction, asked=(), answered=()):
    request, outcome = interaction.request, interaction.outcome
    return replace(
        interaction,
        request=replace(request, headers=(*request.headers, *asked)),
        outcome=replace(outcome, headers=(*outcome.headers, *answered)),
    )


def in_chunks(interaction, size):
    body = interaction.outcome.body
    chunks = tuple(Chunk(body[at : at + size], at) for at in range(0, len(body), size))
    return replace(interaction, outcome=replace(interaction.outcome, chunks=chunks))


def packed(interaction):
    outcome = interaction.outcome
    headers = (*outcome.headers, ("content-encoding", "gzip"))
    return replace(interaction, outcome=replace(outcome, headers=headers, chunks=(Chunk(gzip.compress(outcome.body)),)))


def with_ids(told, word):
    text = repr(told)
    for step in told.steps:
        for part in [*step.parts, *step.answer]:
            if getattr(part, "tool_call_id", None):
                part.tool_call_id = f"{word}{part.tool_call_id}"
    assert repr(told) != text
    return told


NO_DIFFERENCE = {
    "the same": lambda each: each,
    "headers of the SDK": lambda each: with_headers(each, (("user-agent", "sdk/9"), ("x-stainless-os", "Other"))),
    "headers of the answer": lambda each: with_headers(
        each, (), (("date", "Mon, 09 Nov 2026"), ("x-request-id", "r9"))
    ),
    "order of keys": lambda each: body_as(each, lambda body: json.dumps(reordered(body)).encode()),
    "spelling of JSON": lambda each: body_as(each, lambda body: json.dumps(body, indent=3).encode()),
    "escapes": lambda each: body_as(each, lambda body: json.dumps(body, ensure_ascii=True).encode()),
    "recorded times": lambda each: replace(each, recorded_at="2027-01-01T00:00:00Z"),
    "chunk boundaries": lambda each: in_chunks(each, 7),
    "one chunk": lambda each: in_chunks(each, 1 << 20),
    "content encoding": packed,
    "times of chunks": lambda each: replace(
        each, outcome=replace(each.outcome, chunks=tuple(Chunk(one.data, 900) for one in each.outcome.chunks))
    ),
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", NO_DIFFERENCE)
def test_what_counts_for_nothing_is_no_difference(way, format, stream):
    told = story(format)
    told.stream = stream
    recorded = interactions(format, told)
    again = [NO_DIFFERENCE[way](each) for each in recorded]
    assert_no_difference(cassette(recorded), cassette(again))


def assert_no_difference(old, new):
    change = compared(old, new)
    assert (change.causes, change.effects, change.growth) == ([], [], [])
    assert not change


@pytest.mark.parametrize("format", FORMATS)
def test_made_up_ids_are_no_difference(format):
    other = with_ids(story(format), "x9")
    assert_no_difference(cassette(interactions(format, story(format))), cassette(interactions(format, other)))


@pytest.mark.parametrize("format", FORMATS)
def test_the_layout_is_no_difference(format):
    recorded = interactions(format, story(format))
    if all(isinstance(each.outcome, Response) and each.outcome.body.isascii() for each in recorded):
        assert_no_difference(cassette(recorded), vcr_cassette(recorded))


@pytest.mark.parametrize("format", FORMATS)
def test_the_order_in_which_conversations_were_recorded_is_no_difference(format):
    one, other = story(format), story(format)
    other.steps = [Step([user("Is it raining?")], [TextPart("No.")]), Step([user("And snow?")], [TextPart("Yes.")])]
    first, second = interactions(format, one), interactions(format, other)
    mixed = [second[0], first[0], first[1], second[1], *first[2:]]
    assert_no_difference(cassette([*first, *second]), cassette(mixed))


@pytest.mark.parametrize("format", FORMATS)
def test_names_of_answers_are_no_difference(format):
    recorded = interactions(format, story(format))
    again = deepcopy(recorded)
    for place, each in enumerate(again):
        body = each.outcome.body.replace(b"resp_", b"other_")
        again[place] = replace(each, outcome=replace(each.outcome, chunks=(Chunk(body),)))
    assert_no_difference(cassette(recorded), cassette(again))
