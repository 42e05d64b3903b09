"""Whole recordings: which recorded answer a request gets, headers, ids and JSON-RPC included."""

from __future__ import annotations

import json

import pytest

from replay_agent.exceptions import CassetteMiss
from replay_agent.recording.answers import Live, Replay
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.options import RecordOptions
from replay_agent.recording.recorder import Recording
from replay_agent.report.drift import explain
from replay_agent.traffic import Chunk, Request, Response

JSON = ("content-type", "application/json")
FEED = "https://api.example.org/feed"
MCP = "http://localhost:8000/mcp"


def asking(body=None, *headers, url=FEED):
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("GET" if body is None else "POST", url, headers, data)


def saying(body, *headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(200, headers or (JSON,), (Chunk(data),), reason="OK")


def opened(path, mode="none", **options):
    key = meaning(options.get("ignore_body", ()), options.get("match_headers", ()), options.get("normalize", ()))
    return Recording(
        path,
        RecordOptions(record_mode=mode, **options),
        key=key,
        explain=lambda miss: explain(miss, "pytest --record-mode={mode}", options.get("ignore_body", ())),
    ).open()


@pytest.fixture
def replaying(tmp_path):
    """Record pairs of request and response, and return a function that replays requests."""

    def record(*talk, **options):
        path = tmp_path / "talk.yaml"
        recording = opened(path, "once", **options)
        for request, response in talk:
            live = recording.begin(request)
            assert isinstance(live, Live)
            live.finish(response)
        recording.close()
        playing = opened(path, **options)

        def replay(request):
            found = playing.begin(request)
            assert isinstance(found, Replay)
            return found.outcome

        return replay

    return record


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("Accept", "text/csv", "application/json"),
        ("Accept-Language", "de", "fr"),
        ("Last-Event-ID", "3", "4"),
        ("Range", "bytes=0-9", "bytes=10-19"),
        ("anthropic-beta", "files-api-2025-04-14", "context-1m-2025-08-07"),
        ("Prefer", "return=minimal", "return=representation"),
    ],
)
def test_a_header_that_chooses_the_answer_counts(replaying, name, one, other):
    replay = replaying((asking(None, (name, one)), saying(1)), (asking(None, (name, other)), saying(2)))
    assert replay(asking(None, (name.lower(), other))).body == b"2"
    assert replay(asking(None, ("User-Agent", "new"), (name, one))).body == b"1"
    with pytest.raises(CassetteMiss, match="asked 2 times, recorded 1"):
        replay(asking(None, (name, other)))


def test_the_miss_names_the_header_and_no_other(replaying):
    replay = replaying((asking({}, JSON, ("Accept", "application/json"), ("Range", "bytes=0-9")), saying(1)))
    with pytest.raises(CassetteMiss) as caught:
        replay(asking({}, JSON, ("accept", "text/event-stream"), ("range", "bytes=0-9"), ("prefer", "wait")))
    assert "header accept: application/json -> text/event-stream" in str(caught.value)
    assert "range" not in str(caught.value)
    assert "prefer" not in str(caught.value)


def test_an_old_recording_without_the_header_answers(replaying):
    replay = replaying((asking({}, JSON), saying(1)), (asking({"a": 1}), saying(2)))
    assert replay(asking({}, JSON, ("accept", "text/event-stream"), ("anthropic-beta", "x"))).body == b"1"
    assert replay(asking({"a": 1}, ("content-type", "text/plain"))).body == b"2"


def test_a_header_counts_beside_one_that_a_mark_names(replaying):
    headers = ("x-tenant", "a"), ("accept", "text/csv")
    replay = replaying((asking(None, *headers), saying(1)), match_headers=("x-tenant",))
    with pytest.raises(CassetteMiss, match="header accept: text/csv -> text/html"):
        replay(asking(None, headers[0], ("accept", "text/html")))
    assert replay(asking(None, *headers)).body == b"1"


