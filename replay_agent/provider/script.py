"""Scripted answers: what a provider says, written once and spoken in whatever format the client asks in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any, TypeAlias, TypeGuard

from replay_agent.calls import AnswerError, ModelCall, ModelSettings, ToolDefinition
from replay_agent.exceptions import CassetteMiss, CassetteMissError, UserError, WireError
from replay_agent.faults import Fault, faults_of
from replay_agent.faults import fault as make_fault
from replay_agent.faults.fault import response_of as response_as_traffic
from replay_agent.faults.plan import Plan
from replay_agent.messages import FinishReason, ModelMessage, ModelResponse, ToolCallPart
from replay_agent.provider.auto import AutoAnswers
from replay_agent.provider.loopback import serving
from replay_agent.provider.replies import Reply, ReplyFunction, ScriptedAnswer, prompt_text, response_of, tool_call
from replay_agent.provider.strictness import checked_names, unfit_calls
from replay_agent.recording.answers import Replay
from replay_agent.recording.matching.hosts import host_of, is_loopback, matches_host
from replay_agent.recording.meaning.incidental import EMPTY_ANSWER, is_incidental
from replay_agent.recording.meaning.token_requests import MADE_UP_TOKEN, is_token_request
from replay_agent.recording.misses import Misses
from replay_agent.recording.stand_ins import FOR_EVER, PERSEVERANCE
from replay_agent.traffic import Chunk, Failure, Outcome, Request
from replay_agent.usage import Usage
from replay_agent.wire.codec import Codec, EncodedAnswer
from replay_agent.wire.registry import CODECS, codec_for, kind_of
from replay_agent.wire.shapes.made_up import cut_into

__all__ = "Script", "ScriptedAnswer", "ScriptedCall", "When"

When: TypeAlias = str | Callable[[ModelCall], bool] | None
"""Which conversations an answer is for: those whose user says this text, or of which a function says so; None for any."""

_SERVER_ERROR = 500
_READ_ON = "The client reads on after the end."
_NO_FORMAT = 404
_FRAMING = "content-length", "transfer-encoding"


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A call that the script was asked to answer: the request as it came and what it means."""

    request: Request
    call: ModelCall

    @property
    def messages(self) -> list[ModelMessage]:
        """The conversation so far."""
        return self.call.messages

    @property
    def tools(self) -> list[ToolDefinition]:
        """The tools offered."""
        return self.call.tools

    @property
    def settings(self) -> ModelSettings:
        """The settings sent: temperature, max_tokens, ..."""
        return self.call.settings

    @property
    def model(self) -> str | None:
        """The name of the model asked."""
        return self.call.model

    @property
    def prompt(self) -> str:
        """All that the user has said, a paragraph for each prompt."""
        return prompt_text(self.call)

    @property
    def stream(self) -> bool:
        """Whether a stream is asked for."""
        return self.call.stream


@dataclass(eq=False)
class _Entry:
    """An answer that waits for its call."""

    reply: Reply | ReplyFunction | AutoAnswers
    when: When
    left: float
    """How often it may still be given."""
    allowed: frozenset[str]
    given: int = 0
    """How often it was given, faulty or not."""

    def __post_init__(self) -> None:
        self.times = self.left

    def fits(self, call: ModelCall) -> bool:
        if self.left <= 0:
            return False
        if isinstance(self.when, str):
            return self.when in prompt_text(call)
        return self.when is None or bool(self.when(call))


