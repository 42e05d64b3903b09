from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import UserError
from replay_agent.faults.restream import recut_as
from replay_agent.traffic import Chunk, Response

STREAM = (("content-type", "text/event-stream"),)


def pieces(how, body, headers=STREAM):
    response = recut_as(how)(Response(200, headers, (Chunk(body, 5),)))
    return [chunk.data for chunk in response.chunks]


def test_a_stream_is_cut_as_asked():
    assert pieces("bytes", b"data") == [b"d", b"a", b"t", b"a"]
    chunks = (Chunk(b"da"), Chunk(b"ta", 9))
    assert recut_as("merged")(Response(200, (), chunks)).chunks == (Chunk(b"data"),)
    assert pieces("random:3", b"x" * 100) == pieces("random:3", b"x" * 100) != pieces("random:4", b"x" * 100)


def test_what_is_no_stream_stays():
    assert pieces("bytes", b"{}", (("content-type", "application/json"),)) == [b"{}"]


@given(st.binary(max_size=400), st.integers(0, 99))
def test_nothing_is_lost(body, seed):
    for how in ("bytes", "merged", f"random:{seed}"):
        assert b"".join(pieces(how, body)) == body


@pytest.mark.parametrize("how", ["byte", "random", "random:x", ""])
def test_an_unknown_cut_is_a_user_error(how):
    with pytest.raises(UserError, match="'bytes', 'random:SEED'"):
        recut_as(how)
