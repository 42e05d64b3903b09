"""What changed between two calls of a model, as values: messages, tools, settings, model, wanted output."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from replay_agent.calls import ModelCall, OutputSchema, ToolDefinition
from replay_agent.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.report.conversation.offers import Offer, offers, settings_beside
from replay_agent.report.conversation.plain import media_line, parsed, plain
from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff
from replay_agent.report.words import Span, changed_length, word_diff

__all__ = (
    "ArgumentChanged",
    "CallIdChanged",
    "Change",
    "Item",
    "Known",
    "MessageAdded",
    "MessageChanged",
    "MessageRemoved",
    "RemoteCallAdded",
    "RemoteCallChanged",
    "RemoteCallRemoved",
    "SettingChanged",
    "ToolAdded",
    "ToolChanged",
    "ToolRemoved",
    "ToolsReordered",
    "compare_calls",
    "compare_items",
    "compare_settings",
    "compare_tools",
    "distance",
    "items_of",
    "turn_of",
)


_ALIKE = 0.3
"""The share of words in common from which on a message counts as changed rather than as another one.

Unrelated sentences share articles and little else, one that was edited keeps more than that.
"""
_CANDIDATES = 40
"""Messages of one role that are looked at for that, so that long histories take no square of their length."""
_SAMPLE = 4_000
"""Characters of a message that are looked at for that: a long document shows by its beginning which one it is."""
_PROVIDERS, _TESTS = "the provider", "the client"


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A part of the conversation that says something else; ``role`` names it, ``turn`` counts from 1."""

    turn: int
    role: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A part of the conversation that was not there before."""

    turn: int
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageRemoved:
    """A part of the conversation that is no longer there."""

    turn: int
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class CallIdChanged:
    """A tool call under another id."""

    turn: int
    role: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ToolAdded:
    """A tool that was not offered before."""

    name: str
    former: str = ""
    """What the same tool was called before, if it is one that has another name now."""


@dataclass(frozen=True, slots=True)
class ToolRemoved:
    """A tool that is no longer offered."""

    name: str
    now: str = ""
    """What the same tool is called now, if it has another name."""


@dataclass(frozen=True, slots=True)
class ToolChanged:
    """A tool whose description or schema changed; paths begin with ``description`` or ``parameters``."""

    name: str
    changes: tuple[ValueChange, ...]


@dataclass(frozen=True, slots=True)
class ToolsReordered:
    """The same tools in another order."""

    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """Anything else of a call: a setting, the model, the tool choice, the wanted output; `ABSENT` where not given."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ArgumentChanged:
    """What a call over JSON-RPC hands over: ``call`` is a tool or a method, ``name`` an argument or parameter of it."""

    call: str
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RemoteCallChanged:
    """Another tool or method is called over JSON-RPC."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RemoteCallAdded:
    """A batch of JSON-RPC calls one more."""

    call: str


@dataclass(frozen=True, slots=True)
class RemoteCallRemoved:
    """A batch of JSON-RPC calls one less."""

    call: str


Change: TypeAlias = (
    MessageChanged
    | MessageAdded
    | MessageRemoved
    | CallIdChanged
    | ToolAdded
    | ToolRemoved
    | ToolChanged
    | ToolsReordered
    | SettingChanged
    | ArgumentChanged
    | RemoteCallChanged
    | RemoteCallAdded
    | RemoteCallRemoved
)


@dataclass(frozen=True, slots=True)
class Item:
    """One part of a conversation, as far as it takes part in a comparison."""

    turn: int
    role: str
    text: str
    call_id: str | None = field(default=None, compare=False)


def compare_calls(before: ModelCall, after: ModelCall) -> list[Change]:
    """Return what changed from one call to the other: messages first, in order, then tools, then everything else."""
    return [
        *compare_items(items_of(before.messages), items_of(after.messages)),
        *compare_tools(offers(before), offers(after)),
        *compare_settings(before, after),
    ]


def distance(changes: Sequence[Change]) -> int:
    """Return how much changed, roughly in characters, to choose the nearest of several calls."""
    return sum(_weight(change) for change in changes)


def turn_of(call: ModelCall) -> int:
    """Return which answer of its conversation a call asks for, counting from 1."""
    return 1 + sum(isinstance(message, ModelResponse) for message in call.messages)


def _weight(change: Change) -> int:
    match change:
        case MessageChanged():
            return 10 + changed_length(change.spans)
        case MessageAdded() | MessageRemoved():
            # Dearer than any edit of it: a missing turn is another place in the conversation.
            return 40 + len(change.text)
        case ToolChanged():
            return sum(10 + len(str(item.before)) + len(str(item.after)) for item in change.changes)
        case ArgumentChanged():
            return 10 + len(str(change.before)) + len(str(change.after))
        case RemoteCallChanged() | RemoteCallAdded() | RemoteCallRemoved():
            return 1_000  # another argument of the same tool is nearer, however long it is, within reason
        case ToolAdded() | ToolRemoved():
            return 100  # as much as two sentences: another set of tools is another step of an agent, or another agent
        case _:
            return 20  # settings change all at once, with a model or an SDK, and say little of which call it is


# --- messages ---------------------------------------------------------------------------------------------------------


def _other_ids(old: Sequence[Item], new: Sequence[Item]) -> Iterator[Change]:
    for one, two in zip(old, new, strict=True):
        if one.call_id != two.call_id:
            yield CallIdChanged(two.turn, two.role, one.call_id, two.call_id)


def compare_items(old: Sequence[Item], new: Sequence[Item]) -> Iterator[Change]:
    """Yield what changed from some parts of a conversation to others; ids of tool calls only if nothing else did."""
    ids: list[Change] = []
    said = False
    # Without difflib's guess at junk: in long histories it takes what is said often, such as "yes", for noise.
    matcher = SequenceMatcher(None, [_key(item) for item in old], [_key(item) for item in new], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            ids += _other_ids(old[i:j], new[k:m])
        else:
            said = True
            yield from _replaced(old[i:j], new[k:m])
    # Ids follow from what was said: where that has changed, they are no news.
    if not said:
        yield from ids


def _key(item: Item) -> tuple[str, str]:
    return item.role, item.text


def _replaced(old: Sequence[Item], new: Sequence[Item]) -> Iterator[Change]:
    """Pair what has the same role, in order; what finds no partner was removed or added."""
    waiting = list(old)
    wanting = Counter(item.role for item in new)
    for item in new:
        partner = _partner(item, waiting, wanting[item.role])
        wanting[item.role] -= 1
        if partner is None:
            yield MessageAdded(item.turn, item.role, item.text)
            continue
        yield from (MessageRemoved(gone.turn, gone.role, gone.text) for gone in waiting[:partner])
        yield MessageChanged(item.turn, item.role, word_diff(waiting[partner].text, item.text))
        del waiting[: partner + 1]
    yield from (MessageRemoved(gone.turn, gone.role, gone.text) for gone in waiting)


def _partner(item: Item, waiting: list[Item], wanting: int) -> int | None:
    """The place of the old item that became this one; ``wanting`` new items, this one included, need one."""
    places = [place for place, other in enumerate(waiting) if other.role == item.role]
    if not places or len(places) == wanting:
        return places[0] if places else None
    nearest = max(places[:_CANDIDATES], key=lambda place: _likeness(waiting[place].text, item.text))
    return nearest if len(places) > wanting or _likeness(waiting[nearest].text, item.text) >= _ALIKE else None


def _likeness(one: str, other: str) -> float:
    words = set(one[:_SAMPLE].split()), set(other[:_SAMPLE].split())
    return len(words[0] & words[1]) / (len(words[0] | words[1]) or 1)


Known: TypeAlias = dict[tuple[int, int], tuple[ModelMessage, list[Item]]]
"""The parts of messages that were taken apart before, by identity and turn; the message itself keeps its identity taken."""


def items_of(messages: Sequence[ModelMessage], known: Known | None = None) -> list[Item]:
    """Return the parts of messages in order, as far as they are compared.

    Calls that have messages in common, the very same ones, may share what is ``known`` of them.
    """
    items: list[Item] = []
    turn = 1
    for message in messages:
        found = None if known is None else known.get((id(message), turn))
        if found is None:
            found = message, [_item(turn, part) for part in message.parts]
            if known is not None:
                known[id(message), turn] = found
        items += found[1]
        turn += isinstance(message, ModelResponse)
    return items


def _item(turn: int, part: ModelRequestPart | ModelResponsePart) -> Item:
    match part:
        case SystemPromptPart():
            return Item(turn, "system prompt", part.content)
        case UserPromptPart():
            return Item(turn, "user prompt", _user_text(part.content))
        case ToolReturnPart():
            return Item(turn, f"result of tool {part.tool_name}", _value_text(part.content), part.tool_call_id)
        case RetryPromptPart():
            role = f"retry prompt of tool {part.tool_name}" if part.tool_name else "retry prompt"
            return Item(turn, role, _value_text(part.content), part.tool_call_id)
        case TextPart():
            return Item(turn, "assistant's text", part.content)
        case ThinkingPart():
            return Item(turn, "assistant's reasoning", part.content or f"(signature {part.signature})")
        case ToolCallPart() | NativeToolCallPart():
            return Item(turn, f"assistant's call of {part.tool_name}", _value_text(part.args), part.tool_call_id)
        case NativeToolReturnPart():
            return Item(
                turn, f"result of the provider's {part.tool_name}", _value_text(part.content), part.tool_call_id
            )
        case _:
            return Item(turn, f"{part.part_kind} part", _value_text(part))


def _user_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(item if isinstance(item, str) else _value_text(item) for item in content)


def _value_text(value: Any) -> str:
    if isinstance(value, BinaryContent):
        return media_line(value.media_type, value.data)
    if isinstance(value, str):
        structured = parsed(value)
        if structured is None:
            return value
        value = structured
    value = plain(value)
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)


# --- tools and settings -----------------------------------------------------------------------------------------------


def compare_tools(before: Sequence[Offer], after: Sequence[Offer]) -> Iterator[Change]:
    """Yield what changed of the tools that are offered."""
    old, new = {tool.name: tool for tool in before}, {tool.name: tool for tool in after}
    former = _former_names(old, new)
    now = {name: other for other, name in former.items()}
    yield from (ToolAdded(name, former.get(name, "")) for name in new if name not in old)
    yield from (ToolRemoved(name, now.get(name, "")) for name in old if name not in new)
    for name in new:
        changes = _tool_changes(old[name], new[name]) if name in old else ()
        if changes:
            yield ToolChanged(name, changes)
    # Order alone: the key tells it, since providers put the tools into the prompt in the order given.
    if list(old) != list(new) and set(old) == set(new):
        yield ToolsReordered(tuple(old), tuple(new))


def _former_names(old: Mapping[str, Offer], new: Mapping[str, Offer]) -> dict[str, str]:
    """Return what tools that are equal but for their names were called before; one that says nothing of itself is any other."""
    gone = [name for name in old if name not in new]
    found: dict[str, str] = {}
    for name, tool in new.items():
        told = tool.definition
        if name in old or told is None or not (told.description or told.parameters_json_schema.get("properties")):
            continue
        same = next((each for each in gone if not _tool_changes(old[each], tool)), None)
        if same is not None:
            gone.remove(same)
            found[name] = same
    return found


def _tool_changes(before: Offer, after: Offer) -> tuple[ValueChange, ...]:
    one, other = before.definition, after.definition
    changes: list[ValueChange] = []
    if one is not None and other is not None:
        changes += _definition_changes(one, other)
    elif one is not other:
        who = [_PROVIDERS if each is None else _TESTS for each in (one, other)]
        changes.append(ValueChange("run by", *who))
    changes += [replace(each, path=each.path.removeprefix("$.")) for each in json_diff(before.more, after.more)]
    return tuple(changes)


def _definition_changes(before: ToolDefinition, after: ToolDefinition) -> Iterator[ValueChange]:
    if before.description != after.description:
        yield ValueChange("description", before.description, after.description)
    yield from json_diff(before.parameters_json_schema, after.parameters_json_schema, "parameters")
    if before.strict != after.strict:
        yield ValueChange("strict", _given(before.strict), _given(after.strict))


def compare_settings(before: ModelCall, after: ModelCall) -> Iterator[Change]:
    """Yield what changed of everything but messages and tools: model, settings, wanted output."""
    for name in ("model", "tool_choice", "stream", "previous_response_id"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield SettingChanged(name.replace("_", " "), _given(old), _given(new))
    yield from _members(dict(before.settings), dict(after.settings))
    yield from _members(_schema(before.output_schema), _schema(after.output_schema), "output schema")
    yield from _fields(settings_beside(before), settings_beside(after))


def _schema(schema: OutputSchema | None) -> Any:
    return ABSENT if schema is None else plain(schema)


def _members(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    if before is ABSENT and after is ABSENT:
        return
    if before is ABSENT or after is ABSENT:
        yield SettingChanged(path, before, after)
        return
    for change in json_diff(before, after, path):
        yield SettingChanged(change.path.removeprefix("."), change.before, change.after)


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Compare fields by the names that their codecs gave them, which are paths of the body already."""
    for name in [*after, *(name for name in before if name not in after)]:
        yield from _members(before.get(name, ABSENT), after.get(name, ABSENT), name)


def _given(value: Any) -> Any:
    return ABSENT if value is None else value
