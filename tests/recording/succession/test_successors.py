from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.succession.successors import Successor, pairs, renamed, successors, without_noise
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response, StreamEnd

URL = "https://api.openai.com/v1/chat/completions"


def asked(text, url=URL, method="POST"):
    return Request(method, url, body=json.dumps({"messages": text}).encode())


def answer(serial, content="yes", *, headers=(), **more):
    body = {
        "id": f"chatcmpl-{serial:08}",
        "created": 1_700_000_000 + serial,
        "choices": [{"message": {"content": content, "tool_calls": [{"id": f"call_{serial:08}"}]}}],
        **more,
    }
    return Response(200, (("x-request-id", f"req_{serial}"), *headers), (Chunk(json.dumps(body).encode()),))


def streamed(serial, *words):
    events = [{"id": f"chatcmpl-{serial:08}", "delta": word} for word in words]
    return Response(200, chunks=tuple(Chunk(b"data: " + json.dumps(event).encode() + b"\n\n") for event in events))


def followed(before, after, *, old="one", new="two"):
    """Return the interaction that takes the place of another."""
    first = Interaction(asked(old), before, "t", "2026-01-01T00:00:00Z")
    second = Interaction(asked(new), after, "t", "2026-02-02T00:00:00Z")
    (kept,), _ = successors([Successor(second, first)], lambda _: True)
    assert kept.request == second.request
    return kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (answer(1), answer(2)),
        (answer(1), answer(20_000_000)),
        (streamed(1, "a", "b"), streamed(2, "a", "b")),
        (answer(1, headers=[("date", "Mon")]), answer(2, headers=[("date", "Tue")])),
        (answer(1, system_fingerprint="fp_00000001"), answer(2, system_fingerprint="fp_00000002")),
        (Response(204), Response(204)),
    ],
)
def test_what_means_the_same_stays_to_the_letter(before, after):
    kept = followed(before, after)
    assert kept.outcome == before
    assert kept.recorded_at == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (answer(1, "yes"), answer(2, "no")),
        (answer(1, usage={"prompt_tokens": 5}), answer(2, usage={"prompt_tokens": 6})),
        (answer(1, extra=1), answer(2)),
        (answer(1), replace(answer(2), status=201)),
        (streamed(1, "a", "b"), streamed(2, "a", "b", "c")),
        (answer(1, flag=True), answer(2, flag=1)),
        (answer(1), Failure("ReadTimeout", Phase.HEAD)),
        (Failure("ReadTimeout", Phase.HEAD), answer(2)),
        (answer(1), replace(answer(2), end=StreamEnd.CLOSED)),
        (Response(200, chunks=(Chunk(b"a"),)), Response(200, chunks=(Chunk(b"b"),))),
    ],
)
def test_what_says_something_else_is_new(before, after):
    kept = followed(before, after)
    assert kept.recorded_at == "2026-02-02T00:00:00Z"
    assert type(kept.outcome) is type(after)
    if isinstance(after, Response):
        assert (kept.outcome.status, kept.outcome.end) == (after.status, after.end)


def test_of_another_answer_ids_and_times_stay():
    kept = followed(answer(1, "yes"), answer(2, "no")).outcome
    assert kept.body == answer(1, "no").body
    assert kept.headers == answer(1).headers


def test_an_id_of_another_length_is_not_forced_into_its_place():
    before, after = answer(1, "yes"), answer(123_456_789, "no")
    assert b"chatcmpl-123456789" in followed(before, after).outcome.body


def test_an_id_that_is_cut_by_two_pieces_stays_as_it_came():
    body = answer(2, "no").body
    cut = body.index(b"chatcmpl-") + 4
    after = Response(200, chunks=(Chunk(body[:cut]), Chunk(body[cut:], 5)))
    kept = followed(answer(1, "yes"), after).outcome
    assert b"chatcmpl-00000002" in kept.body
    assert [len(chunk.data) for chunk in kept.chunks] == [len(chunk.data) for chunk in after.chunks]


def test_packed_answers_are_compared_unpacked():
    packed = [
        Response(200, (("content-encoding", "gzip"),), (Chunk(gzip.compress(answer(serial).body)),))
        for serial in (1, 2)
    ]
    assert followed(*packed).outcome == packed[0]


def test_an_id_that_is_handed_back_is_the_old_one_there_too():
    first = Interaction(asked("one"), answer(1))
    new = [Interaction(asked("two"), answer(2)), Interaction(asked(["two", "call_00000002"]), answer(3, "done"))]
    kept, names = successors([Successor(new[0], first), Successor(new[1])], lambda _: True)
    assert b"call_00000001" in kept[1].request.body
    assert names["call_00000002"] == "call_00000001"
    assert renamed(new[1].request, names) == kept[1].request


def test_what_is_no_answer_of_a_model_stays_as_it_came():
    first, second = Interaction(asked("one"), answer(1)), Interaction(asked("two"), answer(2))
    (kept,), names = successors([Successor(second, first)], lambda _: False)
    assert names == {}
    assert kept.outcome.body == second.outcome.body
    assert kept.recorded_at == second.recorded_at


