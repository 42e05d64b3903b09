from __future__ import annotations

import logging

import pytest
import vcr.cassette
from hypothesis import given
from hypothesis import strategies as st
from vcr import VCR, matchers
from vcr.cassette import Cassette
from vcr.errors import UnhandledHTTPRequestError
from vcr.request import Request

from replay_agent.pytest_plugin.vcr.indexed_cassette import IndexedCassette
from tests.pytest_plugin.vcr.older import on_known_vcrpy

pytestmark = on_known_vcrpy

URIS = ["http://a/1?key=x", "http://a/2?key=x", "http://b/1"]
BODIES = [b"[1]", b"[1.0]", b"[true]", b"[2]", b"{", b"[NaN]"]
asked = st.builds(
    lambda uri, body: Request("POST", uri, body, {"Content-Type": "application/json", "x": "1"}),
    st.sampled_from(URIS),
    st.sampled_from(BODIES),
)


def same_path(one, other):
    assert one.path == other.path


def same_host(one, other):
    return one.host == other.host


def cassette(kind, recorded, *, repeats=False, **config):
    made = VCR()
    made.register_matcher("same_path", same_path)
    made.register_matcher("same_host", same_host)
    config = made.get_merged_config(**config)
    known = {name: config[name] for name in ("match_on", "before_record_request", "before_record_response")}
    found = kind("nowhere.yaml", record_mode="none", allow_playback_repeats=repeats, **known)
    for number, request in enumerate(recorded):
        found.append(request, {"number": number})
    found.rewound = True
    return found


def played(cassette, request):
    if not cassette.can_play_response_for(request):
        return None
    return cassette.play_response(request)


def told(cassette, requests):
    answers = [played(cassette, request) for request in requests]
    counts, all_played = dict(cassette.play_counts), cassette.all_played
    return answers, counts, all_played, [all_of(cassette, request) for request in requests]


def all_of(cassette, request):
    try:
        return cassette.responses_of(request)
    except (UnhandledHTTPRequestError, AttributeError) as error:  # vcrpy looks for what it is to ignore, too
        return str(error)


configs = st.fixed_dictionaries(
    {"match_on": st.lists(st.sampled_from(["method", "uri", "body", "raw_body", "host", "same_path", "same_host"]))},
    optional={
        "filter_query_parameters": st.just(["key"]),
        "filter_headers": st.just([("x", "-")]),
        "ignore_hosts": st.just(["b"]),
        "before_record_request": st.just(lambda request: request if request.path != "/2" else None),
    },
)


@given(st.lists(asked, max_size=6), st.lists(asked, max_size=6), configs, st.booleans())
def test_it_plays_what_vcrpy_plays(recorded, requests, config, repeats):
    assert told(cassette(IndexedCassette, recorded, repeats=repeats, **config), requests) == told(
        cassette(Cassette, recorded, repeats=repeats, **config), requests
    )


def request(body=b"[1]", uri=URIS[0]):
    return Request("POST", uri, body, {"Content-Type": "application/json"})


def calls_of(kind):
    calls = []

    def matcher(one, other):
        calls.append((one.body, other.body))
        return one.body == other.body

    made = VCR()
    made.register_matcher("mine", matcher)
    match_on = made.get_merged_config(match_on=["uri", "mine"])["match_on"]
    found = kind("nowhere.yaml", record_mode="none", match_on=match_on)
    for body in (b"1", b"2", b"3"):
        found.append(request(body), {})
    found.rewound = True
    for body in (b"2", b"3", b"2"):
        played(found, request(body))
    return calls


def test_a_matcher_of_others_is_asked_as_vcrpy_asks_it():
    assert calls_of(IndexedCassette) == calls_of(Cassette)


def filtered_by(kind):
    seen = []
    found = cassette(kind, [request()], before_record_request=lambda one: seen.append(one.uri) or one)
    played(found, request())
    return seen


def test_filters_are_called_as_often_as_vcrpy_calls_them():
    assert filtered_by(IndexedCassette) == filtered_by(Cassette)


def test_no_difference_is_worded_for_an_answer(monkeypatch):
    recorded = [request(b"[%d]" % number) for number in range(50)]
    found = cassette(IndexedCassette, recorded, match_on=["uri", "body"])
    monkeypatch.setattr(matchers, "_evaluate_matcher", None)
    assert [played(found, one)["number"] for one in recorded] == list(range(50))


@pytest.mark.parametrize(
    ("owner", "name"), [(vcr.cassette, "requests_match"), (matchers, "get_matchers_results"), (Cassette, "_responses")]
)
def test_a_replaced_way_of_comparing_is_gone(owner, name, calls_of):
    called = calls_of(owner, name)
    assert played(cassette(IndexedCassette, [request()], match_on=["method"]), request()) is not None
    assert bool(called) is (owner is not Cassette)  # which of the classes is used is decided when it is opened


def test_a_reader_of_its_log_learns_why_requests_differ(caplog):
    found = cassette(IndexedCassette, [request(b"[1]")], match_on=["body"])
    with caplog.at_level(logging.DEBUG, "vcr.matchers"):
        assert played(found, request(b"[2]")) is None
    assert len(caplog.records) == 1


def test_other_matchers_may_be_set_later():
    found = cassette(IndexedCassette, [request(b"[1]")], match_on=["body"])
    assert not found.can_play_response_for(request(b"[2]"))
    found._match_on = [matchers.uri]
    assert found.can_play_response_for(request(b"[2]"))


def test_what_was_played_is_found_still():
    found = cassette(IndexedCassette, [request(), request(b"[1.0]")], match_on=["body"])
    assert played(found, request()) == {"number": 0}
    assert found.responses_of(request()) == [{"number": 0}, {"number": 1}]
    assert found.play_count == 1


def test_an_answer_that_is_not_there_is_vcrpys_error():
    with pytest.raises(UnhandledHTTPRequestError):
        cassette(IndexedCassette, []).responses_of(request())


class Shelf:
    """A persister whose cassette is one interaction."""

    def __init__(self, shares_nothing):
        self.shares_nothing = shares_nothing
        self.response = {"headers": {"a": ["b"]}}

    def load_cassette(self, path, serializer):
        return [request()], [self.response]


@pytest.mark.parametrize(
    ("shares_nothing", "config", "copies"),
    [
        (True, {}, False),
        (False, {}, True),
        (True, {"before_record_response": lambda response: response}, True),
        (True, {"after_load_interaction": lambda request, response: (request, response)}, True),
    ],
)
def test_answers_are_copied_unless_nobody_else_has_them(shares_nothing, config, copies):
    shelf = Shelf(shares_nothing)
    config = VCR().get_merged_config(path="x", persister=shelf, **config)
    names = ("path", "persister", "before_record_request", "before_record_response", "after_load_interaction")
    found = IndexedCassette.load(**{name: config[name] for name in names})
    assert found.responses == [shelf.response]
    assert (found.responses[0] is not shelf.response) is copies
    assert not found.dirty
