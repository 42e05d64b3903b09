from __future__ import annotations

import json
from typing import get_args

import pydantic
import pytest

from replay_agent import messages
from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.messages import (
    DOCUMENT_FORMATS,
    AudioUrl,
    BinaryContent,
    DocumentUrl,
    FunctionToolCallEvent,
    ImageUrl,
    RetryPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
    ToolReturnPart,
)


@pytest.mark.parametrize(
    ("url", "media_type", "format"),
    [
        (ImageUrl("https://x.test/a.jpg"), "image/jpeg", "jpeg"),
        (ImageUrl("https://x.test/a.PNG?size=2#top"), "image/png", "png"),
        (DocumentUrl("https://x.test/a.pdf?page=2"), "application/pdf", "pdf"),
    ],
)
def test_an_address_says_what_is_there(url, media_type, format):
    assert (url.media_type, url.format) == (media_type, format)


@pytest.mark.parametrize(("media_type", "extension"), DOCUMENT_FORMATS.items())
def test_documents_are_known_whatever_the_system_knows(monkeypatch, media_type, extension):
    monkeypatch.setattr(messages, "guess_type", lambda _url: (None, None))
    assert DocumentUrl(f"https://x.test/a.{extension}").media_type == media_type


@pytest.mark.parametrize(
    ("url", "error"),
    [
        (ImageUrl("https://x.test/a.bmp"), ValueError),
        (AudioUrl("https://x.test/mp3"), ValueError),
        (DocumentUrl("https://x.test/a"), RuntimeError),
    ],
)
def test_an_address_that_says_nothing_is_an_error(url, error):
    with pytest.raises(error, match=url.url):
        _ = url.media_type


def test_a_document_that_no_provider_takes_has_a_type_and_no_format():
    document = DocumentUrl("https://x.test/a.zip")
    assert document.media_type == "application/zip"
    with pytest.raises(ValueError, match="application/zip"):
        _ = document.format


@pytest.mark.parametrize(
    ("media_type", "is_a", "format"),
    [("image/webp", "is_image", "webp"), ("audio/mpeg", "is_audio", "mp3"), ("text/csv", "is_document", "csv")],
)
def test_content_is_of_one_kind(media_type, is_a, format):
    content = BinaryContent(b"", media_type)
    assert [name for name in ("is_image", "is_audio", "is_document") if getattr(content, name)] == [is_a]
    assert content.format == format


def test_content_of_an_unknown_type_has_no_format():
    with pytest.raises(ValueError, match="video/mp4"):
        _ = BinaryContent(b"", "video/mp4").format


ADAPTER = pydantic.TypeAdapter(BinaryContent)


@pytest.mark.parametrize("data", [b"", b"hello", bytes(range(256)), b"\xfb\xff\xfe"])
def test_bytes_are_base64_in_json(data):
    dumped = ADAPTER.dump_json(BinaryContent(data, "image/png"))
    assert ADAPTER.validate_json(dumped).data == data
    urlsafe = {**json.loads(dumped), "data": json.loads(dumped)["data"].replace("+", "-").replace("/", "_")}
    assert ADAPTER.validate_python(urlsafe).data == data


@pytest.mark.parametrize("data", ["a", "é", "a b c d", "====", 7, None])
def test_what_is_no_base64_is_refused(data):
    with pytest.raises(pydantic.ValidationError):
        ADAPTER.validate_python({"data": data, "media_type": "image/png"})


@pytest.mark.parametrize(
    ("content", "text", "object_"),
    [("done", "done", {"return_value": "done"}), ({"n": 1}, '{"n":1}', {"n": 1}), ([1], "[1]", {"return_value": [1]})],
)
def test_a_tool_s_answer_as_the_model_sees_it(content, text, object_):
    part = ToolReturnPart("add", content, "call_1")
    assert part.model_response_str() == text
    assert part.model_response_object() == object_


def test_a_retry_without_a_tool_says_what_was_wrong():
    assert "no number" in RetryPromptPart("no number").model_response()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_retry_counts_what_was_found_wrong(count):
    found = [{"type": "missing", "loc": (str(n),), "msg": "Field required", "input": {}} for n in range(count)]
    text = RetryPromptPart(found).model_response()
    assert text.startswith(f"{count} validation errors: [\n  {{\n")
    assert text.endswith("\n]\n\nFix the errors and try again.")


@pytest.mark.parametrize("args", ['{"a": 1}', {"a": 1}])
def test_arguments_in_both_spellings(args):
    part = ToolCallPart("add", args)
    assert part.args_as_dict() == json.loads(part.args_as_json_str()) == {"a": 1}
    assert part.has_content()


