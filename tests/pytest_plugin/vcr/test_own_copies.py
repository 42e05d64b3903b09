from __future__ import annotations

import io

import pytest
from vcr import VCR
from vcr.request import Request

from replay_agent.pytest_plugin.vcr.own_copies import copied, filters_of, with_own_copies


def request(body=b"b", headers=None):
    return Request("POST", "http://a/?key=1", body, headers or {"Authorization": "k", "X": "1"})


def told(request):
    body = request.body
    if hasattr(body, "read") or hasattr(body, "__next__"):
        body = list(body)
    return type(request), request.method, request.uri, body, dict(request.headers)


@pytest.mark.parametrize("body", [b"b", None, "text", bytearray(b"b"), {"a": [1]}, io.BytesIO(b"b")])
def test_a_copy_is_equal(body):
    assert told(copied(request(body))) == told(request(body))


def test_an_iterator_is_copied_with_what_it_gives():
    assert told(copied(request(iter([b"a", b"b"])))) == told(request(iter([b"a", b"b"])))


def test_a_copy_shares_nothing():
    original = request()
    copy = copied(original)
    copy.headers["X"] = "2"
    copy.uri = "http://b/"
    copy.body = b"c"
    assert told(original) == told(request())


@pytest.mark.parametrize("body", [{"a": [1]}, bytearray(b"b")])
def test_a_body_that_may_change_is_copied_too(body):
    assert copied(request(body)).body is not body


def test_what_others_keep_in_a_request_is_copied_with_it():
    original = request()
    original.notes = ["a"]
    copied(original).notes.append("b")
    assert original.notes == ["a"]


def chain(**config):
    return VCR(**config).get_merged_config()["before_record_request"]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"filter_headers": ["authorization", ("x", "-")]},
        {"filter_query_parameters": [("key", "")], "filter_post_data_parameters": ["b"]},
        {"ignore_hosts": ["a"]},
        {"before_record_request": lambda request: None},
    ],
)
def test_filters_do_what_they_do(config):
    filtered, expected = with_own_copies(chain(**config))(request()), chain(**config)(request())
    assert (filtered and told(filtered)) == (expected and told(expected))


def test_each_filter_is_called_as_often_as_vcrpy_calls_it():
    seen = []
    filters = with_own_copies(chain(before_record_request=lambda request: seen.append(request) or request))
    original = request()
    filters(filters(original))
    assert len(seen) == 2
    assert original not in seen


def test_a_chain_of_another_make_stays():
    def filters(request):
        return request

    assert with_own_copies(filters) is filters
    assert filters_of(filters) is None
    assert filters_of(print) is None
