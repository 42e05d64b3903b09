"""A miss explained: what happened, the nearest thing recorded, what to do."""

from __future__ import annotations

import copy
import json
import random
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from replay_agent.recording.cassettes import store
from replay_agent.recording.cassettes.lazy_interactions import LazyInteractions
from replay_agent.recording.cassettes.parts.header import Header
from replay_agent.recording.cassettes.parts.item import new_item
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.misses import Miss
from replay_agent.report.drift import explain
from replay_agent.report.renamed import Former
from replay_agent.surroundings.colours import without_colours
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response

CHAT = "https://api.openai.com/v1/chat/completions"
COMMAND = "pytest tests/test_geo.py::test_capital --record-mode="
PATH = Path("cassettes/test_geo/test_capital.yaml")
JSON = (("content-type", "application/json"),)

SYSTEM = "Be a geographer.\nUse the tool for every population; never guess.\nToday is 2026-11-21."
ASKED = {
    "model": "gpt-4o",
    "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "What is the capital of France?"}],
    "temperature": 0.2,
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_population",
                "description": "How many people live there.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ],
}
TOOL_CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "get_population", "arguments": '{"city":"Paris"}'}}
    ],
}


def edited(body, edit):
    body = copy.deepcopy(body)
    edit(body)
    return body


SECOND = edited(
    ASKED,
    lambda body: body["messages"].extend(
        [TOOL_CALL, {"role": "tool", "tool_call_id": "call_1", "content": '{"n": 1}'}]
    ),
)
THIRD = edited(
    SECOND,
    lambda body: body["messages"].extend(
        [{"role": "assistant", "content": "Paris."}, {"role": "user", "content": "And of Spain?"}]
    ),
)


def post(body, url=CHAT, headers=JSON):
    return Request("POST", url, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def answer(message):
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}
    return Response(200, JSON, (Chunk(json.dumps(body).encode()),))


RECORDED = [
    Interaction(post(ASKED), answer(TOOL_CALL), test="tests/test_geo.py::test_capital"),
    Interaction(post(SECOND), answer({"role": "assistant", "content": "Paris."})),
    Interaction(post(THIRD), answer({"role": "assistant", "content": "Madrid."})),
]


def miss(request, recorded=RECORDED, played=(), reason="changed", path=PATH, mode="none", times=0):
    test = "tests/test_geo.py::test_capital"
    return Miss(request, path, mode, test, lambda: recorded, frozenset(played), reason, times)


def explained(request, recorded=RECORDED, ignore_body=(), **options):
    return explain(miss(request, recorded, **options), COMMAND + "{mode}", ignore_body)


def parts(text):
    return text.split("\n\n")


# --- what changed is named --------------------------------------------------------------------------------------------

CHANGES = [
    (
        lambda body: body["messages"][0].update(content=SYSTEM.replace("geographer", "historian")),
        ["The system prompt changed since", "turn 1, system prompt", "Be a [-geographer-]{+historian+}."],
    ),
    (
        lambda body: body["messages"][1].update(content="What is the old capital of France?"),
        ["The user prompt changed since", "turn 1, user prompt", "What is the {+old +}capital of France?"],
    ),
    (
        lambda body: body["tools"][0]["function"]["parameters"]["properties"].update(unit={"type": "string"}),
        ["The tool get_population changed", "parameters.properties.unit: added", '{"type": "string"}'],
    ),
    (
        lambda body: body["tools"][0]["function"].update(description="How many live there."),
        ["The tool get_population changed", "description", "many live"],
    ),
    (lambda body: body.pop("tools"), ["The tool get_population was removed"]),
    (
        lambda body: body["tools"].append({"type": "function", "function": {"name": "get_area", "parameters": {}}}),
        ["The tool get_area was added"],
    ),
    (lambda body: body.update(temperature=0.7), ["temperature changed", "temperature: 0.2 -> 0.7"]),
    (lambda body: body.update(seed=7), ["seed was added", "seed: added, 7"]),
    (lambda body: body.pop("temperature"), ["temperature was removed", "was 0.2"]),
    (lambda body: body.update(model="gpt-5"), ["The model changed", '"gpt-4o" -> "gpt-5"']),
    (lambda body: body.update(tool_choice="required"), ["The tool choice was added", "required"]),
    (
        lambda body: body.update(
            response_format={"type": "json_schema", "json_schema": {"name": "City", "schema": {"type": "object"}}}
        ),
        ["The output schema was added", "City"],
    ),
    (lambda body: body.update(metadata={"run": "a"}), ["metadata was added"]),
    (
        lambda body: body["messages"].append({"role": "user", "content": "Be quick."}),
        ["The user prompt was added", "+ Be quick."],
    ),
    (lambda body: body["messages"].pop(0), ["The system prompt was removed", "- Be a geographer."]),
]


