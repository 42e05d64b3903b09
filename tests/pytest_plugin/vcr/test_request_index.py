from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr import matchers
from vcr.request import Request

from replay_agent.pytest_plugin.vcr.request_index import KEYED, RequestIndex, Undecided, is_known
from tests.pytest_plugin.vcr.older import on_known_vcrpy

pytestmark = on_known_vcrpy

JSON, FORM = {"Content-Type": "application/json"}, {"Content-Type": "application/x-www-form-urlencoded"}
MATCHERS = sorted(KEYED, key=lambda matcher: matcher.__name__)

values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, 1.5, "", "a", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
spelled = st.builds(lambda value, indent: json.dumps(value, indent=indent).encode(), values, st.sampled_from([None, 1]))
odd = [
    *(None, b"", b"{", b"NaN", b'{"a": NaN}', b"[NaN]", b"[1e999]", b"a=1&b=2", b"b=2&a=1", b"a=", b"\xff", b"<a/>"),
    *(b"2\r\n[]\r\n0\r\n\r\n", b"2\r\n[N\r\n3\r\naN]\r\n0\r\n\r\n", b"[" * 250 + b"]" * 250, "[NaN]".encode("utf-16")),
    *(b" [ 1.0 ]", b'{"a": 1, "a": 2}', b'{"a": 2}', '{"a": 2}'.encode("utf-16-le"), b'["\\u0061"]'),
]
bodies = spelled | st.sampled_from(odd) | values.filter(lambda value: isinstance(value, dict | list))
CHUNKED, XML = {"transfer-encoding": "chunked"}, {"content-type": "text/xml", "user-agent": "xmlrpc"}
ODD = [{"content-type": value} for value in (b"application/json; x", None, "application/json, " + FORM["Content-Type"])]
headers = st.sampled_from(
    [{}, JSON, FORM, CHUNKED, {**CHUNKED, **JSON}, {**CHUNKED, **FORM}, {"x": "1", **JSON}, XML, *ODD]
)
uris = st.sampled_from(
    ["http://a", "http://a/", "http://a:80/", "https://a/?x=1&y=2", "https://a/?y=2&x=1", "http://b/p?x=", "http://a:x"]
)
requests = st.builds(Request, st.sampled_from(["GET", "POST"]), uris, bodies, headers)


def found_by_vcrpy(asked, recorded, by):
    return [place for place, (one, _) in enumerate(recorded) if matchers.requests_match(asked, one, by)]


def or_its_failure(find, *args):
    try:
        return find(*args)
    except Undecided:
        raise
    except Exception as failure:
        return type(failure)


@given(requests, st.lists(requests.map(lambda request: (request, {})), max_size=6), st.sets(st.sampled_from(MATCHERS)))
def test_what_is_found_is_what_vcrpy_finds(asked, recorded, by):
    try:
        found = RequestIndex(by).places(asked, recorded)
    except Undecided:
        return  # vcrpy is asked itself
    assert found == found_by_vcrpy(asked, recorded, by)


changes = st.one_of(
    st.tuples(st.just("body"), bodies),
    st.tuples(st.just("headers"), headers),
    st.tuples(st.just("uri"), uris),
    st.tuples(st.just("content-type"), st.sampled_from(["application/json", "text/plain"])),
)


@given(
    st.lists(requests, min_size=1, max_size=3),
    st.lists(requests, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 20), changes), max_size=4),
    st.sets(st.sampled_from(MATCHERS)),
)
def test_what_is_found_pair_by_pair_is_what_vcrpy_finds_however_requests_change(asked, recorded, changed, by):
    index, by = RequestIndex(by), list(by)

    def found(one, place, other):
        try:
            return index.matches(index.asked(one), place, other)
        except Undecided:
            return matchers.requests_match(one, other, by)

    for number, change in [(0, None), *changed]:
        if change is not None:
            name, value = change
            one = [*asked, *recorded][number % (len(asked) + len(recorded))]
            if name == "content-type":
                one.headers[name] = value
            else:
                setattr(one, name, value)
        for one in asked:
            for place, other in enumerate(recorded):
                assert or_its_failure(found, one, place, other) == or_its_failure(
                    matchers.requests_match, one, other, by
                )


