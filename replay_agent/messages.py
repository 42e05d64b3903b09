"""The vocabulary of a conversation: requests, responses, their parts, and the events of a streamed answer.

Names, order of fields and JSON are those of pydantic-ai 0.0.40. The parts that version lacks (thinking, tools run by
the provider, files) carry the names of pydantic-ai 2.x; `UnknownPart` keeps what no codec understood.
Messages compare by value and are dumped and loaded by `ModelMessagesTypeAdapter`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from mimetypes import guess_type
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, cast, overload
from urllib.parse import urlsplit

from replay_agent.exceptions import UnexpectedModelBehavior
from replay_agent.surroundings.later import Later
from replay_agent.usage import Usage

if TYPE_CHECKING:
    import pydantic
    import pydantic_core
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema

    tool_return_ta: TypeAdapter[Any]
    error_details_ta: TypeAdapter[list[pydantic_core.ErrorDetails]]
    ModelMessagesTypeAdapter: TypeAdapter[list[ModelMessage]]
else:
    # Who reads messages needs none of it; who dumps them, or makes them fields, evaluates the annotations that name it.
    pydantic, pydantic_core = Later("pydantic"), Later("pydantic_core")

__all__ = (
    "NO_TIMESTAMP",
    "AgentStreamEvent",
    "AudioFormat",
    "AudioMediaType",
    "AudioUrl",
    "BinaryContent",
    "DocumentFormat",
    "DocumentMediaType",
    "DocumentUrl",
    "FilePart",
    "FinalResultEvent",
    "FinishReason",
    "FunctionToolCallEvent",
    "FunctionToolResultEvent",
    "HandleResponseEvent",
    "ImageFormat",
    "ImageMediaType",
    "ImageUrl",
    "ModelMessage",
    "ModelMessagesTypeAdapter",
    "ModelRequest",
    "ModelRequestPart",
    "ModelResponse",
    "ModelResponsePart",
    "ModelResponsePartDelta",
    "ModelResponseStreamEvent",
    "NativeToolCallPart",
    "NativeToolReturnPart",
    "OTelEvent",
    "PartDeltaEvent",
    "PartStartEvent",
    "RetryPromptPart",
    "SystemPromptPart",
    "TextPart",
    "TextPartDelta",
    "ThinkingPart",
    "ThinkingPartDelta",
    "ToolCallPart",
    "ToolCallPartDelta",
    "ToolReturnPart",
    "UnknownPart",
    "UserContent",
    "UserPromptPart",
    "error_details_ta",
    "tool_return_ta",
)


def __getattr__(name: str) -> Any:
    if name not in _ADAPTERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _adapter(name)


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    kind, options = _ADAPTERS[name]()
    return pydantic.TypeAdapter(kind, config={**options, "defer_build": True})


_ADAPTERS: dict[str, Callable[[], tuple[Any, pydantic.ConfigDict]]] = {
    "ModelMessagesTypeAdapter": lambda: (list[ModelMessage], {"ser_json_bytes": "base64", "val_json_bytes": "base64"}),
    "tool_return_ta": lambda: (Any, {"ser_json_bytes": "base64"}),
    "error_details_ta": lambda: (list[pydantic_core.ErrorDetails], {}),
}
"""What dumps and loads a message history; writes what a tool gave back; writes what pydantic found wrong."""


class _ToldBy:
    """Names the field by which the members of a union are told apart, to pydantic, if that is ever asked."""

    def __init__(self, field: str) -> None:
        self._field = field

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(Annotated[source, pydantic.Discriminator(self._field)])


AudioFormat: TypeAlias = Literal["wav", "mp3"]
ImageFormat: TypeAlias = Literal["jpeg", "png", "gif", "webp"]
DocumentFormat: TypeAlias = Literal["csv", "doc", "docx", "html", "md", "pdf", "txt", "xls", "xlsx"]
AudioMediaType: TypeAlias = Literal["audio/wav", "audio/mpeg"]
ImageMediaType: TypeAlias = Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
DocumentMediaType: TypeAlias = Literal[
    "application/pdf",
    "text/plain",
    "text/csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/html",
    "text/markdown",
    "application/vnd.ms-excel",
]
FinishReason: TypeAlias = Literal["stop", "length", "tool_call", "content_filter", "error"]

AUDIO_FORMATS: dict[str, AudioFormat] = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
}
IMAGE_FORMATS: dict[str, ImageFormat] = {
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
}
DOCUMENT_FORMATS: dict[str, DocumentFormat] = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/csv": "csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/markdown": "md",
    "application/vnd.ms-excel": "xls",
}
_IMAGE_EXTENSIONS = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
}
_AUDIO_EXTENSIONS = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_DOCUMENT_EXTENSIONS: dict[str, str] = {name: media_type for media_type, name in DOCUMENT_FORMATS.items()}
"""Ours first: of some of these `mimetypes` knows only where the system has a table of its own."""


NO_TIMESTAMP = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands where traffic says nothing of a time, since a codec has no clock."""


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _extension(url: str) -> str:
    return urlsplit(url).path.rpartition(".")[2].lower()


