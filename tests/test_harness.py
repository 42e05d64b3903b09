from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import inspect
import os
import re
import threading
import unittest
from pathlib import Path

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
from replay_agent.recording.clients import intercept
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.process import network
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
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with use_cassette(cassette):
        assert os.environ["OPENAI_API_KEY"] == "sk-replay"
        ask("France?")
    assert "OPENAI_API_KEY" not in os.environ


RECORDING = ["once", "new_episodes", "all", "rewrite", "refresh"]


@pytest.mark.parametrize("mode", RECORDING)
def test_no_key_is_made_up_while_recording(tmp_path, monkeypatch, mode):
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_REGION"):
        monkeypatch.delenv(variable, raising=False)
    before = dict(os.environ)
    with use_cassette(tmp_path / "run.yaml", mode):
        assert dict(os.environ) == before


@pytest.mark.parametrize("mode", RECORDING)
def test_the_network_is_open_while_recording(tmp_path, mode):
    with use_cassette(tmp_path / "run.yaml", mode):
        assert not network.is_shut()


@pytest.mark.parametrize("mode", ["none", "once"])
def test_the_network_is_shut_where_a_cassette_is_only_played(cassette, mode):
    with use_cassette(cassette, mode):
        assert network.is_shut()
    assert not network.is_shut()


def test_the_network_stays_open_where_that_is_asked_for(cassette):
    with use_cassette(cassette, block_network=False):
        assert not network.is_shut()


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
    with (
        pytest.raises(CassetteMiss, match=r"header x-tenant: [ab] -> c"),
        use_cassette(tmp_path / "run.yaml", match_headers=("x-tenant",)),
    ):
        assert [of("b"), of("a")] == ["b", "a"]
        of("c")


def test_options_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(UserError, match="sometimes"), use_cassette(tmp_path / "x.yaml", "sometimes"):
        pytest.fail("opened")
    with pytest.raises(UserError, match=r"\$"), use_cassette(tmp_path / "x.yaml", ignore_body=("$[",)):
        pytest.fail("opened")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("only_host", "only_hosts"),
        ("ignore_bodies", "ignore_body"),
        ("pace", "paced"),
        ("zzz", None),
        ("allow_unused", None),
    ],
)
def test_a_keyword_that_there_is_not_is_refused(tmp_path, wrong, meant):
    with (
        pytest.raises(TypeError, match=f"unexpected keyword argument '{wrong}'") as refused,
        use_cassette(tmp_path / "x.yaml", **{wrong: ("a",)}),
    ):
        pytest.fail("opened")
    assert (f"did you mean {meant!r}" in str(refused.value)) is (meant is not None)


def test_the_signature_shows_every_option_and_its_default():
    shown = inspect.signature(use_cassette).parameters
    options = {each.name: each.default for each in dataclasses.fields(RecordOptions)}
    not_of_a_block = {"record_mode", "allow_unused", "journal_folder"}
    assert set(shown) - {"path", "record_mode"} == set(options) - not_of_a_block
    assert {name: shown[name].default for name in set(options) - not_of_a_block} == {
        name: options[name] for name in set(options) - not_of_a_block
    }
    assert [name for name in shown if f"{name}: " not in use_cassette.__doc__] == []


def test_the_reference_shows_the_same_signature():
    page = Path(__file__, "../../docs/api.md").resolve().read_text("utf-8")
    (written,) = re.findall(r"^\.\. autofunction:: use_cassette\((.+)\)$", page, re.MULTILINE)
    told = eval(f"lambda {written}: None")
    shown = inspect.signature(use_cassette).parameters.values()
    assert [(each.name, each.kind, each.default) for each in inspect.signature(told).parameters.values()] == [
        (each.name, each.kind, each.default) for each in shown
    ]


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


# What a block swallows


def swallowing():
    with contextlib.suppress(BaseException):
        ask("Sweden?")


def in_a_thread():
    thread = threading.Thread(target=ask, args=("Sweden?",))
    thread.start()
    thread.join()


def in_a_task():
    async def main():
        async def forgotten():
            async with httpx.AsyncClient() as client:
                await client.post(URL, json={})

        await asyncio.wait([asyncio.create_task(forgotten())])

    asyncio.run(main())


def in_a_pool_of_threads():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(ask, "Sweden?")


def in_a_retry():
    for _ in range(2):
        try:
            ask("Sweden?")
        except BaseException:
            continue


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("swallow", [swallowing, in_a_thread, in_a_task, in_a_pool_of_threads, in_a_retry])
def test_what_a_block_swallows_is_raised_at_its_end(cassette, swallow):
    with pytest.raises(CassetteMiss) as raised, use_cassette(cassette):
        swallow()
    assert raised.value.path == cassette


@pytest.mark.parametrize("named", [CassetteMiss, (ZeroDivisionError, CassetteMiss)])
def test_a_miss_that_is_expected_by_its_class_is_none_of_the_blocks(cassette, named):
    with use_cassette(cassette):
        with pytest.raises(named):
            ask("Sweden?")
        assert ask("France?") == "Paris"


def test_a_miss_that_a_unittest_expects_is_none_of_the_blocks(cassette):
    with use_cassette(cassette), unittest.TestCase().assertRaises(CassetteMiss):  # noqa: PT027 - that is what it is about
        ask("Sweden?")


@pytest.mark.parametrize("named", [BaseException, (Exception, BaseException)])
def test_a_miss_that_is_expected_as_anything_is_raised_at_the_end(cassette, named):
    with pytest.raises(CassetteMiss, match="Sweden"), use_cassette(cassette), pytest.raises(named):
        ask("Sweden?")


def test_one_that_is_expected_excuses_no_other(cassette):
    with pytest.raises(CassetteMiss, match="Finland"), use_cassette(cassette):
        with pytest.raises(CassetteMiss):
            ask("Sweden?")
        with contextlib.suppress(BaseException):
            ask("Finland?")


def test_others_that_were_swallowed_are_notes_of_the_first(cassette):
    with pytest.raises(CassetteMiss, match="Sweden") as raised, use_cassette(cassette):
        swallowing()
        with contextlib.suppress(BaseException):
            ask("Finland?")
    (note,) = raised.value.__notes__
    assert "Finland" in note


def test_another_exception_stays_and_is_told_of_the_miss(cassette):
    with pytest.raises(LookupError, match="none of yours") as raised, use_cassette(cassette):
        swallowing()
        raise LookupError("none of yours")
    (note,) = raised.value.__notes__
    assert "Sweden" in note


def test_a_block_that_may_survive_a_miss_does(cassette):
    with use_cassette(cassette, miss="exception") as run, contextlib.suppress(CassetteMissError):
        ask("Sweden?")
    assert [type(miss) for miss in run.misses] == [CassetteMissError]


def test_a_block_around_one_that_raised_has_swallowed_nothing(cassette, tmp_path):
    with use_cassette(tmp_path / "outer.yaml"), pytest.raises(CassetteMiss), use_cassette(cassette):
        swallowing()


def test_a_process_that_takes_part_refuses_what_it_cannot_heed(cassette, monkeypatch):
    with use_cassette(cassette, normalize=(lambda body: body,)) as run:
        make, arguments = run._invitation()
    run = make(*arguments)
    try:
        with pytest.raises(CassetteMiss, match="takes no part in the recording"):
            ask("Sweden?")
    finally:
        intercept.close_for_test(run.recording)
        run.close(success=False)
