"""Conversations, results and usage as text that reads well, diffs well and is the same in every run."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from replay_agent.messages import ModelMessage
from replay_agent.report.conversation.answers import failure_text
from replay_agent.report.conversation.lines import NO_BOUNDS, Bounds, indented, short, visible
from replay_agent.report.conversation.plain import parsed, plain, type_name
from replay_agent.report.conversation.view import EVERYTHING, View
from replay_agent.report.conversation.volatile import Placeholders
from replay_agent.traffic import Failure

if TYPE_CHECKING:
    from replay_agent.calls import Exchange
    from replay_agent.report.conversation.conversations import Conversation
    from replay_agent.report.conversation.transcript import Transcript, UnknownTraffic

__all__ = (
    "render_conversation",
    "render_messages",
    "render_result",
    "render_run",
    "render_transcript",
    "render_usage",
    "traffic_line",
)

AnyMessage = ModelMessage | Mapping[str, Any]
"""A message of ours, or one as pydantic-ai's ``ModelMessagesTypeAdapter`` dumps it to JSON."""

# Our names of the contract's age and pydantic-ai's of today, in one wording.
_USAGE_NAMES = {
    "request_tokens": "input tokens",
    "response_tokens": "output tokens",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
}
# Sums and prices follow from the counters, and change with price lists; tool calls stand above as messages.
_NOT_SHOWN = frozenset({"total_tokens", "cost", "unmeasured_requests", "tool_calls"})
_MEDIA_KINDS = {"image-url": "image", "audio-url": "audio", "document-url": "document", "video-url": "video"}
# What ties parts together or comes anew with every run, and what only the provider understands.
_PLUMBING = frozenset(
    {
        "part_kind",
        "kind",
        "timestamp",
        "id",
        "tool_call_id",
        "signature",
        "provider_name",
        "provider_details",
        "metadata",
    }
)


def render_run(messages: Sequence[AnyMessage], result: Any, usage: Any, view: View = EVERYTHING) -> str:
    """Return the text of a run: its messages, its result of any type, its usage, as far as the view shows them.

    Messages are ours or pydantic-ai's as JSON; usage is a `Usage`, pydantic-ai's ``RunUsage``, a mapping, or None.
    """
    names = Placeholders()
    # In this order also where some are left out: an id has the number of its first appearance in the whole run.
    sections = {
        "messages": render_messages(view.messages(messages), names),
        "result": render_result(result, names, view),
        "usage": render_usage(usage, view),
    }
    return "\n".join(_section(title, text) for title, text in sections.items() if view.shows(title))


def render_transcript(transcript: Transcript, bounds: Bounds = NO_BOUNDS, view: View = EVERYTHING) -> str:
    """Return the text of a transcript: its conversations, what else was on the wire, its usage.

    Without ``messages`` a view has neither conversations nor other traffic.
    """
    names = Placeholders()
    conversations = transcript.conversations
    sections = []
    for number, conversation in enumerate(conversations, 1):
        title = "messages" if len(conversations) == 1 else f"conversation {number} of {len(conversations)}"
        sections.append(_section(title, render_conversation(conversation, names, bounds, view)))
    if transcript.unknown:
        lines = [traffic_line(traffic, names) for traffic in transcript.unknown]
        sections.append(_section("other traffic", "".join(f"{line}\n" for line in lines)))
    usage = [_section("usage", render_usage(transcript.usage, view))] if view.shows("usage") else []
    return "\n".join([*(sections if view.shows("messages") else ()), *usage])


def _section(title: str, text: str) -> str:
    return f"== {title} ==\n\n{text}"


# --- messages ---------------------------------------------------------------------------------------------------------


def render_conversation(
    conversation: Conversation,
    names: Placeholders | None = None,
    bounds: Bounds = NO_BOUNDS,
    view: View = EVERYTHING,
) -> str:
    """Return the text of one conversation: messages, then how its last call failed and what was tried again."""
    text = render_messages(view.messages(conversation.messages), names, bounds)
    notes = [*_retry_notes(conversation.retries), *_end_notes(conversation.exchanges[-1:])]
    return text + "".join(f"\n{line}\n" for note in notes for line in indented(note, bounds, ""))