# --- what a user may send ---------------------------------------------------------------------------------------------


@dataclass
class ImageUrl:
    """An image by its address."""

    url: str
    kind: Literal["image-url"] = "image-url"

    @property
    def media_type(self) -> str:
        """The media type its extension stands for; `ValueError` for any but jpg, jpeg, png, gif and webp."""
        try:
            return _IMAGE_EXTENSIONS[_extension(self.url)]
        except KeyError:
            raise ValueError(f"Unknown image file extension: {self.url}") from None

    @property
    def format(self) -> ImageFormat:
        """The image format as providers name it."""
        return IMAGE_FORMATS[self.media_type]


@dataclass
class AudioUrl:
    """An audio file by its address."""

    url: str
    kind: Literal["audio-url"] = "audio-url"

    @property
    def media_type(self) -> str:
        """The media type its extension stands for; `ValueError` for any but mp3 and wav."""
        try:
            return _AUDIO_EXTENSIONS[_extension(self.url)]
        except KeyError:
            raise ValueError(f"Unknown audio file extension: {self.url}") from None


@dataclass
class DocumentUrl:
    """A document by its address."""

    url: str
    kind: Literal["document-url"] = "document-url"

    @property
    def media_type(self) -> str:
        """The media type guessed from the name; `RuntimeError` where it says nothing."""
        media_type = _DOCUMENT_EXTENSIONS.get(_extension(self.url)) or guess_type(self.url)[0]
        if media_type is None:
            raise RuntimeError(f"Unknown document file extension: {self.url}")
        return media_type

    @property
    def format(self) -> DocumentFormat:
        """The document format as providers name it; `ValueError` for a type they have no name for."""
        return _document_format(self.media_type)


def _document_format(media_type: str) -> DocumentFormat:
    try:
        return DOCUMENT_FORMATS[media_type]
    except KeyError:
        raise ValueError(f"Unknown document media type: {media_type}") from None


def _bytes_from_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value.translate({45: "+", 95: "/"}), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("binary content in JSON must be base64") from exc


