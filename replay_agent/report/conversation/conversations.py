"""Exchanges joined to conversations: each call of a run carries the history, and the history says where it belongs."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import TypeAlias
from unicodedata import normalize

from replay_agent.calls import Exchange, ModelCall
from replay_agent.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponsePart,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from replay_agent.report.conversation.cost import total_cost
from replay_agent.report.conversation.plain import plain
from replay_agent.usage import Usage

__all__ = "Conversation", "conversations_of", "summed_usage"


@dataclass
class Conversation:
    """One run of an agent: its calls in order, and the history that they add up to.

    ``exchanges`` are the turns. ``retries`` are attempts at one of them that failed and were made again. The last
    exchange may have failed too.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    retries: list[Exchange] = field(default_factory=list)
    history: list[ModelMessage] = field(default_factory=list)
    """What was said before the last answer."""

    @property
    def messages(self) -> list[ModelMessage]:
        """The message history; its responses are those that came, not what the client made of them afterwards."""
        response = self.exchanges[-1].answer.response if self.exchanges else None
        return self.history if response is None else [*self.history, response]

    @property
    def usage(self) -> Usage:
        """The sum over all answers, one request each."""
        return summed_usage([*self.exchanges, *self.retries])

    @property
    def cost(self) -> Decimal | None:
        """The price in USD, None where the price of any answer is not known."""
        return total_cost([*self.exchanges, *self.retries])

    @property
    def tool_calls(self) -> list[ToolCallPart]:
        """The calls that the client had to execute."""
        responses = [exchange.answer.response for exchange in self.exchanges]
        return [part for response in responses if response for part in response.parts if isinstance(part, ToolCallPart)]


def summed_usage(exchanges: Iterable[Exchange]) -> Usage:
    """Return the usage of all answers; an answer without counters is one request."""
    total = Usage()
    for exchange in exchanges:
        if exchange.answer.response is not None:
            total.incr(exchange.answer.response.usage or Usage(), requests=1)
    return total


def conversations_of(exchanges: Iterable[Exchange]) -> list[Conversation]:
    """Join exchanges, given in the order of their requests.

    A call continues a conversation if it carries that conversation's history and last answer, names its stored answer
    (``previous_response_id``), or returns the results of its tool calls. A call that repeats one that failed is a retry
    of it. Everything else begins a conversation.
    """
    threads = _Threads()
    for exchange in exchanges:
        threads.add(exchange)
    return threads.conversations


_BLANKS_AND_MARKS = re.compile(r"[\W_]+")
"""Clients trim blanks, change quotes and line ends of what they send back."""


@dataclass(frozen=True, slots=True)
class _Gist:
    """What an answer said, as far as a later history repeats it.

    Clients leave out reasoning and trim blanks; recordings were seen with the quotes of their requests made plain.
    """

    calls: tuple[tuple[str, str], ...]
    text: str

    def agrees(self, other: _Gist) -> bool:
        # Either may hold less: a client may keep only the last text of an answer, a stream may have lost its end.
        return self.calls == other.calls and (self.text in other.text or other.text in self.text)


_NOTHING = _Gist((), "")


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place in a call's history where the model had spoken."""

    asked: int
    """How many things had been asked before."""
    said: tuple[ModelResponsePart, ...]
    following: int
    """Index of the first message after it."""


@dataclass(frozen=True, slots=True)
class _History:
    """A call's messages, as far as they tell conversations apart; system prompts do not, they may change."""

    asked: tuple[str, ...]
    cuts: tuple[_Cut, ...]


_Asked: TypeAlias = dict[int, tuple[ModelRequest, list[str]]]
"""What requests ask, by the identity of each: calls that repeat a conversation may share its messages."""


@dataclass(eq=False, slots=True)
class _Thread:
    conversation: Conversation
    asked: tuple[str, ...]
    system: set[str]
    said_before: tuple[ModelResponsePart, ...] = ()
    """What the model said before its last answer, since something was asked."""
    gist: _Gist | None = None
    """What it said since something was asked; None if it never answered."""

    @property
    def last(self) -> Exchange:
        return self.conversation.exchanges[-1]

    def failed_at(self, call: ModelCall, history: _History) -> bool:
        """Whether the last exchange failed, and the call makes it again."""
        answer = self.last.answer
        if not self.last.partial and answer.error is None and answer.response is not None:
            return False
        before = _history(self.last.call.messages, {})
        return (
            before.asked == history.asked
            and len(before.cuts) == len(history.cuts)
            and self.last.call.previous_response_id == call.previous_response_id
        )


