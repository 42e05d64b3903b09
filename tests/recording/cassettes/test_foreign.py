"""Cassettes of others, read in every layout, and vcrpy's written."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path

import pytest
import yaml
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from replay_agent.exceptions import CassetteUnreadable, CassetteVersionError, UserError
from replay_agent.recording.cassettes.foreign import dump_vcr, read_foreign
from replay_agent.recording.cassettes.store import load
from replay_agent.traffic import Chunk, Failure, Interaction, Phase, Request, Response, StreamEnd

PATH = Path("old.yaml")


def document(request=None, response=None, **fields):
    asked = {"method": "POST", "uri": "https://a.example/v1", "headers": {}, "body": None, **(request or {})}
    answered = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "hi"}, **(response or {})}
    return {"version": 1, "interactions": [{"request": asked, "response": answered}], **fields}


def read(request=None, response=None):
    return read_foreign(document(request, response), PATH)[0]


def without(fields, name):
    return {key: value for key, value in fields.items() if key != name}


RESPONSE_BODIES = [
    ({"body": {"string": "café"}}, "café".encode()),
    ({"body": {"string": b"\xff\x00"}}, b"\xff\x00"),
    ({"body": {"string": None}}, b""),
    ({"body": "plain"}, b"plain"),
    ({"body": None}, b""),
    ({"body": {"base64_string": base64.b64encode(b"\x01\x02").decode()}}, b"\x01\x02"),
    ({"body": {"base64": "AQI="}}, b"\x01\x02"),
    ({"body": {"string": "lone \ud800"}}, b"lone \xed\xa0\x80"),
    ({"body": {"type": "json", "content": {"a": [1, "é"]}}}, '{"a":[1,"é"]}'.encode()),
    ({"body": {"type": "text", "content": "t"}}, b"t"),
    ({"body": {"type": "binary", "content": "00ff01"}}, b"\x00\xff\x01"),
    ({"body": {"type": "none"}}, b""),
    ({"body": None, "parsed_body": {"a": "é"}}, b'{"a": "\\u00e9"}'),
]


@pytest.mark.parametrize(("fields", "body"), RESPONSE_BODIES)
def test_response_body_wherever_it_is(fields, body):
    assert read(response=fields).outcome.body == body


REQUEST_BODIES = [
    ({"body": None}, b""),
    ({"body": ""}, b""),
    ({"body": "a=1&b=2"}, b"a=1&b=2"),
    ({"body": b"\xff"}, b"\xff"),
    ({"body": ["one", b"two"]}, b"onetwo"),
    ({"body": {"type": "json", "content": [1]}}, b"[1]"),
    ({"parsed_body": {"q": 1}, "body": None}, b'{"q": 1}'),
]


@pytest.mark.parametrize(("fields", "body"), REQUEST_BODIES)
def test_request_body_wherever_it_is(fields, body):
    assert read(request=fields).request.body == body


def test_parsed_body_without_body_key():
    asked = {"method": "POST", "uri": "https://a.example", "headers": {}, "parsed_body": {"q": [None, True]}}
    answered = {"status": {"code": 200, "message": "OK"}, "headers": {}, "parsed_body": {"a": 1.5}}
    interaction = read_foreign({"interactions": [{"request": asked, "response": answered}]}, PATH)[0]
    assert json.loads(interaction.request.body) == {"q": [None, True]}
    assert interaction.outcome.body == b'{"a": 1.5}'


def test_flat_bodies_of_toml():
    asked = {"method": "POST", "uri": "https://a.example", "body_type": "json", "body_content": "[1]"}
    answered = {"status": 200, "body_type": "none"}
    interaction = read_foreign({"version": 1, "interactions": [{"request": asked, "response": answered}]}, PATH)[0]
    assert (interaction.request.body, interaction.outcome.body) == (b"[1]", b"")


def test_old_httpx_layout():
    answered = {"http_version": "HTTP/1.1", "status_code": 201, "headers": {"a": ["b"]}, "content": "made"}
    found = read_foreign(
        {"version": 1, "interactions": [{**document()["interactions"][0], "response": answered}]}, PATH
    )
    assert (found[0].outcome.status, found[0].outcome.body) == (201, b"made")


def test_layout_before_vcrpy_1():
    asked = {
        "method": "GET",
        "protocol": "https",
        "host": "a.example",
        "port": 8443,
        "path": "/x?y",
        "headers": {"A": "b"},
    }
    answered = {"status": {"code": 200, "message": "OK"}, "headers": ["Server: old\r\n"], "body": {"string": "hi"}}
    (interaction,) = read_foreign([{"request": {**asked, "body": None}, "response": answered}], PATH)
    assert interaction.request.url == "https://a.example:8443/x?y"
    assert interaction.outcome.headers == (("Server", "old"),)


def test_default_port_is_left_out():
    asked = {"method": "GET", "protocol": "https", "host": "a.example", "port": 443, "path": "/", "body": None}
    (interaction,) = read_foreign([{**document()["interactions"][0], "request": asked}], PATH)
    assert interaction.request.url == "https://a.example/"


HEADERS = [
    ({"A": ["1", "2"], "b": "3"}, (("A", "1"), ("A", "2"), ("b", "3"))),
    ({"a": [b"\xe9"], "n": 5}, (("a", "é"), ("n", "5"))),
    ({"a": "č"}, (("a", "č".encode().decode("latin-1")),)),
    ([["a", "1"], ("a", "2")], (("a", "1"), ("a", "2"))),
    (None, ()),
]


@pytest.mark.parametrize(("written", "headers"), HEADERS)
def test_headers_of_any_spelling(written, headers):
    assert read(response={"headers": written, "body": {"string": ""}}).outcome.headers == headers


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"code": 404, "message": "Not Found"}, (404, "Not Found")),
        ({"code": 200, "message": None}, (200, None)),
        ({"code": 200, "message": ""}, (200, None)),
        (204, (204, None)),
        ("200", (200, None)),
    ],
)
def test_status_of_any_spelling(status, expected):
    outcome = read(response={"status": status}).outcome
    assert (outcome.status, outcome.reason) == expected


def test_decoded_body_loses_its_encoding():
    headers = {"content-encoding": ["gzip"], "content-length": ["999"], "x": ["y"]}
    outcome = read(response={"headers": headers, "body": {"string": '{"a": 1}'}}).outcome
    assert outcome.headers == (("content-length", "8"), ("x", "y"))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"\x1f\x8b broken"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("deflate", zlib.compress(b"a")),
        ("br", b"\x8b\x02\x80a\xff"),
    ],
)
def test_encoded_body_keeps_its_encoding(encoding, body):
    outcome = read(response={"headers": {"content-encoding": [encoding]}, "body": {"string": body}}).outcome
    assert outcome.headers == (("content-encoding", encoding),)


def test_head_answer_keeps_its_length():
    headers = {"content-length": ["1000"]}
    outcome = read({"method": "HEAD"}, {"headers": headers, "body": {"string": ""}}).outcome
    assert outcome.headers == (("content-length", "1000"),)


DAMAGE = [
    (document(version=999), CassetteVersionError, "version 999"),
    (document(version=True), CassetteVersionError, "version True"),
    ({"version": 1, "interactions": None}, CassetteUnreadable, "must be a list"),
    ({"version": 1}, CassetteUnreadable, "without `interactions`"),
    ({}, CassetteUnreadable, "without `interactions`"),
    ([], CassetteUnreadable, "a list"),
    ([1], CassetteUnreadable, "a list"),
    ("text", CassetteUnreadable, "a text"),
    (None, CassetteUnreadable, "nothing"),
    (document({"method": None}), CassetteUnreadable, "interaction 1 has a request without `method`"),
    (document({"uri": 5}), CassetteUnreadable, "`uri`"),
    (document({"headers": "text"}), CassetteUnreadable, "request headers"),
    (document({"headers": {"a": {"b": "c"}}}), CassetteUnreadable, "header whose value"),
    (document({"headers": ["no colon"]}), CassetteUnreadable, "header"),
    (document({"body": {"no": "string"}}), CassetteUnreadable, "without `string`"),
    (document({"body": 5}), CassetteUnreadable, "body that is"),
    (document({"body": {"type": "what", "content": ""}}), CassetteUnreadable, "unknown type"),
    (document(response={"status": {"code": "abc"}}), CassetteUnreadable, "no number"),
    (document(response={"status": None}), CassetteUnreadable, "without status"),
    (document(response={"status": {"code": 5}}), CassetteUnreadable, "no number"),
    (document(response={"body": {"type": "binary", "content": "xyz"}}), CassetteUnreadable, "hexadecimal"),
    (document(response={"body": {"base64": "a"}}), CassetteUnreadable, "base64"),
    (
        document(response={"body": None, "parsed_body": {"a": b"bytes"}}),
        CassetteUnreadable,
        "cannot be written as JSON",
    ),
    ({"interactions": ["text"]}, CassetteUnreadable, "interaction 1 must be a mapping"),
    ({"interactions": [{"request": {}}]}, CassetteUnreadable, "no response"),
    ({"interactions": [{"response": {}}]}, CassetteUnreadable, "no request"),
    ({"interactions": [{"request": [], "response": {}}]}, CassetteUnreadable, "not a mapping"),
]


@pytest.mark.parametrize(("found", "error", "words"), DAMAGE)
def test_damage_names_file_and_cause(found, error, words):
    with pytest.raises(error) as caught:
        read_foreign(found, PATH)
    assert "old.yaml" in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.path == PATH


@pytest.mark.parametrize("missing", ["body", "status"])
def test_missing_part_of_response(missing):
    found = document()
    found["interactions"][0]["response"] = without(found["interactions"][0]["response"], missing)
    with pytest.raises(CassetteUnreadable, match=f"without {missing}"):
        read_foreign(found, PATH)


def test_missing_request_body():
    found = document()
    found["interactions"][0]["request"] = without(found["interactions"][0]["request"], "body")
    with pytest.raises(CassetteUnreadable, match="without body"):
        read_foreign(found, PATH)


def test_every_real_cassette_is_read(real_cassettes):
    index = json.loads((real_cassettes / "index.json").read_text())
    rows = index if isinstance(index, list) else index["cassettes"]
    counts = {row["file"]: len(load(real_cassettes / row["file"])) for row in rows}
    assert counts == {row["file"]: row["n_interactions"] for row in rows}


ODD = Interaction(
    Request("POST", "https://a.example/ü", (("A", "1"), ("A", "é")), b"tab\there \xf0\x9f\x98\x80 \n"),
    Response(404, (("Set-Cookie", "a"), ("Set-Cookie", "b")), (Chunk(b"\x00\xff"), Chunk(b"\xfe")), reason="Not Found"),
)


def test_written_for_vcrpy_and_read_back():
    text = dump_vcr([ODD])
    (found,) = read_foreign(yaml.safe_load(text), PATH)
    assert found.request == ODD.request
    assert (found.outcome.body, found.outcome.headers, found.outcome.reason) == (
        b"\x00\xff\xfe",
        ODD.outcome.headers,
        "Not Found",
    )


def test_vcrpy_reads_what_is_written():
    requests, responses = deserialize(dump_vcr([ODD]), yamlserializer)
    assert requests[0].body == ODD.request.body
    assert responses[0]["body"]["string"] == ODD.outcome.body


@pytest.mark.parametrize(
    "outcome",
    [Failure("ReadTimeout", Phase.HEAD), Response(200, chunks=(Chunk(b"data: 1\n\n"),), end=StreamEnd.CLOSED)],
)
def test_vcrpy_has_no_place_for_failures(outcome):
    with pytest.raises(UserError, match="interaction 1"):
        dump_vcr([Interaction(ODD.request, outcome)])


def two_lists(count=2):
    each = document()["interactions"][0]
    return {
        "requests": [each["request"] | {"uri": f"https://a.example/{n}"} for n in range(count)],
        "responses": [each["response"] | {"body": {"string": str(n)}} for n in range(count)],
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_two_lists_belong_together_by_order(count):
    found = read_foreign(two_lists(count), PATH)
    assert [each.request.url for each in found] == [f"https://a.example/{n}" for n in range(count)]
    assert [each.outcome.body for each in found] == [str(n).encode() for n in range(count)]


@pytest.mark.parametrize(
    "lists",
    [
        {"requests": [], "responses": None},
        {"requests": {}, "responses": []},
        {"requests": two_lists()["requests"], "responses": []},
    ],
)
def test_two_lists_that_do_not_fit_are_refused(lists):
    with pytest.raises(CassetteUnreadable, match=r"old\.yaml: `requests` and `responses`"):
        read_foreign(lists, PATH)


@pytest.mark.parametrize("layout", [document(), two_lists(), [document()["interactions"][0]]])
@pytest.mark.parametrize("name", ["a.yaml.gz", "a.yaml", "a.json.gz"])
def test_compressed_files_are_read(tmp_path, layout, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(yaml.safe_dump(layout).encode() if "yaml" in name else json.dumps(layout).encode()))
    assert load(path).interactions()[0].request.method == "POST"
