from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import HeadersDict, Request
from vcr.util import CaseInsensitiveDict

from replay_agent.pytest_plugin.vcr import read_headers
from replay_agent.pytest_plugin.vcr.read_headers import headers_of, with_headers

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