@pytest.mark.parametrize(("edit", "words"), CHANGES)
def test_a_change_is_named(edit, words):
    text = explained(post(edited(ASKED, edit)))
    assert [word for word in words if word not in text] == []
    assert str(PATH) in text
    assert COMMAND + "refresh" in text
    assert "interaction 1 of 3" in text


def test_only_what_changed_is_named():
    text = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))))
    assert "system prompt" not in text
    assert "get_population" not in text
    assert "gpt-4o" in text


def test_several_changes_are_counted_and_all_shown():
    def edit(body):
        body.update(temperature=0.7, seed=1)
        body["messages"][1].update(content="What is the old capital of France?")

    text = explained(post(edited(ASKED, edit)))
    assert parts(text)[0].startswith(f"3 things changed since {PATH} was recorded: the user prompt, temperature, seed.")
    assert "{+old +}" in text
    assert "temperature: 0.2 -> 0.7" in text
    assert "seed: added, 1" in text


def test_a_later_turn_is_compared_with_its_own():
    text = explained(post(edited(SECOND, lambda body: body["messages"][3].update(content='{"n": 2}'))), played=[0])
    assert "The result of tool get_population of turn 2 changed" in text
    assert "interaction 2 of 3" in text
    assert "[-1-]{+2+}" in text


def test_later_turns_that_cannot_replay_are_told():
    first = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))))
    assert "Turns 2 and 3 of that conversation were recorded after it and cannot be replayed" in first
    second = explained(post(edited(SECOND, lambda body: body.update(temperature=0.7))), played=[0])
    assert "Turn 3 of that conversation was recorded after it" in second
    third = explained(post(edited(THIRD, lambda body: body.update(temperature=0.7))), played=[0, 1])
    assert "recorded after it" not in third


def test_a_changed_answer_id_is_told():
    text = explained(post(json.loads(json.dumps(SECOND).replace("call_1", "call_9"))), played=[0])
    assert '"call_1" -> "call_9"' in text


def test_a_played_interaction_serves_if_nothing_else_is_left():
    text = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))), played=[0, 1, 2])
    assert "which was played already" in text
    assert "temperature: 0.2 -> 0.7" in text


MORE = [{"role": "assistant", "content": "Madrid."}, {"role": "user", "content": "And of Italy?"}]


@pytest.mark.parametrize(
    "more", [MORE, [*MORE, *MORE], [TOOL_CALL, {"role": "tool", "tool_call_id": "call_1", "content": "1"}]]
)
def test_a_turn_more_is_told_as_that(more):
    text = explained(post(edited(THIRD, lambda body: body["messages"].extend(more))), played=[0, 1, 2])
    assert "The conversation goes on where the one in" in parts(text)[0]
    assert text.summary == "The conversation goes on where the recorded one ends."


FIRST = [
    [{"role": "system", "content": "Answer in one word."}],
    [{"role": "user", "content": "Is it far?"}, {"role": "assistant", "content": "No."}],
    [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hi."},
    ],
]


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("more", [[], MORE])
def test_what_is_put_first_is_no_turn_more(first, more):
    """A system prompt or an example that is new, with and without a turn at the end."""
    bare = edited(ASKED, lambda body: body["messages"].pop(0))
    text = explained(
        post(edited(bare, lambda body: body.update(messages=[*first, *body["messages"], *more]))),
        [Interaction(post(bare), answer(TOOL_CALL))],
        played=[0],
    )
    assert "goes on" not in "".join([text, text.summary, *map(str, text.shared)])
    assert first[0]["content"] in text


def test_a_played_interaction_that_is_far_nearer_is_told():
    other = edited(ASKED, lambda body: body["messages"][1].update(content="Write a poem about " + "rivers and " * 40))
    recorded = [RECORDED[0], Interaction(post(other), answer({"content": "x"}))]
    text = explained(post(edited(ASKED, lambda body: body.update(seed=7))), recorded, played=[0])
    assert "interaction 1 of 2" in text
    assert "which was played already" in text
    assert "seed was added" in text


def test_a_played_interaction_that_is_merely_nearer_is_not():
    """What is left is more likely meant: the played one has had its request."""
    left = edited(ASKED, lambda body: body.update(temperature=0.7))
    recorded = [RECORDED[0], Interaction(post(left), answer(TOOL_CALL))]
    text = explained(post(edited(ASKED, lambda body: body.update(seed=7))), recorded, played=[0])
    assert "interaction 2 of 2: the nearest that is not played yet" in text
    assert "temperature: 0.7 -> 0.2" in text


def test_what_followed_a_played_interaction_is_not_lost():
    text = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))), played=[0, 1, 2])
    assert "interaction 1 of 3" in text
    assert "cannot be replayed" not in text


GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Capital of France?"}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "Capital of France?"}]}]}


