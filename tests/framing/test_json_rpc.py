"""Recorded JSON-RPC answers given under the id of a live request, the rest of them as it was."""

from __future__ import annotations

import gzip
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.framing.json_rpc import readdressed
from replay_agent.traffic import Chunk, Response

JSON = (("Content-Type", "application/json"),)
EVENTS = (("content-type", "text/event-stream; charset=utf-8"),)


def asking(*ids, token=None):
    params = {"name": "add", "arguments": {"id": 3}, **({} if token is None else {"_meta": {"progressToken": token}})}
    calls = [{"jsonrpc": "2.0", "id": each, "method": "tools/call", "params": params} for each in ids]
    return json.dumps(calls if len(calls) > 1 else calls[0]).encode()


def answer(*pieces, headers=JSON):
    return Response(200, headers, tuple(Chunk(piece, n) for n, piece in enumerate(pieces)))


def pieces(response):
    return [chunk.data for chunk in response.chunks]


@pytest.mark.parametrize(
    ("live", "recorded", "said", "becomes"),
    [
        (2, 3, b'{"jsonrpc":"2.0","id":3,"result":{"id":3}}', b'{"jsonrpc":"2.0","id":2,"result":{"id":3}}'),
        (12, 3, b'{ "result": {}, "id" : 3 , "jsonrpc": "2.0" }\n', b'{ "result": {}, "id" : 12 , "jsonrpc": "2.0" }\n'),
        ("b", "a", b'{"jsonrpc":"2.0","id":"a","error":{"code":1}}', b'{"jsonrpc":"2.0","id":"b","error":{"code":1}}'),
        ('x"\u00e9', 3, b'{"jsonrpc":"2.0","id":3,"result":0}', b'{"jsonrpc":"2.0","id":"x\\"\\u00e9","result":0}'),
        (2, 3, b'{"jsonrpc":"2.0","id":"3","result":0}', None),
        (2, 3, b'{"jsonrpc":"2.0","id":4,"result":0}', None),
        (2, 3, b'{"jsonrpc":"2.0","id":3,"method":"ping"}', None),
        (2, 3, b'{"id":3,"result":0}', None),
        (2, 3, b'{"jsonrpc":"2.0","id":3,"result":', None),
        (2, 3, b"", None),
        (2, 3, b"[" * 5_000, None),
        (3, 3, b'{"jsonrpc":"2.0","id":3,"result":0}', None),
        ('"é', "é", '{"jsonrpc":"2.0","id":"é","result":"é"}'.encode(), '{"jsonrpc":"2.0","id":"é","result":"é"}'.encode()),
    ],
)  # fmt: skip
def test_an_answer_gets_the_id_that_is_waited_for(live, recorded, said, becomes):
    found = readdressed(answer(said), asking(live), asking(recorded))
    assert found.body == (said if becomes is None else becomes)


def test_an_id_beyond_ascii_is_one_however_it_is_spelled():
    raw = '{"jsonrpc":"2.0","id":"é","method":"m"}'.encode()
    said = answer('{"jsonrpc":"2.0","id":"é","result":"ü"}'.encode())
    assert readdressed(said, asking(7), raw).body == '{"jsonrpc":"2.0","id":7,"result":"ü"}'.encode()
    assert readdressed(answer(b'{"jsonrpc":"2.0","id":1,"result":0}'), raw, asking(1)).body.decode().count('"é"') == 1


def test_pieces_and_length_follow():
    said = answer(b'{"jsonrpc":"2.0","id":1', b"7", b',"result":{}}', headers=(*JSON, ("content-length", "38")))
    found = readdressed(said, asking(123456), asking(17))
    assert pieces(found) == [b'{"jsonrpc":"2.0","id":123456', b"", b',"result":{}}']
    assert found.headers[-1] == ("content-length", str(len(found.body)))
    assert [chunk.offset_ms for chunk in found.chunks] == [0, 1, 2]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_of_a_stream_are_read_each(end):
    lines = [
        b": ping",
        b"",
        b"event: message",
        b"id: 3",
        b'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":3,"progress":3}}',
        b"",
        b'data:{"jsonrpc":"2.0","id":3,"method":"sampling/createMessage","params":{"progressToken":3}}',
        b"",
        b"data: 3",
        b"",
        b'data: {"jsonrpc":"2.0",',
        b'data:  "id":3,"result":{"content":[{"text":"3"}]}}',
        b"",
        b"",
    ]
    changed = [line.replace(b'"progressToken":3,', b'"progressToken":9,') for line in lines[:5]]
    changed += [*lines[5:11], lines[11].replace(b'"id":3', b'"id":2'), *lines[12:]]
    said = answer(end.join(lines), headers=EVENTS)
    assert readdressed(said, asking(2, token=9), asking(3, token=3)).body == end.join(changed)


def test_a_stream_that_was_cut_keeps_its_rest():
    said = answer(b'data: {"jsonrpc":"2.0","id":3,"result":0}\n\n', b'data: {"jsonrpc":"2.0","id":3', headers=EVENTS)
    found = readdressed(said, asking(2), asking(3))
    assert pieces(found) == [b'data: {"jsonrpc":"2.0","id":2,"result":0}\n\n', said.chunks[1].data]


def test_batches_are_answered_each():
    said = b'[{"jsonrpc":"2.0","id":2,"result":"b"}, {"jsonrpc":"2.0","id":1,"result":"a"}]'
    found = readdressed(answer(said), asking(2, 1), asking(1, 2))
    assert json.loads(found.body) == [
        {"jsonrpc": "2.0", "id": 1, "result": "b"},
        {"jsonrpc": "2.0", "id": 2, "result": "a"},
    ]


def test_an_encoded_answer_is_given_plain():
    headers = (*JSON, ("Content-Encoding", "gzip"), ("Content-Length", "1"))
    body = gzip.compress(b'{"jsonrpc":"2.0","id":3,"result":0}')
    found = readdressed(answer(body[:9], body[9:], headers=headers), asking(2), asking(3))
    assert found.body == b'{"jsonrpc":"2.0","id":2,"result":0}'
    assert found.headers == (*JSON, ("Content-Length", "35"))
    broken = answer(b"no gzip", headers=headers)
    assert readdressed(broken, asking(2), asking(3)) is broken


@pytest.mark.parametrize("asked", [b"", b"{", b"[]", b"[1]", b'{"jsonrpc":"2.0"}', asking(1, 2), b"\xff"])
def test_requests_that_do_not_pair_change_nothing(asked):
    said = answer(b'{"jsonrpc":"2.0","id":3,"result":0}')
    assert readdressed(said, asked, asking(3)) is said
    assert readdressed(said, asking(2), asked) is said


IDS = st.one_of(st.integers(0, 10**6), st.text('abc"\\é\n{}: ', max_size=5))


@given(IDS, IDS, st.lists(st.integers(0, 80), max_size=6), st.booleans(), st.dictionaries(st.text(max_size=3), IDS))
def test_wherever_it_is_cut_only_the_id_changes(live, recorded, cuts, streamed, result):
    message = {"result": result, "jsonrpc": "2.0", "id": recorded, "extra": [recorded]}
    text = json.dumps(message)
    data = (f"event: message\ndata: {text}\n\n" if streamed else text).encode()
    bounds = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
    said = answer(*(data[i:j] for i, j in itertools.pairwise(bounds)), headers=EVENTS if streamed else JSON)
    found = readdressed(said, asking(live), asking(recorded))
    text = found.body.decode()
    assert json.loads(text.removeprefix("event: message\ndata: ")) == {**message, "id": live}
    assert len(found.chunks) == len(said.chunks)
