"""One recorded run: joins recorder, wire, transcript and report. Works without pytest.

What a test that passes may never ask for, the transcript and the reports, is imported when it is asked for: with the
wire formats and pydantic's models behind it, that takes longer than replaying a hundred tests.
"""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from difflib import get_close_matches
from inspect import Parameter, Signature, signature
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from replay_agent.recording.cassettes import store
from replay_agent.recording.clients import intercept
from replay_agent.recording.meaning.key import meaning
from replay_agent.recording.options import BlockOptions, RecordMode, RecordOptions
from replay_agent.recording.process import frozen, network, session_mode
from replay_agent.recording.recorder import Recording
from replay_agent.surroundings import credentials, naming
from replay_agent.traffic import Interaction, Request

if TYPE_CHECKING:
    from decimal import Decimal

    from replay_agent.faults import Fault
    from replay_agent.faults.plan import Plan
    from replay_agent.messages import ModelMessage, ModelResponse, ToolCallPart
    from replay_agent.recording.misses import Miss
    from replay_agent.recording.process.network import NetworkGuard
    from replay_agent.report.conversation.transcript import Transcript
    from replay_agent.report.explanation import Explanation
    from replay_agent.report.renamed import Former
    from replay_agent.usage import Usage

__all__ = "DecodedTraffic", "Run", "load_transcript", "use_cassette"


class DecodedTraffic(ABC):
    """What was said so far in traffic that is recorded or replayed, read as conversations."""

    def __init__(self) -> None:
        self._result: Any = None
        self._decoded: Transcript | None = None

    @property
    @abstractmethod
    def interactions(self) -> Sequence[Interaction]:
        """The traffic so far, in the order of the requests."""

    @property
    @abstractmethod
    def play_count(self) -> int:
        """How many answers were replayed so far."""

    @property
    def transcript(self) -> Transcript:
        """The traffic so far, decoded."""
        from replay_agent.report.conversation.transcript import Transcript

        interactions = self.interactions
        if self._decoded is None or len(self._decoded) != len(interactions):
            self._decoded = Transcript.from_interactions(interactions)
        return self._decoded

    @property
    def messages(self) -> list[ModelMessage]:
        """The message history, if the traffic is one conversation; else an error that says where to look."""
        return self.transcript.messages

    @property
    def tool_calls(self) -> list[ToolCallPart]:
        """The tool calls that the model made, in order."""
        return self.transcript.tool_calls

    @property
    def usage(self) -> Usage:
        """Requests made and tokens used, over all conversations."""
        return self.transcript.usage

    @property
    def cost(self) -> Decimal | None:
        """What the calls cost in USD, None where a model's price is not known."""
        return self.transcript.cost

    @property
    def result(self) -> Any:
        """What the last `run` returned, None before."""
        return self._result

    async def run(self, agent: Any, prompt: Any, **kwargs: Any) -> Any:
        """Run an agent (ours, or pydantic-ai's) and return its own result."""
        self._result = await agent.run(prompt, **kwargs)
        return self._result