@pytest.mark.parametrize(
    ("address", "body", "models"),
    [
        ("https://gl.example/v1beta/models/{}:generateContent", GEMINI, ("gemini-2.0-flash", "gemini-3-flash")),
        ("https://br.example/model/{}/converse", CONVERSE, ("us.amazon.nova-lite-v1", "us.amazon.nova-pro-v1")),
        (
            "https://vx.example/models/{}:rawPredict",
            {**CONVERSE, "anthropic_version": "vertex-2023-10-16"},
            ("claude-4", "claude-5"),
        ),
    ],
)
def test_a_model_in_the_path_is_a_change_of_the_model_alone(address, body, models):
    before, after = (post(body, url=address.format(model)) for model in models)
    text = explained(after, [Interaction(before, answer(TOOL_CALL))])
    assert parts(text)[0].startswith("The model changed since")
    assert f'model: "{models[0]}" -> "{models[1]}"' in text
    assert "path" not in text


def test_another_path_for_the_same_model_is_told():
    text = explained(post(ASKED, url="https://api.openai.com/v2/chat/completions"))
    assert 'path: "/v1/chat/completions" -> "/v2/chat/completions"' in text


def test_an_unknown_request_shows_address_and_body():
    before, after = ({"a": 1, "b": [1, 2]}, {"a": 2, "b": [1, 2]})
    recorded = [Interaction(post(before, url="https://api.example/v1?page=1"), answer(TOOL_CALL))]
    text = explained(post(after, url="https://api.example/v1?page=2"), recorded)
    assert 'query.page: "1" -> "2"' in text
    assert "$.a: 1 -> 2" in text


def test_ignored_fields_are_not_shown():
    def edit(body):
        body.update(temperature=0.7, metadata={"trace": "b"})

    recorded = [Interaction(post({**ASKED, "metadata": {"trace": "a"}}), answer(TOOL_CALL))]
    text = explained(post(edited(ASKED, edit)), recorded, ignore_body=["$.metadata.trace"])
    assert "trace" not in text
    assert parts(text)[0].startswith("temperature changed")


def test_a_request_that_only_differs_in_a_header_is_told():
    text = explained(post(ASKED))
    assert "same method, address and body" in text
    assert "a header that counts was not recorded" in text


def test_the_header_that_differs_is_named():
    def of(tenant):
        asked = post(ASKED)
        return replace(asked, headers=(*asked.headers, ("X-Tenant", tenant)))

    text = explained(of("b"), [Interaction(of("a"), answer(TOOL_CALL))])
    assert "header x-tenant: a -> b" in text


# --- values that always differ ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("2026-11-21", "2026-11-22", ["a date", "freeze=('clock',)"]),
        ("2026-11-21T10:00:01Z", "2026-11-21T10:00:07Z", ["a time", "freeze=('clock',)"]),
        ("1732270000", "1732270007", ["a Unix time", "freeze=('clock',)"]),
        (
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "4f2504e0-4f89-11d3-9a0c-0305e82c3302",
            ["a uuid", "freeze=('uuid',)"],
        ),
        ("9f86d081884c7d65", "1b4f0e9851971998", ["a hex id", "freeze=('random',)"]),
        ("/tmp/pytest-1/a.txt", "/tmp/pytest-2/a.txt", ["a temporary path"]),
        ("0x7f0011223344", "0x7f0011223355", ["a memory address"]),
    ],
)
def test_volatile_values_are_recognised(before, after, words):
    def asking(value):
        return edited(ASKED, lambda body: body["messages"][1].update(content=f"Regarding {value} as before."))

    text = explained(post(asking(after)), [Interaction(post(asking(before)), answer(TOOL_CALL))])
    assert [word for word in words if word not in text] == []
    assert before in text
    assert after in text
    assert "Nothing else differs" in text
    assert "ignore_body" not in text  # of a prompt that says more than that
    assert "or have `normalize` take it out of what is compared" in text


def test_a_volatile_value_beside_a_real_change_does_not_hide_it():
    def edit(body):
        body["messages"][0].update(content=SYSTEM.replace("11-21", "11-22"))
        body["messages"][1].update(content="What is the capital of Spain?")

    text = explained(post(edited(ASKED, edit)))
    assert "[-France-]{+Spain+}" in text
    assert "a date" in text
    assert "Nothing else differs" not in text


def test_ordinary_words_are_not_volatile():
    text = explained(post(edited(ASKED, lambda body: body["messages"][1].update(content="What is 12 times 12?"))))
    assert "freeze" not in text


# --- other misses -----------------------------------------------------------------------------------------------------


def test_a_used_up_answer_is_counted():
    recorded = [RECORDED[0]] * 3
    text = explained(post(dict(reversed(ASKED.items()))), recorded, played=[0, 1, 2], reason="used up", times=3)
    assert "asked 4 times, recorded 3" in text
    assert "allow_repeats=True" in text
    assert COMMAND + "refresh" in text


