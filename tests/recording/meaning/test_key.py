"""Keys of requests: equal for equal meaning, different for any other."""

from __future__ import annotations

import copy
import gzip
import json
import subprocess
import sys
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from replay_agent.exceptions import UserError
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.meaning.key import meaning
from replay_agent.traffic import Request

URL = "https://api.openai.com/v1/chat/completions"
JSON = (("content-type", "application/json"),)
FORM = (("content-type", "application/x-www-form-urlencoded"),)

CHAT = {
    "model": "gpt-4o",
    "messages": [{"role": "system", "content": "Be a geographer."}, {"role": "user", "content": "Capital of France?"}],
    "temperature": 0.2,
    "tools": [{"type": "function", "function": {"name": "get", "parameters": {"properties": {"call_id": {}}}}}],
}


def post(body, headers=JSON, url=URL, method="POST"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, url, tuple(headers), data)


def digest(request, **options):
    return meaning(**options)(request).digest


def edited(body, edit):
    body = copy.deepcopy(body)
    edit(body)
    return body


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body["messages"][0].update(content="Be a historian."),
        lambda body: body["messages"][0].update(content="Be a geographer. "),
        lambda body: body["messages"][1].update(role="assistant"),
        lambda body: body["messages"].reverse(),
        lambda body: body["messages"].append({"role": "user", "content": ""}),
        lambda body: body.update(temperature=0.7),
        lambda body: body.update(temperature=None),
        lambda body: body.pop("temperature"),
        lambda body: body.update(model="gpt-4o-mini"),
        lambda body: body.update(stream=False),
        lambda body: body["tools"][0]["function"].update(description="x"),
        lambda body: body["tools"][0]["function"]["parameters"]["properties"].update(call_id={"type": "string"}),
        lambda body: body["tools"].append(body["tools"][0]),
    ],
)
def test_any_change_of_a_call_shows(edit):
    assert digest(post(CHAT)) != digest(post(edited(CHAT, edit)))


def test_method_and_url_count():
    requests = [post(CHAT), post(CHAT, method="PUT"), post(CHAT, url=URL + "?a=1"), post(CHAT, url=URL + "x")]
    assert len({digest(request) for request in requests}) == 4
    assert digest(post(CHAT, method="post")) == digest(post(CHAT))


def test_sdk_headers_do_not_count():
    noisy = (
        *JSON,
        ("User-Agent", "OpenAI/Python 3.1"),
        ("X-Stainless-Retry-Count", "1"),
        ("Authorization", "Bearer y"),
        ("Accept-Encoding", "gzip"),
        ("Idempotency-Key", "stainless-python-retry-1"),
        ("X-Amz-Date", "20260101T000000Z"),
    )
    assert digest(post(CHAT, noisy)) == digest(post(CHAT)) == digest(post(CHAT, ()))


def test_headers_that_name_an_operation_count():
    one = post({}, (*JSON, ("X-Amz-Target", "DynamoDB.GetItem")))
    other = post({}, (*JSON, ("X-Amz-Target", "DynamoDB.PutItem")))
    assert digest(one) != digest(other)


def test_wanted_headers_count():
    one, other = post(CHAT, (*JSON, ("X-Tenant", "a"))), post(CHAT, (*JSON, ("x-tenant", "b")))
    assert digest(one) == digest(other)
    assert digest(one, match_headers=["X-Tenant"]) != digest(other, match_headers=["x-tenant"])
    assert digest(one, match_headers=["X-TENANT"]) == digest(one, match_headers=["x-tenant"])


# --- what does not ----------------------------------------------------------------------------------------------------


def test_spelling_does_not_count():
    reordered = json.dumps(dict(reversed(CHAT.items())), indent=3).replace("0.2", "2.00e-1")
    assert digest(post(reordered.encode())) == digest(post(CHAT))


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b" \r\n\t", b"\xef\xbb\xbf\n"])
def test_a_byte_order_mark_does_not_count(prefix):
    assert digest(post(prefix + json.dumps(CHAT).encode())) == digest(post(CHAT))


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ],
)
def test_content_encodings_do_not_count(encoding, encode):
    body = encode(json.dumps(CHAT).encode())
    assert digest(post(body, (*JSON, ("Content-Encoding", encoding)))) == digest(post(CHAT))


def test_gzip_that_is_not_announced_is_read():
    one, other = (gzip.compress(json.dumps(CHAT).encode(), mtime=time) for time in (1, 2))
    assert digest(post(one)) == digest(post(other)) == digest(post(CHAT))


