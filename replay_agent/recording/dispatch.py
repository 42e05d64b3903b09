"""Finds the open recording that a request belongs to: its context's, else the test's, else the one block of another thread."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakKeyDictionary

from replay_agent.exceptions import CassetteMiss, CassetteMissError, CassetteUnwritable, RecordingConflict
from replay_agent.recording.answers import Live, Replay
from replay_agent.recording.matching.hosts import host_of, is_loopback
from replay_agent.recording.meaning.incidental import is_incidental, may_be_incidental
from replay_agent.recording.miss_type import miss_type
from replay_agent.recording.misses import Trouble
from replay_agent.recording.process.patching import Patch
from replay_agent.recording.recorder import Recording
from replay_agent.recording.stand_ins import Responder
from replay_agent.traffic import Request

__all__ = (
    "Claimant",
    "begin",
    "claimant",
    "close_for_test",
    "current",
    "guest",
    "hear_late",
    "in_context",
    "in_turn",
    "late_misses",
    "only_replaying",
    "open_for_test",
    "redacted",
    "replaying",
    "responding",
    "threads_known_by_their_makers",
    "unhooked",
)

Claimant: TypeAlias = Recording | Responder
"""Whom a request belongs to."""

late_misses: list[Trouble] = []
"""Misses of threads and processes that a test left running, made after its end: for the report of the session."""

_context: ContextVar[tuple[Recording, ...]] = ContextVar("replay_agent_recordings", default=())
_unhooked: ContextVar[bool] = ContextVar("replay_agent_unhooked", default=False)
_lock = threading.RLock()
_tests: list[Recording] = []
_turns: list[Recording] = []
"""Recordings of what is being done on behalf of several tests; the last goes before that of the test."""
_blocks: dict[Recording, int] = {}
"""Recordings of ``with`` blocks that are open, and the thread of each."""
_guests: list[_Guest] = []
_responders: list[Responder] = []
"""Who answers what no recording has an answer to; the last goes first."""
_threads: WeakKeyDictionary[threading.Thread, Recording | None] = WeakKeyDictionary()
"""The test during which a thread was born; None for one that no test can have left behind."""


def open_for_test(recording: Recording) -> None:
    """Let requests without a recording of their own context go to this open recording, whatever thread makes them."""
    with _lock:
        _note_threads(None)
        _tests.append(recording)


def close_for_test(recording: Recording) -> None:
    """Take back `open_for_test`. Requests of threads born meanwhile are misses from now on, kept in `late_misses`."""
    with _lock:
        if recording in _tests:
            _tests.remove(recording)
        _note_threads(recording)


def _note_threads(born_during: Recording | None) -> None:
    for thread in threading.enumerate():
        if thread not in _threads:
            _threads[thread] = born_during


@contextmanager
def in_context(recording: Recording) -> Iterator[Recording]:
    """Let requests of this context go to an open recording."""
    _context.set((*_context.get(), recording))
    with _lock:
        _blocks[recording] = threading.get_ident()
    try:
        yield recording
    finally:
        with _lock:
            _blocks.pop(recording, None)
        # Not reset by token: an async generator may be closed in another context than it was opened in.
        _context.set(tuple(other for other in _context.get() if other is not recording))


@contextmanager
def in_turn(recording: Recording) -> Iterator[None]:
    """Let what would belong to the test that is running belong to this open recording, whatever thread or task asks.

    A thread that is born meanwhile, that of a server say, is no test's to leave behind: it is there for several.
    """
    with _lock:
        _note_threads(_tests[-1] if _tests else None)
        _turns.append(recording)
    try:
        yield
    finally:
        with _lock:
            _turns.remove(recording)
            _note_threads(None)


@contextmanager
def threads_known_by_their_makers() -> Iterator[None]:
    """Let a thread that a server starts for a request be no test's to leave behind, as the server is none's."""
    patch = Patch(threading.Thread, "start", _noting_its_maker)
    patch.apply()
    try:
        yield
    finally:
        patch.undo()


def _noting_its_maker(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def noted(thread: threading.Thread) -> None:
        maker = threading.current_thread()
        if maker is not threading.main_thread() and _threads.get(maker, _tests) is None:
            with _lock:
                _threads[thread] = None
        start(thread)

    return noted


@contextmanager
def unhooked() -> Iterator[None]:
    """Let what this context sends pass by: it is the inner half of a request that is being recorded already."""
    token = _unhooked.set(True)
    try:
        yield
    finally:
        _unhooked.reset(token)


@contextmanager
def guest(*, records: bool) -> Iterator[None]:
    """Count a recorder that is not ours, while it is open, among the recordings."""
    entry = _Guest(records)
    _guests.append(entry)
    try:
        yield
    finally:
        _guests.remove(entry)


@contextmanager
def responding(responder: Responder) -> Iterator[None]:
    """Let a responder answer what would go live, whatever thread or task asks."""
    _responders.append(responder)
    try:
        yield
    finally:
        _responders.remove(responder)


@dataclass(frozen=True, eq=False)
class _Guest:
    records: bool


def replaying() -> bool:
    """Tell whether any recording is open, or anybody answers in its stead."""
    return bool(_tests or _turns or _blocks or _guests or _responders)


def only_replaying() -> bool:
    """Tell whether recordings are open, or a responder, and none of them sends anything live."""
    recordings: tuple[Recording | _Guest, ...] = (*_tests, *_turns, *_blocks, *_guests)
    return bool(recordings or _responders) and not any(recording.records for recording in recordings)


def redacted(text: str) -> str:
    """Return a text as it may be written beside a test: without the secrets that open recordings keep out of traffic."""
    recordings = (*_tests, *_turns, *_blocks)
    if not recordings:
        from replay_agent.recording.redaction.redactor import Redactor

        return Redactor().text(text)
    for recording in recordings:
        text = recording.redacted(text)
    return text


def claimant(url: str, *, whole: bool = True) -> Claimant | None:
    """Return the recording or responder that a request to this address belongs to, None if it may pass.

    It is open, but for what may be sent by libraries on their own account from a thread whose test is over: the answer to
    that is the same as ever, and `begin` tells by the body whether it is that. ``whole`` is false for the beginning of an
    address, of which it cannot be told yet. Raises `RecordingConflict` where two have the same claim, `CassetteMiss` for
    anything else from a thread left over.
    """
    if _unhooked.get():
        return None
    # The nearest wins: a block opened around the request, then what is done on behalf of several tests, then the test, which
    # also claims threads and tasks that were made without a context; last a block of another thread, for a plain thread that
    # the code in that block has started.
    recording = _nearest() or _of_other_threads()
    if recording is not None and recording.wants(url):
        return recording
    responder = _responder(url)
    return responder if responder or recording else _of_leftover_thread(url, whole=whole)


def _responder(url: str) -> Responder | None:
    return next((responder for responder in reversed(_responders) if responder.wants(url)), None)


def begin(claimant: Claimant, request: Request) -> Replay | Live | None:
    """Ask whom a request belongs to what becomes of it. What a recording would send live, a responder answers first.

    Raises `CassetteMiss` as `Recording.begin` does, and for what only looked incidental by its address (see `claimant`).
    """
    if not isinstance(claimant, Recording):
        return claimant.begin(request)
    answer = _begun(claimant, request)
    if answer is None or not _responders:
        return answer
    responder = _responder(request.url)
    if responder is None:
        return answer
    if isinstance(answer, Live):
        return _answered(answer, responder)
    responder.overhear(request)
    return answer


def _answered(live: Live, responder: Responder) -> Replay | Live:
    """Have a responder answer a request that is about to be recorded."""
    try:
        answer = responder.begin(live.request)
    except BaseException:
        live.drop()
        raise
    if answer is None:
        return live
    live.finish(answer.outcome)
    return answer


def _begun(recording: Recording, request: Request) -> Replay | Live | None:
    """Ask a recording what becomes of a request; the miss of another test's thread does not count against it."""
    if not recording.is_open and _is_left_over(recording) and not is_incidental(request.url, request.body):
        raise _left_over(recording, request.url)
    try:
        return recording.begin(request)
    except (CassetteMiss, CassetteMissError) as miss:
        owner = _threads.get(threading.current_thread())
        if recording in _tests and owner not in (recording, None):
            recording.misses.remove(miss)
            late_misses.append(_late(miss, owner, recording))
        raise