class _InBase64:
    """Says how pydantic shall dump and load bytes."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        dumped = pydantic.PlainSerializer(
            lambda data: base64.b64encode(data).decode(), return_type=str, when_used="json"
        )
        return handler(Annotated[source, pydantic.BeforeValidator(_bytes_from_json), dumped])


Base64Bytes: TypeAlias = Annotated[bytes, _InBase64()]


@dataclass
class BinaryContent:
    """Data sent inline: an image, a sound or a document. In JSON ``data`` is standard base64."""

    data: Base64Bytes
    media_type: str
    kind: Literal["binary"] = "binary"

    @property
    def is_audio(self) -> bool:
        """Whether the media type is an audio type."""
        return self.media_type.startswith("audio/")

    @property
    def is_image(self) -> bool:
        """Whether the media type is an image type."""
        return self.media_type.startswith("image/")

    @property
    def is_document(self) -> bool:
        """Whether the media type is one of the documents that providers take."""
        return self.media_type in DOCUMENT_FORMATS

    @property
    def format(self) -> str:
        """The format as providers name it; `ValueError` for a media type they have no name for."""
        for formats in (AUDIO_FORMATS, IMAGE_FORMATS, DOCUMENT_FORMATS):
            if self.media_type in formats:
                return formats[self.media_type]
        raise ValueError(f"Unknown media type: {self.media_type}")


UserContent: TypeAlias = str | ImageUrl | AudioUrl | DocumentUrl | BinaryContent

# --- as telemetry ------------------------------------------------------------------------------------------------------


@dataclass
class OTelEvent:
    """One happening of a conversation, as OpenTelemetry's conventions for generative AI tell it."""

    name: str
    body: Any
    attributes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attributes.setdefault("event.name", self.name)


def _user_event(content: object) -> OTelEvent:
    return OTelEvent("gen_ai.user.message", {"content": content, "role": "user"})


def _tool_event(content: object, call_id: str | None, name: str) -> OTelEvent:
    return OTelEvent("gen_ai.tool.message", {"content": content, "role": "tool", "id": call_id, "name": name})


# --- requests ---------------------------------------------------------------------------------------------------------


@dataclass
class SystemPromptPart:
    """A system prompt; ``dynamic_ref`` names the function that writes it anew on every run."""

    content: str
    dynamic_ref: str | None = None
    part_kind: Literal["system-prompt"] = "system-prompt"

    def otel_event(self) -> OTelEvent:
        """Return the prompt as an event of a trace."""
        return OTelEvent("gen_ai.system.message", {"content": self.content, "role": "system"})


@dataclass
class UserPromptPart:
    """What the user said, as given: text, or a sequence of text and media."""

    content: str | Sequence[UserContent | UnknownPart]
    timestamp: datetime = field(default_factory=_now)
    part_kind: Literal["user-prompt"] = "user-prompt"

    def otel_event(self) -> OTelEvent:
        """Return the prompt as an event of a trace; of media it tells the kind alone."""
        if isinstance(self.content, str):
            return _user_event(self.content)
        return _user_event([item if isinstance(item, str) else {"kind": _kind(item)} for item in self.content])


def _kind(item: object) -> object:
    return getattr(item, "kind", None) or getattr(item, "part_kind", None)


@dataclass
class ToolReturnPart:
    """What a tool gave back."""

    tool_name: str
    content: Any
    tool_call_id: str | None = None
    timestamp: datetime = field(default_factory=_now)
    part_kind: Literal["tool-return"] = "tool-return"

    def model_response_str(self) -> str:
        """The content as text: a string as it is, anything else as compact JSON."""
        if isinstance(self.content, str):
            return self.content
        return _adapter("tool_return_ta").dump_json(self.content).decode()

    def model_response_object(self) -> dict[str, Any]:
        """The content as a JSON object; what is not a dict stands under ``return_value``."""
        if isinstance(self.content, dict):
            return cast("dict[str, Any]", _adapter("tool_return_ta").dump_python(self.content, mode="json"))
        return {"return_value": _adapter("tool_return_ta").dump_python(self.content, mode="json")}

    def otel_event(self) -> OTelEvent:
        """Return the answer as an event of a trace."""
        return _tool_event(self.content, self.tool_call_id, self.tool_name)


