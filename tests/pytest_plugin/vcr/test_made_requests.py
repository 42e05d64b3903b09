from __future__ import annotations

import copy
import logging

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import HeadersDict, Request
from vcr.serialize import deserialize
from vcr.stubs import httpx_stubs
from vcr.util import CaseInsensitiveDict

from replay_agent.pytest_plugin.vcr import made_requests
from replay_agent.pytest_plugin.vcr.made_requests import (
    asked_of,
    headers_of,
    loaded,
    makes_requests,
    request_of,
)
from tests.pytest_plugin.vcr.older import on_known_vcrpy

names = st.sampled_from(["Accept", "accept", "X-y", "İ", "", "z"]) | st.integers(0, 1)
values = st.lists(st.text(max_size=3) | st.integers() | st.none(), max_size=2) | st.text(max_size=2) | st.none()


def made(headers):
    try:
        request = Request("GET", "http://a/", None, headers)
    except Exception as error:
        return type(error)
    return type(request.headers), list(request.headers._store.items())


@given(st.dictionaries(names, values, max_size=4))
def test_requests_have_the_headers_that_vcrpy_gives_them(read):
    assert made(headers_of(copy.deepcopy(read))) == made(read)


def document(headers, uri="http://a/b?c", body="d", **more):
    request = {"method": "GET", "uri": uri, "body": body, "headers": headers}
    return {"interactions": [{"request": request, "response": {"body": {"string": "é"}}}], **more}


class Read:
    """A serializer that has read a document."""

    def __init__(self, document):
        self.document = document

    def deserialize(self, _):
        return self.document


def listed(found):
    requests, *others = found
    return [list(vars(one).items()) for one in requests], others


def outcome(load, *args):
    try:
        return listed(load(*args))
    except (
        AttributeError,
        IndexError,
        ValueError,
    ) as error:  # of a header whose name is a number, or which has no value
        return type(error)


uris = st.sampled_from(["http://[", "http://a", "http://a/b?c=%20#d", "", "b"])
read_bodies = st.none() | st.text(max_size=3) | st.binary(max_size=3) | st.lists(st.binary(max_size=2), max_size=2)


@on_known_vcrpy
@given(st.dictionaries(names, values, max_size=3), uris, read_bodies, st.booleans())
def test_what_is_loaded_is_what_vcrpy_makes_of_it(headers, uri, body, has_more):
    read = document(headers, uri, body, **({"metadata": {"a": 1}} if has_more else {}))
    theirs = outcome(deserialize, "", Read(copy.deepcopy(read)))
    assert outcome(loaded, read) == theirs


@on_known_vcrpy
def test_usual_requests_are_made_at_once(calls_of):
    copy.deepcopy(HeadersDict())
    assert (
        HeadersDict.__annotations__ == {}
    )  # which is an attribute of the class from then on, as is what copying leaves
    made = calls_of(made_requests, "_made")
    assert loaded(document({"A": ["b"]}))
    assert len(made) == 1


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        {"interactions": None},
        {"interactions": [None, [], {}]},
        {"interactions": [{"request": None}, {"request": {}}, {"request": {"headers": None}}]},
        {"interactions": [{"request": document({})["interactions"][0]["request"]}]},
        document(["a"]),
    ],
)
def test_what_is_odd_is_left_to_vcrpy(odd):
    before = copy.deepcopy(odd)
    assert loaded(odd) is None
    assert odd == before


@pytest.mark.parametrize("owner", [HeadersDict, CaseInsensitiveDict, Request])
def test_where_vcrpys_requests_were_replaced_nothing_is_made(owner, monkeypatch):
    monkeypatch.setattr(owner, "__setitem__", lambda *_: None, raising=False)
    assert loaded(document({"A": ["b"]})) is None


@pytest.mark.parametrize("name", ["_AGREES", "_LOADS"])
def test_where_vcrpy_has_others_nothing_is_made(name, monkeypatch):
    monkeypatch.setattr(made_requests, name, False)
    assert loaded(document({"A": ["b"]})) is None


def test_a_reader_of_its_log_learns_of_each_request(caplog):
    with caplog.at_level(logging.DEBUG, "vcr.request"):
        request_of("GET", "http://a/", None, HeadersDict())
    assert [record.getMessage() for record in caplog.records] == ["Invoking Request http://a/"]


def told(request):
    headers = request.headers
    return request.method, request.uri, request.body, type(headers), list(headers._store.items())


sent_names = st.sampled_from(["Accept", "accept", "X-y", "z", "K", "Content-Type", "a_b"])


@on_known_vcrpy
@pytest.mark.parametrize("client", [httpx, httpx2])
@given(st.lists(st.tuples(sent_names, st.sampled_from(["", "a", "b, c", "é", "\u2019"])), max_size=6))
def test_a_request_of_a_client_is_what_vcrpy_makes_of_it(client, headers):
    encoded = [(name, value.encode()) for name, value in headers]
    request = client.Request("POST", "http://a/b?c=%20d", headers=encoded, content=b"e")
    assert told(asked_of(request, b"e")) == told(httpx_stubs._make_vcr_request(request, b"e"))


@on_known_vcrpy
def test_other_headers_are_left_to_vcrpy():
    request = httpx.Request("GET", "http://a")
    request.headers = {"A": "b", "a": "c"}
    assert told(asked_of(request, None)) == told(httpx_stubs._make_vcr_request(request, None))


@on_known_vcrpy
def test_stubs_that_others_changed_are_used_as_they_stand(monkeypatch):
    assert makes_requests(httpx_stubs)
    with monkeypatch.context() as patching:
        patching.setattr(httpx_stubs, "VcrRequest", type("Mine", (Request,), {}))
        assert not makes_requests(httpx_stubs)
    with monkeypatch.context() as patching:
        patching.setattr(httpx_stubs, "_make_vcr_request", lambda *_: None)
        assert not makes_requests(httpx_stubs)
    assert not makes_requests(None)