USED_UP = [
    ([answer(TOOL_CALL)], "holds 1 answer to it, all played", "was a good answer"),
    ([Response(503, JSON, ()), answer(TOOL_CALL)], "holds 2 answers to it", "was a good answer"),
    (
        [answer(TOOL_CALL), Response(429, JSON, ())],
        "holds 2 answers to it",
        "was a refusal (429), and the client tries again",
    ),
    ([Response(399, JSON, ())], "holds 1 answer", "was a good answer"),
    ([Response(400, JSON, ())], "holds 1 answer", "was a refusal (400)"),
    ([answer(TOOL_CALL), Failure("ReadTimeout", Phase.HEAD)], "2 answers", "was a failure (ReadTimeout)"),
]


@pytest.mark.parametrize(("outcomes", "count", "last"), USED_UP)
def test_what_was_answered_last_tells_a_retry_from_a_loop(outcomes, count, last):
    recorded = [Interaction(post(ASKED), outcome) for outcome in outcomes]
    other = Interaction(post(SECOND), Response(500, JSON, ()))
    text = explained(post(ASKED), [*recorded, other], reason="used up", times=len(outcomes))
    assert count in text
    assert last in text


def test_an_equal_request_that_is_spelled_otherwise_tells_no_retry():
    recorded = [Interaction(post(dict(reversed(ASKED.items()))), Response(500, JSON, ()))]
    text = explained(post(ASKED), recorded, reason="used up", times=1)
    assert "The agent asks the same again: a loop, a retry, or a new call." in text


def test_a_test_that_was_renamed_moves_what_it_recorded(tmp_path):
    former = Former(tmp_path / "old.yaml", "tests/test_old.py::test_capital")
    missed = miss(post(ASKED), [], reason="no cassette", path=tmp_path / "new.yaml")
    told = explain(missed, COMMAND + "{mode}", former=lambda: former)
    assert "old.yaml holds this very request, recorded by tests/test_old.py::test_capital" in told
    assert told.command == "replay-agent mv tests/test_old.py tests/test_geo.py"
    assert COMMAND + "once" in told.advice
    assert told.former == former.test


def test_nobody_looks_for_the_former_name_of_what_is_no_test():
    missed = replace(miss(post(ASKED), [], reason="no cassette"), test=None)
    told = explain(missed, COMMAND + "{mode}", former=lambda: pytest.fail("asked"))
    assert told.former == ""


REASONS = [
    ({"reason": "no cassette", "recorded": []}, "unrecorded", "no cassette", "once"),
    ({"reason": "read on"}, "drift", "read on", "rewrite"),
    ({"reason": "used up", "times": 2}, "drift", "used up 2", "refresh"),
    ({"reason": "changed", "recorded": []}, "unrecorded", "no cassette", "once"),
]


@pytest.mark.parametrize(("how", "kind", "cause", "mode"), REASONS)
def test_what_is_missed_for_the_same_reason_has_the_same_cause(how, kind, cause, mode):
    told = [explained(post(body), **how) for body in (ASKED, SECOND)]
    assert {(each.kind, each.cause, each.mode, each.command) for each in told} == {(kind, cause, mode, COMMAND + mode)}
    assert told[0].shared == told[1].shared
    assert all(str(PATH) not in each.shared for each in told)


def test_what_nothing_recorded_is_like_is_recorded_by_a_refresh():
    told = explained(Request("GET", "https://telemetry.example/ping"))
    assert (told.mode, told.command) == ("refresh", COMMAND + "refresh")
    assert told.cause == explained(Request("GET", "https://telemetry.example/pong")).cause


def test_a_missing_cassette_is_named_with_its_command(tmp_path):
    text = explained(post(ASKED), [], reason="no cassette", path=tmp_path / "none.yaml")
    assert text.startswith(f"There is no cassette {tmp_path / 'none.yaml'}")
    assert "record mode none" in text
    assert '"What is the capital of France?"' in text
    assert COMMAND + "once" in text


def test_an_empty_cassette_is_told_from_a_missing_one(tmp_path):
    path = tmp_path / "empty.yaml"
    path.touch()
    assert "empty.yaml is empty" in explained(post(ASKED), [], path=path)


def test_reading_on_is_explained():
    text = explained(post(ASKED), reason="read on")
    assert "reads on where the recorded answer" in text
    assert COMMAND + "rewrite" in text


def test_another_host_for_the_same_call_is_named():
    text = explained(post(ASKED, url="https://gateway.example/v1/chat/completions"))
    assert "The host changed" in text
    assert '"https://api.openai.com" -> "https://gateway.example"' in text


