from __future__ import annotations

import pytest

from replay_agent.usage import Usage
from replay_agent.wire.openai_chat.dialects import ANYONE, DIALECTS
from replay_agent.wire.openai_chat.usage import RunningUsage, read_usage, write_usage

FULL = {
    "prompt_tokens": 20,
    "completion_tokens": 10,
    "total_tokens": 30,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3, "audio_tokens": 2, "image_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 1, "rejected_prediction_tokens": 0},
    "prompt_cache_hit_tokens": 4,
}
DETAILS = {
    "cache_read_tokens": 4,
    "cache_write_tokens": 3,
    "input_audio_tokens": 2,
    "input_image_tokens": 1,
    "reasoning_tokens": 5,
    "output_audio_tokens": 1,
    "rejected_prediction_tokens": 0,
    "prompt_cache_hit_tokens": 4,
}


def test_both_ways():
    assert read_usage(FULL, ANYONE) == Usage(0, 20, 10, 30, DETAILS)
    assert write_usage(Usage(0, 20, 10, 30, DETAILS), ANYONE) == FULL


@pytest.mark.parametrize(
    ("value", "usage"),
    [
        (None, None),
        ([], None),
        ({}, Usage()),
        ({"prompt_tokens": 1, "completion_tokens": 2}, Usage(0, 1, 2, 3)),
        ({"prompt_tokens": 1.0, "completion_tokens": None}, Usage(0, 1)),
        ({"prompt_tokens": "1", "total_tokens": True}, Usage()),
        ({"prompt_tokens": 1, "completion_tokens": 1, "queue_time": 1.0, "is_byok": False}, Usage(0, 1, 1, 2)),
        ({"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": None}, Usage(0, 1, 1, 2)),
    ],
)
def test_odd_counts(value, usage):
    assert read_usage(value, ANYONE) == usage


@pytest.mark.parametrize("name", ["huggingface", "cerebras"])
def test_a_cache_without_a_discount_is_not_counted(name):
    usage = read_usage({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5}}, DIALECTS[name])
    assert usage == Usage(0, 9)


def test_reasoning_counted_apart_is_added():
    wire = {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 6,
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    usage = read_usage(wire, DIALECTS["xai"])
    assert usage == Usage(0, 1, 5, 6, {"reasoning_tokens": 3})
    assert write_usage(usage, DIALECTS["xai"]) == wire


def running(*chunks):
    counts = RunningUsage(ANYONE)
    for chunk in chunks:
        counts.add(chunk)
    return counts.usage


def usage(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def test_counts_of_chunks_add_up():
    assert running({"usage": usage(2, 1)}, {"usage": None}, {"usage": usage(2, 1)}) == Usage(0, 4, 2, 6)


def test_a_growing_total_is_not_added():
    chunks = [{"usage": usage(7, n)} for n in (0, 0, 1, 2, 2)]
    assert running(*chunks) == Usage(0, 7, 2, 9)


def test_groqs_counts_are_taken_once():
    chunks = [{"usage": usage(9, 9)}, {"x_groq": {"id": "r", "usage": usage(2, 1)}}, {"usage": usage(2, 1)}]
    assert running(*chunks) == Usage(0, 2, 1, 3)


def test_a_stream_may_tell_nothing():
    assert running({}, {"x_groq": {"id": "r"}}, {"x_groq": None}) is None