def test_lines_of_json_are_read_each():
    one = b'{"a": 1, "b": 2}\n{"c": 3}\n'
    other = b'{"b": 2, "a": 1.0}\r\n\r\n{"c": 3}'
    kind = (("content-type", "application/x-ndjson"),)
    assert digest(post(one, kind)) == digest(post(other, kind))
    assert digest(post(one, kind)) != digest(post(b'{"c": 3}\n{"a": 1, "b": 2}\n', kind))


def test_lines_that_are_not_all_json_count_as_bytes():
    assert digest(post(b'{"a": 1}\nlog line')) != digest(post(b'{"a":1}\nlog line'))


def test_form_fields_may_change_places():
    assert digest(post(b"a=1&b=x+y", FORM)) == digest(post(b"b=x%20y&a=1", FORM))
    assert digest(post(b"a=1&a=2", FORM)) != digest(post(b"a=2&a=1", FORM))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"ids=1&ids=2", b"ids=2&ids=1"),
        (b"a=1", b"a=1&a=1"),
        (b"a=1%2B1", b"a=1+1"),
        (b"a=1%261", b"a=1&1="),
        (b"user_id=1", b"user_id=2"),
        (b"a=b%00", b"a=b"),
        (b"a%5B%5D=1&a%5B%5D=2", b"a%5B%5D=2&a%5B%5D=1"),
    ],
)
def test_other_fields_of_a_form_count(one, other):
    assert digest(post(one, FORM)) != digest(post(other, FORM))
    addressed = [post(b"", (), f"https://h.example/items?{query.decode()}", "GET") for query in (one, other)]
    assert digest(addressed[0]) != digest(addressed[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/v1/users/1", "/v1/users/2"),
        ("/v1/threads/thread_abc/runs", "/v1/threads/thread_abd/runs"),
        ("/a%2Fb", "/a/b"),
        ("/a+b", "/a%20b"),
        ("/A", "/a"),
        ("/a/", "/a"),
        ("/a;v=1", "/a;v=2"),
        ("/a//b", "/a/b"),
    ],
)
def test_ids_in_paths_are_values(one, other):
    requests = [post(b"", (), f"https://h.example{path}", "GET") for path in (one, other)]
    assert digest(requests[0]) != digest(requests[1])


def multipart(boundary, purpose="batch", document=CHAT):
    lines = [
        f"--{boundary}",
        'Content-Disposition: form-data; name="purpose"',
        "",
        purpose,
        f"--{boundary}",
        'Content-Disposition: form-data; name="file"; filename="a.json"',
        "Content-Type: application/json",
        "",
        json.dumps(document),
        f"--{boundary}--",
        "",
    ]
    headers = (("Content-Type", f"multipart/form-data; boundary={boundary}"),)
    return post("\r\n".join(lines).encode(), headers)


def test_a_boundary_does_not_count():
    assert digest(multipart("a81f")) == digest(multipart("c3d4"))
    assert digest(multipart("a81f")) == digest(multipart("x", document=dict(reversed(CHAT.items()))))


def test_multipart_content_counts():
    changed = edited(CHAT, lambda body: body.update(model="x"))
    assert len({digest(multipart("b")), digest(multipart("b", "other")), digest(multipart("b", document=changed))}) == 3


def parts_of(*parts):
    lines = [line for part in parts for line in ("--b", *part)]
    return post("\r\n".join([*lines, "--b--", ""]).encode(), (("Content-Type", "multipart/form-data; boundary=b"),))


def field(name, value, *headers):
    return (f'Content-Disposition: form-data; name="{name}"', *headers, "", value)


def test_the_length_of_a_part_does_not_count():
    one = parts_of(field("a", '{"x":1}', "Content-Type: application/json", "Content-Length: 7"))
    other = parts_of(field("a", '{"x": 1}', "Content-Type: application/json", "CONTENT-LENGTH: 8"))
    without = parts_of(field("a", '{"x": 1}', "Content-Type: application/json"))
    assert digest(one) == digest(other) == digest(without)


def test_named_parts_may_change_places_but_not_those_of_one_name():
    a, b, c = field("a", "1"), field("b", "2"), field("a", "3")
    assert digest(parts_of(a, b, c)) == digest(parts_of(b, a, c)) == digest(parts_of(a, c, b))
    assert digest(parts_of(a, b, c)) != digest(parts_of(c, b, a))


@pytest.mark.parametrize(
    "other",
    [
        field("a", "2"),
        field("b", "1"),
        field("a", "1", "Content-Type: text/csv"),
        ('Content-Disposition: form-data; name="a"; filename="x.txt"', "", "1"),
    ],
)
def test_every_other_word_of_a_part_counts(other):
    assert digest(parts_of(field("a", "1"))) != digest(parts_of(other))