@dataclass
class RetryPromptPart:
    """Why the model has to try again: a text, or pydantic's error details."""

    content: list[pydantic_core.ErrorDetails] | str
    tool_name: str | None = None
    tool_call_id: str | None = None
    timestamp: datetime = field(default_factory=_now)
    part_kind: Literal["retry-prompt"] = "retry-prompt"

    def model_response(self) -> str:
        """The text that the model is sent."""
        if isinstance(self.content, str):
            description = self.content
        else:
            details = (
                _adapter("error_details_ta").dump_json(self.content, exclude={"__all__": {"ctx"}}, indent=2).decode()
            )
            description = f"{len(self.content)} validation errors: {details}"
        return f"{description}\n\nFix the errors and try again."

    def otel_event(self) -> OTelEvent:
        """Return the refusal as an event of a trace: a tool's answer, or the user's word where no tool was called."""
        if self.tool_name is None:
            return _user_event(self.model_response())
        return _tool_event(self.model_response(), self.tool_call_id, self.tool_name)


@dataclass
class UnknownPart:
    """A piece of traffic that no codec understood, kept as it came. It never counts as text."""

    raw: Any
    part_kind: Literal["unknown"] = "unknown"


ModelRequestPart: TypeAlias = Annotated[
    SystemPromptPart | UserPromptPart | ToolReturnPart | RetryPromptPart | UnknownPart,
    _ToldBy("part_kind"),
]


@dataclass
class ModelRequest:
    """What goes to the model in one turn."""

    parts: list[ModelRequestPart]
    kind: Literal["request"] = "request"


# --- responses --------------------------------------------------------------------------------------------------------


@dataclass
class TextPart:
    """Text from the model."""

    content: str
    part_kind: Literal["text"] = "text"

    def has_content(self) -> bool:
        """Whether there is any text."""
        return bool(self.content)


@dataclass
class ThinkingPart:
    """Reasoning that the model showed; empty where the provider hides it and only ``signature`` came."""

    content: str
    signature: str | None = None
    id: str | None = None
    part_kind: Literal["thinking"] = "thinking"

    def has_content(self) -> bool:
        """Whether there is any readable reasoning."""
        return bool(self.content)


@dataclass
class _CallPart:
    tool_name: str
    args: str | dict[str, Any]
    tool_call_id: str | None = None

    def args_as_dict(self) -> dict[str, Any]:
        """The arguments as a dict; `ValueError` where their text is not a JSON object."""
        if isinstance(self.args, dict):
            return self.args
        args = pydantic_core.from_json(self.args or "{}")
        if not isinstance(args, dict):
            raise ValueError(f"the arguments of {self.tool_name!r} are not a JSON object: {self.args}")
        return args

    def args_as_json_str(self) -> str:
        """The arguments as JSON text: as it came, or compact."""
        if isinstance(self.args, str):
            return self.args
        return pydantic_core.to_json(self.args).decode()

    def has_content(self) -> bool:
        """Whether any argument says something: non-empty text, or a truthy value in the dict."""
        if isinstance(self.args, dict):
            return any(self.args.values())
        return bool(self.args)


@dataclass
class ToolCallPart(_CallPart):
    """A call that the client must execute. ``args`` keep the form in which they came: JSON text or a dict."""

    part_kind: Literal["tool-call"] = "tool-call"


@dataclass
class NativeToolCallPart(_CallPart):
    """A call of a tool that the provider itself runs (web search, code execution, MCP, ...)."""

    part_kind: Literal["builtin-tool-call"] = "builtin-tool-call"


@dataclass
class NativeToolReturnPart:
    """The result of a tool that the provider itself ran."""

    tool_name: str
    content: Any
    tool_call_id: str | None = None
    part_kind: Literal["builtin-tool-return"] = "builtin-tool-return"


@dataclass
class FilePart:
    """A file that the model made."""

    content: BinaryContent
    part_kind: Literal["file"] = "file"


ModelResponsePart: TypeAlias = Annotated[
    TextPart | ToolCallPart | ThinkingPart | NativeToolCallPart | NativeToolReturnPart | FilePart | UnknownPart,
    _ToldBy("part_kind"),
]


def _is_unset(value: object) -> bool:
    return value is None


