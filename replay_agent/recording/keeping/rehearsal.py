"""Asks a cassette that was just saved for the answers of the run that was recorded, as replay will."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from replay_agent.exceptions import CassetteMissError, CassetteUnreplayable
from replay_agent.recording.answers import Live, Replay
from replay_agent.recording.matching.placeholders import PLACEHOLDER
from replay_agent.traffic import Interaction, Request, Response

__all__ = ("rehearsed",)

_SHOWN = 5
"""How many requests are told apart; what ails one of a run usually ails many."""
_LONGEST = 200


def rehearsed(
    path: Path, run: Sequence[tuple[Request, Interaction]], begin: Callable[[Request], Replay | Live | None]
) -> None:
    """Raise `CassetteUnreplayable` for requests of a run that replay does not answer as they were answered.

    ``run`` is each request, as the client sent it, and what was stored of it; ``begin`` is that of a recording that
    replays, with its misses as ordinary exceptions.
    """
    found = [f"- request {number}, {_named(asked)}: {cause}" for number, asked, cause in _differing(run, begin)]
    if not found:
        return
    more = f"\n- and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise CassetteUnreplayable(
        f"{path} is saved, but it will not replay as it was recorded:\n" + "\n".join(found[:_SHOWN]) + more + "\n"
        "Replay asks with the same requests, and their keys are not those that were stored. Look at what changes a request "
        "or its key and may do so differently each time: `normalize`, `before_record_request`, `redact`. Mend it, then "
        "record again with record mode `rewrite`.",
        path,
    )


def _differing(
    run: Sequence[tuple[Request, Interaction]], begin: Callable[[Request], Replay | Live | None]
) -> list[tuple[int, Request, str]]:
    found = []
    handed_out: set[bytes] = set()
    for number, (asked, stored) in enumerate(run, 1):
        cause = _cause(asked, stored, begin)
        if cause and _placeholders(stored.request.body, stored.request.url) & handed_out:
            cause = _cause(stored.request, stored, begin)  # the client sends back what the answers of a replay hold
        if cause:
            found.append((number, stored.request, cause))
        if isinstance(stored.outcome, Response) and stored.outcome.redacted:
            handed_out |= _placeholders(stored.outcome.body)
    return found


def _placeholders(body: bytes, url: str = "") -> set[bytes]:
    return set(PLACEHOLDER.findall(b"%b %b" % (url.encode("utf-8", "surrogateescape"), body)))


def _cause(asked: Request, stored: Interaction, begin: Callable[[Request], Replay | Live | None]) -> str:
    try:
        answer = begin(asked)
    except CassetteMissError as miss:
        return (
            "all recorded answers to it are used up" if str(miss) == "used up" else "no stored request is equal to it"
        )
    if isinstance(answer, Replay) and answer.outcome != stored.outcome:
        return "it gets the answer of another request, which is stored before it and is equal to it"
    return ""


def _named(request: Request) -> str:
    text = f"{request.method} {request.url}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