def _late(
    miss: CassetteMiss | CassetteMissError, owner: Recording, current: Recording
) -> CassetteMiss | CassetteMissError:
    born, now = owner.test or owner.cassette_path, current.test or current.cassette_path
    text = f"A thread that began in {born} asked for this while {now} was running, which has no answer to it.\n\n{miss}"
    return miss_type()(text, miss.request, miss.path)


def _is_left_over(owner: Recording) -> bool:
    return _threads.get(threading.current_thread()) is owner


def _of_context() -> Recording | None:
    open_here = _context.get()
    return next((recording for recording in reversed(open_here) if recording.is_open), None) if open_here else None


def _of_turns() -> Recording | None:
    return _turns[-1] if _turns else None


def _nearest() -> Recording | None:
    """Return the recording that a request belongs to, the blocks of other threads left out."""
    if _turns or _context.get():
        recording = _of_context() or _of_turns()
        if recording is not None:
            return recording
    return _tests[0] if len(_tests) == 1 else _conflict(_tests) if _tests else None


def _of_other_threads() -> Recording | None:
    """Return the one open ``with`` block of another thread: a plain thread knows nothing of its maker's context."""
    if not _blocks:
        return None
    here = threading.get_ident()
    with _lock:
        others = [recording for recording, thread in _blocks.items() if thread != here and recording.is_open]
        if len(others) < len(_blocks):
            return None
    return others[0] if len(others) == 1 else _conflict(others)


