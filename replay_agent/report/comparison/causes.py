"""What changed in what is asked: the causes, and what only follows from answers that changed before."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from replay_agent.calls import Exchange, ModelCall
from replay_agent.messages import ModelResponse, NativeToolCallPart, TextPart, ToolCallPart
from replay_agent.recording.meaning.key import meaning
from replay_agent.report.compare import (
    CallIdChanged,
    Change,
    Item,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    SettingChanged,
    ToolAdded,
    ToolChanged,
    ToolRemoved,
    ToolsReordered,
    compare_items,
    compare_settings,
    compare_tools,
)
from replay_agent.report.comparison.histories import Asked, from_model, roles
from replay_agent.report.comparison.result.difference import Difference, Gist, gist, lean
from replay_agent.report.comparison.turns import Thread, Turn
from replay_agent.report.conversation.offers import Offer, offers
from replay_agent.report.conversation.plain import plain
from replay_agent.report.conversation.volatile import IDS, kind_of
from replay_agent.report.decoded_request import DecodedRequest, compare_addresses, read_request
from replay_agent.report.json_diff import ABSENT, ValueChange, json_diff
from replay_agent.report.words import Span, word_diff
from replay_agent.traffic import Interaction, Request

__all__ = "RESULT_TOOL", "Causes", "arguments_text", "calls_of", "is_made_up"

_MADE_UP = frozenset({*IDS, "id", "hex id", "temporary path"})
"""The kinds of values that two recordings of one run never share."""
_LEAST_QUOTED = 4
"""Characters of an answer that a later prompt must share to have been made from it."""
_OF_PATH = ("model", "stream")
"""What some formats put into the address, so that a change of it is no change of the address."""
_KINDS = {"model": "model_changed", "output schema": "output_changed", "format": "format_changed"}
_IS_ID = re.compile(r"(?:\bid|_id|Id)\Z")
"""Ends the path of a member that holds an id: ``id``, ``tool_call_id``, ``toolUseId``."""
RESULT_TOOL = "final_result"
"""How our agent and pydantic-ai name the tool whose arguments are the typed result."""


@dataclass
class Causes:
    """Finds the causes in the turns of a test, each where it shows first, and what follows from changed answers."""

    interactions: tuple[Sequence[Interaction], Sequence[Interaction]]
    found: list[Difference] = field(default_factory=list)
    followed: list[Difference] = field(default_factory=list)
    """What is asked otherwise because an answer was another one."""
    _seen: set[Gist] = field(default_factory=set)
    _quoted: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))

    def of_turn(self, thread: Thread, turn: Turn, *, answers_differ: bool) -> None:
        """Compare what a turn asks; ``answers_differ`` says whether an answer before it in its conversation does."""
        if turn.old is not None and turn.new is not None:
            self._compared(thread, turn, turn.old, turn.new, answers_differ=answers_differ)
        self._remember(turn)

    def lone(self, thread: Thread, turn: Turn, *, follows: bool) -> None:
        """Note a turn that only one side has; ``follows`` says whether an answer that changed is the reason."""
        is_new = turn.new is not None
        asked = turn.asked[is_new].added
        text = asked[-1].text if asked else ""
        kind = ("call" if follows else "turn") + ("_added" if is_new else "_removed")
        subject = asked[-1].role if asked else "call"
        span = (Span("added" if is_new else "removed", text),) if text else ()
        (self.followed if follows else self.found).append(
            Difference(kind, turn.number, subject, span, conversation=thread.number)
        )
        self._openings(thread, turn)
        self._remember(turn)

    def _openings(self, thread: Thread, turn: Turn) -> None:
        """Compare what both conversations began with, where only one of them has the call that it stands in."""
        if turn.openings is not None:
            old, new = turn.openings
            for change in _changes_of_items(Asked(old), Asked(new)):
                self._note(thread, turn, _difference(change))

    def lone_thread(self, thread: Thread, *, follows: bool) -> None:
        """Note a conversation that only one side has."""
        asked = thread.turns[0].asked[thread.is_new].added
        text = next((item.text for item in reversed(asked) if item.role == "user prompt"), "")
        kind = ("call" if follows else "conversation") + ("_added" if thread.is_new else "_removed")
        span = (Span("added" if thread.is_new else "removed", text),) if text else ()
        (self.followed if follows else self.found).append(
            Difference(kind, 1, "conversation", span, conversation=thread.number)
        )
        for turn in thread.turns:
            self._remember(turn)

    def _remember(self, turn: Turn) -> None:
        """Keep what was answered, to know it again in what is asked later."""
        for side, exchange in enumerate((turn.old, turn.new)):
            if exchange is not None and exchange.answer.response is not None:
                self._quoted[side].extend(_words_of(exchange.answer.response))

    def _compared(self, thread: Thread, turn: Turn, old: Exchange, new: Exchange, *, answers_differ: bool) -> None:
        requests = self.interactions[0][old.interaction].request, self.interactions[1][new.interaction].request
        differences = [(each, False) for each in _of_place(turn)]
        differences += self._messages(turn, answers_differ=answers_differ)
        differences += [(each, False) for each in _of_call(old, new, requests)]
        if not (differences or answers_differ or self._seen or self.followed):
            differences = [(each, False) for each in _of_bodies(*requests)]
        for difference, follows in differences:
            self._note(thread, turn, difference, follows=follows)

    def _note(self, thread: Thread, turn: Turn, difference: Difference, *, follows: bool = False) -> None:
        placed = replace(difference, turn=turn.number, conversation=thread.number, spans=lean(difference.spans))
        key = _known_by(placed)
        if key in self._seen or is_made_up(placed):
            self._seen.add(key)
            return
        if follows:
            self.followed.append(replace(placed, kind=_followed_kind(placed)))
        else:
            self._seen.add(key)
            self.found.append(placed)

    def _messages(self, turn: Turn, *, answers_differ: bool) -> Iterator[tuple[Difference, bool]]:
        old, new = turn.asked
        changed = _changed_calls(turn.previous)
        changes = _changes_of_items(old, new)
        moved = [(change.role, change.text) for change in _moved(changes)]
        for change in _with_dropped(changes, old, new):
            echo = from_model(Item(0, getattr(change, "role", ""), "")) and answers_differ
            if isinstance(change, MessageAdded | MessageRemoved) and (change.role, change.text) in moved:
                if isinstance(change, MessageAdded):
                    moved_one = Difference("message_moved", 0, change.role, (Span("same", change.text),))
                    yield moved_one, echo or self._follows(change, changed)
            elif not echo:
                yield _difference(change), self._follows(change, changed)
        yield from ((each, False) for each in _of_history(old, new, answers_differ=answers_differ))

    def _follows(self, change: Change, changed: Iterable[str]) -> bool:
        """Tell whether a message is another one because an answer was."""
        role = getattr(change, "role", "")
        if role == "retry prompt":
            return bool(changed)
        if role.startswith(("result of tool ", "retry prompt of tool ")):
            return role.partition(" tool ")[2] in changed
        return isinstance(change, MessageChanged) and role == "user prompt" and self._is_quoted(change)

    def _is_quoted(self, change: MessageChanged) -> bool:
        """Tell whether all that a message says otherwise was said by the model, on each side."""
        texts = [span.text.strip() for span in change.spans if span.kind != "same"]
        if not texts or any(len(text) < _LEAST_QUOTED for text in texts):
            return False
        return all(
            any(span.text.strip() in said for said in self._quoted[span.kind == "added"])
            for span in change.spans
            if span.kind != "same"
        )


def _known_by(difference: Difference) -> Gist:
    """Return by what a cause is known again in later turns. A window over the history drops something else in each."""
    if difference.kind == "history_changed":
        return difference.kind, difference.conversation, {span.kind for span in difference.spans} == {"removed"}
    return gist(difference)


def _followed_kind(difference: Difference) -> str:
    return "tool_result_changed" if " of tool " in difference.subject else "message_followed"


def _words_of(response: ModelResponse) -> list[str]:
    return [
        part.content if isinstance(part, TextPart) else str(part.args)
        for part in response.parts
        if isinstance(part, TextPart | ToolCallPart)
    ]


def is_made_up(difference: Difference) -> bool:
    """Tell whether all that differs are ids and times that no two recordings share."""
    if difference.values:
        return all(_made_up_value(change) for change in difference.values)
    changed = [span for span in difference.spans if span.kind != "same"]
    removed, added = changed[::2], changed[1::2]
    return (
        bool(changed)
        and len(removed) == len(added)
        and all(
            one.kind == "removed" and other.kind == "added" and _made_up(one.text, other.text)
            for one, other in zip(removed, added, strict=True)
        )
    )


def _made_up_value(change: ValueChange) -> bool:
    return isinstance(change.before, str) and isinstance(change.after, str) and _made_up(change.before, change.after)


def _made_up(one: str, other: str) -> bool:
    kind = kind_of(one)
    return kind in _MADE_UP and kind == kind_of(other)


# --- messages ---------------------------------------------------------------------------------------------------------


def calls_of(exchange: Exchange | None) -> list[tuple[str, str]]:
    """Return the names and arguments of the tools that an answer calls, in order."""
    response = exchange.answer.response if exchange else None
    parts = response.parts if response else []
    return [(part.tool_name, arguments_text(part)) for part in parts if isinstance(part, ToolCallPart)]


def arguments_text(part: ToolCallPart | NativeToolCallPart) -> str:
    """Return the arguments of a call in one spelling."""
    try:
        return json.dumps(part.args_as_dict(), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return str(part.args)


def _changed_calls(turn: Turn | None) -> set[str]:
    """Return the names of the tools that the answer to a turn calls otherwise."""
    if turn is None:
        return set()
    before, after = calls_of(turn.old), calls_of(turn.new)
    one, other = Counter(before), Counter(after)
    changed = (one - other) + (other - one) if one != other else one if before != after else Counter()
    return {name for name, _ in changed}


def _changes_of_items(old: Asked, new: Asked) -> list[Change]:
    return [each for each in compare_items(old.added, new.added) if not isinstance(each, CallIdChanged)]


def _of_place(turn: Turn) -> Iterator[Difference]:
    """Yield that a question stands at another place of the conversation; its further rounds go with it."""
    question = next((item for item in reversed(turn.asked[1].added) if item.role == "user prompt"), None)
    if turn.moved and question is not None:
        yield Difference("message_moved", 0, question.role, (Span("same", question.text),))


def _difference(change: Change) -> Difference:
    match change:
        case MessageChanged():
            return Difference("message_changed", 0, change.role, change.spans)
        case MessageAdded():
            return Difference("message_added", 0, change.role, (Span("added", change.text),))
        case MessageRemoved():
            return Difference("message_removed", 0, change.role, (Span("removed", change.text),))
        case _:
            raise TypeError(f"no change of a message: {change!r}")


def _moved(changes: Sequence[Change]) -> Iterator[MessageAdded]:
    """Yield messages that went and came again in the same words."""
    gone = {(change.role, change.text) for change in changes if isinstance(change, MessageRemoved)}
    for change in changes:
        if isinstance(change, MessageAdded) and (change.role, change.text) in gone:
            yield change


def _with_dropped(changes: Sequence[Change], old: Asked, new: Asked) -> Iterator[Change]:
    """Yield changes, with what was said before and replaced in its history counted as changed, not as said anew."""
    replaced = _first_of_role(new.dropped, old.dropped)
    for change in changes:
        before = replaced.pop(change.role, None) if isinstance(change, MessageAdded) else None
        if before is None or not isinstance(change, MessageAdded):
            yield change
        else:
            yield MessageChanged(change.turn, change.role, word_diff(before, change.text))


def _first_of_role(dropped: Sequence[Item], also: Sequence[Item]) -> dict[str, str]:
    """Return of each role that one side alone has left out what it said."""
    extra = roles(dropped) - roles(also)
    return {item.role: item.text for item in reversed(dropped) if item.role in extra}


def _of_history(old: Asked, new: Asked, *, answers_differ: bool) -> Iterator[Difference]:
    """Yield that more or less of what was said is carried on, or in another order."""
    if old.carries_nothing and new.carries_nothing:
        return
    added = {item.role for item in (*old.added, *new.added)}
    left = [[item for item in side.dropped if not (answers_differ and _may_follow(item))] for side in (old, new)]
    cut, kept = roles(left[1]) - roles(left[0]), roles(left[0]) - roles(left[1])
    if cut - Counter(dict.fromkeys(added, 1)) or kept - Counter(dict.fromkeys(added, 1)):
        spans = [Span("removed", item.text) for item in left[1] if cut[item.role]]
        spans += [Span("added", item.text) for item in left[0] if kept[item.role]]
        yield Difference("history_changed", 0, "history", tuple(spans))
    if old.reordered != new.reordered:
        yield Difference("message_moved", 0, "history")


def _may_follow(item: Item) -> bool:
    return from_model(item) or item.role.startswith(("result of tool", "retry prompt"))


# --- tools and settings -----------------------------------------------------------------------------------------------


def _of_call(old: Exchange, new: Exchange, requests: tuple[Request, Request]) -> Iterator[Difference]:
    yield from _of_tools(old.call, new.call)
    if old.format != new.format:
        yield Difference("format_changed", 0, "format", values=(ValueChange("format", old.format, new.format),))
    settings = [change for change in compare_settings(old.call, new.call) if isinstance(change, SettingChanged)]
    yield from _of_settings(settings)
    if old.format == new.format and not any(change.name in _OF_PATH for change in settings):
        yield from _of_address(*requests)


def _of_schema(changes: Iterable[SettingChanged]) -> Iterator[Difference]:
    schema = tuple(
        ValueChange(change.name, change.before, change.after)
        for change in changes
        if change.name.startswith("output schema")
    )
    if schema:
        yield Difference("output_changed", 0, "output schema", values=schema)


def _of_settings(changes: Sequence[SettingChanged]) -> Iterator[Difference]:
    yield from _of_schema(changes)
    for change in changes:
        both_given = ABSENT not in (change.before, change.after)
        if change.name.startswith("output schema") or (change.name == "previous response id" and both_given):
            continue
        kind = _KINDS.get(change.name, "setting_changed")
        yield Difference(
            kind,
            0,
            change.name,
            values=(ValueChange(change.name, plain_or_absent(change.before), plain_or_absent(change.after)),),
        )


def plain_or_absent(value: object) -> object:
    """Return a value as JSON has it; what is absent stays so."""
    return value if value is ABSENT else plain(value)


def _of_address(old: Request, new: Request) -> Iterator[Difference]:
    changes = compare_addresses(DecodedRequest(old), DecodedRequest(new)) if old.url != new.url else []
    values = tuple(
        ValueChange(change.name, change.before, change.after)
        for change in changes
        if isinstance(change, SettingChanged) and not _is_loopback(change)
    )
    if values:
        yield Difference("address_changed", 0, "address", values=values)


def _is_loopback(change: SettingChanged) -> bool:
    """Tell whether only the port of a server of the test itself is another one, as it is in every run."""
    hosts = {urlsplit(str(each)).hostname for each in (change.before, change.after)}
    return change.name == "host" and len(hosts) == 1 and hosts <= {"127.0.0.1", "::1", "localhost"}


def _of_tools(old: ModelCall, new: ModelCall) -> Iterator[Difference]:
    if old.tools == new.tools and old.extras == new.extras:
        return
    before = {tool.name: tool for tool in offers(old)}
    after = {tool.name: tool for tool in offers(new)}
    changes = list(compare_tools(list(before.values()), list(after.values())))
    gone = [change.name for change in changes if isinstance(change, ToolRemoved) and not change.now]
    for change in changes:
        match change:
            case ToolAdded():
                former = before.get(change.former) or _former(after[change.name], [before[name] for name in gone])
                if former is None:
                    yield Difference("tool_added", 0, f"tool {change.name}")
                    continue
                if former.name in gone:
                    gone.remove(former.name)
                yield _renamed(former, after[change.name])
            case ToolChanged():
                is_result = change.name.startswith(RESULT_TOOL)
                kind = "output_changed" if is_result else "tool_changed"
                yield Difference(kind, 0, f"tool {change.name}", values=change.changes)
            case ToolsReordered():
                order = ValueChange("order", list(change.before), list(change.after))
                yield Difference("tools_reordered", 0, "order of the tools", values=(order,))
            case _:
                continue
    yield from (Difference("tool_removed", 0, f"tool {name}") for name in gone)


def _former(tool: Offer, gone: Sequence[Offer]) -> Offer | None:
    """Return which tool that is gone was given a new name and changed: one of the same schema, or the same description.

    One that has nothing but a new name is known already, by `compare_tools`.
    """
    wanted = tool.definition
    if wanted is None:
        return None
    left = [(each, each.definition) for each in gone if each.definition is not None]
    same = [each for each, told in left if told.parameters_json_schema == wanted.parameters_json_schema]
    told = [each for each, told in left if told.description and told.description == wanted.description]
    both = [each for each in same if each in told]
    alike = both or told or (same if wanted.parameters_json_schema.get("properties") else [])
    return alike[0] if alike else None


def _renamed(before: Offer, after: Offer) -> Difference:
    changes = compare_tools([replace(before, name=after.name)], [after])
    others = [value for change in changes if isinstance(change, ToolChanged) for value in change.changes]
    return Difference(
        "tool_renamed", 0, f"tool {before.name}", values=(ValueChange("name", before.name, after.name), *others)
    )


# --- bodies -----------------------------------------------------------------------------------------------------------


def _of_bodies(old: Request, new: Request) -> Iterator[Difference]:
    """Yield what two requests differ in that the decoded calls do not show: marks for caches, fields of one provider."""
    plain_old, plain_new = replace(old, headers=()), replace(new, headers=())
    if old.body == new.body or meaning()(plain_old).digest == meaning()(plain_new).digest:
        return
    before, after = read_request(old).body, read_request(new).body
    changes = [] if ABSENT in (before, after) else json_diff(before, after)
    values = tuple(change for change in changes if not (_made_up_value(change) or _IS_ID.search(change.path)))
    if values:
        yield Difference("request_changed", 0, "request", values=values)