def test_broken_multipart_counts_as_bytes():
    headers = (("Content-Type", "multipart/form-data; boundary=b"),)
    assert digest(post(b"--b\r\nno end", headers)) != digest(post(b"--b\r\nno  end", headers))


# --- ids of tool calls ------------------------------------------------------------------------------------------------

HISTORIES = {
    "openai_chat": lambda a, b: {
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": a, "type": "function"}, {"id": b, "type": "function"}]},
            {"role": "tool", "tool_call_id": b, "content": "x"},
            {"role": "tool", "tool_call_id": a, "content": "y"},
        ]
    },
    "openai_responses": lambda a, b: {
        "input": [
            {"type": "function_call", "call_id": a, "name": "f", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": b, "name": "g", "input": "x"},
            {"type": "custom_tool_call_output", "call_id": b, "output": "x"},
            {"type": "function_call_output", "call_id": a, "output": "x"},
        ]
    },
    "anthropic": lambda a, b: {
        "messages": [
            {"role": "assistant", "content": [{"type": "tool_use", "id": a, "input": {}}, {"type": "tool_use", "id": b}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": b}, {"type": "tool_result", "tool_use_id": a}]},
        ]
    },
    "gemini": lambda a, b: {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"id": a, "name": "f"}}, {"functionCall": {"id": b, "name": "f"}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": b, "response": {}}}]},
            {"role": "user", "parts": [{"function_response": {"id": a, "response": {}}}]},
        ]
    },
    "bedrock": lambda a, b: {
        "messages": [
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": a, "input": {}}}, {"toolUse": {"toolUseId": b}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": b}}, {"toolResult": {"toolUseId": a}}]},
        ]
    },
}  # fmt: skip

PATHS = {
    "openai_chat": "https://api.openai.com/v1/chat/completions",
    "openai_responses": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages?beta=true",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash:generateContent",
    "bedrock": "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-lite-v1%3A0/converse",
}


def history(format, a, b):
    return post(HISTORIES[format](a, b), url=PATHS[format])


@pytest.mark.parametrize("format", HISTORIES)
def test_ids_stand_beside_the_digest(format):
    one = meaning()(history(format, "call_1", "call_2"))
    other = meaning()(history(format, "pyd_ai_7", "pyd_ai_3"))
    assert one.digest == other.digest
    assert one.ids == ("call_1", "call_2")
    assert other.ids == ("pyd_ai_7", "pyd_ai_3")


@pytest.mark.parametrize("format", HISTORIES)
def test_swapped_ids_show(format):
    straight = HISTORIES[format]("a", "b")
    crossed = json.loads(json.dumps(straight).replace('"a"', '"?"').replace('"b"', '"a"', 1).replace('"?"', '"b"', 1))
    assert digest(post(straight, url=PATHS[format])) != digest(post(crossed, url=PATHS[format]))


@pytest.mark.parametrize("format", HISTORIES)
def test_ids_do_not_depend_on_the_order_of_members(format):
    body, url = HISTORIES[format]("a", "b"), PATHS[format]
    assert meaning()(post(json.dumps(body, sort_keys=True).encode(), url=url)) == meaning()(post(body, url=url))


def test_one_id_for_two_calls_shows():
    assert digest(history("openai_chat", "a", "a")) != digest(history("openai_chat", "a", "b"))


@pytest.mark.parametrize("format", HISTORIES)
@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example/v1/calls",
        "https://crm.example/v1/chat/completions/export",
        "https://crm.example/chat-log?next=/v1/messages",
        "https://crm.example/models/x:generateContents",
    ],
)
def test_what_calls_no_model_has_no_ids(format, url):
    one, other = (meaning()(post(HISTORIES[format](*ids), url=url)) for ids in (("a", "b"), ("c", "d")))
    assert one.ids == other.ids == ()
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (PATHS["openai_chat"], lambda made: {"type": "phone_call", "call_id": made}),
        (PATHS["openai_chat"], lambda made: {"tool_calls": [{"id": made}]}),
        (PATHS["openai_chat"], lambda made: {"messages": [{"role": "user", "content": "x", "id": made}]}),
        (PATHS["openai_chat"], lambda made: {"messages": [{"tool_call_id": made}]}),
        (PATHS["openai_responses"], lambda made: {"input": [{"type": "item_reference", "id": made}]}),
        (PATHS["openai_responses"], lambda made: {"previous_response_id": made, "input": []}),
        (PATHS["openai_responses"], lambda made: {"input": [{"type": "message", "call_id": made}]}),
        (PATHS["openai_responses"], lambda made: {"metadata": {"type": "phone_call", "call_id": made}}),
        (PATHS["anthropic"], lambda made: {"container": {"id": made}, "messages": []}),
        (PATHS["anthropic"], lambda made: {"messages": [{"role": "user", "content": [{"type": "image", "id": made}]}]}),
        (PATHS["gemini"], lambda made: {"contents": [{"parts": [{"executableCode": {"id": made}}]}]}),
        (PATHS["bedrock"], lambda made: {"guardrailConfig": {"toolUseId": made}, "messages": []}),
    ],
)
def test_an_id_elsewhere_in_a_model_call_counts(url, body):
    assert digest(post(body("a"), url=url)) != digest(post(body("b"), url=url))


