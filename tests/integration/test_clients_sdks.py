"""SDKs' clients in the ways that tests use them: made at import, shared by loops, uploading; see test_scenarios.py."""

from __future__ import annotations

import asyncio
import gc

import anyio
import boto3
import httpx
import httpx2
import openai
import pytest

from tests.integration.drivers.driver import KEY
from tests.integration.drivers.sdks import say
from tests.integration.model_provider import answering
from tests.integration.recordings import recording, replaying
from tests.integration.rough_provider import SHAPES, rough_provider

SHAPES["/v1/chat/completions"] = answering


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.yaml"


@pytest.fixture
def provider():
    with rough_provider() as provider:
        yield provider


# In task groups


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