# --- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        lambda made: {"type": "phone_call", "call_id": made},
        lambda made: {"tool_calls": [{"id": made}]},
        lambda made: {"messages": [{"role": "agent", "tool_call_id": made}]},
        lambda made: {"content": [{"type": "tool_result", "tool_use_id": made}]},
        lambda made: {"call": {"functionCall": {"id": made}}},
    ],
)
def test_a_request_for_another_id_is_another_request(replaying, body):
    replay = replaying((asking(body("call-1"), JSON), saying("balance of 1")))
    with pytest.raises(CassetteMiss, match=r"call-1.* -> .*call-2"):
        replay(asking(body("call-2"), JSON))


def test_the_number_of_answers_is_that_of_equal_requests(replaying):
    def without_digits(body):
        return bytes(byte for byte in body if not 48 <= byte <= 57)

    talk = [(asking({"n": n}, JSON, ("x-tenant", "a")), saying(n)) for n in (1, 2)]
    replay = replaying(*talk, normalize=(without_digits,), match_headers=("x-tenant",))
    for n in (7, 8):
        replay(asking({"n": n}, JSON, ("x-tenant", "a")))
    with pytest.raises(CassetteMiss, match="asked 3 times, recorded 2"):
        replay(asking({"n": 9}, JSON, ("x-tenant", "a")))


# --- JSON-RPC ---------------------------------------------------------------------------------------------------------


def calling(number, tool="add", method="tools/call", **arguments):
    params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": number}}
    body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return asking(body, JSON, ("accept", "application/json, text/event-stream"), ("mcp-session-id", "s"), url=MCP)


def answering(number, result):
    return saying({"jsonrpc": "2.0", "id": number, "result": result})


def streaming(number, result):
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": number}}
    answer = {"jsonrpc": "2.0", "id": number, "result": result}
    events = "".join(f"event: message\ndata: {json.dumps(each)}\n\n" for each in (progress, answer))
    return saying(events.encode(), ("content-type", "text/event-stream"))


@pytest.mark.parametrize("answered", [answering, streaming])
def test_one_call_fewer_before_it_is_no_drift(replaying, answered):
    replay = replaying(*((calling(n, a=n), answered(n, f"was {n}")) for n in (1, 2, 3)))
    found = replay(calling(2, a=3))
    assert found.body == answered(2, "was 3").body
    assert replay(calling(40, a=2)).body == answered(40, "was 2").body


def test_equal_calls_get_their_answers_in_order_each_under_its_id(replaying):
    replay = replaying((calling(1, a=1), answering(1, "first")), (calling(5, a=1), answering(5, "second")))
    assert [json.loads(replay(calling(n, a=1)).body) for n in (8, 9)] == [
        {"jsonrpc": "2.0", "id": 8, "result": "first"},
        {"jsonrpc": "2.0", "id": 9, "result": "second"},
    ]


def test_another_session_is_no_drift(replaying):
    replay = replaying((calling(1, a=1), answering(1, "x")))
    moved = calling(1, a=1)
    headers = tuple((name, "other" if name == "mcp-session-id" else value) for name, value in moved.headers)
    assert replay(Request(moved.method, moved.url, headers, moved.body)).body == answering(1, "x").body


def test_a_changed_argument_is_told_as_such(replaying):
    replay = replaying((calling(1, a=1), answering(1, 1)), (calling(2, a=2, b=3), answering(2, 5)))
    with pytest.raises(CassetteMiss) as caught:
        replay(calling(1, a=40, b=3))
    text = str(caught.value)
    assert "The argument a of tool `add` changed since" in text
    assert "tool `add`: argument a 2 -> 40" in text
    assert "(tool `add`)" in text
    assert "progressToken" not in text


def test_another_tool_or_method_is_told_as_such(replaying):
    replay = replaying((calling(1, a=1), answering(1, 1)))
    with pytest.raises(CassetteMiss, match="The tool `add` gave way to tool `sub` since"):
        replay(calling(1, "sub", a=1))
    with pytest.raises(CassetteMiss, match="tool `add` -> method `tools/list`"):
        replay(asking({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, JSON, url=MCP))