@dataclass
class ModelResponse:
    """What the model answered. The last three fields do not take part in comparison and are left out of JSON if unset."""

    parts: list[ModelResponsePart]
    model_name: str | None = None
    timestamp: datetime = field(default_factory=_now)
    kind: Literal["response"] = "response"
    finish_reason: Annotated[FinishReason | None, pydantic.Field(exclude_if=_is_unset)] = field(
        default=None, compare=False, repr=False
    )
    usage: Annotated[Usage | None, pydantic.Field(exclude_if=_is_unset)] = field(
        default=None, compare=False, repr=False
    )
    provider_response_id: Annotated[str | None, pydantic.Field(exclude_if=_is_unset)] = field(
        default=None, compare=False, repr=False
    )

    def otel_events(self) -> list[OTelEvent]:
        """Return the response as events of a trace: one, and a further one for each text after the first."""
        bodies: list[dict[str, Any]] = [{"role": "assistant"}]
        for part in self.parts:
            if isinstance(part, TextPart):
                if bodies[-1].get("content"):
                    bodies.append({"role": "assistant"})
                bodies[-1]["content"] = part.content
            elif isinstance(part, ToolCallPart):
                bodies[-1].setdefault("tool_calls", []).append(_called(part))
        return [OTelEvent("gen_ai.assistant.message", body) for body in bodies]


def _called(part: ToolCallPart) -> dict[str, Any]:
    function = {"name": part.tool_name, "arguments": part.args}
    return {"id": part.tool_call_id, "type": "function", "function": function}


ModelMessage: TypeAlias = Annotated[ModelRequest | ModelResponse, _ToldBy("kind")]

# --- streamed answers -------------------------------------------------------------------------------------------------


@dataclass
class TextPartDelta:
    """More text for a text part."""

    content_delta: str
    part_delta_kind: Literal["text"] = "text"

    def apply(self, part: ModelResponsePart) -> TextPart:
        """Return the part with the text added; `ValueError` if it is no text part."""
        if not isinstance(part, TextPart):
            raise ValueError(f"Cannot apply TextPartDelta to {part!r}")
        return replace(part, content=part.content + self.content_delta)


@dataclass
class ThinkingPartDelta:
    """More reasoning for a thinking part, or its signature."""

    content_delta: str = ""
    signature_delta: str | None = None
    part_delta_kind: Literal["thinking"] = "thinking"

    def apply(self, part: ModelResponsePart) -> ThinkingPart:
        """Return the part with the reasoning added; `ValueError` if it is no thinking part."""
        if not isinstance(part, ThinkingPart):
            raise ValueError(f"Cannot apply ThinkingPartDelta to {part!r}")
        signature = part.signature
        if self.signature_delta is not None:
            signature = (signature or "") + self.signature_delta
        return replace(part, content=part.content + self.content_delta, signature=signature)


@dataclass
class ToolCallPartDelta:
    """More of a tool call: a piece of its name, of its arguments, or its id."""

    tool_name_delta: str | None = None
    args_delta: str | dict[str, Any] | None = None
    tool_call_id: str | None = None
    part_delta_kind: Literal["tool_call"] = "tool_call"

    def as_part(self) -> ToolCallPart | None:
        """Return the call once both name and arguments are known, else None."""
        if self.tool_name_delta is None or self.args_delta is None:
            return None
        return ToolCallPart(self.tool_name_delta, self.args_delta, self.tool_call_id)

    @overload
    def apply(self, part: ModelResponsePart) -> ToolCallPart | NativeToolCallPart: ...

    @overload
    def apply(self, part: ModelResponsePart | ToolCallPartDelta) -> _CallPart | ToolCallPartDelta: ...

    def apply(self, part: ModelResponsePart | ToolCallPartDelta) -> _CallPart | ToolCallPartDelta:
        """Return the part (or the pending delta) with this one added.

        Raises `UnexpectedModelBehavior` where text and dict arguments are mixed or the call's id changes, and
        `ValueError` for a part that is no tool call.
        """
        if isinstance(part, ToolCallPart | NativeToolCallPart):
            return replace(
                part,
                tool_name=part.tool_name + (self.tool_name_delta or ""),
                args=part.args if self.args_delta is None else _joined_args(part.args, self.args_delta, self),
                tool_call_id=self._same_id(part.tool_call_id),
            )
        if isinstance(part, ToolCallPartDelta):
            return self._apply_to_delta(part)
        raise ValueError(f"Can only apply ToolCallPartDeltas to ToolCallParts or ToolCallPartDeltas, not {part!r}")

    def _apply_to_delta(self, delta: ToolCallPartDelta) -> ToolCallPart | ToolCallPartDelta:
        name = delta.tool_name_delta
        if self.tool_name_delta:
            name = (name or "") + self.tool_name_delta
        args = delta.args_delta
        if self.args_delta is not None:
            args = self.args_delta if args is None else _joined_args(args, self.args_delta, self)
        joined = ToolCallPartDelta(name, args, self._same_id(delta.tool_call_id))
        return joined.as_part() or joined

    def _same_id(self, known: str | None) -> str | None:
        if self.tool_call_id is None or known is None:
            return known or self.tool_call_id
        if self.tool_call_id != known:
            raise UnexpectedModelBehavior(
                f"Cannot apply a new tool_call_id to a ToolCallPartDelta that already has one: {self!r}"
            )
        return known


