"""SDKs under load and in trouble: recorded, then replayed with the provider gone."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import anthropic
import anyio
import boto3
import botocore.exceptions
import groq
import httpx
import httpx2
import openai
import pytest
import requests
from google import genai

from replay_agent.exceptions import CassetteMiss
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import SHAPES, rough_provider

KEY = "sk-test-not-a-real-key-000"
RETRY_AFTER = "0000"


def completion(text):
    message = {"role": "assistant", "content": text}
    return {
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }  # fmt: skip


def chunks(text):
    for piece in (*text.split(" "), None):
        delta = {} if piece is None else {"content": piece}
        choice = {"index": 0, "delta": delta, "finish_reason": None if piece else "stop"}
        yield {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def openai_chat(peer):
    asked = json.loads(peer.body)
    text = asked["messages"][-1]["content"]
    if troubled(peer, text):
        return
    if not asked.get("stream"):
        peer.answer(json.dumps(completion(f"you said {text}")).encode(), "Content-Type: application/json")
        return
    peer.begin_stream("Content-Type: text/event-stream")
    for chunk in chunks(f"you said {text}"):
        peer.chunk(b"data: %s\n\n" % json.dumps(chunk).encode())
    peer.chunk(b"data: [DONE]\n\n")
    peer.send(b"0\r\n\r\n")


def anthropic_messages(peer):
    text = json.loads(peer.body)["messages"][-1]["content"]
    if troubled(peer, text):
        return
    answer = {
        "id": "m1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "stop_sequence": None,
        "content": [{"type": "text", "text": f"you said {text}"}], "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    peer.answer(json.dumps(answer).encode(), "Content-Type: application/json")


def gemini(peer):
    text = json.loads(peer.body)["contents"][-1]["parts"][0]["text"]
    parts = [{"text": piece} for piece in ("you said ", text)]
    answers = [
        {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}]}
        for part in parts
    ]
    if "streamGenerateContent" not in peer.path:
        answers[0]["candidates"][0]["content"]["parts"] = parts
        peer.answer(json.dumps(answers[0]).encode(), "Content-Type: application/json")
        return
    peer.begin_stream("Content-Type: text/event-stream")
    for answer in answers:
        peer.chunk(b"data: %s\r\n\r\n" % json.dumps(answer).encode())
    peer.send(b"0\r\n\r\n")


def converse(peer):
    text = json.loads(peer.body)["messages"][-1]["content"][0]["text"]
    if troubled(peer, text):
        return
    message = {"role": "assistant", "content": [{"text": f"you said {text}"}]}
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    answer = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}
    peer.answer(json.dumps(answer).encode(), "Content-Type: application/json")


def troubled(peer, text):
    if text == "limited" and peer.count == 1:
        peer.answer(
            b'{"error": {"message": "slow down"}}', f"Retry-After: {RETRY_AFTER}", status="429 Too Many Requests"
        )
    elif text == "broken" and peer.count <= 2:
        peer.answer(b'{"error": {"message": "oops"}}', status="500 Internal Server Error")
    elif text == "reset":
        peer.reset()
    elif text == "stall":
        peer.stall()
    else:
        return False
    return True


SHAPES["/v1/chat/completions"] = openai_chat
SHAPES["/openai/v1/chat/completions"] = openai_chat
SHAPES["/v1/messages"] = anthropic_messages
for version in ("v1", "v1beta"):  # releases of the SDK differ in which they ask for
    SHAPES[f"/{version}/models/m:generateContent"] = gemini
    SHAPES[f"/{version}/models/m:streamGenerateContent"] = gemini
SHAPES["/model/m/converse"] = converse


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.yaml"


@pytest.fixture
def provider():
    with rough_provider() as provider:
        yield provider


# One question, by SDK


def say(text):
    return [{"role": "user", "content": text}]


def with_openai(base, text, **options):
    with openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, **options) as client:
        return client.chat.completions.create(model="m", messages=say(text)).choices[0].message.content


def with_groq(base, text, **options):
    with groq.Groq(base_url=base, api_key=KEY, **options) as client:
        return client.chat.completions.create(model="m", messages=say(text)).choices[0].message.content


def with_anthropic(base, text, **options):
    with anthropic.Anthropic(base_url=base, api_key=KEY, **options) as client:
        return client.messages.create(model="m", max_tokens=9, messages=say(text)).content[0].text


def with_async(kind):
    def run(base, text, **options):
        async def main():
            async with kind(base_url=base, api_key=KEY, **options) as client:
                answer = await client.chat.completions.create(model="m", messages=say(text))
                return answer.choices[0].message.content

        return asyncio.run(main())

    return run


def with_async_openai(base, text, **options):
    return with_async(openai.AsyncOpenAI)(f"{base}/v1", text, **options)


def with_boto3(base, text, *, timeout=9, max_retries=2):
    config = boto3.session.Config(
        read_timeout=timeout, connect_timeout=timeout, retries={"total_max_attempts": max_retries + 1}
    )
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=base, aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example", config=config,
    )  # fmt: skip
    answer = client.converse(modelId="m", messages=[{"role": "user", "content": [{"text": text}]}])
    client.close()
    return answer["output"]["message"]["content"][0]["text"]


def with_requests(base, text, *, timeout=9, max_retries=2):
    adapter = requests.adapters.HTTPAdapter(
        max_retries=requests.adapters.Retry(max_retries, status_forcelist=[429, 500], allowed_methods=None)
    )
    with requests.Session() as session:
        session.mount(base, adapter)
        answer = session.post(f"{base}/v1/chat/completions", json={"messages": say(text)}, timeout=timeout)
        return answer.json()["choices"][0]["message"]["content"]


SDKS = {
    "openai": (with_openai, openai.APIConnectionError, openai.APITimeoutError),
    "async openai": (with_async_openai, openai.APIConnectionError, openai.APITimeoutError),
    "groq": (with_groq, groq.APIConnectionError, groq.APITimeoutError),
    "async groq": (with_async(groq.AsyncGroq), groq.APIConnectionError, groq.APITimeoutError),
    "anthropic": (with_anthropic, anthropic.APIConnectionError, anthropic.APITimeoutError),
    "boto3": (with_boto3, botocore.exceptions.ConnectionClosedError, botocore.exceptions.ReadTimeoutError),
    "requests": (with_requests, requests.ConnectionError, requests.ConnectionError),
}
EACH_SDK = pytest.mark.parametrize("sdk", SDKS)


@EACH_SDK
def test_question_is_answered(path, provider, sdk):
    ask, *_ = SDKS[sdk]
    with recording(path, "once"):
        assert ask(provider.url, "hi") == "you said hi"
    provider.stop()
    with replaying(path):
        assert ask(provider.url, "hi") == "you said hi"


@EACH_SDK
@pytest.mark.parametrize("trouble", ["limited", "broken"])
def test_retries_replay_without_waiting(path, provider, sdk, trouble):
    """The 429 says in the cassette that it wants a wait of 50 seconds: a run that waited would be noticed."""
    ask, *_ = SDKS[sdk]
    with recording(path, "once") as recorded:
        assert ask(provider.url, trouble) == f"you said {trouble}"
    provider.stop()
    assert len(recorded.interactions) > 1
    if trouble == "limited":
        text = path.read_text()
        assert RETRY_AFTER in text
        path.write_text(text.replace(RETRY_AFTER, "50"))
    with replaying(path):
        assert ask(provider.url, trouble) == f"you said {trouble}"


@EACH_SDK
@pytest.mark.parametrize("trouble", ["reset", "stall"])
def test_trouble_is_the_same_error(path, provider, sdk, trouble):
    ask, reset, stall = SDKS[sdk]
    expected = reset if trouble == "reset" else stall
    with recording(path, "once"), pytest.raises(expected) as live:
        ask(provider.url, trouble, timeout=0.3, max_retries=1)
    provider.stop()
    with replaying(path), pytest.raises(expected) as again:
        ask(provider.url, trouble, timeout=0.3, max_retries=1)
    assert type(again.value) is type(live.value)


@EACH_SDK
def test_miss_arrives_as_itself(path, provider, sdk):
    ask, *_ = SDKS[sdk]
    with recording(path, "once"):
        ask(provider.url, "hi")
    provider.stop()
    with recording(path) as replayed, pytest.raises(CassetteMiss, match="changed"):
        ask(provider.url, "hi there")
    assert len(replayed.misses) == 1


# Gemini, whose async client uses aiohttp where that is installed


def gemini_client(base):
    return genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=base))


async def with_async_gemini(base):
    client = gemini_client(base).aio
    whole = await client.models.generate_content(model="m", contents="hi")
    stream = await client.models.generate_content_stream(model="m", contents="hi")
    pieces = [piece.text async for piece in stream]
    await client.aclose()
    return whole.text, pieces


def test_gemini(path, provider):
    def main():
        client = gemini_client(provider.url)
        return client.models.generate_content(model="m", contents="hi").text

    with recording(path, "once"):
        assert main() == "you said hi"
    provider.stop()
    with replaying(path):
        assert main() == "you said hi"


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_async_gemini_and_its_streams(path, provider):
    with recording(path, "once"):
        live = asyncio.run(with_async_gemini(provider.url))
    provider.stop()
    assert live == ("you said hi", ["you said ", "hi"])
    with replaying(path):
        assert asyncio.run(with_async_gemini(provider.url)) == live


# Streams


def test_openai_stream(path, provider):
    def main():
        with openai.OpenAI(base_url=f"{provider.url}/v1", api_key=KEY) as client:
            stream = client.chat.completions.create(model="m", messages=say("hi"), stream=True)
            return [chunk.choices[0].delta.content for chunk in stream]

    with recording(path, "once") as recorded:
        live = main()
    provider.stop()
    assert recorded.interactions[0].outcome.end.value == "complete"
    with replaying(path):
        assert main() == live == ["you", "said", "hi", None]


def test_openai_stream_left_early(path, provider):
    def main():
        client = openai.OpenAI(base_url=f"{provider.url}/v1", api_key=KEY)
        with client, client.chat.completions.create(model="m", messages=say("hi"), stream=True) as stream:
            return next(iter(stream)).choices[0].delta.content

    with recording(path, "once"):
        assert main() == "you"
    provider.stop()
    with replaying(path):
        assert main() == "you"


# Many at once

COUNT = 64


async def ask_many(base, texts, module=openai):
    client = openai.AsyncOpenAI(base_url=f"{base}/v1", api_key=KEY)
    async with client:
        answers = await asyncio.gather(
            *(client.chat.completions.create(model="m", messages=say(text)) for text in texts)
        )
    return [answer.choices[0].message.content for answer in answers]


def test_many_at_once_in_another_order(path, provider):
    texts = [f"question {n}" for n in range(COUNT)]
    with recording(path, "once"):
        live = asyncio.run(ask_many(provider.url, texts))
    provider.stop()
    assert live == [f"you said {text}" for text in texts]
    with replaying(path):
        assert asyncio.run(ask_many(provider.url, texts[::-1])) == live[::-1]


def test_threads_get_their_own_answers(path, provider):
    texts = [f"question {n}" for n in range(16 * 4)]

    def main(texts):
        client = openai.OpenAI(base_url=f"{provider.url}/v1", api_key=KEY)

        def one(text):
            return client.chat.completions.create(model="m", messages=say(text)).choices[0].message.content

        with client, ThreadPoolExecutor(16) as pool:
            return list(pool.map(one, texts))

    with recording(path, "once"):
        live = main(texts)
    provider.stop()
    with replaying(path):
        assert main(texts[::-1]) == live[::-1] == [f"you said {text}" for text in texts][::-1]


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_task_groups_get_their_own_answers(path, provider, module):
    texts = [f"question {n}" for n in range(16)]

    async def main(texts):
        got = {}

        async def one(client, text):
            answer = await client.post(f"{provider.url}/echo", content=text)
            got[text] = answer.text

        async with module.AsyncClient() as client, anyio.create_task_group() as group:
            for text in texts:
                group.start_soon(one, client, text)
        return got

    with recording(path, "once"):
        live = anyio.run(main, texts, backend="trio")
    provider.stop()
    with replaying(path):
        assert anyio.run(main, texts[::-1], backend="asyncio") == live


def test_slow_first_answer_is_not_swapped(path, provider):
    second = threading.Event()

    def in_turn(peer):
        if b"first" in peer.body:
            second.wait(9)
        peer.answer(b"you said " + peer.body)
        if b"second" in peer.body:
            second.set()

    SHAPES["/in-turn"] = in_turn

    async def main():
        async with httpx.AsyncClient() as client:
            url = f"{provider.url}/in-turn"
            answers = await asyncio.gather(client.post(url, content="first"), client.post(url, content="second"))
            return [answer.text for answer in answers]

    with recording(path, "once") as recorded:
        live = asyncio.run(main())
    provider.stop()
    del SHAPES["/in-turn"]
    assert [request.body for request in recorded.requests] == [b"first", b"second"]
    with replaying(path):
        assert asyncio.run(main()) == live


# Clients made at import, closed loops


def test_client_made_before_the_recording(path, provider):
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key=KEY) as client:

        def ask():
            return client.chat.completions.create(model="m", messages=say("hi")).choices[0].message.content

        with recording(path, "once"):
            assert ask() == "you said hi"
        provider.stop()
        with replaying(path):
            assert ask() == "you said hi"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the closed loop's transports
def test_client_shared_by_loops_is_no_reason_to_choke(path, provider):
    """The pool's connections belong to a loop that is closed: a first try dies, after the request has left."""

    async def ask(client, text):
        return (await client.chat.completions.create(model="m", messages=say(text))).choices[0].message.content

    def stubbornly(client, text):
        try:
            return asyncio.run(ask(client, text))
        except RuntimeError:
            return asyncio.run(ask(client, text))

    def main():
        client = openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key=KEY)
        return [stubbornly(client, text) for text in ("one", "two")]

    with recording(path, "once"):
        live = main()
    provider.stop()
    with replaying(path):
        assert main() == live
    gc.collect()  # what the closed loops left is complained of here


