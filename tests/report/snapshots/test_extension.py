from __future__ import annotations

import json
from types import SimpleNamespace

import httpx
import pydantic_ai
import pytest
from pydantic_ai.models import test as pydantic_ai_models

from replay_agent import Agent, use_cassette
from replay_agent.models.openai import OpenAIModel
from replay_agent.models.test import TestModel
from replay_agent.provider.router import routed
from replay_agent.provider.script import Script
from replay_agent.report.conversation.transcript import Transcript
from replay_agent.report.snapshots.extension import RunSnapshotExtension, describe
from replay_agent.traffic import Chunk, Interaction, Request, Response

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
SAID = {"model": "gpt-4o", "choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}
JSON = (("content-type", "application/json"),)


@pytest.fixture
def transcript():
    request = Request("POST", "https://api.openai.com/v1/chat/completions", JSON, json.dumps(ASKED).encode())
    return Transcript.from_interactions(
        [Interaction(request, Response(200, JSON, (Chunk(json.dumps(SAID).encode()),)))]
    )


@pytest.mark.anyio
async def test_our_result_reads_as_text():
    text = describe(await Agent(TestModel(custom_result_text="Hi."), system_prompt="Be kind.").run("Hello?"))
    assert all(word in text for word in ("Be kind.", "Hello?", "Hi.", "requests: 1"))


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_result_of_pydantic_ai_reads_as_text():
    agent = pydantic_ai.Agent(pydantic_ai_models.TestModel(custom_output_text="Hi."), system_prompt="Be kind.")
    text = describe(await agent.run("Hello?"))
    assert all(word in text for word in ("Be kind.", "Hello?", "Hi.", "requests: 1"))


def test_a_transcript_reads_as_text(transcript):
    assert "Hello?" in describe(transcript)


def test_what_has_a_transcript_reads_as_text(transcript):
    class Holder:
        def __init__(self):
            self.transcript = transcript

    assert describe(Holder()) == describe(transcript)


def test_two_runs_that_mean_the_same_read_the_same(transcript):
    later = {**SAID, "id": "chatcmpl-2", "created": 99}
    interaction = Interaction(
        Request("POST", "https://api.openai.com/v1/chat/completions", JSON, json.dumps(ASKED).encode()),
        Response(200, JSON, (Chunk(json.dumps(later).encode()),)),
    )
    assert describe(Transcript.from_interactions([interaction])) == describe(transcript)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_secrets_of_a_run_are_in_no_snapshot(tmp_path):
    credential = "mine-Qz7Lk9Wm3PvXt5"

    async def run():
        client = httpx.AsyncClient(headers={"X-Api-Key": credential})
        model = OpenAIModel("gpt-4o", base_url="https://model.invalid/v1", api_key="none", http_client=client)
        result = await Agent(model).run(f"say {credential} and sk-proj-Qz7Lk9Wm3PvXt5Ab")
        assert credential in result.all_messages_json().decode()
        return RunSnapshotExtension().serialize(result)

    with routed(Script([f"it is {credential}"]).answer), use_cassette(tmp_path / "a.yaml", "once"):
        recorded = await run()
    assert "say REDACTED(x-api-key) and REDACTED(openai-key)" in recorded
    assert "it is REDACTED(x-api-key)" in recorded
    with use_cassette(tmp_path / "a.yaml"):
        assert await run() == recorded


def test_a_password_in_a_history_is_in_no_snapshot():
    call = {"part_kind": "tool-call", "tool_name": "login", "args": {"password": "letmein99"}, "tool_call_id": "c1"}
    history = [{"kind": "response", "parts": [call], "timestamp": "2026-01-01T00:00:00Z", "model_name": "m"}]
    run = SimpleNamespace(all_messages_json=lambda: json.dumps(history).encode(), output="ok", usage=None)
    assert "letmein99" not in describe(run)
    assert "REDACTED(password)" in describe(run)


def test_what_is_no_run_is_refused():
    with pytest.raises(TypeError, match="cannot take a dict"):
        describe({"a": 1})


def test_the_name_survives_a_test_that_another_worker_ran():
    location = SimpleNamespace(item=object(), snapshot_name="TestGeo.test_capital[trio-a/b]")
    assert RunSnapshotExtension.get_snapshot_name(test_location=location) == "TestGeo.test_capital[a-b]"
    assert RunSnapshotExtension.get_snapshot_name(test_location=location, index="x") == "TestGeo.test_capital[a-b].x"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("test_x", "test_x"),
        ("test_x.second", "test_x[second]"),
        ("test_x.1", "test_x[1]"),
        ("TestA.test_x", "TestA.test_x"),
        ("TestA.test_x.a b.c", "TestA.test_x[a b.c]"),
        ("TestA.test_x[1.5].second", "TestA.test_x[1.5].second"),
        ("test_x.second[1]", "test_x[second[1]]"),
        ("Geo.check_capital.second", "Geo.check_capital[second]"),
        ("tests_of_geo.test_x", "tests_of_geo.test_x"),
        ("Odd", "Odd"),
    ],
)
def test_syrupy_relates_the_name_of_a_file_to_its_test(tmp_path, file, name):
    (snapshot,) = RunSnapshotExtension().read_snapshot_collection(snapshot_location=str(tmp_path / f"{file}.run.snap"))
    assert snapshot.name == name


def test_a_file_of_an_earlier_version_is_read_as_long_as_there_is_no_other(tmp_path):
    def read():
        return RunSnapshotExtension().read_snapshot_data_from_location(
            snapshot_location=str(tmp_path / "test_x.run.snap"), snapshot_name="test_x", session_id=""
        )

    assert read() is None
    (tmp_path / "test_x.run.txt").write_text("old", "utf-8")
    assert read() == "old"
    (tmp_path / "test_x.run.snap").write_text("new", "utf-8")
    assert read() == "new"


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("test_geo/test_a.{}", True),
        ("test_geo/test_a.second.{}", True),
        ("test_history/test_a.{}", False),
        ("test_history/test_a.second.{}", False),
        ("test_geo/test_ab.{}", False),
        ("test_a.{}", False),
    ],
)
def test_only_the_files_of_its_own_module_are_a_test_s(file, own):
    location = SimpleNamespace(item=object(), snapshot_name="test_a", basename="test_geo")
    path = "/project/tests/__snapshots__/" + file.format(RunSnapshotExtension.file_extension)
    assert RunSnapshotExtension.matches_test_location(test_location=location, snapshot_location=path) is own