@given(st.lists(st.builds(Request, st.just("POST"), st.just("http://a/"), spelled, st.just(JSON)), min_size=2))
def test_json_needs_no_matcher(recorded):
    asked, *recorded = recorded
    recorded = [(request, {}) for request in recorded]
    assert RequestIndex([matchers.body]).places(asked, recorded) == found_by_vcrpy(asked, recorded, [matchers.body])


def request(body, headers=JSON, uri="http://a/"):
    return Request("POST", uri, body, headers)


def test_this_vcrpy_is_known():
    assert is_known()


@pytest.mark.parametrize(
    "odd",
    [
        request(iter([b"a"])),
        request(bytearray(b"a"), {}),
        request({"a": 1}),
        request(b"[" * 100_000),
        request(b"<methodCall/>", {"content-type": "text/xml", "user-agent": "xmlrpc"}),
        None,
    ],
)
def test_what_has_no_key_is_left_to_the_matchers(odd):
    plain = request(b"{}")
    with pytest.raises(Undecided):
        RequestIndex([matchers.body]).places(odd, [(plain, {})])
    with pytest.raises(Undecided):
        RequestIndex([matchers.body]).places(plain, [(odd, {})])


def test_what_a_matcher_raises_is_its_own_to_raise():
    with pytest.raises(Undecided):
        RequestIndex([matchers.port]).places(request(b"", uri="http://a:x"), [(request(b""), {})])


def test_what_is_recorded_meanwhile_is_found():
    index, recorded = RequestIndex([matchers.body]), [(request(b"[1]"), {})]
    assert index.places(request(b"[1.0]"), recorded) == [0]
    recorded.append((request(b"[1.00]"), {}))
    assert index.places(request(b"[1.0]"), recorded) == [0, 1]


@pytest.mark.parametrize("name", ["method", "uri", "body"])
def test_a_recorded_request_may_be_changed(name):
    index = RequestIndex([getattr(matchers, name)])
    recorded, asked = [(request(b"[1]"), {})], request(b"[1]")
    assert index.places(asked, recorded) == [0]
    setattr(recorded[0][0], name, "changed")
    assert index.places(asked, recorded) == []


def test_interactions_may_be_taken_away():
    index, recorded = RequestIndex([matchers.body]), [(request(b"[1]"), {}), (request(b"[2]"), {})]
    assert index.places(request(b"[2]"), recorded) == [1]
    del recorded[0]
    assert index.places(request(b"[2]"), recorded) == [0]


def test_a_body_that_was_sent_as_an_object_is_known_by_its_value():
    recorded = [(request({"a": [1]}, {}), {})]
    assert RequestIndex([matchers.body]).places(request({"a": [1.0]}, {}), recorded) == [0]


def test_what_differs_from_itself_matches_nothing():
    assert RequestIndex([matchers.body]).places(request(b"NaN"), [(request(b"NaN"), {})]) == []
    assert RequestIndex([matchers.raw_body]).places(request(b"NaN"), [(request(b"NaN"), {})]) == [0]


def test_each_body_is_read_once(calls_of):
    read = calls_of(json, "loads")
    recorded = [(request(b"[%d]" % number), {}) for number in range(20)]
    index = RequestIndex([matchers.body])
    for number in range(20):
        for _ in range(2):
            asked = index.asked(request(b"[%d]" % number))
            assert [index.matches(asked, place, one) for place, (one, _) in enumerate(recorded)].index(True) == number
    assert len(read) == 20 + 2 * 20


def test_what_is_the_same_to_the_byte_is_not_read(calls_of):
    read = calls_of(json, "loads")
    assert RequestIndex([matchers.body]).places(request(b"[1]"), [(request(b"[1]"), {})] * 3) == [0, 1, 2]
    assert not read