# Uploads and downloads

BLOB = bytes(range(256)) * 300


def s3(peer):
    if peer.method == "PUT":
        peer.answer(b"", 'ETag: "x"')
    else:
        peer.answer(BLOB, "Content-Type: application/octet-stream")


SHAPES["/bucket/key"] = s3


def test_s3_upload_that_waits_for_continue_and_download(path, provider):
    def main():
        client = boto3.client(
            "s3", region_name="us-east-1", endpoint_url=provider.url, aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="example",
            config=boto3.session.Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )  # fmt: skip
        etag = client.put_object(Bucket="bucket", Key="key", Body=BLOB)["ETag"]
        body = client.get_object(Bucket="bucket", Key="key")["Body"]
        got = b"".join(body.iter_chunks(10_000))
        client.close()
        return etag, got

    with recording(path, "once") as recorded:
        live = main()
    provider.stop()
    assert [interaction.request.method for interaction in recorded.interactions] == ["PUT", "GET"]
    with replaying(path):
        assert main() == live == ('"x"', BLOB)


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_multipart_upload(path, provider, module):
    def main():
        answer = module.post(
            f"{provider.url}/echo", files={"file": ("a.bin", BLOB)}, data={"purpose": "test"},
            headers={"Content-Type": "multipart/form-data; boundary=one"}, timeout=9,
        )  # fmt: skip
        return answer.content

    with recording(path, "once"):
        live = main()
    provider.stop()
    with replaying(path):
        assert main() == live
    assert BLOB in live