def test_traffic_of_an_unknown_host_is_named():
    text = explained(Request("GET", "https://telemetry.example/ping?a=1"))
    assert "Nothing like this request" in text
    assert "telemetry.example" in text
    assert "api.openai.com (3)" in text
    assert "ignore_hosts=('telemetry.example',)" in text


def test_what_was_recorded_of_a_host_is_named_where_it_is_asked_for_something_else():
    text = explained(Request("GET", "https://api.openai.com/v1/models/x"))
    assert "Nothing like this request" in text
    assert "Of api.openai.com, what is recorded is POST /v1/chat/completions (3)." in text
    assert "ignore_hosts" not in text


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (["a", "b", "b"], "goes to b (2), a (1)."),
        (["a", "b", "c", "d"], "goes to a (1), b (1), c (1), d (1)."),
        (["a", "b", "c", "d", "e"], "goes to a (1), b (1), c (1), d (1) and others."),
        (["a"] * 100, "goes to a (100)."),
        (["a"] * 101, "goes to a (100) and others."),
    ],
)
def test_the_hosts_that_are_recorded_are_counted(hosts, said):
    recorded = [Interaction(Request("GET", f"https://{host}/x"), Response(200, (), ())) for host in hosts]
    assert said in explained(Request("POST", "https://elsewhere.example/ping", (), b"other"), recorded)


@pytest.mark.parametrize(
    ("asked", "bases"),
    [
        ("https://gateway.example/v1/chat/completions", "https://api.openai.com https://gateway.example"),
        ("http://gw.example:4000/openai/v1/chat/completions", "https://api.openai.com http://gw.example:4000/openai"),
        ("https://gw.example/chat/completions", "https://api.openai.com/v1 https://gw.example"),
    ],
)
def test_another_base_url_is_cut_where_the_paths_are_the_same(asked, bases):
    assert f"replay_same_hosts = {bases}\n" in explained(post(ASKED, url=asked)) + "\n"


def test_the_cassette_may_have_no_path():
    assert "the cassette" in explained(post(edited(ASKED, lambda body: body.update(seed=1))), path=None)


def test_explain_has_a_command_of_its_own():
    assert "--record-mode=refresh" in explained(post(edited(ASKED, lambda body: body.update(seed=1))))


# --- traffic that is no call of a model -------------------------------------------------------------------------------

TOOLS_URL = "https://mcp.example/mcp"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"method": "tools/list"}, {"method": "tools/call"}, ['$.method: "tools/list" -> "tools/call"']),
        ({"a": [1, 2, {"b": 1}]}, {"a": [1, 2, {"b": 2}]}, ["$.a[2].b: 1 -> 2"]),
        (b"plain old text", b"plain new text", ["plain [-old-]{+new+} text"]),
        (b"\xff\x00" * 9, b"\xff\x01" * 9, ["18 bytes"]),
    ],
)
def test_other_bodies_are_compared_too(before, after, words):
    recorded = [Interaction(post(before, TOOLS_URL), Response(200))]
    text = explained(post(after, TOOLS_URL), recorded)
    assert [word for word in words if word not in text] == []


def test_a_changed_query_is_named():
    recorded = [Interaction(Request("GET", "https://a.example/x?page=1"), Response(200))]
    text = explained(Request("GET", "https://a.example/x?page=2"), recorded)
    assert 'query.page: "1" -> "2"' in text


def test_a_call_is_not_compared_with_other_traffic():
    recorded = [Interaction(post({"x": 1}, "https://api.openai.com/v1/files"), Response(200))]
    assert "Nothing like this request" in explained(post(ASKED), recorded)


# --- bounded ----------------------------------------------------------------------------------------------------------


def test_the_text_stays_short_whatever_changed():
    noise = random.Random(7)

    def huge():
        words = " ".join(f"w{noise.randrange(900)}" for _ in range(30_000))
        messages = [{"role": "user", "content": words}] * 9
        return {"model": "m", "messages": messages, **{f"option{n}": noise.random() for n in range(30)}}

    text = explained(post(huge()), [Interaction(post(huge()), answer(TOOL_CALL)) for _ in range(3)])
    assert len(text) < 12_000
    assert "more changes" in text


def test_the_nearest_of_thousands_is_found():
    noise = random.Random(3)

    def body(number):
        words = " ".join(f"w{noise.randrange(5_000)}" for _ in range(60))
        return edited(ASKED, lambda body: body["messages"][1].update(content=f"{words} {number}"))

    recorded = [Interaction(post(body(number)), answer(TOOL_CALL)) for number in range(1_000)]
    live = json.loads(recorded[700].request.body)
    live["messages"][1]["content"] += " indeed"
    text = explained(post(live), recorded)
    assert "interaction 701 of 1000" in text
    assert "{+ indeed+}" in text