@pytest.mark.parametrize(
    "url",
    [
        "https://eu.example/openai/deployments/d/chat/completions?api-version=2024-10-21",
        "http://localhost:11434/api/chat",
        "https://api.mistral.ai/v1/agents/completions",
        "https://api.cohere.com/v2/chat",
        "https://aiplatform.googleapis.com/v1/publishers/anthropic/models/claude:streamRawPredict",
        "https://api.anthropic.com/v1/messages/count_tokens",
    ],
)
def test_a_format_is_known_at_any_provider(url):
    body = HISTORIES["openai_chat"]
    assert meaning()(post(body("a", "b"), url=url)) == Key(digest(post(body("c", "d"), url=url)), ("a", "b"))


def test_wrapped_calls_have_ids():
    batch = "https://api.anthropic.com/v1/messages/batches"
    made = [{"requests": [{"custom_id": "1", "params": HISTORIES["anthropic"](*ids)}]} for ids in ("ab", "cd")]
    assert digest(post(made[0], url=batch)) == digest(post(made[1], url=batch))
    assist = "https://cloudcode-pa.googleapis.com/v1internal:generateContent"
    made = [{"model": "g", "request": HISTORIES["gemini"](*ids)} for ids in ("ab", "cd")]
    assert digest(post(made[0], url=assist)) == digest(post(made[1], url=assist))


def test_a_body_that_is_no_json_after_all_has_no_ids():
    deep = b'{"messages": [{"role": "tool", "tool_call_id": "a"}], "deep": ' + b"[" * 150 + b"]" * 150 + b"}"
    assert meaning()(post(deep)).ids == ()


@pytest.mark.parametrize(
    "body",
    [
        lambda made: {"call_id": made},
        lambda made: {"id": made},
        lambda made: {"metadata": {"type": "a_call", "call_id": made}},
        lambda made: {
            "messages": [{"content": [{"type": "tool_use", "input": {"type": "phone_call", "call_id": made}}]}]
        },
        lambda made: {"contents": [{"parts": [{"functionCall": {"args": {"tool_calls": [{"id": made}]}}}]}]},
        lambda made: {"contents": [{"parts": [{"functionResponse": {"response": {"functionCall": {"id": made}}}}]}]},
        lambda made: {
            "messages": [{"content": [{"toolUse": {"toolUseId": "x", "input": {"toolUse": {"toolUseId": made}}}}]}]
        },
        lambda made: {"tools": [{"type": "tool_use", "id": made}]},
    ],
)
def test_data_that_looks_like_an_id_counts(body):
    for url in PATHS.values():
        assert digest(post(body("a"), url=url)) != digest(post(body("b"), url=url))


# --- what is left out -------------------------------------------------------------------------------------------------


def test_ignored_fields_do_not_count():
    traced = edited(CHAT, lambda body: body.update(metadata={"trace_id": "x", "kept": 1}))
    other = edited(CHAT, lambda body: body.update(metadata={"trace_id": "y", "kept": 1}))
    changed = edited(CHAT, lambda body: body.update(metadata={"trace_id": "y", "kept": 2}))
    assert digest(post(traced), ignore_body=["$.metadata.trace_id"]) == digest(
        post(other), ignore_body=["$.metadata.trace_id"]
    )
    assert digest(post(traced), ignore_body=["$.metadata.trace_id"]) != digest(
        post(changed), ignore_body=["$.metadata.trace_id"]
    )


def test_ignored_fields_reach_into_lines_forms_and_parts():
    keys = {"ignore_body": ["$.t"]}
    lines = (("content-type", "application/x-ndjson"),)
    assert digest(post(b'{"t":1,"a":1}\n{"t":2}', lines), **keys) == digest(post(b'{"a":1}\n{"t":3}', lines), **keys)
    assert digest(post(b"t=1&a=1", FORM), **keys) == digest(post(b"a=1&t=2", FORM), **keys)
    assert digest(multipart("b", document={"t": 1}), **keys) == digest(multipart("b", document={"t": 2}), **keys)


