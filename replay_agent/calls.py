"""ModelCall and Answer: one request to a model and what came back of it, the same for all providers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from replay_agent.messages import ModelMessage, ModelResponse
from replay_agent.settings import ModelSettings

__all__ = (
    "Answer",
    "AnswerError",
    "Exchange",
    "ModelCall",
    "ModelSettings",
    "OutputSchema",
    "ToolChoice",
    "ToolDefinition",
)

ToolChoice: TypeAlias = Literal["auto", "required", "none"] | tuple[str, ...]
"""Whether tools must be called; a tuple of names allows just those and requires one of them."""


@dataclass(init=False, eq=False)
class ToolDefinition:
    """A tool as the model is told of it.

    ``strict`` says whether the provider is asked to hold arguments to the schema; None leaves it to the provider. It
    takes part in comparison and is not a dataclass field: the seed's definitions dump as the four fields below.
    """

    name: str
    description: str | None
    parameters_json_schema: dict[str, Any]
    outer_typed_dict_key: str | None = None
    """Set where the wanted value is wrapped in an object under this one key."""

    def __init__(
        self,
        name: str,
        description: str | None,
        parameters_json_schema: dict[str, Any],
        outer_typed_dict_key: str | None = None,
        strict: bool | None = None,
    ) -> None:
        self.name = name
        self.description = description
        self.parameters_json_schema = parameters_json_schema
        self.outer_typed_dict_key = outer_typed_dict_key
        self.strict = strict

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, ToolDefinition) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


@dataclass
class OutputSchema:
    """A JSON answer that the provider is asked to force (OpenAI's ``response_format``, Gemini's ``responseSchema``)."""

    schema: dict[str, Any] | None = None
    """The wanted JSON schema; None asks for any JSON object."""
    name: str | None = None
    strict: bool | None = None
    description: str | None = None


@dataclass
class ModelCall:
    """What a model is asked: the conversation so far, what it may call, how it should answer.

    ``messages`` end with the request that is answered; system prompts are parts of the requests, wherever the
    provider wants them written. ``model`` is the provider's own name of the model, None where the format carries it
    in the address and it was not found there.
    """

    messages: list[ModelMessage]
    model: str | None = None
    tools: list[ToolDefinition] = field(default_factory=list)
    tool_choice: ToolChoice | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    output_schema: OutputSchema | None = None
    stream: bool = False
    previous_response_id: str | None = None
    """The stored answer that this call continues; its history is not in ``messages``."""
    system_role: str | None = None
    """The role that carries system prompts where the format offers several (OpenAI's ``developer``); None: its own."""
    dialect: str | None = field(default=None, compare=False)
    """Whose spelling of the format this is, by the provider's name, where traffic or sender tell; None: anyone's."""
    extras: dict[str, Any] = field(default_factory=dict)
    """Fields of the body with no place above, by the provider's names, as they came; encoders write them back."""

    @property
    def source(self) -> bytes | None:
        """The body that this very value was read from, None for a call made by hand.

        Encoders give it back byte for byte while the call still means what it says. Not a field: it takes no part in
        comparison and dumps, and `dataclasses.replace` leaves it behind.
        """
        source: bytes | None = self.__dict__.get("_source")
        return source

    def read_from(self, body: bytes) -> ModelCall:
        """Note the body that this call was read from, and return the call."""
        self.__dict__["_source"] = body
        return self


@dataclass
class AnswerError:
    """A provider's refusal: an HTTP status of 400 or above, or an error inside an answer that began well."""

    status: int | None
    """The HTTP status, or the status that an error inside a 200 names; None if it names none."""
    message: str


@dataclass
class Answer:
    """What came back for a call: a response, an error, or, in a stream that broke, the part before and the error."""

    response: ModelResponse | None = None
    error: AnswerError | None = None


@dataclass
class Exchange:
    """One call of a model and its answer, decoded from interaction number ``interaction`` of a recording."""

    interaction: int
    format: str
    """Name of the wire format, as the codec's module is called."""
    call: ModelCall
    answer: Answer
    partial: bool = False
    """Whether the recorded stream ended before the provider's last word."""
    url: str = ""
    """Where the call went."""