class _Threads:
    def __init__(self) -> None:
        self.conversations: list[Conversation] = []
        self._asked: defaultdict[tuple[str, ...], list[_Thread]] = defaultdict(list)
        self._answers: dict[str, tuple[_Thread, int]] = {}
        self._tool_calls: dict[str, _Thread] = {}
        self._stored: dict[str, _Thread] = {}
        self._questions: _Asked = {}

    def add(self, exchange: Exchange) -> None:
        history = _history(exchange.call.messages, self._questions)
        # In order of certainty: what the call names itself; what the provider keeps; the same call again after a failure;
        # the history that it carries; the results that it returns, where the history was cut; and last a mere likeness.
        # A retry goes before the history, since a call that failed left the same history as the one that repeats it.
        links = (
            self._named,
            self._stored_by_provider,
            self._repeated,
            self._carried,
            self._tool_results,
            self._handed_over,
        )
        for link in links:
            if link(exchange, history):
                return
        self._begin(exchange, history, [])

    def _named(self, exchange: Exchange, history: _History) -> bool:
        """Link by the stored answer that the call continues."""
        found = self._answers.get(exchange.call.previous_response_id or "")
        if found is None:
            return False
        thread, length = found
        if thread.failed_at(exchange.call, history):
            self._retry(thread, exchange)
        # Else the call goes on from an answer in the middle: a branch, which shares the beginning.
        elif length == len(thread.conversation.messages):
            self._continue(thread, exchange, exchange.call.messages, thread.asked + history.asked)
        else:
            self._begin(exchange, history, thread.conversation.messages[:length])
        return True

    def _stored_by_provider(self, exchange: Exchange, history: _History) -> bool:
        """Link by the conversation that the provider keeps."""
        thread = self._stored.get(_stored_conversation(exchange.call) or "")
        if thread is None:
            return False
        if thread.failed_at(exchange.call, history):
            self._retry(thread, exchange)
        else:
            self._continue(thread, exchange, exchange.call.messages, thread.asked + history.asked)
        return True

    def _repeated(self, exchange: Exchange, history: _History) -> bool:
        for thread in self._asked.get(history.asked, ()):
            if thread.failed_at(exchange.call, history):
                self._retry(thread, exchange)
                return True
        return False

    def _carried(self, exchange: Exchange, history: _History) -> bool:
        """Link by the history that the call carries."""
        # From the end: the longest history that is known says most exactly where the call belongs.
        for cut in reversed(history.cuts):
            threads = self._asked.get(history.asked[: cut.asked])
            said = _gist(cut.said) if threads else None
            for thread in threads or ():
                if thread.gist is not None and said is not None and thread.gist.agrees(said):
                    self._continue(thread, exchange, exchange.call.messages[cut.following :], history.asked)
                    return True
        return False

    def _tool_results(self, exchange: Exchange, history: _History) -> bool:
        """Link by the tool calls that are answered, where a client has shortened the history."""
        messages = exchange.call.messages[history.cuts[-1].following :] if history.cuts else exchange.call.messages
        parts = [part for message in messages for part in message.parts]
        answered = [part.tool_call_id for part in parts if isinstance(part, ToolReturnPart | RetryPromptPart)]
        threads = {thread for call_id in answered if (thread := self._tool_calls.get(call_id or ""))}
        if len(threads) != 1:  # results of several runs, or of none that was recorded
            return False
        self._continue(threads.pop(), exchange, messages, history.asked)
        return True

    def _handed_over(self, exchange: Exchange, history: _History) -> bool:
        """Link by any tool call and the last answer, where a client has translated the history for another provider."""
        parts = [part for cut in history.cuts for part in cut.said if isinstance(part, ToolCallPart)]
        threads = {thread for part in parts if (thread := self._tool_calls.get(part.tool_call_id or ""))}
        for cut in reversed(history.cuts if threads else ()):
            said = _gist(cut.said)
            for thread in threads:
                if thread.gist is not None and said != _NOTHING and thread.gist.agrees(said):
                    self._continue(thread, exchange, exchange.call.messages[cut.following :], history.asked)
                    return True
        return False

    def _begin(self, exchange: Exchange, history: _History, before: Sequence[ModelMessage]) -> None:
        conversation = Conversation([exchange], history=[*before, *exchange.call.messages])
        self.conversations.append(conversation)
        thread = _Thread(conversation, history.asked, set(_system_prompts(exchange.call.messages)))
        self._asked[thread.asked].append(thread)
        self._note(thread)

    def _retry(self, thread: _Thread, exchange: Exchange) -> None:
        thread.conversation.retries.append(thread.conversation.exchanges.pop())
        thread.conversation.exchanges.append(exchange)
        self._note(thread)

    def _continue(
        self, thread: _Thread, exchange: Exchange, new: Sequence[ModelMessage], asked: tuple[str, ...]
    ) -> None:
        answer = thread.last.answer.response
        # Where nothing was asked in between (a paused turn, text before a tool that the provider runs), clients send
        # both answers back as one.
        thread.said_before = (*thread.said_before, *answer.parts) if answer and asked == thread.asked else ()
        conversation = thread.conversation
        conversation.history = [*conversation.messages, *_with_changed_system(thread, exchange, new)]
        conversation.exchanges.append(exchange)
        self._asked[thread.asked].remove(thread)
        thread.asked = asked
        self._asked[asked].append(thread)
        self._note(thread)

    def _note(self, thread: _Thread) -> None:
        """Remember by what the next call may refer to the last exchange of a thread."""
        exchange = thread.last
        stored = _stored_conversation(exchange.call)
        if stored is not None:
            self._stored[stored] = thread
        response = exchange.answer.response
        thread.gist = None if response is None else _gist((*thread.said_before, *response.parts))
        if response is None:
            return
        if response.provider_response_id is not None:
            self._answers[response.provider_response_id] = thread, len(thread.conversation.messages)
        for part in response.parts:
            if isinstance(part, ToolCallPart) and part.tool_call_id:
                self._tool_calls[part.tool_call_id] = thread