def _retry_notes(retries: Iterable[Exchange]) -> Iterator[str]:
    for exchange in retries:
        turn = 1 + sum(message.kind == "response" for message in exchange.call.messages)
        yield f"(turn {turn} was tried again after {_failure(exchange)})"


def _end_notes(last: Iterable[Exchange]) -> Iterator[str]:
    for exchange in last:
        if exchange.answer.error is not None:
            yield f"(the call failed: {_failure(exchange)})"
        elif exchange.partial:
            yield "(the answer was not read to its end)"


def _failure(exchange: Exchange) -> str:
    error = exchange.answer.error
    if error is None:
        return "an answer that was cut off"
    message = " ".join(visible(error.message))
    return message if error.status is None else f"status {error.status}: {message}"


def render_messages(
    messages: Sequence[AnyMessage], names: Placeholders | None = None, bounds: Bounds = NO_BOUNDS
) -> str:
    """Return the text of a message history: one block a part, one line a line."""
    fields = [_fields(message) for message in messages]
    page = _Page(Placeholders() if names is None else names, bounds, _paired_ids(fields))
    for message in fields:
        page.message(message)
    return "\n".join("".join(f"{line}\n" for line in block) for block in page.blocks)


def _paired_ids(messages: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The ids of tool calls that tie several parts together; any other says nothing to a reader."""
    parts = (_fields(part) for message in messages for part in message.get("parts") or ())
    counts = Counter(part.get("tool_call_id") for part in parts)
    return frozenset(call_id for call_id, count in counts.items() if isinstance(call_id, str) and count > 1)


class _Page:
    """Blocks of lines, each a label and what it stands for."""

    def __init__(self, names: Placeholders, bounds: Bounds, paired: frozenset[str]) -> None:
        self.blocks: list[list[str]] = []
        self._paired = paired
        self._names = names
        self._bounds = bounds
        self._model: str | None = None
        self._instructions: str | None = None

    def message(self, message: Mapping[str, Any]) -> None:
        instructions = message.get("instructions")
        if isinstance(instructions, str) and instructions != self._instructions:
            self._instructions = instructions
            self._block("instructions", instructions)
        suffix = self._suffix(message)
        parts = message.get("parts") or ()
        for place, part in enumerate(parts):
            self._part(_fields(part), "" if place else suffix)
        if message.get("kind") == "response" and not parts:
            self._block(f"assistant{suffix}", "(nothing)")

    def _suffix(self, message: Mapping[str, Any]) -> str:
        """Name the model where it is another one than before, and the end of an answer where it is not the usual."""
        model, reason = message.get("model_name"), message.get("finish_reason")
        said = []
        if model and model != self._model:
            self._model = model
            said.append(str(model))
        if reason not in (None, "stop", "tool_call"):
            said.append(f"ended by {reason}")
        return f" ({', '.join(said)})" if said else ""

    def _part(self, part: Mapping[str, Any], suffix: str) -> None:
        kind = part.get("part_kind")
        content = part.get("content")
        match kind:
            case "system-prompt":
                self._block("system", self._content(content))
            case "user-prompt":
                self._block("user", self._content(content))
            case "text":
                self._block(f"assistant{suffix}", self._content(content))
            case "thinking":
                self._block(f"thinking{suffix}", self._content(content) or "(hidden)")
            case "tool-call" | "builtin-tool-call":
                by = "provider runs" if kind == "builtin-tool-call" else "assistant calls"
                self._block(f"{by} {self._call(part)}{suffix}", self._json(_arguments(part.get("args"))))
            case "tool-return" | "builtin-tool-return":
                retried = part.get("outcome") in ("retried", "failed", "denied")
                self._block(f"{self._call(part)} {'fails' if retried else 'returns'}", self._returned(content))
            case "retry-prompt":
                who = f"{self._call(part)} fails" if part.get("tool_name") else "asked to try again"
                self._block(who, self._returned(content))
            case "file":
                self._block(f"assistant sends a file{suffix}", self._item(content))
            case _:
                self._block(f"{kind}{suffix}", self._json(_rest(part)))

    def _block(self, label: str, text: str) -> None:
        self.blocks.append([f"{' '.join(visible(label))}:", *indented(text, self._bounds)])

    def _call(self, part: Mapping[str, Any]) -> str:
        call_id = part.get("tool_call_id")
        number = f" #{self._names.number('call', call_id)}" if call_id in self._paired else ""
        return f"{part.get('tool_name')}{number}"

    def _content(self, content: Any) -> str:
        if isinstance(content, str):
            return self._names.text(content)
        if isinstance(content, Sequence) and not isinstance(content, bytes):
            return "\n".join(self._item(item) for item in content)
        return self._json(content)

    def _item(self, item: Any) -> str:
        if isinstance(item, str):
            return self._names.text(item)
        fields = _fields(item)
        kind = _MEDIA_KINDS.get(str(fields.get("kind")))
        if kind is not None:
            return f"[{kind} {self._names.text(str(fields.get('url')))}]"
        value = plain(_rest(fields) if fields.get("part_kind") == "unknown" else item)
        return value if isinstance(value, str) else self._json(value)

    def _returned(self, content: Any) -> str:
        if isinstance(content, str):
            value = parsed(content)
            return self._names.text(content) if value is None else self._json(value)
        return self._json(content)

    def _json(self, value: Any) -> str:
        value = self._names.value(plain(value))
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _fields(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return vars(value) if hasattr(value, "__dict__") else {"content": value}


def _rest(part: Mapping[str, Any]) -> Any:
    if part.get("part_kind") == "unknown":
        return part.get("raw")
    return {name: value for name, value in part.items() if name not in _PLUMBING and value not in (None, [], {})}


def _arguments(args: Any) -> Any:
    if not isinstance(args, str):
        return args
    value = parsed(args)
    return args if value is None else value


# --- result, usage, other traffic -------------------------------------------------------------------------------------


def render_result(result: Any, names: Placeholders | None = None, view: View = EVERYTHING) -> str:
    """Return the text of a result: its type and its value, fields in their own order, ids and times made stable."""
    names = Placeholders() if names is None else names
    value = names.value(plain(view.value("result", result)))
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    label = "None" if result is None else type_name(type(result))
    return "".join(f"{line}\n" for line in [f"{label}:", *indented(text)])


def render_usage(usage: Any, view: View = EVERYTHING) -> str:
    """Return the text of a usage, one counter a line; counters of 0 are left out, the number of requests is not.

    A counter that is masked is left out too.
    """
    if usage is None:
        return "(unknown)\n"
    counters = _counters(view.value("usage", usage))
    if isinstance(counters.get("details"), str):
        del counters["details"]
    details = counters.pop("details", None)
    requests = counters.pop("requests", 0) or 0
    shown = {"requests": requests} if isinstance(requests, int | float) else {}
    for name, value in counters.items():
        if isinstance(value, int | float) and value and name not in _NOT_SHOWN:
            shown[_USAGE_NAMES.get(name, name.replace("_", " "))] = value
    for name, value in sorted((details or {}).items()):
        if isinstance(value, int | float) and value and name.replace("_", " ") not in shown:
            shown[name.replace("_", " ")] = value
    return "".join(f"{name}: {value}\n" for name, value in shown.items())


def _counters(usage: Any) -> dict[str, Any]:
    if isinstance(usage, str):  # which is what stands for all of it
        return {"requests": usage}
    if isinstance(usage, Mapping):
        return dict(usage)
    if dataclasses.is_dataclass(usage) and not isinstance(usage, type):
        return {field.name: getattr(usage, field.name) for field in dataclasses.fields(usage)}
    return dict(vars(usage))


def traffic_line(traffic: UnknownTraffic, names: Placeholders | None = None) -> str:
    """Return one line for an interaction that is no call of a model."""
    names = Placeholders() if names is None else names
    outcome = traffic.outcome
    ending = failure_text(outcome) if isinstance(outcome, Failure) else str(outcome.status)
    url = short(traffic.request.url, 120)
    kind = f" ({traffic.kind})" if traffic.kind else ""
    reason = f"{kind} (unread: {short(traffic.reason, 200)})" if traffic.reason else kind
    return " ".join(visible(names.text(f"{traffic.request.method} {url} -> {ending}{reason}")))
