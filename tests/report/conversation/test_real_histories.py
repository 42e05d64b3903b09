"""Recordings of real runs: every call's history repeats the answer that came before it, in every provider's format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from replay_agent.calls import Exchange
from replay_agent.messages import ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
from replay_agent.recording.cassettes import store
from replay_agent.report.conversation.transcript import Transcript

MULTI_CALL = {
    "anthropic/test_anthropic_deferred_capability_without_tool_search_across_models--claude-haiku-4-5": [3],
    "anthropic/test_anthropic_lazy_advertisement_live": [3],
    "anthropic/test_anthropic_model_thinking_part_redacted": [2],
    "anthropic/test_anthropic_prompted_output": [2],
    "anthropic/test_anthropic_text_parts_ahead_of_built_in_tool_call": [1, 1, 1, 1],
    "anthropic/test_anthropic_tool_with_thinking": [2],
    "anthropic/test_anthropic_web_fetch_tool": [2],
    "anthropic/test_live_tool_search_handoff_anthropic_to_openai": [4],
    "bedrock/test_bedrock_mixed_strict_tool_run": [3],
    "bedrock/test_bedrock_single_tool_choice_preserves_cache--nova": [2, 2],
    "bedrock/test_bedrock_strict_tool_supported_model": [2],
    "cohere/test_tool_choice_matrix--auto-cohere": [2],
    "cohere/test_tool_choice_matrix--tools_plus_output-cohere": [2],
    "compat/test_cerebras_zai_reasoning_replayed_as_think_tags": [2],
    "compat/test_reused_tool_call_ids_gpt_5_5": [4],
    "compat/test_snowflake_thinking": [2],
    "deepseek/test_deepseek_responses_replay_own_reasoning_history": [2],
    "gemini/test_google_deferred_capability_announcement_live": [3],
    "gemini/test_google_model_cached_content": [1, 1],
    "gemini/test_google_model_iter_stream": [3],
    "gemini/test_google_model_web_search_tool_stream": [2],
    "gemini/test_google_vertex_tool_combination_omits_include_server_side_tool_invocations": [2],
    "gemini/test_mixed_content_ordering--google_gemini3": [2],
    "gemini/test_model_sees_multiple_images--google_vertex": [2],
    "gemini/test_native_output_with_function_and_builtin_tools": [2],
    "gemini/test_tool_search_eval--google": [3, 3, 1, 3],
    "openai_chat/test_document_as_binary_content_input_with_tool": [2],
    "openai_chat/test_mcptoolset_dynamic_toolset_in_workflow": [2],
    "openai_chat/test_mcptoolset_in_temporal_workflow": [2],
    "openai_chat/test_run_stream_sync_streams_real_model": [2],
    "openai_chat/test_tool_search_eval--openai-chat": [3, 3, 1, 1],
    "openai_responses/test_openai_client_tool_search_streaming": [3],
    "openai_responses/test_openai_conversation_id_auto_respects_pydantic_ai_conversation_id": [2],
    "openai_responses/test_openai_conversation_id_explicit_and_auto": [2],
    "openai_responses/test_openai_hosted_tool_search_stateless_continuation": [3],
    "openai_responses/test_openai_native_tool_search_gpt_5_6": [2],
    "openai_responses/test_openai_responses_phase_streamed_on_part_start": [2],
    "openai_responses/test_openai_responses_prompt_cache_e2e": [1, 1],
    "openai_responses/test_vendor_metadata_detail": [2],
}
"""How many calls each conversation of a recording has."""

REWRITTEN_IDS = {"compat/test_reused_tool_call_ids_gpt_5_5": "its client gives calls of equal ids new ones"}


def transcript(folder: Path, name: str) -> Transcript:
    return Transcript.from_interactions(store.load(folder / f"{name}.yaml").interactions())


def index(folder: Path) -> list[dict]:
    return json.loads((folder / "index.json").read_bytes())


def test_the_table_is_complete(real_cassettes):
    rows = index(real_cassettes)
    assert {row["file"].removesuffix(".yaml") for row in rows if row["n_model_interactions"] > 1} == set(MULTI_CALL)


@pytest.mark.parametrize("name", MULTI_CALL)
def test_runs_are_joined(name, real_cassettes):
    read = transcript(real_cassettes, name)
    assert [len(conversation.exchanges) for conversation in read.conversations] == MULTI_CALL[name]
    assert sum(len(conversation.retries) for conversation in read.conversations) == 0


def steps(folder: Path, name: str) -> Iterator[tuple[ModelResponse, list[ModelResponse], Exchange]]:
    """Each answer that was followed by a call of its conversation, that call's history of answers, and the call."""
    for conversation in transcript(folder, name).conversations:
        for before, after in pairwise(conversation.exchanges):
            history = [message for message in after.call.messages if isinstance(message, ModelResponse)]
            yield before.answer.response, history, after


def calls(*responses: ModelResponse) -> list[tuple[str, dict]]:
    parts = [part for response in responses for part in response.parts if isinstance(part, ToolCallPart)]
    return [(part.tool_name, part.args_as_dict()) for part in parts]


def ids(*responses: ModelResponse) -> set[str | None]:
    parts = [part for response in responses for part in response.parts if isinstance(part, ToolCallPart)]
    return {part.tool_call_id for part in parts} - {None}


def text(*responses: ModelResponse) -> str:
    """The letters and digits of all texts: the recorder that made these files has replaced typographic marks."""
    said = "".join(part.content for response in responses for part in response.parts if isinstance(part, TextPart))
    return "".join(character for character in said if character.isalnum())


def results(exchange: Exchange) -> list[ToolReturnPart | RetryPromptPart]:
    parts = [part for message in exchange.call.messages for part in message.parts]
    return [part for part in parts if isinstance(part, ToolReturnPart | RetryPromptPart) and part.tool_name]


@pytest.mark.parametrize("name", MULTI_CALL)
def test_each_history_repeats_the_answer_before(name, real_cassettes):
    for answer, history, after in steps(real_cassettes, name):
        if not history:
            assert after.call.previous_response_id or after.call.extras.get("conversation")
            continue
        assert [call for call in calls(*history) if call in calls(answer)][-len(calls(answer)) :] == calls(answer)
        assert text(answer) in text(*history)
        if name not in REWRITTEN_IDS:
            assert ids(answer) <= ids(*history)


@pytest.mark.parametrize("name", MULTI_CALL)
def test_each_call_of_the_answer_before_has_its_result(name, real_cassettes):
    for answer, history, after in steps(real_cassettes, name):
        if name in REWRITTEN_IDS or not ids(answer):
            continue
        found = {part.tool_call_id: part.tool_name for part in results(after)}
        assert {
            part.tool_call_id: part.tool_name for part in answer.parts if isinstance(part, ToolCallPart)
        }.items() <= (found.items())
        assert set(found) <= ids(answer, *history)


def test_every_recording_is_stable_and_counted(real_cassettes):
    for row in index(real_cassettes):
        read = transcript(real_cassettes, row["file"].removesuffix(".yaml"))
        assert len(read) == row["n_interactions"]
        assert len(read.exchanges) == row["n_model_interactions"], row["file"]
        assert read.stable() == read.stable()
        assert [traffic.reason for traffic in read.unknown if traffic.reason] == []