@pytest.mark.parametrize(("part", "has"), [(TextPart(""), False), (TextPart("a"), True), (ThinkingPart(""), False)])
def test_an_empty_part_has_no_content(part, has):
    assert part.has_content() is has


def test_text_grows():
    assert TextPartDelta("lo").apply(TextPart("hel")) == TextPart("hello")
    assert ThinkingPartDelta("lo").apply(ThinkingPart("hel")).content == "hello"


@pytest.mark.parametrize(
    ("delta", "part"),
    [
        (TextPartDelta("a"), ThinkingPart("a")),
        (ThinkingPartDelta("a"), TextPart("a")),
        (ToolCallPartDelta(args_delta="a"), TextPart("a")),
    ],
)
def test_a_delta_does_not_fit_another_kind_of_part(delta, part):
    with pytest.raises(ValueError):
        delta.apply(part)


@pytest.mark.parametrize(
    ("before", "more", "after"),
    [("{", "}", "{}"), ({"a": 1}, {"b": 2}, {"a": 1, "b": 2})],
)
def test_arguments_grow(before, more, after):
    assert ToolCallPartDelta(args_delta=more).apply(ToolCallPart("add", before, "c")).args == after


@pytest.mark.parametrize(("before", "more"), [("{", {"b": 2}), ({"a": 1}, "}")])
def test_two_spellings_of_arguments_do_not_mix(before, more):
    with pytest.raises(UnexpectedModelBehavior):
        ToolCallPartDelta(args_delta=more).apply(ToolCallPart("add", before, "c"))


def test_a_call_is_one_as_soon_as_it_has_a_name_and_arguments():
    begun = ToolCallPartDelta("ad")
    assert begun.as_part() is None
    grown = ToolCallPartDelta("d", "{}", "c").apply(begun)
    assert grown == ToolCallPart("add", "{}", "c")


def test_a_call_keeps_its_id():
    part = ToolCallPart("add", "{", "c")
    assert ToolCallPartDelta(args_delta="}", tool_call_id="c").apply(part).tool_call_id == "c"
    with pytest.raises(UnexpectedModelBehavior):
        ToolCallPartDelta(args_delta="}", tool_call_id="d").apply(part)


def test_an_event_of_a_call_without_an_id_makes_one_up():
    assert FunctionToolCallEvent(ToolCallPart("add", {}, "c")).call_id == "c"
    one, other = (FunctionToolCallEvent(ToolCallPart("add", {}, None)) for _ in range(2))
    assert one.call_id
    assert one.call_id != other.call_id


OFFICE = "application/vnd.openxmlformats-officedocument"
LITERALS = {
    "AudioMediaType": {"audio/wav", "audio/mpeg"},
    "AudioFormat": {"wav", "mp3"},
    "ImageMediaType": {"image/jpeg", "image/png", "image/gif", "image/webp"},
    "ImageFormat": {"jpeg", "png", "gif", "webp"},
    "DocumentMediaType": {
        "application/pdf",
        "text/plain",
        "text/csv",
        "text/html",
        "text/markdown",
        "application/vnd.ms-excel",
        f"{OFFICE}.wordprocessingml.document",
        f"{OFFICE}.spreadsheetml.sheet",
    },
    "DocumentFormat": {"csv", "doc", "docx", "html", "md", "pdf", "txt", "xls", "xlsx"},
}


@pytest.mark.parametrize("name", LITERALS)
def test_types_of_media_have_names(name):
    assert set(get_args(getattr(messages, name))) == LITERALS[name]


EVENTS = [
    (messages.PartStartEvent(0, TextPart("a")), True),
    (messages.PartDeltaEvent(0, messages.TextPartDelta("a")), True),
    (messages.PartDeltaEvent(1, messages.ToolCallPartDelta("t", "{", "1")), True),
    (messages.FinalResultEvent("t", "1"), True),
    (messages.FunctionToolCallEvent(ToolCallPart("t", {"a": 1}, "1")), False),
    (messages.FunctionToolResultEvent(ToolReturnPart("t", 1, "1"), "1"), False),
]


@pytest.mark.parametrize(("event", "of_the_model"), EVENTS, ids=lambda value: type(value).__name__)
def test_events_are_read_by_their_kind(event, of_the_model):
    own = messages.ModelResponseStreamEvent if of_the_model else messages.HandleResponseEvent
    for kind in (own, messages.AgentStreamEvent):
        adapter = pydantic.TypeAdapter(kind)
        assert adapter.validate_json(adapter.dump_json(event)) == event
    other = messages.HandleResponseEvent if of_the_model else messages.ModelResponseStreamEvent
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(other).validate_python(pydantic.TypeAdapter(own).dump_python(event))