def _conflict(recordings: list[Recording]) -> Recording:
    names = " and ".join(f"{recording.test or 'use_cassette'} ({recording.cassette_path})" for recording in recordings)
    error = RecordingConflict(f"A request outside any context could belong to two recordings that are open: {names}")
    for recording in recordings:
        recording.trouble(error)
    raise error


def _of_leftover_thread(url: str, *, whole: bool) -> Recording | None:
    owner = _threads.get(threading.current_thread())
    if owner is None or owner.records or not owner.wants(url) or is_loopback(host_of(url)[0]):
        return None
    if not whole or may_be_incidental(url):
        return owner
    raise _left_over(owner, url)


def _left_over(owner: Recording, url: str) -> CassetteMiss | CassetteMissError:
    """Return the miss of a thread whose test is over, and keep it for the session."""
    text = f"A thread that {owner.test or owner.cassette_path} left running asked for {url} after the test's end"
    miss = miss_type()(text, Request("", url), owner.cassette_path)
    late_misses.append(miss)
    return miss


def current() -> Recording | None:
    """Return the recording that a process which is started here would belong to, None if that is none or not clear."""
    recording = _of_context() or _of_turns()
    if recording is not None:
        return recording
    candidates = list(_tests) or list(_blocks)
    return candidates[0] if len(candidates) == 1 else None


def _before_fork() -> None:
    """Hold what other threads may be changing, so that the child finds it whole and unlocked."""
    _forking.enter_context(_lock)
    for recording in dict.fromkeys((*_tests, *_turns, *_blocks)):
        _forking.enter_context(recording.forking())
        if recording not in _forked:
            _forked.append(recording)


def hear_late() -> None:
    """Take note in `late_misses` of what processes asked for after the end of the recording they were forked from."""
    for recording in [each for each in _forked if not each.is_open]:
        try:
            late_misses.extend(recording.hear())
        except CassetteUnwritable as error:
            _forked.remove(recording)
            late_misses.append(error)


_forked: list[Recording] = []
_forking = ExitStack()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_forking.close, after_in_child=_forking.close)