def test_control_characters_never_reach_the_terminal():
    evil = edited(ASKED, lambda body: body["messages"][1].update(content="What is \x1b[31m the \u202ecapital\x07?"))
    text = explained(post(evil))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_colour_comes_only_if_asked():
    changed = miss(post(edited(ASKED, lambda body: body.update(temperature=0.7))))
    told = explain(changed, COMMAND + "{mode}")
    assert "\x1b[31m0.2\x1b[0m -> \x1b[32m0.7\x1b[0m" in told.coloured
    assert "\x1b" not in told
    assert "\x1b" not in explain(changed, COMMAND + "{mode}")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5_000, b"\xff\xfe", b'{"messages": 5}', b"null"])
def test_strange_requests_are_explained(body):
    assert COMMAND in explained(post(body))


def test_a_cassette_is_not_read_to_find_the_nearest(tmp_path):
    path, key = tmp_path / "many.yaml", meaning()
    noise = random.Random(5)
    words = [" ".join(f"w{noise.randrange(3_000)}" for _ in range(30)) for _ in range(200)]
    bodies = [edited(ASKED, lambda body, text=text: body["messages"][1].update(content=text)) for text in words]
    recorded = [Interaction(post(body), answer(TOOL_CALL)) for body in bodies]
    items = [new_item(interaction, key(interaction.request)) for interaction in recorded]
    store.save(path, Header(keying=key.scheme), items)
    unread = LazyInteractions(store.load(path))
    live = edited(bodies[150], lambda body: body["messages"][1].update(content=words[150] + " indeed"))
    text = explained(post(live), unread)
    assert "interaction 151 of 200" in text
    assert "{+ indeed+}" in text


# --- what the explanation is made of ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "turn"), [(ASKED, 1), (SECOND, 2), (THIRD, 3)])
def test_the_request_is_told_in_one_line_and_by_its_turn(body, turn):
    told = explained(post(body), [], path=None)
    prompt = '"And of Spain?"' if body is THIRD else '"What is the capital of France?"'
    assert (told.turn, told.asked) == (turn, f"POST {CHAT} (gpt-4o, turn {turn}, {prompt})")


def test_what_is_no_call_of_a_model_has_no_turn():
    told = explained(Request("GET", "https://shop.example/prices?page=2"))
    assert (told.turn, told.asked) == (0, "GET https://shop.example/prices?page=2")


def test_a_call_of_json_rpc_is_told_by_its_method():
    called = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1}}}
    told = explained(post(called, url="https://tools.example/mcp"))
    assert told.asked.startswith("POST https://tools.example/mcp (")
    assert "add" in told.asked


PURPOSES = [
    ({"reason": "no cassette", "recorded": []}, "To record it"),
    ({"reason": "read on"}, "To record more of the answer"),
    ({"reason": "used up", "times": 1}, "To record one more"),
    ({"recorded": [Interaction(Request("GET", "https://shop.example/"), Response(200, (), ()))]}, "To record it"),
    ({"recorded": RECORDED[1:]}, "If that is meant, record what changed"),
    (
        {
            "recorded": [
                Interaction(post(json.loads(json.dumps(SECOND).replace("call_1", "call_9"))), answer(TOOL_CALL))
            ]
        },
        "To record it again",
    ),
]


@pytest.mark.parametrize(("how", "purpose"), PURPOSES)
def test_what_the_command_is_for_is_said(how, purpose):
    told = explained(post(SECOND if how.get("recorded") else ASKED), **how)
    assert told.purpose == purpose
    assert f"{purpose}:" in told


def test_a_renamed_test_has_a_cause_and_a_purpose(tmp_path):
    former = Former(tmp_path / "old.yaml", "tests/test_old.py::test_capital")
    missed = miss(post(ASKED), [], reason="no cassette", path=tmp_path / "new.yaml")
    told = explain(missed, COMMAND + "{mode}", former=lambda: former)
    assert (told.cause, told.mode) == ("renamed tests/test_old.py tests/test_geo.py", "")
    assert told.purpose == "If it was renamed or moved, this moves what it recorded, snapshots included"
    assert f"There is no cassette {tmp_path / 'new.yaml'}." in told


def test_what_changed_is_told_apart_from_what_stands_around_it():
    told = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))))
    assert told.summary == "temperature changed since it was recorded."
    assert told.cause == explained(post(edited(THIRD, lambda body: body.update(temperature=0.7)))).cause
    assert [change.name for change in told.changes] == ["temperature"]
    assert "temperature: " in "".join(told.difference)
    assert "0.2 -> 0.7" not in told.around
    assert "Compared with interaction 1 of 3" in told.around
    assert (told.nearest, told.later) == (0, (1, 2))


def test_a_played_interaction_does_not_give_way():
    told = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))), played=[0, 1, 2])
    assert (told.nearest, told.later) == (-1, ())


