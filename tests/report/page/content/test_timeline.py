from __future__ import annotations

from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.page.content.timeline import conversations_of, models_of, other_traffic
from replay_agent.traffic import Interaction, Request, Response
from tests.report.page.samples import (
    answer,
    call,
    cut_off,
    data_url,
    png,
    refused,
    returned,
    run_with_a_tool,
    streamed,
    system,
    tool_call,
    user,
)


def told(interactions, live=()):
    return conversations_of(Transcript.from_interactions(interactions), interactions, live)


def test_a_call_and_what_it_gave_back_are_one():
    (talk,) = told(run_with_a_tool())
    assert [message.who for message in talk.messages] == ["system", "user", "assistant", "assistant"]
    (piece,) = talk.messages[2].pieces
    assert (piece.name, piece.words.text, piece.answer.text) == (
        "opening_hours",
        '{"city": "Utrecht"}',
        '{"open": "10:00"}',
    )


def test_results_go_to_their_own_calls():
    said = tool_call("weather", {"city": "A"}, "c1")
    said["tool_calls"] += tool_call("weather", {"city": "B"}, "c2")["tool_calls"]
    asked = [user("both"), said, returned("rain in B", "c2"), returned("sun in A", "c1")]
    interactions = [Interaction(call(user("both")), answer(said)), Interaction(call(*asked), answer("done"))]
    (talk,) = told(interactions)
    assert [piece.answer.text for piece in talk.messages[1].pieces] == ["sun in A", "rain in B"]


def test_answers_have_their_figures():
    (talk,) = told(run_with_a_tool(), live=(1,))
    turns = [message.turn for message in talk.messages if message.turn]
    assert [(turn.number, turn.model, turn.input_tokens, turn.output_tokens) for turn in turns] == [
        (1, "gpt-4o", 100, 10),
        (2, "gpt-4o", 100, 10),
    ]
    assert [turn.live for turn in turns] == [False, True]
    assert all(float(turn.usd) > 0 and turn.raw is not None for turn in turns)


def test_what_was_said_before_has_no_turn():
    history = [user("a"), {"role": "assistant", "content": "b"}, user("c")]
    (talk,) = told([Interaction(call(*history), answer("d"))])
    assert [bool(message.turn) for message in talk.messages] == [False, False, False, True]
    assert talk.messages[-1].turn.number == 2


def test_a_stream_has_a_pace():
    (talk,) = told([Interaction(call(user("a"), stream=True), streamed("b", "c"))])
    turn = talk.messages[-1].turn
    assert (turn.chunks, len(turn.pace), turn.took_ms) == (4, 4, 300)


def test_a_retry_stands_before_what_came_of_it():
    asked = call(user("a"))
    (talk,) = told([Interaction(asked, refused()), Interaction(asked, answer("b"))])
    failed, answered = (message.turn for message in talk.messages if message.turn)
    assert (failed.error, failed.retried) == ("status 429: slow down", True)
    assert (answered.error, answered.retried) == ("", False)


def test_a_failure_at_the_end_is_told():
    (talk,) = told([Interaction(call(user("a")), cut_off())])
    turn = talk.messages[-1].turn
    assert turn.error == "ReadTimeout before an answer came: timed out"
    assert not turn.retried


def test_an_unusual_end_is_told():
    (talk,) = told([Interaction(call(user("a")), answer("b", finish="length"))])
    assert talk.messages[-1].turn.finish == "length"


def test_pictures_are_shown():
    content = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": data_url(png())}}]
    (talk,) = told([Interaction(call(user(content)), answer("A stripe."))])
    assert len(talk.messages[0].pieces[0].pictures) == 1


def test_tools_are_listed_once():
    tools = [{"type": "function", "function": {"name": "add", "description": "adds", "parameters": {}}}]
    interactions = [Interaction(call(user("a"), tools=tools), answer("b"))] * 2
    assert told(interactions)[0].tools == [("add", "adds")]


def test_a_long_conversation_is_told_from_both_ends():
    history = [each for number in range(150) for each in (user(f"q{number}"), {"role": "assistant", "content": "a"})]
    (talk,) = told([Interaction(call(system("s"), *history, user("last")), answer("end"))])
    assert len(talk.messages) == 200
    assert talk.left_out == 103
    assert talk.messages[-1].pieces[0].words.text == "end"


def test_other_traffic_is_a_line_each():
    other = Interaction(Request("GET", "https://a.example/items"), Response(404))
    transcript = Transcript.from_interactions([other] * 70)
    lines = other_traffic(transcript, [other] * 70)
    assert lines[0][0] == "GET https://a.example/items -> 404"
    assert lines[0][1].answered == "404"
    assert (len(lines), lines[-1]) == (61, ("and 10 more", None))


def test_models_are_named_once():
    interactions = [Interaction(call(user("a"), model=model), answer("b", model=model)) for model in ("x", "y", "x")]
    assert models_of(Transcript.from_interactions(interactions)) == ["x", "y"]