class Script:
    """Answers requests of any known wire format from what it was told to say.

    Of the answers that are for a conversation the first that is left is given; those that are for this conversation
    alone come before those for any. ``calls`` lists what was asked. It is strict: what `replay_agent.provider.strictness.RULES`
    names is kept in ``misses``, and in process raised to the client as `CassetteMiss`. Safe to use from several threads.
    """

    records = False

    tool_call = staticmethod(tool_call)

    def __init__(
        self,
        answers: Iterable[ScriptedAnswer | ReplyFunction] = (),
        *,
        name: str = "the script",
        misses: Misses | None = None,
        allowed_hosts: Sequence[str] = (),
    ) -> None:
        """``misses`` is where to keep what goes wrong; requests to ``allowed_hosts`` are not for the script."""
        self.calls: list[ScriptedCall] = []
        self.misses = misses if misses is not None else Misses(str, "raise")
        self._name = name
        self._allowed_hosts = tuple(allowed_hosts)
        self._allowed: frozenset[str] = frozenset()
        self._entries: list[_Entry] = []
        self._plan = Plan()
        self._faulty: Counter[tuple[str, bytes]] = Counter()
        self._lock = threading.RLock()
        self._ended = Event()
        self._server = ExitStack()
        self._address: str | None = None
        self.add(*answers)

    # What to say

    def reply(
        self,
        *answers: ScriptedAnswer | ReplyFunction,
        when: When = None,
        times: int | None = 1,
        stream: Sequence[str] = (),
        pace: float = 0,
        usage: Usage | None = None,
        finish_reason: FinishReason | None = None,
        model: str | None = None,
        allow: str | Iterable[str] = (),
    ) -> None:
        """Say these answers, one for each call.

        Args:
            answers: Texts, tool calls (`tool_call`), lists of both, typed results, whole responses, refusals
                (`AnswerError`), or functions of the decoded call that return one of these.
            when: Which conversations they are for: a text that the user says in it, or a function of the call.
            times: How often each may be given; None for any number of times.
            stream: In place of answers: the pieces of a text, as a client that streams shall get them.
            pace: Seconds from one piece of a stream to the next.
            usage: The usage to report; an estimate without it.
            finish_reason: The reason to give for the end; ``stop`` or ``tool_call`` without it.
            model: The model to say it is; the one that was asked without it.
            allow: What these answers may do; see `allow`.

        Raises `UserError` where there is nothing to say.
        """
        pieces = tuple(stream)
        said = [*answers, "".join(pieces)] if pieces else list(answers)
        if not said:
            raise UserError('There is nothing to reply. Say what: provider.reply("Paris")')
        if pieces and answers:
            raise UserError("A reply is either a stream or answers. Call reply twice for both, in the order wanted")
        replies: list[Reply | ReplyFunction | AutoAnswers] = [
            answer if _is_function(answer) else Reply(answer, pieces, pace, usage, finish_reason, model)
            for answer in said
        ]
        self._append(replies, when, times, allow)

    def add(self, *answers: ScriptedAnswer | ReplyFunction) -> None:
        """Append answers, one for each call of any conversation."""
        if answers:
            self.reply(*answers)

    def auto(self, *, seed: int = 0, when: When = None, times: int | None = None) -> None:
        """Answer from the schemas that a call offers: every tool once, then a result that fits. ``seed`` varies the data."""
        self._append([AutoAnswers(seed)], when, times, ())

    def refuse(
        self,
        status: int,
        message: str = "",
        *,
        when: When = None,
        times: int | None = 1,
    ) -> None:
        """Refuse calls with this HTTP status, in the provider's own shape."""
        self._append([Reply(AnswerError(status, message or f"scripted refusal {status}"))], when, times, ())

    def fault(self, fault: str | Fault, **when_and_how: Any) -> None:
        """Have something go wrong with an answer, that then waits for the client to ask again.

        ``fault`` is a name of `replay_agent.faults.FAULTS`, with what `replay_agent.faults.fault` takes, or a fault made
        by that. Raises `UserError` for what is none.
        """
        self._plan.lay(*([make_fault(fault, **when_and_how)] if isinstance(fault, str) else faults_of(fault)))

    def allow(self, *names: str) -> None:
        """Allow what fails a test otherwise: see `replay_agent.provider.strictness.RULES`. Raises `UserError` for other names."""
        self._allowed |= checked_names(names)

    def ignore(self, *hosts: str) -> None:
        """Leave requests to these hosts (``*`` allowed, ``host:port`` too) alone: a server of the test's own, say."""
        self._allowed_hosts += hosts

    def _append(
        self,
        replies: Iterable[Reply | ReplyFunction | AutoAnswers],
        when: When,
        times: int | None,
        allow: str | Iterable[str],
    ) -> None:
        left, allowed = float("inf") if times is None else times, checked_names(allow)
        with self._lock:
            self._entries += [_Entry(reply, when, left, allowed) for reply in replies]

    # What was said

    @property
    def left(self) -> int:
        """How many answers have not been given yet, not counting those that may be given any number of times."""
        return int(sum(entry.left for entry in self._entries if entry.left != float("inf")))

    def unstruck_text(self) -> str:
        """Return what to say of faults that never struck, nothing if there are none or they are allowed."""
        return "" if "unstruck_faults" in self._allowed else self._plan.unstruck_text(self._name)

    def unused_text(self) -> str:
        """Return what to say of answers that were never given, nothing if there are none or they are allowed."""
        unused = [entry for entry in self._entries if _is_unused(entry) and "unused_answers" not in entry.allowed]
        if not unused or "unused_answers" in self._allowed:
            return ""
        came = f"{len(self.calls)} {'call' if len(self.calls) == 1 else 'calls'} came"
        return "\n".join(
            [
                f"{self._name}: {len(unused)} of {len(self._entries)} scripted answers were never asked for ({came}).",
                *(f"  {_described(entry)}" for entry in unused[:5]),
                *([f"  and {len(unused) - 5} more"] if len(unused) > 5 else []),
                "  Take them out, see why the client did not ask, or allow it: provider.allow('unused_answers').",
            ]
        )

    @property
    def url(self) -> str:
        """The address of a server on loopback that answers from this script: for clients in another process, or unhooked.

        It runs from the first use to the end of the test. Delays are real there. A client of this process that is given
        the address is answered without the server, as any other.
        """
        with self._lock:
            if self._address is None:
                self._address = self._server.enter_context(serving(self.outcome))
            return self._address

    # In process: as the hooks of clients see it

    @property
    def is_open(self) -> bool:
        """Whether it still answers."""
        return not self._ended.is_set()

    def close(self) -> None:
        """Answer no more."""
        self._ended.set()
        self._server.close()

    def wants(self, url: str) -> bool:
        """Tell whether a request to this address may be for the script."""
        return self.is_open and not matches_host(*host_of(url), self._allowed_hosts)

    def begin(self, raw: Request) -> Replay | None:
        """Return the answer to a request; None for one that is no call of a model.

        Raises `CassetteMiss` for a call that breaks a rule, and for one that cannot be read.
        """
        if is_incidental(raw.url, raw.body):
            return self._replay(raw, EMPTY_ANSWER)
        codec = codec_for(raw)
        if codec is not None:
            return self._replay(raw, *self._outcome(codec, raw))
        if is_token_request(raw):
            return self._replay(raw, MADE_UP_TOKEN)
        kind = kind_of(raw)
        if kind and not is_loopback(host_of(raw.url)[0]):
            raise self._told(raw, _unknown_format(raw, kind))
        return None

    def overhear(self, raw: Request) -> None:
        """Take note of a call that a recording has answered, with what was scripted when it was recorded."""
        codec = codec_for(raw)
        if codec is not None:
            asked = self._heard(codec, raw)
            with self._lock:
                entry = self._next(asked.call)
                if entry is not None:
                    _count(entry)

    def _replay(self, raw: Request, outcome: Outcome, faulty: bool = False) -> Replay:
        read_on, hung = (partial(self._told, raw, text) for text in (_READ_ON, FOR_EVER))
        return Replay(outcome, self._ended, read_on, paced=True, skips=faulty, hung=hung)

    # Over HTTP: as a server sees it

    def answer(self, request: Request) -> EncodedAnswer:
        """Return the next answer in the format of the request; traffic that no codec claims gets a 404.

        A call that breaks a rule is refused with status 500, and the reason.
        """
        codec = codec_for(request)
        if codec is None:
            text = f"no wire format is known for {request.method} {request.url}".encode()
            return EncodedAnswer(_NO_FORMAT, (("content-type", "text/plain"),), (text,))
        outcome = self.outcome(request)
        if isinstance(outcome, Failure):
            raise ConnectionResetError(outcome.message or outcome.kind)
        headers = tuple(pair for pair in outcome.headers if pair[0] not in _FRAMING)
        return EncodedAnswer(outcome.status, headers, tuple(chunk.data for chunk in outcome.chunks))

    def outcome(self, request: Request) -> Outcome:
        """Return what becomes of a request, as `replay_agent.provider.loopback.serving` asks; see `answer` for the rest."""
        codec = codec_for(request)
        if codec is None:
            return response_as_traffic(self.answer(request))
        try:
            return self._outcome(codec, request)[0]
        except (CassetteMiss, CassetteMissError) as miss:
            return response_as_traffic(codec.encode_error(None, _SERVER_ERROR, str(miss)))

    # One call

    def _heard(self, codec: Codec, request: Request) -> ScriptedCall:
        try:
            call = codec.decode_call(request)
        except WireError as error:
            raise self._told(request, _unreadable(request, error)) from error
        asked = ScriptedCall(request, call)
        with self._lock:
            self.calls.append(asked)
        return asked

    def _taken(self, call: ModelCall) -> _Entry | None:
        with self._lock:
            entry = self._next(call)
            if entry is not None:
                _count(entry)
        return entry

    def _outcome(self, codec: Codec, request: Request) -> tuple[Outcome, bool]:
        """Return what the client gets, and whether a fault has made it so."""
        asked = self._heard(codec, request)
        entry = self._taken(asked.call)
        if entry is None and not self._plan.is_pending:
            return self._unscripted(codec, asked), False
        with self._telling(request):
            outcome = self._said(codec, asked, entry)
            faulty = self._plan.tampered(request, outcome)
        if faulty is None:
            return (self._unscripted(codec, asked) if entry is None else outcome), False
        if entry is not None:
            entry.left += 1  # for the client to ask for once more
        self._persevere(request)
        return faulty, True

    def _said(self, codec: Codec, asked: ScriptedCall, entry: _Entry | None) -> Outcome:
        """Return what is said to a call, with nothing between; something, where only faults are scripted."""
        if entry is None:
            return _written(codec, asked.call, Reply("..."), lambda _: None)
        reply = self._reply_of(entry, asked.call)
        return _written(codec, asked.call, reply, lambda response: self._check(asked, entry, response))

    def _persevere(self, request: Request) -> None:
        """Tell of a client that asks for the same for ever while a fault lasts."""
        with self._lock:
            self._faulty[request.url, request.body] += 1
            times = self._faulty[request.url, request.body]
        if times > PERSEVERANCE:
            raise self._told(request, f"The client has asked for the same {PERSEVERANCE} times, and goes on")

    def _next(self, call: ModelCall) -> _Entry | None:
        """Return the entry that answers a call. Called with the lock held."""
        fitting = [entry for entry in self._entries if entry.fits(call)]
        return next((entry for entry in fitting if entry.when is not None), fitting[0] if fitting else None)

    def _reply_of(self, entry: _Entry, call: ModelCall) -> Reply:
        reply = entry.reply
        if isinstance(reply, AutoAnswers):
            return Reply(reply.answer(call))
        if isinstance(reply, Reply):
            return reply
        answer = reply(call)
        return answer if isinstance(answer, Reply) else Reply(answer)

    @contextmanager
    def _telling(self, request: Request) -> Iterator[None]:
        """Tell what goes wrong in the making of an answer as a miss: as itself a client takes it for a broken connection."""
        try:
            yield
        except (UserError, WireError) as error:
            raise self._told(request, str(error)) from error
        except Exception as error:
            text = f"A function that was to answer raised {type(error).__name__}: {error}"
            raise self._told(request, text) from error

    def _check(self, asked: ScriptedCall, entry: _Entry, response: ModelResponse) -> None:
        wrong = unfit_calls(asked.call, response, self._allowed | entry.allowed)
        if wrong:
            raise UserError(f"call {self._number(asked)}: {wrong}")

    def _number(self, asked: ScriptedCall) -> int:
        return next(number for number, call in enumerate(self.calls, 1) if call is asked)

    def _unscripted(self, codec: Codec, asked: ScriptedCall) -> Outcome:
        text = self._beyond(asked)
        if "unscripted_calls" not in self._allowed:
            raise self._told(asked.request, text)
        return response_as_traffic(codec.encode_error(asked.call, _SERVER_ERROR, text))

    def _beyond(self, asked: ScriptedCall) -> str:
        entries = self._entries
        other = [entry for entry in entries if entry.left > 0]
        used = f"the script has {len(entries)} answers" + ("" if other else " and all are used up")
        kept = "".join(f"\n  Left for other conversations: {_described(entry)}" for entry in other[:3])
        return (
            f"There is no answer for call {self._number(asked)}, {_asked_text(asked)}: {used}.{kept}\n"
            "  Script one more (provider.reply(...)), any number of them (times=None), or allow it: "
            "provider.allow('unscripted_calls')."
        )

    def _told(self, request: Request, text: str) -> CassetteMiss | CassetteMissError:
        return self.misses.told(f"{self._name}: {text}", request, None)