OTHER = "tests/test_geo.py::test_other"
COMPARED = [
    (RECORDED, (), "interaction 1 of 3: the nearest that is not played yet."),
    (RECORDED, (0, 1, 2), "interaction 1 of 3: the nearest one, which was played already."),
    (RECORDED[:1], (), "interaction 1 of 1: the only one."),
    (RECORDED[:1], (0,), "interaction 1 of 1: the only one, which was played already."),
    ([replace(RECORDED[0], test=OTHER)], (), f"interaction 1 of 1, recorded by {OTHER}: the only one."),
    ([replace(RECORDED[0], test=None)], (), "interaction 1 of 1: the only one."),
]


@pytest.mark.parametrize(("recorded", "played", "words"), COMPARED)
def test_with_what_it_was_compared_is_said(recorded, played, words):
    told = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))), recorded, played=played)
    assert f"Compared with {words}" in told


@pytest.mark.parametrize(
    ("tests", "nothing_own"),
    [
        ([OTHER], True),
        ([OTHER, OTHER], True),
        ([OTHER, "tests/test_geo.py::test_capital"], False),
        ([OTHER, None], False),
        ([OTHER] * 100, True),
        ([OTHER] * 101, False),
    ],
)
def test_a_test_that_recorded_nothing_in_a_shared_cassette_is_told(tests, nothing_own):
    told = explained(
        post(edited(ASKED, lambda body: body.update(seed=1))), [replace(RECORDED[0], test=test) for test in tests]
    )
    assert ("has recorded nothing in this cassette yet" in told) is nothing_own


def test_a_block_is_told_nothing_of_tests():
    missed = miss(post(edited(ASKED, lambda body: body.update(seed=1))), [replace(RECORDED[0], test=OTHER)])
    assert "has recorded nothing" not in explain(replace(missed, test=None), COMMAND + "{mode}")


@pytest.mark.parametrize(("more", "words"), [(1, "Turn 2 of that"), (2, "Turns 2 and 3 of"), (3, "Turns 2 to 4 of")])
def test_how_many_turns_cannot_be_replayed_is_said(more, words):
    fourth = edited(THIRD, lambda body: body["messages"].extend(MORE))
    recorded = [*RECORDED, Interaction(post(fourth), answer({"role": "assistant", "content": "Rome."}))][: more + 1]
    said = ["Paris.", "Madrid."]
    assert all(word in json.dumps(fourth) for word in said)
    told = explained(post(edited(ASKED, lambda body: body.update(temperature=0.7))), recorded)
    assert words in told


def asking_of(value):
    return edited(ASKED, lambda body: body["messages"][1].update(content=f"Regarding {value} as before."))


def test_a_value_that_was_not_there_before_is_told_as_new():
    told = explained(post(edited(ASKED, lambda body: body.update(session="3f2504e0-4f89-11d3-9a0c-0305e82c3301"))))
    assert "What differs is a uuid that was not there before: 3f2504e0-4f89-11d3-9a0c-0305e82c3301." in told


def test_values_of_several_kinds_are_counted_up():
    old, new = "2026-11-21 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "2026-11-22 4f2504e0-4f89-11d3-9a0c-0305e82c3302"
    told = explained(post(asking_of(new)), [Interaction(post(asking_of(old)), answer(TOOL_CALL))])
    assert "What differs is volatile (date, uuid): a date: 2026-11-21 was recorded, now it is 2026-11-22." in told
    assert "freeze=('clock', 'uuid') on the mark" in told


@pytest.mark.parametrize("values", [("2026-11-21", "2026-11-22"), ("2026-11-25", "2026-12-24")])
def test_values_that_are_mended_alike_are_one_cause(values):
    causes = {
        explained(post(asking_of(new)), [Interaction(post(asking_of(old)), answer(TOOL_CALL))]).cause
        for old, new in (values, ("2026-01-01", "2026-01-02"))
    }
    assert len(causes) == 1


@pytest.mark.parametrize(
    ("url", "name"), [("https://shop.example/a", "seen"), ("https://shop.example/b", "day"), (CHAT, "day")]
)
def test_values_in_other_places_are_other_causes(url, name):
    def cause(url, name):
        old, new = (post({name: day, "q": 1}, url=url) for day in ("2026-11-21", "2026-11-22"))
        return explained(new, [Interaction(old, Response(200, JSON, ()))]).cause

    assert cause(url, name) == cause(url, name)
    assert cause(url, name) != cause("https://shop.example/a", "day")


def test_every_field_that_is_another_one_each_time_is_named():
    def asking(day, at):
        return post(edited(ASKED, lambda body: body.update(day=day, at=at)))

    told = explained(
        asking("2026-11-22", 1732270007), [Interaction(asking("2026-11-21", 1732270000), answer(TOOL_CALL))]
    )
    assert "ignore_body=('$.day', '$.at')" in told
    assert "freeze=('clock',)" in told


