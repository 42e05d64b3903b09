"""Secrets that come piece by piece."""

from __future__ import annotations

import json

import pytest

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
