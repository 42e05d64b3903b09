from __future__ import annotations

import copy

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import HeadersDict, Request
from vcr.stubs import httpx_stubs
from vcr.util import CaseInsensitiveDict

from replay_agent.pytest_plugin.vcr import read_headers
from replay_agent.pytest_plugin.vcr.read_headers import asked_of, headers_of, makes_requests, with_headers
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


def document(headers):
    return {"interactions": [{"request": {"headers": headers}}]}


def headers_in(document):
    return document["interactions"][0]["request"]["headers"]


def test_usual_headers_are_made_at_once():
    copy.deepcopy(HeadersDict())
    assert (
        HeadersDict.__annotations__ == {}
    )  # which is an attribute of the class from then on, as is what copying leaves
    assert type(headers_in(with_headers(document({"A": ["b"]})))) is HeadersDict


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        {"interactions": None},
        {"interactions": [None, [], {}]},
        {"interactions": [{"request": None}, {"request": {}}, {"request": {"headers": None}}]},
        document(["a"]),
        document({"a": []}),
        document({"a": "b"}),
        document({"a": ["b"], "A": ["c"]}),
    ],
)
def test_what_is_odd_is_left_to_vcrpy(odd):
    before = copy.deepcopy(odd)
    assert with_headers(odd) == before


@pytest.mark.parametrize("owner", [HeadersDict, CaseInsensitiveDict])
def test_where_vcrpys_headers_were_replaced_nothing_is_made(owner, monkeypatch):
    monkeypatch.setattr(owner, "__setitem__", lambda *_: None)
    assert type(headers_in(with_headers(document({"A": ["b"]})))) is dict


def test_where_vcrpy_has_others_nothing_is_made(monkeypatch):
    monkeypatch.setattr(read_headers, "_AGREES", False)
    assert type(headers_in(with_headers(document({"A": ["b"]})))) is dict


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
