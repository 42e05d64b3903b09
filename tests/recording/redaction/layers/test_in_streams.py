"""Secrets that come piece by piece."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.recording.redaction.layers import in_streams
from replay_agent.recording.redaction.layers.in_streams import find_split, stream_events
from replay_agent.recording.redaction.spans import Place, Span, replaced

SECRET = b"correct-horse-battery-1"


def find(joined):
    start = joined.find(SECRET)
    return [Span(start, start + len(SECRET), "mine", SECRET)] if start >= 0 else []


def events(*words, head="data: ", end="\n\n", index=0):
    documents = ({"id": "c1", "choices": [{"index": index, "delta": {"content": word}}]} for word in words)
    return "".join(f"{head}{json.dumps(document)}{end}" for document in documents).encode()


def cleaned(data):
    spans = sorted(find_split(data, stream_events(data), find))
    return replaced(data, [Place(each.start, each.end, b"***" if each.text is None else each.text) for each in spans])


def words_of(data, index=0):
    found = [json.loads(line.removeprefix("data: ")) for line in data.decode().splitlines() if "{" in line]
    return [each["choices"][0]["delta"]["content"] for each in found if each["choices"][0]["index"] == index]


@pytest.mark.parametrize("size", [1, 2, 5, 22])
@pytest.mark.parametrize("head", ["data: ", ""])
def test_secret_over_several_events(size, head):
    text = SECRET.decode()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    found = words_of(cleaned(events("the key is ", *pieces, " ok", head=head, end="\n")))
    assert "".join(found) == "the key is *** ok"
    assert len(found) == len(pieces) + 2


def test_pieces_keep_what_is_not_secret():
    text = SECRET.decode()
    assert words_of(cleaned(events(f"a {text[:5]}", f"{text[5:]} b"))) == ["a ***", " b"]


def test_interleaved_choices():
    text = SECRET.decode()
    data = b"".join(events(text[n : n + 4]) + events("lorem ", index=1) for n in range(0, len(text), 4))
    assert "".join(words_of(cleaned(data))) == "***"
    assert set(words_of(cleaned(data), 1)) == {"lorem "}


def test_two_choices_do_not_make_one_secret():
    text = SECRET.decode()
    data = events(text[:9]) + events(text[9:], index=1)
    assert cleaned(data) == data


def test_events_of_plain_text():
    data = b"data: correct-horse\n\ndata: -battery-1\n\ndata: end\n\n"
    assert cleaned(data) == b"data: ***\n\ndata: \n\ndata: end\n\n"


def test_events_that_are_texts():
    assert cleaned(b'0:"correct-horse"\n0:"-battery-1"\n') == b'0:"***"\n0:""\n'


def test_elements_of_a_list_are_events():
    data = json.dumps([{"parts": [{"text": each}]} for each in ("correct-hor", "se-battery-1")]).encode()
    assert json.loads(cleaned(data)) == [{"parts": [{"text": "***"}]}, {"parts": [{"text": ""}]}]


def test_innocent_stream_is_left_alone():
    assert cleaned(events("one", "two", "three")) == events("one", "two", "three")


def test_same_text_in_every_event_is_none_in_pieces():
    data = b'{"a":"corr"}\n{"a":"corr"}\n'
    assert list(find_split(data, stream_events(data), lambda _: [Span(0, 8, "x")])) == []


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (events("a", "b"), 2),
        (events("a", "b", head="", end="\n"), 2),
        (b'[{"a":1}]', 1),
        (b'{"a":1}', 0),
        (events("a", "b").replace(b"\n", b"\r"), 2),
        (events("a", "b").replace(b"\n", b"\r\n"), 2),
        (events("a"), 0),
        (b"data: text\n\ndata: text\n\n", 0),
        (b"", 0),
    ],
)
def test_what_is_a_stream(data, count):
    assert len(list(stream_events(data))) == count


TEXTS = st.sampled_from(["a", "", 'say \\"so\\"', "\\\\", "{", "x" * 9, "7"])
SCALARS = st.sampled_from(["1", "12345678901", "-0.5e-3", "null", "true", "0"])


@st.composite
def streams(draw):
    """Events of a few kinds, which come again and again and differ in their texts, numbers and indexes."""
    kinds = [
        '{"id":"%t","choices":[{"index":%i,"delta":{"content":"%t"},"n":%s}],"created":%s}',
        '{"type":"%t","item_id":"%d","output_index": %i, "delta":"%t"}',
        '["%t",{"a":"%t"},"%t"]',
        '{"a":{"text":"%t"},"usage":{"n":%s,"m": %s}}',
        '{"a":"%t","cut":"%t',
    ]
    lines = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=20, max_size=60)):
        for mark, values in (("%t", TEXTS), ("%s", SCALARS), ("%i", st.sampled_from("012")), ("%d", TEXTS)):
            while mark in kind:
                kind = kind.replace(mark, draw(values), 1)
        lines.append(kind)
    return "\n".join(lines).encode()


@given(streams())
def test_what_is_expected_of_an_event_is_what_reading_it_tells(data):
    quickly, slowly = in_streams._Texts(), in_streams._Texts()
    for start, end in stream_events(data):
        quickly.read(data, start, end)
        slowly._read_slowly(data, start, end)
    assert quickly.found == slowly.found
    assert not slowly._forms or quickly._forms


def test_events_that_are_all_alike_are_read_by_their_form():
    data = b"\n".join(b'{"id":"r","item_id":"i","index":0,"created":%d,"text":"w%d"}' % (n * 999, n) for n in range(50))
    texts = in_streams._Texts()
    for start, end in stream_events(data):
        texts.read(data, start, end)
    assert len(texts._forms) == 1
    assert max(map(len, texts.in_pieces())) == 100


def test_events_of_which_each_is_another_take_no_longer():
    data = b"\n".join(b'{"k%d":"w","m%d":{"n":"x"}}' % (n, n * 7) for n in range(9000))
    texts = in_streams._Texts()
    for start, end in stream_events(data):
        texts.read(data, start, end)
    assert len(texts._forms) <= 8
    assert len(texts._seen) <= 4096


SMALL = {
    "texts": b'"a",',
    "numbers": b'"a":1,',
    "words": b'"a":true,',
    "ids of texts": b'"item_id":"a",',
    "indexes": b'"index":12,',
    "lists": b'["a"],',
    "objects": b'{"a":"b"},',
    "deep objects": b'{"a":' * 5 + b'"b"' + b"}" * 5 + b",",
}


SIZE = 200_000


@pytest.mark.parametrize(
    "data",
    [head + each * (SIZE // len(each)) for each in SMALL.values() for head in (b"[", b"[[", b"[{")]
    + [b'[{"a":{%b' % b"".join(b'"n%d":"b",' % number for number in range(SIZE // 12))],
    ids=[*(f"{name} behind {head}" for name in SMALL for head in ("[", "[[", "[{")), "names"],
)
def test_a_document_of_small_values_takes_little(data):
    tracemalloc.start()
    assert not list(find_split(data, stream_events(data), find))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * len(data)


@pytest.mark.parametrize("before", [0, 100, 5000])
def test_secret_among_many_texts(before):
    text = SECRET.decode()
    pieces = [*("lorem" for _ in range(before)), "the ", *(text[n : n + 4] for n in range(0, len(text), 4)), " end"]
    found = json.loads(cleaned(json.dumps([{"text": piece} for piece in pieces]).encode()))
    assert "".join(each["text"] for each in found) == "lorem" * before + "the *** end"


def test_texts_are_told_apart_by_their_first_ids():
    text = SECRET.decode()
    ids = {f"{name}_index": number for number, name in enumerate("abcdefgh" * 40)}
    pairs = [(text[n : n + 4], "lorem ") for n in range(0, len(text), 4)]
    data = "".join(
        f"data: {json.dumps({'output_index': place, **ids, 'delta': piece})}\n\n"
        for pair in pairs
        for place, piece in enumerate(pair)
    ).encode()
    found = [json.loads(line.removeprefix("data: ")) for line in cleaned(data).decode().splitlines() if line]
    assert "".join(each["delta"] for each in found if not each["output_index"]) == "***"
    assert {each["delta"] for each in found if each["output_index"]} == {"lorem "}