class Run(DecodedTraffic):
    """A recording that is open, and what was said in it so far.

    In a test it is the fixture ``replay``; outside pytest `use_cassette` gives one.
    """

    def __init__(
        self, path: Path, options: RecordOptions, *, test: str | None = None, command: str | Callable[[], str]
    ) -> None:
        """``command`` says how to record anew, with ``{mode}`` where the name of a record mode belongs, or returns that."""
        super().__init__()
        self.project: tuple[Path, Path] | None = None
        """The folder of all cassettes, and the root of the project, where they are known."""
        self._keying = meaning(options.ignore_body, options.match_headers, options.normalize, options.same_hosts)
        self.recording = Recording(
            path,
            options,
            key=self._keying,
            explain=self._explained,
            test=test,
            refused=_is_refusal,
            is_answer=_is_answer,
        )
        self.recording.invitation = self._invitation
        self._options = options
        self._test = test
        self._says_command = command
        self._drifted: dict[str, Miss] = {}
        self.effects: list[str] = []
        """Side effects that `effect` was told of, in order."""
        self._guard: NetworkGuard | None = None
        self._doors: ExitStack | None = None
        """Out of what else is in force than the shut network: in nearly all runs, that is all."""

    def __repr__(self) -> str:
        return f"<recording {naming.seen_from_here(self.cassette_path)}>"

    @property
    def _command(self) -> str:
        """How to record anew: of a test that passes, nobody asks."""
        return self._says_command if isinstance(self._says_command, str) else self._says_command()

    def open(self) -> None:
        """Open the cassette and have it in force until the run is closed."""
        self.recording.open()
        self._enter()

    def enter(self) -> None:
        """Have an open recording in force for the whole process, until the run is closed."""
        self._enter()
        intercept.open_for_test(self.recording)

    def _enter(self) -> None:
        try:
            self._guard = self._shut()
            if self._options.transports or self.recording.frozen:
                self._doors = ExitStack()
                self._put_in_force(self._doors)
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        guard, self._guard = self._guard, None
        try:
            if self._doors is not None:
                self._doors.close()
        finally:
            if guard is not None:
                network.open_network(guard)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Shut the network for a block, unless something may be recorded, and freeze what is to stand still."""
        with ExitStack() as doors:
            guard = self._shut()
            if guard is not None:
                doors.callback(network.open_network, guard)
            self._put_in_force(doors)
            yield

    def _shut(self) -> NetworkGuard | None:
        """Shut the network, unless something may be recorded."""
        if not self._options.block_network or self.recording.records:
            return None
        return network.shut(self._test or str(self.cassette_path), self._options.allowed_hosts)

    def _put_in_force(self, doors: ExitStack) -> None:
        if self._options.transports:
            from replay_agent.recording.clients.named_transports import named_transports

            doors.enter_context(named_transports(self._options.transports))
        if self.recording.frozen:
            doors.enter_context(frozen.frozen(self.recording.frozen))

    def _invitation(self) -> tuple[object, ...]:
        """Return how a process that is no copy of this one takes part. What cannot travel, it cannot heed: it refuses then."""
        spool = self.recording.spool_for_child()
        try:
            options, refusal = pickle.dumps(self._options), ""
        except (pickle.PicklingError, AttributeError, TypeError) as exc:
            options, refusal = None, f"an option of the recording cannot be sent to another process: {exc}"
        if spool is None:
            refusal = "there is no room for temporary files"
        place = self.cassette_path.absolute()
        return _joined, (place, options, self._test, self._command, dict(self.recording.frozen), spool, refusal)

    def close(self, *, success: bool, whole: bool = True) -> None:
        """Open the network again and save what was recorded if the run was a success, else leave it in a journal.

        A run that is not ``whole`` ended before it had asked for everything: of the old recording stays what may come yet.
        """
        try:
            self.recording.close(success, whole=whole)
        finally:
            self._leave()

    @property
    def cassette_path(self) -> Path:
        """Where the cassette is, or would be."""
        return self.recording.cassette_path

    @property
    def requests(self) -> list[Request]:
        """The requests made so far, secrets taken out, in the order in which they were made."""
        return self.recording.requests

    @property
    def play_count(self) -> int:
        """How many answers were replayed so far."""
        return self.recording.play_count

    def fault(self, fault: str | Fault, **when_and_how: Any) -> None:
        """Have something go wrong with a recorded answer, that then waits for the client to ask again.

        ``fault`` is a name of `replay_agent.faults.FAULTS`, with what `replay_agent.faults.fault` takes, or a fault made
        by that. Nothing goes wrong while a cassette is recorded. Raises `UserError` for what is no fault.
        """
        from replay_agent import faults

        self._plan().lay(*([faults.fault(fault, **when_and_how)] if isinstance(fault, str) else [fault]))

    def effect(self, what: str) -> None:
        """Note a side effect, such as a mail that is sent: in a sweep, one that comes about twice is found."""
        self.effects.append(what)

    def edit(
        self,
        change: Callable[[ModelResponse], ModelResponse | None],
        *,
        call: int | None = None,
        turn: int | None = None,
        times: int | None = 1,
    ) -> None:
        """Have the model say what ``change`` makes of its recorded answer; None from it leaves the answer as it is.

        ``call`` or ``turn`` says which answer (both count from 1), ``times`` how often (None: every time).
        """
        from replay_agent.faults.content import edited
        from replay_agent.faults.fault import Fault

        self._plan().lay(Fault("edit", edited(change), call, turn, times, delivers=True))

    def _plan(self) -> Plan:
        from replay_agent.faults.plan import Plan

        disturbance = self.recording.disturbance
        if not isinstance(disturbance.tampering, Plan):
            disturbance.tampering = Plan()
        return disturbance.tampering

    def unstruck_text(self) -> str:
        """Return what to say of faults that never struck, nothing if there are none."""
        if self.recording.disturbance.tampering is None or self.recording.records:
            return ""
        return self._plan().unstruck_text(self._test or str(self.cassette_path))

    @property
    def misses(self) -> Sequence[BaseException]:
        """Requests so far that had no answer, and other trouble: what was raised to the clients, swallowed or not."""
        return self.recording.misses

    @property
    def interactions(self) -> Sequence[Interaction]:
        """The interactions played or recorded so far, in the order of their requests."""
        return self.recording.interactions

    def _explained(self, miss: Miss) -> Explanation:
        from replay_agent.report.drift import explain

        options = self._options
        explained = explain(miss, self._command, options.ignore_body, lambda: self._former(miss), options.same_hosts)
        explained.key, explained.cassette = self._keying(miss.request).digest, str(self.cassette_path)
        if explained.nearest >= 0:
            indexes = (explained.nearest, *explained.later)
            explained.giving_way = tuple(self.recording.key_at(index) for index in indexes)
        if miss.reason == "changed":
            self._drifted[explained.key] = miss
        return explained

    def explained_again(self) -> dict[str, Explanation]:
        """Return by their keys what is to be said of drifted requests at the end of the run.

        What was played meanwhile is nearest to none of them, and nothing is nearest to two.
        """
        played = self.recording.played
        if len(self._drifted) == 1 and all(miss.played == played for miss in self._drifted.values()):
            return {}
        taken, told = set(played), {}
        for key, miss in sorted(self._drifted.items()):
            explained = self._explained(replace(miss, played=frozenset(taken)))
            taken.update((explained.nearest, *explained.later))
            told[key] = explained
        return told

    def _former(self, miss: Miss) -> Former | None:
        """Return what the test recorded before it was renamed or moved, as far as that can be told."""
        if self.project is None or self._test is None:
            return None
        from replay_agent.report.renamed import find_former

        folder, root = self.project
        return find_former(folder, root, miss.request, self._keying, self._test)

    def leftovers_text(self) -> str:
        """Return what to say of interactions of this test that were never played, nothing if there are none."""
        leftovers = self.recording.leftovers()
        if not leftovers:
            return ""
        from replay_agent.report.command import filled
        from replay_agent.report.leftovers import leftovers_text

        cassette = store.load(self.cassette_path)
        return leftovers_text(
            self.cassette_path,
            [(index, cassette.interaction(index)) for index in leftovers],
            total=len(cassette),
            command=filled(self._command, RecordMode.REFRESH.value),
        )


def _is_refusal(interaction: Interaction) -> bool:
    """Tell whether a model's answer is an error, which a stream may hold that began well."""
    from replay_agent.report.conversation.transcript import Transcript

    exchanges = Transcript.from_interactions([interaction]).exchanges
    return any(exchange.answer.error is not None for exchange in exchanges)