def _is_function(answer: object) -> TypeGuard[ReplyFunction]:
    return callable(answer) and not isinstance(answer, type)


def _count(entry: _Entry) -> None:
    entry.left -= 1
    entry.given += 1


def _is_unused(entry: _Entry) -> bool:
    """Tell whether an answer was given less often than it should; one that a fault has struck has had its turn."""
    return entry.given == 0 or (0 < entry.left < float("inf") and entry.given < entry.times)


def _written(codec: Codec, call: ModelCall, reply: Reply, check: Callable[[ModelResponse], None]) -> Outcome:
    """Write a reply in the format of its call; ``check`` sees what is said in it."""
    if isinstance(reply.answer, AnswerError):
        return response_as_traffic(codec.encode_error(call, reply.answer.status or _SERVER_ERROR, reply.answer.message))
    response = response_of(call, reply)
    check(response)
    with cut_into(reply.stream):
        encoded = codec.encode_answer(call, response)
    written = response_as_traffic(encoded)
    if not reply.pace or len(written.chunks) == 1:
        return written
    pace_ms = reply.pace * 1000
    return replace(written, chunks=tuple(Chunk(c.data, round(pace_ms * i)) for i, c in enumerate(written.chunks)))


def _described(entry: _Entry) -> str:
    whose = "" if entry.when is None else f" when {entry.when!r}"
    left = "" if entry.left == float("inf") else f", {int(entry.left)} left" if entry.left > 1 else ""
    return f"{_answer_text(entry.reply)}{whose}{left}"


def _answer_text(reply: Reply | ReplyFunction | AutoAnswers) -> str:
    if isinstance(reply, AutoAnswers):
        return "answers made from schemas"
    if not isinstance(reply, Reply):
        return f"the function {getattr(reply, '__name__', reply)!s}"
    answer = reply.answer
    text = f"a call of {answer.tool_name}({answer.args})" if isinstance(answer, ToolCallPart) else repr(answer)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _asked_text(asked: ScriptedCall) -> str:
    prompt = " ".join(asked.prompt.rpartition("\n\n")[2].split())
    return f"of {asked.model or 'a model'}, asked {prompt[:80]!r}"


def _unknown_format(request: Request, kind: str) -> str:
    return (
        f"{request.method} {request.url} is {kind}, which no script can answer.\n"
        f"  Formats that it can: {', '.join(codec.name for codec in CODECS)}.\n"
        "  Answer it by other means (respx, a loopback server), or let it through: --allowed-hosts."
    )


def _unreadable(request: Request, error: WireError) -> str:
    return (
        f"{request.method} {request.url} cannot be read as a call of a model: {error}.\n"
        "  The request is what the client sent; look at what it sends there."
    )
