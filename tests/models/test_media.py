from __future__ import annotations

import httpx
import pytest

from replay_agent.messages import (
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    UnknownPart,
    UserPromptPart,
)
from replay_agent.models.media import sendable
from replay_agent.models.providers import PROVIDERS, Capabilities

pytestmark = pytest.mark.anyio

EVERYTHING = Capabilities(downloaded=("image-url", "audio-url", "document-url"), media_types=("",))
IMAGE = BinaryContent(b"png", "image/png")
SOUND = BinaryContent(b"mp3", "audio/mpeg")
PDF = BinaryContent(b"pdf", "application/pdf")
WORD = BinaryContent(b"w", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
IMAGE_URL = ImageUrl("http://files/a.png")
SOUND_URL = AudioUrl("http://files/a.mp3")
PDF_URL = DocumentUrl("http://files/a.pdf")


class Files:
    """Serves a body for every address and notes which ones were asked for."""

    def __init__(self, content_type=None, status=200):
        self.asked = []
        self._headers = {} if content_type is None else {"content-type": content_type}
        self._status = status

    async def __call__(self, url):
        self.asked.append(url)
        return httpx.Response(self._status, headers=self._headers, content=b"data", request=httpx.Request("GET", url))


def prompt(*content):
    return [ModelRequest([UserPromptPart(list(content))])]


async def content_sent(capabilities, files, *content):
    ((request,),) = [await sendable(prompt(*content), capabilities, files)]
    return request.parts[0].content


async def test_messages_without_media_stay_themselves():
    messages = [ModelRequest([SystemPromptPart("s"), UserPromptPart("u")]), ModelResponse([TextPart("t")])]
    found = await sendable(messages, EVERYTHING, Files())
    assert [one is other for one, other in zip(found, messages, strict=True)] == [True, True]


async def test_originals_are_not_changed():
    messages = prompt("look", IMAGE_URL)
    await sendable(messages, EVERYTHING, Files())
    assert messages[0].parts[0].content == ["look", IMAGE_URL]


async def test_other_parts_beside_media_stay_themselves():
    parts = [SystemPromptPart("s"), UserPromptPart("words"), UserPromptPart(["look", IMAGE_URL])]
    ((request,),) = [await sendable([ModelRequest(parts)], EVERYTHING, Files())]
    assert request.parts[:2] == parts[:2]
    assert request.parts[2].content == ["look", BinaryContent(b"data", "image/png")]


@pytest.mark.parametrize(
    ("told", "media_type"),
    [
        (None, "image/png"),
        ("application/octet-stream", "image/png"),
        ("image/webp", "image/webp"),
        ("Image/JPEG; charset=binary", "image/jpeg"),
    ],
)
async def test_downloads_have_the_type_that_the_server_tells(told, media_type):
    files = Files(told)
    found = await content_sent(EVERYTHING, files, "look", IMAGE_URL)
    assert found == ["look", BinaryContent(b"data", media_type)]
    assert files.asked == [IMAGE_URL.url]


async def test_sounds_and_documents_are_downloaded():
    found = await content_sent(EVERYTHING, Files(), SOUND_URL, PDF_URL)
    assert found == [BinaryContent(b"data", "audio/mpeg"), BinaryContent(b"data", "application/pdf")]


async def test_a_refused_download_is_an_error():
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await content_sent(EVERYTHING, Files(status=404), IMAGE_URL)


async def test_a_download_of_a_wrong_type_is_refused():
    with pytest.raises(RuntimeError, match="'text/html'"):
        await content_sent(PROVIDERS["anthropic"].capabilities, Files("text/html"), IMAGE_URL)


async def test_what_no_codec_knows_is_let_through():
    unknown = UnknownPart({"type": "hologram"})
    assert await content_sent(PROVIDERS["cohere"].capabilities, Files(), "a", unknown) == ["a", unknown]


@pytest.mark.parametrize(
    ("provider", "content"),
    [
        ("openai", IMAGE_URL),
        ("openai", IMAGE),
        ("openai", SOUND),
        ("deepseek", IMAGE_URL),
        ("groq", IMAGE_URL),
        ("groq", IMAGE),
        ("mistral", IMAGE_URL),
        ("mistral", IMAGE),
        ("anthropic", IMAGE),
        ("anthropic", PDF),
        ("anthropic", BinaryContent(b"t", "text/plain")),
        ("google-gla", IMAGE),
        ("google-gla", SOUND),
        ("google-vertex", BinaryContent(b"v", "video/mp4")),
        ("bedrock", IMAGE),
        ("bedrock", WORD),
    ],
)
async def test_some_content_is_sent_as_it_is(provider, content):
    files = Files()
    assert await content_sent(PROVIDERS[provider].capabilities, files, content) == [content]
    assert not files.asked


@pytest.mark.parametrize(
    ("provider", "content"),
    [
        ("openai", SOUND_URL),
        ("anthropic", IMAGE_URL),
        ("anthropic", PDF_URL),
        ("google-gla", IMAGE_URL),
        ("google-gla", SOUND_URL),
        ("google-gla", PDF_URL),
        ("bedrock", IMAGE_URL),
        ("bedrock", PDF_URL),
    ],
)
async def test_some_addresses_are_downloaded(provider, content):
    files = Files()
    (found,) = await content_sent(PROVIDERS[provider].capabilities, files, content)
    assert found == BinaryContent(b"data", content.media_type)
    assert files.asked == [content.url]


@pytest.mark.parametrize(
    ("provider", "content", "error"),
    [
        ("openai", PDF_URL, NotImplementedError),
        ("openai", WORD, RuntimeError),
        ("groq", SOUND, RuntimeError),
        ("groq", SOUND_URL, RuntimeError),
        ("groq", PDF_URL, RuntimeError),
        ("mistral", PDF_URL, RuntimeError),
        ("mistral", PDF, RuntimeError),
        ("anthropic", SOUND, RuntimeError),
        ("anthropic", SOUND_URL, RuntimeError),
        ("anthropic", WORD, RuntimeError),
        ("cohere", IMAGE, RuntimeError),
        ("cohere", IMAGE_URL, RuntimeError),
        ("bedrock", SOUND, NotImplementedError),
        ("bedrock", SOUND_URL, NotImplementedError),
    ],
)
async def test_some_content_is_refused(provider, content, error):
    files = Files()
    with pytest.raises(error, match="not supported") as caught:
        await content_sent(PROVIDERS[provider].capabilities, files, content)
    assert (type(caught.value) is NotImplementedError) is (error is NotImplementedError)
    assert not files.asked