def _is_answer(interaction: Interaction) -> bool:
    """Tell whether this is what a model answered."""
    from replay_agent.report.conversation.transcript import Transcript

    exchanges = Transcript.from_interactions([interaction]).exchanges
    return any(exchange.answer.response is not None for exchange in exchanges)


def _joined(
    path: Path,
    options: bytes | None,
    test: str | None,
    command: str,
    frozen: Mapping[str, object],
    spool: Path | None,
    refusal: str,
) -> Run:
    """Take part in the recording of the process that started this one, until this one ends."""
    understood = RecordOptions()
    if options is not None:
        try:
            understood = pickle.loads(options)  # noqa: S301 - from the process that sent the function to run, too
        except Exception as exc:  # noqa: BLE001 - a module of the project, imported for this, may raise anything
            refusal = f"an option of the recording cannot be read in another process: {exc!r}"
    run = Run(path, understood, test=test, command=command)
    if refusal:
        run.recording.refusal = f"This process takes no part in the recording of {test or path}: {refusal}."
    if spool is not None:
        run.recording.join(spool)
    run.recording.frozen = frozen
    run.enter()
    return run


@contextmanager
def use_cassette(
    path: str | PathLike[str],
    record_mode: RecordMode | str | None = None,
    **options: Unpack[BlockOptions],
) -> Iterator[Run]:
    """Record and replay the HTTP traffic of a block, in sync and async code alike, and yield the `Run`.

    A recording mode saves the cassette when the block ends without an exception; otherwise what was recorded waits in a
    journal for the next recording. In mode ``none`` the network is shut for the whole process (loopback stays open)
    and unset credential variables hold a placeholder.

    Args:
        path: The cassette file, as it is: no ending is added.
        record_mode: What may go live; see `RecordMode`. Without one: what ``--record-mode`` says, in a session of pytest;
            else ``none``.
        miss: ``"raise"`` for `CassetteMiss`, which nothing swallows, ``"exception"`` for `CassetteMissError`, which a
            server may survive.
        ignore_body: JSON paths (``$.metadata.trace_id``) whose values do not count when requests are compared.
        ignore_hosts: Hosts (``*`` allowed, ``host:port`` too) whose traffic is neither recorded nor replayed.
        only_hosts: If given, traffic of all other hosts is neither recorded nor replayed.
        same_hosts: Hosts or base URLs that stand for each other, by blanks: ``"localhost:4000 api.openai.com"``.
        match_headers: Headers of requests that must be equal too.
        allow_repeats: Answer a request made more often than recorded with its last answer again.
        freeze: What stands still: ``clock``, ``uuid``, ``random``; needs the extra ``freeze`` for the clock.
        redact: Further field names or regular expressions to take out of what is written.
        block_network: Whether mode ``none`` shuts the network.
        allowed_hosts: Hosts that stay reachable while it is shut.
        transports: Classes of httpx transports to record too, such as ``httpx.ASGITransport``.
        paced: Replay streams at the recorded pace instead of at once.
        before_record_request: May change a request as it is compared and stored; None leaves it live, unrecorded.
        before_record_response: May change a response before it is stored; None drops it.
        normalize: Functions applied to bodies, in order, before requests are compared.

    Raises `CassetteMiss` from the request that has no answer, and once more from the end of the block if something in it
    swallowed that: a thread, a task, another process, an ``except``. With ``miss="exception"`` it is `CassetteMissError`,
    an ordinary exception that the block may deal with. Raises `CassetteError` for a cassette that cannot be used, and
    `UserError` for options that make no sense.
    """
    _check_names(options)
    mode = RecordMode.parse(record_mode or session_mode.asked() or RecordMode.NONE)
    understood = RecordOptions(record_mode=mode, **options)
    run = Run(Path(path), understood, command=f"use_cassette({str(path)!r}, record_mode='{{mode}}')")
    with _block(run, misses_are_expected=understood.miss == "exception"):
        yield run


