"""What a review shows: a session as the lines of a screen, of its size and in its colours."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from replay_agent.exceptions import CassetteError
from replay_agent.report.comparison.forms.wrapping import wrapped
from replay_agent.report.conversation.lines import short
from replay_agent.report.review.change import Change
from replay_agent.report.review.effects import effect_lines, recording_lines
from replay_agent.report.review.judging import Judged
from replay_agent.report.review.session import Session
from replay_agent.report.review.wording import WORDS, accepting, consequence, rejecting
from replay_agent.surroundings.colours import without_colours
from replay_agent.surroundings.visible import visible

__all__ = ("screen",)

_TRUSTED = re.compile(r"(\x1b\[(?:0|1|2|7|31|32|33|36)m)")
"""The colours that we write ourselves; what else begins with an escape is shown as what it is."""
_BOLD, _DIM, _YELLOW, _CYAN, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[36m", "\x1b[0m"
_OF_A_MODEL = re.compile(r" \((.*, turn \d+.*)\)\Z", re.DOTALL)
"""``POST https://... (gpt-4o, turn 2, "What is it?")``: what stands in the brackets."""
_KEY = re.compile(r"(\A|   )((?:A R S|up/down|ctrl-C|\S)(?= ))")
"""``a accept   r reject``: the keys, each before what it does."""
_LABEL = 9
"""Columns of the words at the left: ``accept``, ``reject``."""
_NAMED = 3
_COUNTING = "counting what that takes ..."
_HELP = (
    ("a", "accept: what the test shows now is what is expected from now on"),
    ("r", "reject: files stay as they are; a new recording is taken back"),
    ("s", "skip: look at it another time"),
    ("A R S", "the same for everything of this cause"),
    ("u", "undo the last step: every file as it was, byte for byte"),
    ("left", "the one before"),
    ("right", "the next one"),
    ("up down", "scroll"),
    ("/", "show only what has these words"),
    ("q", "quit; what was not decided stays open"),
)
_HELP_ON_ACCEPTING = (
    "Accepting a drift asks the model in a fresh run of pytest, for just the tests that are meant, and shows what it says "
    "now before anything is final."
)


def screen(session: Session, width: int, height: int, *, colour: bool = True) -> list[str]:
    """Return as many lines as the terminal has, none wider."""
    width = max(width, 20)
    head, foot = list(_head(session, width)), list(_foot(session, width))
    room = max(1, height - len(head) - len(foot))
    body = [line for text in _body(session, width) for line in _fitted(text, width)]
    session.scroll = min(session.scroll, max(0, len(body) - room))
    shown = body[session.scroll : session.scroll + room]
    if len(body) > session.scroll + room:
        more = f"... {len(body) - session.scroll - room + 1} more lines (down)"
        shown[-1] = f"{_DIM}{more[: width - 1]}{_PLAIN}"
    lines = [*head, *shown, *[""] * (room - len(shown)), *foot]
    safe = [_safe(line) for line in lines[:height]]
    return safe if colour else [without_colours(line) for line in safe]


