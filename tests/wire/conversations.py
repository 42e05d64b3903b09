"""Made-up conversations for property tests, in the form in which a codec reads them back."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import strategies as st

from replay_agent.calls import ModelCall, ToolDefinition
from replay_agent.exceptions import WireError
from replay_agent.messages import (
    NO_TIMESTAMP,
    BinaryContent,
    ImageUrl,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.traffic import Request
from replay_agent.wire.codec import Asked, Codec
from replay_agent.wire.shapes.json_text import read_object

INVITATION = "Fix the errors and try again."

texts = st.text(min_size=1, max_size=30).filter(lambda text: INVITATION not in text)
"""Unicode of every kind but lone surrogates, which UTF-8 cannot carry."""
names = st.from_regex(r"[a-z][a-z_]{0,12}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(names, json_values, max_size=3)
images = st.builds(BinaryContent, st.binary(max_size=20), st.sampled_from(["image/png", "image/jpeg"]))
image_urls = st.builds(ImageUrl, st.from_regex(r"https://x\.test/[a-z]{1,8}\.png", fullmatch=True))
mixed_prompts = st.lists(texts | images | image_urls, min_size=1, max_size=4).filter(
    lambda pieces: len(pieces) > 1 or not isinstance(pieces[0], str)
)
prompts = (texts | mixed_prompts).map(lambda content: UserPromptPart(content, NO_TIMESTAMP))


@st.composite
def results(draw: st.DrawFn, calls: list[ToolCallPart]) -> list[ToolReturnPart | RetryPromptPart]:
    """A result or a retry for every call, in order."""
    parts: list[ToolReturnPart | RetryPromptPart] = []
    for call in calls:
        text = draw(texts)
        if draw(st.booleans()):
            parts.append(RetryPromptPart(text, call.tool_name, call.tool_call_id, NO_TIMESTAMP))
        else:
            shown = draw(st.just(text) | st.lists(images | image_urls, min_size=1, max_size=2))
            parts.append(ToolReturnPart(call.tool_name, shown, call.tool_call_id, NO_TIMESTAMP))
    return parts


@st.composite
def response_parts(
    draw: st.DrawFn, thoughts: st.SearchStrategy[ThinkingPart], write_args: Callable[[dict], object], turn: int = 0
) -> list[TextPart | ThinkingPart | ToolCallPart]:
    parts = draw(st.lists(texts.map(TextPart) | thoughts, max_size=3))
    for number in range(draw(st.integers(0, 3))):
        call = ToolCallPart(draw(names), write_args(draw(arguments)), f"call_{turn}_{number}")
        parts.insert(draw(st.integers(0, len(parts))), call)
    return parts


@st.composite
def conversations(
    draw: st.DrawFn, thoughts: st.SearchStrategy[ThinkingPart], write_args: Callable[[dict], object]
) -> list[ModelRequest | ModelResponse]:
    """Requests and responses in turn, the first with a system prompt or not, the last a request."""
    system = draw(st.lists(texts.map(SystemPromptPart), max_size=1))
    messages: list[ModelRequest | ModelResponse] = [ModelRequest([*system, draw(prompts)])]
    for turn in range(draw(st.integers(0, 3))):
        parts = draw(response_parts(thoughts, write_args, turn).filter(bool))
        messages.append(ModelResponse(parts, timestamp=NO_TIMESTAMP))
        answered = draw(results([part for part in parts if isinstance(part, ToolCallPart)]))
        retry = st.just(RetryPromptPart("say more", timestamp=NO_TIMESTAMP))
        more = draw(st.none() | prompts | retry) if answered else draw(prompts | retry)
        messages.append(ModelRequest([*answered, *([] if more is None else [more])]))
    return messages


tools = st.builds(
    ToolDefinition,
    names,
    texts,
    st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(names, json_values, max_size=2)}),
)
settings = st.fixed_dictionaries(
    {"max_tokens": st.integers(1, 9999)},
    optional={"temperature": st.floats(0, 2), "top_p": st.floats(0, 1)},
)


@st.composite
def calls(
    draw: st.DrawFn, thoughts: st.SearchStrategy[ThinkingPart], write_args: Callable[[dict], object]
) -> ModelCall:
    offered = draw(st.lists(tools, max_size=2, unique_by=lambda tool: tool.name))
    choices = st.sampled_from([None, "auto", "required", "none", *((tool.name,) for tool in offered)])
    return ModelCall(
        draw(conversations(thoughts, write_args)),
        model=draw(names),
        tools=offered,
        tool_choice=draw(choices) if offered else None,
        settings=draw(settings),
        stream=draw(st.booleans()),
        extras=draw(st.dictionaries(names.map("x_{}".format), json_values, max_size=2)),
    )


def as_json(args: dict) -> str:
    return json.dumps(args, ensure_ascii=False, separators=(",", ":"))


def as_it_is(args: dict) -> dict:
    return args


def claims(codec: Codec, request: Request) -> bool:
    """Tell whether a codec takes a request for one of its own, as the registry asks it."""
    try:
        fields = read_object(request.body, codec.name)
    except WireError:
        return False
    return request.method.upper() == "POST" and codec.claims(Asked.by(request, fields))