def _signature() -> Signature:
    """Return the signature of `use_cassette` with each of its keywords and what they are by default."""
    spelt = signature(use_cassette)
    defaults = {each.name: each.default for each in fields(RecordOptions)}
    keywords = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation.__forward_arg__)
        for name, annotation in BlockOptions.__annotations__.items()
    ]
    plain = [each for each in spelt.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    return spelt.replace(parameters=[*plain, *keywords])


use_cassette.__signature__ = _signature()  # type: ignore[attr-defined]  # what `help`, editors and the docs show


def _check_names(options: Mapping[str, object]) -> None:
    """Raise `TypeError`, as for any call, for a keyword that `use_cassette` does not have."""
    for name in options:
        if name not in BlockOptions.__annotations__:
            close = get_close_matches(name, BlockOptions.__annotations__, 1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"use_cassette() got an unexpected keyword argument {name!r}{meant}")


@contextmanager
def _block(run: Run, *, misses_are_expected: bool) -> Iterator[None]:
    """Have a recording in force for a block, and raise what was swallowed in it at its end."""
    run.open()
    success = False
    try:
        with ExitStack() as context:
            if not run.recording.records:
                context.enter_context(credentials.placed_credentials())
            context.enter_context(intercept.in_context(run.recording))
            yield
        success = misses_are_expected or not _unexpected(run.misses)
    except BaseException as error:
        _note_misses(error, run.misses)
        raise
    finally:
        run.close(success=success)
    if not success:
        raise _swallowed(_unexpected(run.misses))


def _unexpected(misses: Sequence[BaseException]) -> list[BaseException]:
    return [miss for miss in misses if not getattr(miss, "expected", False)]


def _swallowed(misses: Sequence[BaseException]) -> BaseException:
    """Return the first of the misses that a block swallowed; what else was missed is a note of it."""
    first, *others = misses
    _note_misses(first, others)
    return first


def _note_misses(error: BaseException, misses: Sequence[BaseException]) -> None:
    """Say beside an error what else was missed; it is often what came of that."""
    said = {str(error), *getattr(error, "__notes__", ())}
    for text in dict.fromkeys(map(str, misses)):
        if text not in said:
            error.add_note(text)


def load_transcript(path: str | PathLike[str]) -> Transcript:
    """Decode a cassette of any known layout; raises `CassetteError` if it cannot be read."""
    from replay_agent.report.conversation.transcript import Transcript

    return Transcript.from_interactions(store.load(Path(path)).interactions())
