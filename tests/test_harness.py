from __future__ import annotations

import httpx
import pytest

from replay_agent import (
    Agent,
    CassetteMiss,
    CassetteMissError,
    CassetteNotFound,
    UserError,
    load_transcript,
    use_cassette,
)
from replay_agent.models.openai import OpenAIModel
from replay_agent.provider.router import routed
from replay_agent.provider.script import Script
from replay_agent.wire.codec import EncodedAnswer

URL = "https://model.invalid/v1/chat/completions"


def ask(prompt):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": prompt}]}
    return httpx.post(URL, json=body).json()["choices"][0]["message"]["content"]


@pytest.fixture
def cassette(tmp_path):
    path = tmp_path / "run.yaml"
    with routed(Script(["Paris", "Oslo"]).answer), use_cassette(path, "once"):
        ask("France?")
        ask("Norway?")
    return path


def test_answers_are_found_by_content(cassette):
    with use_cassette(cassette) as recording:
        assert [ask("Norway?"), ask("France?")] == ["Oslo", "Paris"]
    assert recording.play_count == 2
    assert len(recording.requests) == 2
    assert recording.usage.requests == 2


def test_several_conversations_are_not_one_history(cassette):
    with use_cassette(cassette) as recording:
        ask("France?")
        assert [part.content for message in recording.messages for part in message.parts] == ["France?", "Paris"]
        ask("Norway?")
        with pytest.raises(Exception, match=r"transcript\.conversations"):
            _ = recording.messages
    assert len(recording.transcript.conversations) == 2


def test_a_miss_is_no_exception(cassette):
    with pytest.raises(CassetteMiss, match="Sweden"), use_cassette(cassette):
        try:
            ask("Sweden?")
        except Exception:
            pytest.fail("swallowed")


def test_a_miss_may_be_an_exception(cassette):
    with use_cassette(cassette, miss="exception"), pytest.raises(CassetteMissError, match="Sweden") as missed:
        ask("Sweden?")
    assert missed.value.path == cassette
    assert missed.value.request.url == URL


def test_the_command_is_spelled_for_the_block(cassette):
    with pytest.raises(CassetteMiss, match="record_mode='refresh'"), use_cassette(cassette):
        ask("Sweden?")


def test_a_failing_block_saves_nothing(tmp_path):
    path = tmp_path / "run.yaml"
    with pytest.raises(ZeroDivisionError), routed(Script(["Paris"]).answer), use_cassette(path, "once"):
        ask("France?")
        _ = 1 / 0
    assert not path.exists()
    script = Script(["never asked"])
    with routed(script.answer), use_cassette(path, "once"):
        assert ask("France?") == "Paris"
    assert script.calls == []


def test_replay_needs_no_credentials(cassette, monkeypatch):
    import os

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with use_cassette(cassette):
        assert os.environ["OPENAI_API_KEY"] == "sk-replay"
        ask("France?")
    assert "OPENAI_API_KEY" not in os.environ


def test_load_transcript_reads_a_cassette(cassette):
    assert [len(c.messages) for c in load_transcript(cassette).conversations] == [2, 2]


def test_load_transcript_names_a_missing_file(tmp_path):
    with pytest.raises(CassetteNotFound, match=r"gone\.yaml"):
        load_transcript(tmp_path / "gone.yaml")


def test_a_header_that_counts_decides_which_answer(tmp_path):
    def of(tenant):
        return httpx.post(URL, content=b"{}", headers={"X-Tenant": tenant}).text

    with (
        routed(lambda request: EncodedAnswer(200, (), (dict(request.headers)["X-Tenant"].encode(),))),
        use_cassette(tmp_path / "run.yaml", "once", match_headers=("x-tenant",)),
    ):
        assert [of("a"), of("b")] == ["a", "b"]
    with use_cassette(tmp_path / "run.yaml", match_headers=("x-tenant",)):
        assert [of("b"), of("a")] == ["b", "a"]
        with pytest.raises(CassetteMiss, match=r"header x-tenant: [ab] -> c"):
            of("c")


def test_options_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(UserError, match="sometimes"), use_cassette(tmp_path / "x.yaml", "sometimes"):
        pytest.fail("opened")
    with pytest.raises(UserError, match=r"\$"), use_cassette(tmp_path / "x.yaml", ignore_body=("$[",)):
        pytest.fail("opened")


@pytest.mark.anyio
async def test_both_witnesses_agree(tmp_path):
    """What our agent says of its run, and what the wire says of it."""
    agent = Agent(OpenAIModel("gpt-4o", base_url="https://model.invalid/v1", api_key="k"), system_prompt="Be brief.")

    @agent.tool_plain
    def population(city: str) -> int:
        """How many people live in a city."""
        return len(city)

    from replay_agent.messages import ToolCallPart

    script = Script([ToolCallPart("population", {"city": "Paris"}), "Five."])
    with routed(script.answer), use_cassette(tmp_path / "run.yaml", "once") as recording:
        result = await recording.run(agent, "How many?")
    assert recording.result is result
    own, wire = result.all_messages(), recording.messages
    assert [message.kind for message in own] == [message.kind for message in wire]
    kinds = [[part.part_kind for part in message.parts] for message in own]
    assert kinds == [[part.part_kind for part in message.parts] for message in wire]
    assert own[1].parts == wire[1].parts
    assert own[3].parts == wire[3].parts
    assert (result.usage().request_tokens, result.usage().requests) == (recording.usage.request_tokens, 2)
