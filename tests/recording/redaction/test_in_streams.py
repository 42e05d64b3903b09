"""Secrets that come piece by piece."""

from __future__ import annotations

import json

import pytest

from replay_agent.recording.redaction.by_name import find_json_fields
from replay_agent.recording.redaction.by_value import KnownValues, find_shapes
from replay_agent.recording.redaction.in_streams import find_split, is_stream
from replay_agent.recording.redaction.secrets import Secret
from replay_agent.recording.redaction.spans import Draft

SECRET = "correct-horse-battery-1"
FINDERS = [find_shapes, KnownValues([Secret("MY_SECRET", SECRET)]).find]


def events(*words, head="data: ", end="\n\n"):
    documents = ({"id": "c1", "choices": [{"index": 0, "delta": {"content": word}}]} for word in words)
    return "".join(f"{head}{json.dumps(document)}{end}" for document in documents).encode()


def words_after(data, head="data: "):
    draft = Draft(data)
    draft.apply(lambda text: find_split(text.data, FINDERS))
    lines = [line.removeprefix(head) for line in draft.data.decode().splitlines() if line.startswith(head + "{")]
    return [json.loads(line)["choices"][0]["delta"]["content"] for line in lines]


@pytest.mark.parametrize("size", [1, 2, 5, 22])
def test_secret_over_several_events(size):
    pieces = [SECRET[start : start + size] for start in range(0, len(SECRET), size)]
    found = words_after(events("the key is ", *pieces, " ok"))
    assert "".join(found) == "the key is REDACTED(MY_SECRET) ok"
    assert len(found) == len(pieces) + 2


def test_pieces_keep_what_is_not_secret():
    assert words_after(events(f"a {SECRET[:5]}", f"{SECRET[5:]} b")) == ["a REDACTED(MY_SECRET)", " b"]


def test_shape_over_several_events():
    token = "sk-" + "proj-Qz7Lk9Wm3PvXt5Rb2Ny8"
    assert "".join(words_after(events(token[:4], token[4:20], token[20:]))) == "REDACTED(openai-key)"


def test_json_lines_are_a_stream_too():
    data = events(SECRET[:9], SECRET[9:], head="", end="\n")
    assert "".join(words_after(data, head="")) == "REDACTED(MY_SECRET)"


def test_innocent_stream_is_left_alone():
    assert find_split(events("one", "two", "three"), FINDERS) == []


def test_secret_in_one_event_is_found_too():
    assert words_after(events("a ", SECRET, " b")) == ["a ", "REDACTED(MY_SECRET)", " b"]


def test_field_whose_name_came_before_its_value():
    data = events('{"pass', 'word": "', "hun", 'ter2", "x": "y"}')
    draft = Draft(data)
    draft.apply(lambda text: find_split(text.data, [find_json_fields]))
    pieces = [
        json.loads(line[6:])["choices"][0]["delta"]["content"] for line in draft.data.decode().splitlines() if line
    ]
    assert "".join(pieces) == '{"password": "REDACTED(password)", "x": "y"}'


def test_same_text_in_every_event_is_none_in_pieces():
    assert find_split(events("corr", "ect", "corr") + events(*["horse"] * 3), FINDERS) == []


@pytest.mark.parametrize(
    ("data", "stream"),
    [
        (events("a", "b"), True),
        (events("a", "b", head="", end="\n"), True),
        (b'{"a":1}', False),
        (events("a"), False),
        (b"data: text\n\ndata: text\n\n", False),
        (b"", False),
    ],
)
def test_what_is_a_stream(data, stream):
    assert is_stream(data) is stream