def _fitted(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return wrapped(text[len(indent) :], width - 1, indent) if len(indent) < width // 2 else [text[: width - 1]]


def _safe(line: str) -> str:
    return "".join(part if _TRUSTED.fullmatch(part) else visible(part) for part in _TRUSTED.split(line))


def _head(session: Session, width: int) -> Iterator[str]:
    changes = session.changes
    counts = [f"{number} {verb}" for verb, number in session.counts.items() if number]
    place = f"{session.place + 1} of {len(changes)} open" if changes else "nothing open"
    if session.view == "effect":
        place = "keep it, or put it back?"
    right = ", ".join([place, *counts])
    title = "replay-agent review"
    room = width - 1 - len(title) - len(right)
    yield f"{_BOLD}{title}{_PLAIN}{' ' * room}{right}" if room > 1 else right[: width - 1]
    yield f"{_DIM}{'-' * (width - 1)}{_PLAIN}"


def _help(width: int) -> Iterator[str]:
    yield ""
    for keys, meaning in _HELP:
        first, *rest = wrapped(meaning, width - 1, keys.ljust(_LABEL), " " * _LABEL)
        yield from (f"{_CYAN}{keys}{_PLAIN}{first.removeprefix(keys)}", *rest)
    yield from ("", _HELP_ON_ACCEPTING)


def _effect(judged: Judged, width: int) -> Iterator[str]:
    tests = list(dict.fromkeys(each.test for each in judged.done))
    whose = tests[0] if len(tests) == 1 else f"{len(tests)} tests"
    yield f"{_BOLD}What that did to {whose}{_PLAIN}, {judged.live} asked live"
    yield ""
    yield from effect_lines(judged.altered, root=Path.cwd(), colour=True, width=width - 1) or [
        "No file is another one than before: it replays as it is."
    ]


def _trouble(judged: Judged) -> Iterator[str]:
    for trouble, failed in _by_trouble(judged.failed).items():
        yield f"{_YELLOW}Not done:{_PLAIN} {', '.join(failed)}"
        yield from (f"  {line}" for line in trouble.split("\n"))
        yield ""
    if judged.done:
        yield f"Done: {', '.join(each.test for each in judged.done)}"


def _body(session: Session, width: int) -> Iterator[str]:
    view = session.view
    if view == "help":
        yield from _help(width)
    elif view == "effect" and session.judged is not None:
        yield from _effect(session.judged, width)
    elif view == "trouble" and session.judged is not None:
        yield from _trouble(session.judged)
    elif view == "working":
        yield from _working(session)
    elif session.current is None:
        hidden = f" ({session.hidden} hidden by the filter; escape shows them)" if session.hidden else ""
        yield from ("", f"Nothing is open here{hidden}.")
    else:
        yield from _change(session, session.current, width)


def _by_trouble(failed: Sequence[tuple[Change, str]]) -> dict[str, list[str]]:
    troubles: dict[str, dict[str, None]] = {}
    for change, trouble in failed:
        troubles.setdefault(trouble, {})[change.test] = None
    return {trouble: list(tests) for trouble, tests in troubles.items()}


def _working(session: Session) -> Iterator[str]:
    price = session.price_of(session.working_on) or ""
    yield ""
    tests = list(dict.fromkeys(each.test for each in session.working_on))
    yield f"{_BOLD}pytest runs{_PLAIN} {', '.join(tests[:_NAMED])}{f' and {len(tests) - _NAMED} more' if len(tests) > _NAMED else ''}"
    yield f"{price} ... ctrl-C stops it".lstrip()


def _change(session: Session, change: Change, width: int) -> Iterator[str]:
    turn = f", turn {change.turn}" if change.turn else ""
    yield f"{_CYAN}{WORDS[change.kind]}{_PLAIN}  {_BOLD}{change.test}{_PLAIN}{turn}"
    if change.asked:
        yield f"{_DIM}{short(_request(change), 2 * width)}{_PLAIN}"
    yield ""
    yield f"{_BOLD}{change.title}{_PLAIN}"
    yield from (f"  {line}" for line in change.lines or _recorded(change))
    yield ""
    for label, text in _rows(session, change):
        if text:
            first, *rest = wrapped(text, width - 1, label.ljust(_LABEL), " " * _LABEL)
            yield from (f"{_YELLOW}{label}{_PLAIN}{first.removeprefix(label)}", *rest)


def _request(change: Change) -> str:
    """Return what is asked, and of which model; of another request the address."""
    found = _OF_A_MODEL.search(change.asked)
    return found[1] if found else change.asked


def _rows(session: Session, change: Change) -> Iterator[tuple[str, str]]:
    price = session.price_of([change])
    group = session.group
    others = list(dict.fromkeys(each.test for each in group if each.test != change.test))
    yield "then", consequence(change)
    yield "accept", accepting(change, price)
    yield "reject", rejecting(change)
    if len(group) > 1:
        module = f"{change.test.partition('::')[0]}::"
        named = ", ".join(name.removeprefix(module) for name in others[:_NAMED]) or "other turns of this test"
        more = f" and {_more(len(others) - _NAMED)}" if len(others) > _NAMED else ""
        yield "also in", f"{named}{more}; A accepts all {len(group)}: {session.price_of(group) or _COUNTING}"
    yield "file", _seen(change.file)


def _more(tests: int) -> str:
    return "1 more test" if tests == 1 else f"{tests} more tests"


def _seen(path: str) -> str:
    try:
        return os.path.relpath(path) if path else ""
    except ValueError:  # another drive of Windows
        return path


@lru_cache(maxsize=8)
def _recorded(change: Change) -> Sequence[str]:
    """Return what a new recording says; a change of any other kind has its own lines."""
    if change.kind != "recording":
        return ()
    try:
        return recording_lines(Path(change.file).read_bytes(), Path(change.file))
    except (OSError, CassetteError) as exc:
        return [f"it cannot be read: {exc}"]


def _foot(session: Session, width: int) -> Iterator[str]:
    keys = {
        "working": "ctrl-C stop",
        "effect": "k keep it   b put everything back   up/down scroll",
        "trouble": "any key goes on",
        "help": "any key goes on",
        "asking": _question(session),
        "filtering": f"/{session.filter}_   enter: done, escape: show all",
    }.get(session.view) or _keys(session)
    status = session.status or (f"filter: {session.filter} ({session.hidden} hidden)" if session.filter else "")
    yield f"{_DIM}{'-' * (width - 1)}{_PLAIN}"
    yield f"{_YELLOW}{short(status, width - 1)}{_PLAIN}" if status else ""
    for line in keys.split("\n"):
        yield from _fitted(_KEY.sub(rf"\1{_BOLD}{_CYAN}\2{_PLAIN}", line) if session.view != "asking" else line, width)


def _question(session: Session) -> str:
    files = [_seen(each.file) for each in session.working_on if each.kind == "recording"]
    named = files[0] if len(files) == 1 else f"{len(files)} cassettes"
    gone = all(each.before == "" for each in session.working_on)
    return f"{'Delete' if gone else 'Put back'} {named}? y: yes, any other key: no"


def _keys(session: Session) -> str:
    if session.current is None:
        return f"{'u undo   ' if session.can_undo else ''}q quit   ? help"
    undo = "   u undo" if session.can_undo else ""
    same = len(session.group)
    all_of_them = f"A R S   the same for all {same} of this cause" if same > 1 else ""
    return f"a accept   r reject   s skip{undo}   / filter   ? help   q quit\n{all_of_them}"