def _with_changed_system(thread: _Thread, exchange: Exchange, new: Sequence[ModelMessage]) -> Sequence[ModelMessage]:
    """Put system prompts that the client changed in its history where it changed them: into the new request."""
    said = {*thread.system, *_system_prompts(new)}
    changed = [text for text in _system_prompts(exchange.call.messages) if text not in said]
    thread.system = said.union(changed)
    if not changed:
        return new
    prompts = [SystemPromptPart(text) for text in changed]
    if new and isinstance(new[0], ModelRequest):
        return [replace(new[0], parts=[*prompts, *new[0].parts]), *new[1:]]
    return [ModelRequest([*prompts]), *new]


def _stored_conversation(call: ModelCall) -> str | None:
    """The conversation that OpenAI's Responses API keeps, by its id."""
    stored = call.extras.get("conversation")
    name = stored.get("id") if isinstance(stored, dict) else stored
    return name if isinstance(name, str) else None


def _system_prompts(messages: Iterable[ModelMessage]) -> Iterator[str]:
    for message in messages:
        yield from (part.content for part in message.parts if isinstance(part, SystemPromptPart))


def _history(messages: Sequence[ModelMessage], known: _Asked) -> _History:
    asked: list[str] = []
    cuts: list[_Cut] = []
    for place, message in enumerate(messages):
        if isinstance(message, ModelRequest):
            found = known.get(id(message))
            if found is None:
                questions = [_question(part) for part in message.parts if not isinstance(part, SystemPromptPart)]
                found = known[id(message)] = message, questions
            asked += found[1]
        # Answers in a row are one place where the model spoke: no client sends them back in the same portions.
        elif cuts and cuts[-1].asked == len(asked):
            cuts[-1] = _Cut(len(asked), (*cuts[-1].said, *message.parts), place + 1)
        else:
            cuts.append(_Cut(len(asked), tuple(message.parts), place + 1))
    return _History(tuple(asked), tuple(cuts))


def _question(part: ModelRequestPart) -> str:
    if isinstance(part, UserPromptPart):
        items = [part.content] if isinstance(part.content, str) else part.content
        return "\n".join(_item(item) for item in items)
    if isinstance(part, ToolReturnPart | RetryPromptPart):
        return "tool: " + (
            part.content if isinstance(part.content, str) else json.dumps(plain(part.content), sort_keys=True)
        )
    return _item(part)


def _item(item: object) -> str:
    if isinstance(item, str):
        return item.strip()
    if isinstance(item, BinaryContent):
        return f"{item.media_type} {sha256(item.data).hexdigest()}"
    return str(getattr(item, "url", None) or getattr(item, "raw", item))


def _gist(parts: Sequence[ModelResponsePart]) -> _Gist:
    calls = tuple((part.tool_name, _arguments(part)) for part in parts if isinstance(part, ToolCallPart))
    text = "".join(part.content for part in parts if isinstance(part, TextPart))
    return _Gist(calls, _BLANKS_AND_MARKS.sub("", normalize("NFKC", text)))


def _arguments(part: ToolCallPart) -> str:
    try:
        # Parsed: clients send arguments back with other blanks and order.
        return json.dumps(part.args_as_dict(), sort_keys=True)
    except ValueError:
        return str(part.args)