def test_a_bad_path_is_refused_at_once():
    with pytest.raises(UserError, match=r"messages\[0:2\]"):
        meaning(ignore_body=["$.messages[0:2]"])


def test_normalize_rewrites_the_body():
    one, other = post({"run": "run-17"}), post({"run": "run-18"})
    assert digest(one) != digest(other)
    assert digest(one, normalize=[_without_numbers]) == digest(other, normalize=[_without_numbers])


def _without_numbers(body: bytes) -> bytes:
    return body.rstrip(b'0123456789"}')


# --- never raises -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"a": "\\ud800"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": 1e999999999}',
        b"[" + b"9" * 5_000 + b"]",
        b'{"a": NaN, "b": -Infinity}',
        b"\x1f\x8b\x08 not gzip",
        b"\xff\xfe\x00",
        '{"a": 1}'.encode("utf-16"),
        b"\x00" * 100,
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        JSON,
        FORM,
        (("content-type", "multipart/form-data"),),
        (("content-encoding", "gzip"),),
        (("content-encoding", "x"),),
    ],
)
def test_strange_bodies_have_a_key(body, headers):
    assert digest(post(body, headers)) == digest(post(body, headers))
    assert digest(post(body, headers)) != digest(post(body + b" !", headers))


def test_strange_addresses_have_a_key():
    urls = ["", "http://[", "https://h/\ud800", "https://h:x/", "https://h/%zz?%"]
    assert len({digest(post(b"", url=url)) for url in urls}) == len(urls)


@given(st.binary(max_size=60), st.sampled_from([JSON, FORM, (("content-type", "multipart/x; boundary=b"),)]))
def test_any_bytes_have_a_key(body, headers):
    assert len(digest(post(body, headers))) == 32


# --- the key itself ---------------------------------------------------------------------------------------------------


def test_schemes_name_the_options():
    assert meaning().scheme == "meaning-2"
    one = meaning(ignore_body=["$.b", "$.a"], match_headers=["X-B", "x-a"], normalize=[_without_numbers])
    other = meaning(ignore_body=["$.a", "$.b", "$.a"], match_headers=["x-b", "x-a"], normalize=[_without_numbers])
    assert one.scheme == other.scheme
    assert "\n" not in one.scheme
    assert "$.a" in one.scheme
    assert "x-a" in one.scheme
    assert "_without_numbers" in one.scheme


def test_keys_are_the_same_in_every_release():
    odd = {"float": [0.1, 1e-7, 1.5e300, -2.5], "text": 'é😀\x7f\u2028\x00"\\/\b', "big": 2**70, "none": None}
    assert digest(post(CHAT)) == "1feb6c6bdd8e7f6314fa9aae768e0e3c"
    assert digest(post(odd)) == "b43a2d10625fa7dabc87632669d73a41"
    assert digest(multipart("b")) == "56147bae0f585f836916ca03cee5b009"
    assert digest(post(b"b=1&a=%e9", FORM)) == "a02e4cc652cb5b3575c44bca55265cbe"
    assert digest(history("anthropic", "a", "b")) == "87a6c2ed1f084f4d0fe9ac3ed8aa0331"
    assert digest(post(b"", (), method="GET")) == "bbde1768ba1abeeb634f7fe28ca7e482"


def test_keys_do_not_depend_on_the_process():
    code = (
        "from replay_agent.recording.meaning.key import meaning; from replay_agent.traffic import Request;"
        f"print(meaning()(Request('POST', {URL!r}, (), {json.dumps(CHAT).encode()!r})).digest)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == digest(post(CHAT))


@given(st.permutations(list(CHAT)), st.text("0123456789abcdef", min_size=1, max_size=30))
def test_order_and_boundary_never_count(order, boundary):
    shuffled = {name: CHAT[name] for name in order}
    assert digest(post(shuffled)) == digest(post(CHAT))
    assert digest(multipart(boundary, document=shuffled)) == digest(multipart("another"))


@given(st.data())
def test_a_changed_text_always_shows(data):
    body = copy.deepcopy(CHAT)
    place = data.draw(st.sampled_from(body["messages"]))
    text = data.draw(st.text(st.characters(codec="utf-8")).filter(lambda text: text != place["content"]))
    place["content"] = text
    assert digest(post(body)) != digest(post(CHAT))