def _joined_args(args: str | dict[str, Any], more: str | dict[str, Any], delta: object) -> str | dict[str, Any]:
    if isinstance(args, str) and isinstance(more, str):
        return args + more
    if isinstance(args, dict) and isinstance(more, dict):
        return {**args, **more}
    kinds = ("JSON", "dict") if isinstance(more, str) else ("dict", "JSON")
    raise UnexpectedModelBehavior(
        f"Cannot apply {kinds[0]} deltas to non-{kinds[0]} tool arguments ({delta!r}, the call has {kinds[1]} arguments)"
    )


ModelResponsePartDelta: TypeAlias = Annotated[
    TextPartDelta | ToolCallPartDelta | ThinkingPartDelta, _ToldBy("part_delta_kind")
]


@dataclass
class PartStartEvent:
    """A new part; it takes the place of an earlier one with the same index."""

    index: int
    part: ModelResponsePart
    event_kind: Literal["part_start"] = "part_start"


@dataclass
class PartDeltaEvent:
    """More of the part at ``index``."""

    index: int
    delta: ModelResponsePartDelta
    event_kind: Literal["part_delta"] = "part_delta"


@dataclass
class FinalResultEvent:
    """From here on the stream holds the final result; both fields are None when it is text."""

    tool_name: str | None
    tool_call_id: str | None
    event_kind: Literal["final_result"] = "final_result"


ModelResponseStreamEvent: TypeAlias = Annotated[
    PartStartEvent | PartDeltaEvent | FinalResultEvent, _ToldBy("event_kind")
]


@dataclass
class FunctionToolCallEvent:
    """A function tool is about to be called."""

    part: ToolCallPart
    call_id: str = field(init=False)
    """The part's id, or a fresh one where it has none; the result event carries the same."""
    event_kind: Literal["function_tool_call"] = "function_tool_call"

    def __post_init__(self) -> None:
        import uuid  # which imports what tells one machine from another

        self.call_id = self.part.tool_call_id or str(uuid.uuid4())


@dataclass
class FunctionToolResultEvent:
    """A function tool has answered."""

    result: ToolReturnPart | RetryPromptPart
    tool_call_id: str
    event_kind: Literal["function_tool_result"] = "function_tool_result"


HandleResponseEvent: TypeAlias = Annotated[FunctionToolCallEvent | FunctionToolResultEvent, _ToldBy("event_kind")]

AgentStreamEvent: TypeAlias = Annotated[
    PartStartEvent | PartDeltaEvent | FinalResultEvent | FunctionToolCallEvent | FunctionToolResultEvent,
    _ToldBy("event_kind"),
]
"""Everything that the streams of a run's nodes yield."""
