"""Tokens known by the mark they begin with."""

from __future__ import annotations

from itertools import permutations

import pytest

from replay_agent.recording.redaction.finders.shapes import find_shapes

TAIL = "Qz7Lk9Wm3PvXt5Rb2NyQz8Lk4Wm6PvXs5Rc2NyKz7Tk9Bm3HvXt5Fb2NyJz7Lk9Wm3Pv8"
TOKENS = {
    "discord": [
        f"https://{host}/api/webhooks/83920174652910384/{TAIL[:68]}" for host in ("discord.com", "discordapp.com")
    ],
    "aws": [f"{mark}Q7LK3WM2PVXT5RB2" for mark in ("AKIA", "ASIA", "ABIA")],
    "github": [f"{mark}_{TAIL[:36]}" for mark in ("ghp", "gho", "ghs")],
    "mixed": [
        f"ghp_{TAIL[:36]}",
        "AKIAQ7LK3WM2PVXT5RB2",
        f"https://discord.com/api/webhooks/83920174652910384/{TAIL[:68]}",
    ],
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_several_marks_are_found_in_any_order(name):
    for order in permutations(TOKENS[name]):
        text = " then ".join(order).encode()
        assert len({span.start for span in find_shapes(text)}) == len(order)


HEX = "0f1e2d3c" * 16
UUID = "0f1e2d3c-4b5a-4789-8abc-0f1e2d3c4b5a"
ALONE = [
    "61234567890:" + f"AA{TAIL[:33]}",
    "hooks.slack.com/" + f"workflows/T012ABCDE/A012ABCDE/123456789012345678/{TAIL[:24]}",
    "hooks.slack.com/" + f"triggers/T012ABCDE/1234567890123/{HEX[:32]}",
    "pi_" + f"{TAIL[:24]}_secret_{TAIL[24:49]}",
    "pk_" + f"43210987_{'Q7LK3WM2' * 4}",
    "pat-" + f"na1-{UUID}",
    "sdk-" + UUID,
    "st." + f"{UUID}.{HEX[:32]}.{HEX[32:64]}",
    "dp." + f"st.prd.{TAIL[:43]}",
    "snyk_" + f"uat.0f1e2d3c.{TAIL[:40]}.{TAIL[10:50]}",
    "v1.0-" + f"{HEX[:24]}-{HEX}{HEX[:18]}",
    "auth_" + f"tokens/{HEX[:64]}",
]


@pytest.mark.parametrize("token", ALONE)
@pytest.mark.parametrize("around", ["{}", "use {}, please", "key={}\n"])
def test_all_of_a_token_is_found(token, around):
    text = around.format(token).encode()
    assert [text[span.start : span.end].decode() for span in find_shapes(text)] == [token]


@pytest.mark.parametrize(
    "text",
    [
        "app-router-2024-layout, app-Qz7Lk9Wm3PvXt5Rb2Ny8Hc4Jd6, dataset-imagenet21k-pretrain, ck-editor5-build-classic",
        "up_sampling_layer_norm_block_2024 bu-2024 live_streaming_video_quality_2024 ddp_training_strategy_multi_gpu",
        f"cio2024 servicio oy2 pi_{TAIL[:24]} sess-{TAIL[:24]} key_{HEX[:24]} sdk-{HEX[:36]} ek_{HEX[:24]}",
        f"12:AA{TAIL[:33]} 2026-11-28T10:AA{TAIL[:33]} v1.0-alpha-2026-build-1234 v4.local.development",
        f"the class Retry: Az{TAIL[:40]} hooks.slack.com/workflows auth_tokens/list",
    ],
)
def test_what_only_begins_like_a_token_is_none(text):
    assert not list(find_shapes(text.encode()))