AT = [("date", "Mon"), ("x-ratelimit-remaining", "9"), ("set-cookie", "__cf_bm=REDACTED(__cf_bm); path=/")]
LATER = [("date", "Tue"), ("x-ratelimit-remaining", "8"), ("set-cookie", "__cf_bm=abc; path=/")]


@pytest.mark.parametrize("is_answer", [True, False])
def test_headers_of_one_answer_stay_whoever_answers(is_answer):
    before = Response(200, (*AT, ("set-cookie", "sid=1"), ("etag", "a")), (Chunk(b"one", 47),))
    after = Response(200, (*LATER, ("set-cookie", "sid=2"), ("etag", "b")), (Chunk(b"two", 1),))
    (kept,), _ = successors(
        [Successor(Interaction(asked("two"), after), Interaction(asked("one"), before))], lambda _: is_answer
    )
    assert kept.outcome.headers == (*AT, ("set-cookie", "sid=2"), ("etag", "b"))
    assert kept.outcome.chunks == (Chunk(b"two", 47),)


def test_other_traffic_with_the_same_answer_stays_to_the_letter():
    first = Interaction(asked("one"), Response(200, tuple(AT), (Chunk(b"a", 9),)), "t", "2026-01-01T00:00:00Z")
    second = Interaction(asked("two"), Response(200, tuple(LATER), (Chunk(b"a", 3),)), "t", "2026-02-02T00:00:00Z")
    (kept,), _ = successors([Successor(second, first)], lambda _: False)
    assert (kept.outcome, kept.recorded_at, kept.request) == (first.outcome, first.recorded_at, second.request)


@pytest.mark.parametrize("header", ["age", "expires", "etag", "last-modified"])
def test_what_decides_whether_to_ask_again_is_as_it_came(header):
    old, new = (Response(200, ((header, value),), (Chunk(b"a"),)) for value in ("1", "2"))
    (kept,), _ = successors([Successor(Interaction(asked("b"), new), Interaction(asked("a"), old))], lambda _: False)
    assert kept.outcome.headers == ((header, "2"),)


def test_the_pace_of_a_stream_of_another_length_is_its_own():
    before, after = streamed(1, "a", "b"), streamed(2, "a", "b", "c")
    paced = replace(after, chunks=tuple(replace(chunk, offset_ms=n) for n, chunk in enumerate(after.chunks)))
    assert [chunk.offset_ms for chunk in followed(before, paced).outcome.chunks] == [0, 1, 2]


@pytest.mark.parametrize("said", ["input", "args", "arguments", "metadata"])
def test_an_id_that_the_model_says_means_something(said):
    before, after = (answer(1, **{said: {"id": f"customer-{n}"}}) for n in (1, 2))
    kept = followed(before, after).outcome
    assert b"customer-2" in kept.body
    assert b"customer-1" not in kept.body


def test_pairs_are_made_by_address_and_order():
    old = [Interaction(asked(n, url), Response(200)) for n, url in ((1, URL), (2, "https://a.example/x"), (3, URL))]
    new = [
        Interaction(asked(n, url), Response(200))
        for n, url in ((4, URL), (5, "https://other.test/x"), (6, URL), (7, URL))
    ]
    assert [pair.before for pair in pairs(old, new)] == [old[0], old[1], old[2], None]


def test_noise_is_left_out_and_what_clients_read_is_kept():
    headers = (
        ("CF-Ray", "1"),
        ("openai-processing-ms", "5"),
        ("x-request-id", "r"),
        ("retry-after", "1"),
        ("date", "d"),
    )
    assert without_noise(Response(200, headers)).headers == headers[2:]
    failure = Failure("ReadTimeout", Phase.HEAD)
    assert without_noise(failure) is failure
    plain = Response(200, headers[2:])
    assert without_noise(plain) is plain


texts = st.text(max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "a", "created", "b"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(documents, documents)
def test_no_answer_is_taken_for_another(before, after):
    """Whatever is kept, what is not made up by a provider is what came back now."""
    kept = followed(_json(before), _json(after)).outcome
    assert _without_made_up(json.loads(kept.body)) == _without_made_up(after)


def _json(document):
    return Response(200, chunks=(Chunk(json.dumps(document).encode()),))


def _without_made_up(value):
    if isinstance(value, dict):
        return {key: _without_made_up(each) for key, each in value.items() if key not in ("id", "created")}
    if isinstance(value, list):
        return [_without_made_up(each) for each in value]
    return (type(value), value)


def test_no_more_old_ones_are_asked_for_than_pairs_need():
    def at(path, body=b""):
        return Interaction(Request("POST", f"https://a.example/{path}", body=body), Response(200))

    asked = []

    def old():
        for each in [at("x"), at("y", b"1"), at("x", b"2"), at("y", b"3")]:
            asked.append(each)
            yield each

    found = pairs(old(), [at("y"), at("x")])
    assert [pair.before for pair in found] == [at("y", b"1"), at("x")]
    assert len(asked) == 2
