"""Exchanges joined to conversations."""

from __future__ import annotations

import json
from dataclasses import replace

from replay_agent.calls import Answer, AnswerError, Exchange, ModelCall
from replay_agent.messages import (
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.report import compare as compare_module
from replay_agent.report.comparison.turns import threads_of
from replay_agent.report.conversation import conversations as conversations_module
from replay_agent.report.conversation.conversations import conversations_of
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.traffic import Chunk, Interaction, Request, Response
from replay_agent.usage import Usage

SYSTEM = SystemPromptPart("Be brief.")
CALL = ToolCallPart("lookup", '{"city": "Paris"}', "call_1")


def user(text, *before):
    return ModelRequest([*before, UserPromptPart(text)])


def says(*parts, id=None):
    parts = [TextPart(part) if isinstance(part, str) else part for part in parts]
    return ModelResponse(parts, usage=Usage(request_tokens=10, response_tokens=5), provider_response_id=id)


def returns(content="2 million", call_id="call_1"):
    return ModelRequest([ToolReturnPart("lookup", content, call_id)])


def exchanges(*turns):
    """Each turn: the messages asked, the answer (a response, or an error's status), and fields of the call."""
    made = []
    for number, (messages, answer, *fields) in enumerate(turns):
        call = ModelCall(list(messages), "m", **(fields[0] if fields else {}))
        failed = isinstance(answer, int)
        answer = Answer(error=AnswerError(answer, "no")) if failed else Answer(answer)
        made.append(Exchange(number, "openai_chat", call, answer))
    return made


def shape(*turns):
    """The interactions of each conversation, those of its retries behind them."""
    found = conversations_of(exchanges(*turns))
    return [
        ([one.interaction for one in conversation.exchanges], [one.interaction for one in conversation.retries])
        for conversation in found
    ]


def test_a_run_is_one_conversation():
    first, second = [user("Hi", SYSTEM)], [user("Hi", SYSTEM), says(CALL), returns()]
    [conversation] = conversations_of(exchanges((first, says(CALL)), (second, says("2 million."))))
    assert [type(message) for message in conversation.messages] == [ModelRequest, ModelResponse] * 2
    assert conversation.usage == Usage(requests=2, request_tokens=20, response_tokens=10)
    assert conversation.tool_calls == [CALL]


def test_the_history_holds_the_answers_as_they_came():
    rich = says(ThinkingPart("Hm.", "signed"), "Hello.")
    echo = ModelResponse([TextPart(" Hello. ")])
    [conversation] = conversations_of(
        exchanges(([user("Hi")], rich), ([user("Hi"), echo, user("More")], says("Well.")))
    )
    assert conversation.messages[1] is rich


def test_other_prompts_are_other_conversations():
    assert shape(([user("A")], says("a")), ([user("B")], says("b"))) == [([0], []), ([1], [])]


def test_the_same_question_twice_is_two_conversations():
    assert shape(([user("A")], says("a")), ([user("A")], says("a"))) == [([0], []), ([1], [])]


def test_concurrent_runs_are_told_apart_by_their_answers():
    one, two = says("yes"), says("no")
    turns = [
        ([user("A")], one),
        ([user("A")], two),
        ([user("A"), two, user("Why?")], says("2")),
        ([user("A"), one, user("Why?")], says("1")),
    ]
    assert shape(*turns) == [([0, 3], []), ([1, 2], [])]


def test_equal_runs_keep_their_order():
    turns = [
        ([user("A")], says("x")),
        ([user("A")], says("x")),
        ([user("A"), says("x"), user("B")], says("y")),
        ([user("A"), says("x"), user("B")], says("y")),
    ]
    assert shape(*turns) == [([0, 2], []), ([1, 3], [])]


def test_a_fork_is_a_conversation_of_its_own():
    turns = [
        ([user("A")], says("x")),
        ([user("A"), says("x"), user("B")], says("y")),
        ([user("A"), says("x"), user("C")], says("z")),
    ]
    assert shape(*turns) == [([0, 1], []), ([2], [])]


def test_a_retry_is_no_turn():
    turns = [
        ([user("A")], 429),
        ([user("A")], 503),
        ([user("A")], says("x")),
        ([user("A"), says("x"), user("B")], says("y")),
    ]
    [conversation] = conversations_of(exchanges(*turns))
    assert [one.interaction for one in conversation.exchanges] == [2, 3]
    assert [one.interaction for one in conversation.retries] == [0, 1]
    assert conversation.usage.requests == 2


def test_another_model_may_take_over():
    turns = [([user("A")], 500), ([user("A")], says("x"), {"stream": True})]
    assert shape(*turns) == [([1], [0])]


def test_an_answer_that_was_cut_may_be_asked_for_again():
    made = exchanges(([user("A")], says("x")), ([user("A")], says("xyz")))
    made[0] = replace(made[0], partial=True)
    [conversation] = conversations_of(made)
    assert conversation.retries == [made[0]]
    assert conversation.messages[-1].parts == [TextPart("xyz")]


def test_a_conversation_may_end_in_a_failure():
    [conversation] = conversations_of(exchanges(([user("A")], says("x")), ([user("A"), says("x"), user("B")], 400)))
    assert [type(message) for message in conversation.messages] == [ModelRequest, ModelResponse, ModelRequest]


def test_a_different_question_after_a_failure_is_no_retry():
    assert shape(([user("A")], 500), ([user("B")], says("b"))) == [([0], []), ([1], [])]


def test_stored_answers_link():
    turns = [
        ([user("A")], says("x", id="resp_1")),
        ([user("B")], says("y", id="resp_2"), {"previous_response_id": "resp_1"}),
        ([user("C")], says("z", id="resp_3"), {"previous_response_id": "resp_2"}),
    ]
    [conversation] = conversations_of(exchanges(*turns))
    assert [message.parts[0].content for message in conversation.messages] == ["A", "x", "B", "y", "C", "z"]


def test_a_stored_answer_may_be_continued_twice():
    turns = [
        ([user("A")], says("x", id="resp_1")),
        ([user("B")], says("y", id="resp_2"), {"previous_response_id": "resp_1"}),
        ([user("C")], says("z", id="resp_3"), {"previous_response_id": "resp_1"}),
    ]
    found = conversations_of(exchanges(*turns))
    assert [len(one.exchanges) for one in found] == [2, 1]
    assert [message.parts[0].content for message in found[1].messages] == ["A", "x", "C", "z"]


def test_a_retry_of_a_stored_answer_is_no_fork():
    turns = [
        ([user("A")], says("x", id="resp_1")),
        ([user("B")], 500, {"previous_response_id": "resp_1"}),
        ([user("B")], says("y", id="resp_2"), {"previous_response_id": "resp_1"}),
    ]
    assert shape(*turns) == [([0, 2], [1])]


def test_an_unknown_stored_answer_begins_a_conversation():
    assert shape(([user("A")], says("x"), {"previous_response_id": "resp_0"})) == [([0], [])]


def test_a_call_that_continues_another_stored_answer_is_no_retry():
    def failed_then(before, after):
        return shape(
            ([user("B")], 500, {"previous_response_id": before}),
            ([user("B")], says("y"), {"previous_response_id": after}),
        )

    assert failed_then("resp_1", "resp_1") == [([1], [0])]
    for before, after in (("resp_1", "resp_2"), ("resp_1", None), (None, "resp_1")):
        assert failed_then(before, after) == [([0], []), ([1], [])]


def test_a_conversation_that_the_provider_keeps_links():
    stored = {"extras": {"conversation": {"id": "conv_1"}}}
    by_name = {"extras": {"conversation": "conv_1"}}
    turns = [([user("A")], says("x"), stored), ([user("B")], 500, by_name), ([user("B")], says("y"), by_name)]
    assert shape(*turns) == [([0, 2], [1])]


def test_tool_results_link_a_shortened_history():
    turns = [
        ([user("Long story")], says(CALL)),
        ([user("Summary"), says(CALL), returns()], says("done")),
    ]
    [conversation] = conversations_of(exchanges(*turns))
    assert [one.interaction for one in conversation.exchanges] == [0, 1]
    assert len(conversation.messages) == 4


def test_a_retry_prompt_links_like_a_result():
    retry = ModelRequest([RetryPromptPart("again", tool_name="lookup", tool_call_id="call_1")])
    assert shape(([user("A")], says(CALL)), ([user("B"), says(CALL), retry], says("x"))) == [([0, 1], [])]


def test_a_history_translated_for_another_provider_links():
    native = ToolCallPart("search", "{}", "srv_1")
    turns = [
        ([user("A")], says(CALL)),
        ([user("A"), says(CALL), returns()], says("It is 2 million.")),
        (
            [
                user("A"),
                says(native),
                returns("found", "srv_1"),
                says(CALL),
                returns(),
                says("It is 2 million."),
                user("B"),
            ],
            says("ok"),
        ),
    ]
    assert shape(*turns) == [([0, 1, 2], [])]


def test_a_changed_system_prompt_stands_where_it_changed():
    changed = SystemPromptPart("Be wordy.")
    turns = [([user("A", SYSTEM)], says("x")), ([user("A", changed), says("x"), user("B")], says("y"))]
    [conversation] = conversations_of(exchanges(*turns))
    assert conversation.messages[0].parts[0] == SYSTEM
    assert conversation.messages[2].parts[0] == changed


def test_a_paused_answer_goes_on():
    turns = [
        ([user("A")], says("one ")),
        ([user("A"), says("one ")], says("two")),
        ([user("A"), says("one ", "two"), user("B")], says("three")),
    ]
    [conversation] = conversations_of(exchanges(*turns))
    assert [one.interaction for one in conversation.exchanges] == [0, 1, 2]
    assert [type(message) for message in conversation.messages] == [
        ModelRequest,
        ModelResponse,
        ModelResponse,
        ModelRequest,
        ModelResponse,
    ]


def test_a_changed_answer_in_the_history_does_not_link():
    turns = [([user("A")], says("yes")), ([user("A"), says("certainly not"), user("B")], says("y"))]
    assert shape(*turns) == [([0], []), ([1], [])]


def test_arguments_may_be_respelled():
    echo = ToolCallPart("lookup", {"city": "Paris"}, "call_1")
    other = ToolCallPart("lookup", {"city": "Rome"}, None)
    assert shape(([user("A")], says(CALL)), ([user("A"), says(echo), returns()], says("x"))) == [([0, 1], [])]
    assert shape(([user("A")], says(CALL)), ([user("A"), says(other), returns("x", None)], says("x"))) == [
        ([0], []),
        ([1], []),
    ]


def test_thousands_of_equal_conversations_are_joined():
    turns = [
        turn for _ in range(600) for turn in (([user("A")], says("x")), ([user("A"), says("x"), user("B")], says("y")))
    ]
    assert len(shape(*turns)) == 600


def test_answers_that_follow_each_other_are_one_in_the_history():
    """A paused turn: nothing is asked between two answers, which some clients send back as one and some as two."""
    first, second = [user("Hi")], [user("Hi"), says("I look it up.")]
    for history in ([says("I look it up."), says("Here it is.")], [says("I look it up.", "Here it is.")]):
        third = [user("Hi"), *history, user("Thanks")]
        turns = (first, says("I look it up.")), (second, says("Here it is.")), (third, says("Welcome."))
        assert shape(*turns) == [([0, 1, 2], [])]


def test_calls_that_follow_each_other_are_one_answer_in_the_history():
    find, read = ToolCallPart("find", "{}"), ToolCallPart("read", "{}")
    third = [user("Hi"), says(find), says(read), user("Nothing.")]
    turns = ([user("Hi")], says(find)), ([user("Hi"), says(find)], says(read)), (third, says("I see."))
    assert shape(*turns) == [([0, 1, 2], [])]


def test_an_answer_to_a_new_question_stands_alone_in_the_history():
    find, read = ToolCallPart("find", "{}"), ToolCallPart("read", "{}")
    asked = [user("Hi"), says(find), user("There are two."), says(read), user("It is empty.")]
    turns = (asked[:1], says(find)), (asked[:3], says(read)), (asked, says("I see."))
    assert shape(*turns) == [([0, 1, 2], [])]


def test_clients_send_back_less_or_more_than_was_said():
    for said, sent in (("Paris. And more.", "Paris."), ("Paris.", "Paris. (quoted)")):
        assert shape(([user("Hi")], says(said)), ([user("Hi"), says(sent), user("More")], says("Well."))) == [
            ([0, 1], [])
        ]


def test_other_words_are_another_conversation():
    turns = ([user("Hi")], says("Paris.")), ([user("Hi"), says("Rome."), user("More")], says("Well."))
    assert shape(*turns) == [([0], []), ([1], [])]


def test_arguments_come_back_in_another_order():
    def calls(args):
        return says(ToolCallPart("lookup", args))

    sent = [user("Hi"), calls({"b": [1], "a": 2}), user("Nothing.")]
    assert shape(([user("Hi")], calls('{"a": 2, "b": [1]}')), (sent, says("Well."))) == [([0, 1], [])]


def test_arguments_that_are_no_json_are_told_apart_by_their_text():
    def calls(args):
        return says(ToolCallPart("lookup", args))

    begun = ([user("Hi")], calls("{broken")), ([user("Hi")], calls("{torn"))
    then = ([user("Hi"), calls("{torn"), user("Again")], says("Well."))
    assert shape(*begun, then) == [([0], []), ([1, 2], [])]


def test_what_turns_have_in_common_is_looked_at_once(calls_of):
    """Of a conversation that each request repeats, what is new is read, joined and taken apart: numbers, not clocks."""
    turns, said, interactions = 40, [], []
    for turn in range(turns):
        said.append({"role": "user", "content": f"Question {turn}?"})
        body = {"model": "gpt-4o", "messages": list(said)}
        said.append({"role": "assistant", "content": f"Answer {turn}."})
        answer = {"model": "gpt-4o", "choices": [{"message": said[-1]}]}
        interactions.append(
            Interaction(
                Request("POST", "https://api.openai.com/v1/chat/completions", (), json.dumps(body).encode()),
                Response(200, (), (Chunk(json.dumps(answer).encode()),)),
            )
        )
    asked, parts = calls_of(conversations_module, "_question"), calls_of(compare_module, "_item")
    transcript = Transcript.from_interactions(interactions)
    assert len(transcript.conversations) == 1
    assert len(asked) <= 3 * turns
    threads_of(transcript, transcript)
    assert len(parts) <= 2 * 5 * turns