def test_other_traffic_with_one_cause_shares_its_address():
    told = explained(
        post({"page": 2}, url="https://shop.example/search"),
        [Interaction(post({"page": 1}, url="https://shop.example/search"), Response(200, JSON, ()))],
    )
    assert "POST https://shop.example/search" in told.shared
    assert told.cause.startswith("  POST https://shop.example/search")


def test_a_changed_host_is_not_told_by_the_address():
    told = explained(
        post({"page": 1}, url="https://other.example/search"),
        [Interaction(post({"page": 1}, url="https://shop.example/search"), Response(200, JSON, ()))],
    )
    assert "POST" not in told.shared
    assert "The host changed since the cassettes were recorded" in told.shared


def test_hosts_that_stand_for_each_other_are_no_change():
    missed = miss(
        post(edited(ASKED, lambda body: body.update(seed=7)), url="https://gateway.example/v1/chat/completions")
    )
    same = ("https://gateway.example https://api.openai.com",)
    assert "The host changed" not in explain(missed, COMMAND + "{mode}", same_hosts=same)
    assert "host" in explain(missed, COMMAND + "{mode}")


def test_a_header_that_one_of_two_requests_lacks_is_none():
    def of(*headers):
        return post(ASKED, headers=(*JSON, *headers))

    told = explained(of(("x-tenant", "b")), [Interaction(of(), answer(TOOL_CALL))])
    assert "header x-tenant: (none) -> b" in told
    told = explained(of(), [Interaction(of(("x-tenant", "a")), answer(TOOL_CALL))])
    assert "header x-tenant: a -> (none)" in told


def test_another_method_is_told_as_that():
    there = "https://shop.example/order"
    told = explained(Request("DELETE", there), [Interaction(Request("GET", there), Response(200, JSON, ()))] * 2)
    assert "Of shop.example, what is recorded is GET /order (2)." in told
    assert "ignore_hosts" not in told


def test_another_picture_is_no_volatile_value():
    def showing(data):
        url = {"url": f"data:image/png;base64,{b64encode(data).decode()}"}
        content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": url}]
        return post(edited(ASKED, lambda body: body["messages"][1].update(content=content)))

    told = explained(showing(bytes(600)), [Interaction(showing(bytes(599) + b"x"), answer(TOOL_CALL))])
    assert "sha256" in told
    assert "freeze" not in told
    assert "another one in every run" not in told


def upload(parts, boundary):
    lines = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n{content}\r\n'
        for name, file, content in parts
    ]
    headers = (("content-type", f"multipart/form-data; boundary={boundary}"),)
    return Request("POST", "https://shop.example/files", headers, "".join([*lines, f"--{boundary}--\r\n"]).encode())


def test_an_upload_is_told_by_its_parts_without_the_boundary():
    old = upload([("a", "a.txt", "Dear all,"), ("b", "b.txt", "same")], "9f86d081884c7d659f86d081884c7d65")
    new = upload([("a", "a.txt", "Dear you,"), ("b", "c.txt", "same")], "1b4f0e98519719981b4f0e9851971998")
    told = explained(new, [Interaction(old, Response(200, JSON, ()))])
    assert "Dear [-all-]{+you+}" in told
    assert "part b, content-disposition" in told
    assert "1b4f" not in told
    assert "freeze" not in told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}, ["stream_options: added, {"]),
        (
            {"stream": True, "stream_options": {"include_usage": True}},
            {"stream": True},
            ["stream_options: removed, was {"],
        ),
        ({"stream": False}, {"stream": True}, ["stream: false -> true"]),
        ({"seed": "1"}, {"seed": 1}, ['seed: "1" -> 1']),
        ({"top_p": 1}, {"top_p": None}, ["top_p: 1 -> null"]),
    ],
)
def test_settings_are_told_as_the_bodies_have_them(before, after, told):
    old, new = (post(edited(ASKED, lambda body, more=more: body.update(more))) for more in (before, after))
    lines = map(without_colours, explained(new, [Interaction(old, answer(TOOL_CALL))]).difference)
    assert [line.startswith(said) for line, said in zip(lines, told, strict=True)] == [True]


def test_a_signed_address_is_told_to_freeze_the_clock():
    signed = "https://bucket.example/key?X-Amz-Date={}&X-Amz-Signature=REDACTED(X-Amz-Signature)"
    old, new = (Request("PUT", signed.format(time)) for time in ("20261127T100001Z", "20261127T100107Z"))
    told = explained(new, [Interaction(old, Response(200, (), ()))])
    assert "What differs is a time: 20261127T100001Z was recorded, now it is 20261127T100107Z." in told
    assert "freeze=('clock',)" in told
