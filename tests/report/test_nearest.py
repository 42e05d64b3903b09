from __future__ import annotations

import json

import pytest

from replay_agent.recording.meaning.json_path import JSONPath
from replay_agent.report.decoded_request import read_request
from replay_agent.report.nearest import find_nearest
from replay_agent.traffic import Interaction, Request, Response

CHAT = "https://api.openai.com/v1/chat/completions"


def chat(prompt, url=CHAT, **fields):
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}], **fields}
    return Request("POST", url, (("content-type", "application/json"),), json.dumps(body).encode())


def recorded(*requests, tests=()):
    tests = (*tests, *[None] * (len(requests) - len(tests)))
    return [Interaction(request, Response(200), test) for request, test in zip(requests, tests, strict=True)]


def nearest(request, interactions, **options):
    return find_nearest(read_request(request), interactions, **options)


def place(request, interactions, **options):
    found = nearest(request, interactions, **options)
    return found and found.index


CAPITALS = recorded(chat("What is the capital of France?"), chat("Name three rivers."), chat("How tall is Etna?"))


def test_the_nearest_is_the_one_with_the_words():
    found = nearest(chat("What is the capital of Spain?"), CAPITALS)
    assert (found.index, found.played) == (0, False)
    assert [type(change).__name__ for change in found.changes] == ["MessageChanged"]
    assert found.recorded.request == CAPITALS[0].request


def test_the_first_of_equals():
    assert place(chat("hi"), recorded(chat("ho"), chat("ho"))) == 0


def test_ones_own_test_is_looked_at_first_where_words_do_not_decide():
    scrambled = recorded(*[chat("four three two one")] * 8, chat("one two three four"), tests=["a"] * 8 + ["b"])
    asked = chat("one two three four five")
    assert place(asked, scrambled, test="b") == 8
    assert place(asked, scrambled, test="c") == 0


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "https://elsewhere.test/other", body=b"{}"),
        Request("GET", CHAT),
    ],
    ids=["another place", "another method"],
)
def test_nothing_is_near_elsewhere(request_):
    assert nearest(request_, CAPITALS) is None


def test_nothing_is_near_in_an_empty_recording():
    assert nearest(chat("hi"), []) is None


def test_the_path_says_more_than_the_host():
    other_host, other_path = (
        Request("POST", "https://other.test/v1/echo", body=b"same"),
        Request("POST", "https://a.test/v2", body=b"same"),
    )
    found = nearest(Request("POST", "https://A.test/v1/echo", body=b"same"), recorded(other_path))
    assert [change.name for change in found.changes] == ["path"]
    found = nearest(Request("POST", "https://a.test/v1/echo", body=b"same"), recorded(other_host))
    assert [change.name for change in found.changes] == ["host"]


def test_a_call_of_a_model_is_not_near_what_is_none():
    other = Request("POST", CHAT, body=b'{"unknown": true}')
    assert place(chat("hi"), recorded(other, chat("something else entirely"))) == 1
    assert nearest(chat("hi"), recorded(other)) is None


class TestPlayed:
    NEAR, FAR = chat("What is the capital of Spain?"), chat("Tell me a long story about seven dragons and a king.")
    ASKED = chat("What is the capital of Italy?")

    def test_what_is_left_is_preferred(self):
        both = recorded(self.NEAR, chat("What is the largest city of Italy?"))
        found = nearest(self.ASKED, both, played={0})
        assert (found.index, found.played) == (1, False)

    def test_unless_what_was_played_is_far_nearer(self):
        found = nearest(self.ASKED, recorded(self.NEAR, self.FAR), played={0})
        assert (found.index, found.played) == (0, True)

    def test_what_was_played_is_found_where_nothing_is_left(self):
        found = nearest(self.ASKED, recorded(self.FAR), played={0})
        assert (found.index, found.played) == (0, True)


def test_ignored_members_do_not_count():
    ignored = [JSONPath.parse("$.user")]
    both = recorded(chat("hi", user="a" * 300), chat("hi there", user="b"))
    question = read_request(chat("hi", user="b"), ignored)
    found = find_nearest(question, both, ignored=ignored)
    assert (found.index, found.changes) == (0, [])


def test_the_ends_of_huge_bodies_are_looked_at():
    filler = " ".join(f"word{number}" for number in range(40_000))
    both = recorded(chat(f"{filler} apples"), chat(f"{filler} pears"))
    assert place(chat(f"{filler} pears and more"), both) == 1


def get(url, body=b"", method="POST"):
    return Request(method, url, body=body)


def test_the_same_host_counts_for_a_request_not_against_it():
    elsewhere = [get("https://b.test/search", b"one two four")] * 6
    asked = get("https://a.test/search", b"one two three")
    assert place(asked, recorded(*elsewhere, asked)) == 6


def test_the_place_goes_before_whose_it_is():
    own = [get("https://b.test/search", b"x y")] * 6
    interactions = recorded(*own, get("https://a.test/search", b"x z"), tests=["mine"] * 6 + ["other"])
    assert place(get("https://a.test/search", b"x y"), interactions, test="mine") == 6


def test_a_long_body_is_not_near_because_it_has_every_word():
    crowd = " ".join(map(str, range(500))).encode()
    long = [get("https://a.test/search", b"one two three " + crowd)] * 6
    assert (
        place(get("https://a.test/search", b"one two three"), recorded(*long, get("https://a.test/search", b"one two")))
        == 6
    )


def test_another_method_is_another_place():
    assert place(get("https://a.test/search"), recorded(get("https://a.test/search", method="PUT"))) is None
    both = recorded(get("https://a.test/search", method="PUT"), get("https://a.test/other", b"x"))
    assert place(get("https://a.test/search"), both) == 1
