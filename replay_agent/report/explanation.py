"""The explanation of a miss as a text that knows its parts: what others may share with it, and how to accept it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from replay_agent.report.compare import Change

__all__ = ("Explanation",)


class Explanation(str):
    """A text in three parts: what happened, the nearest thing recorded, what to do. The command comes last."""

    body: str
    """All but how to accept it."""
    coloured: str
    """The body in the colours of a terminal."""
    cause: str
    """Equal for requests that have no answer for the same reason, whatever each of them asks."""
    shared: str
    """What is to be said of all that have this cause, coloured."""
    purpose: str
    """What the command is for: ``To record it``."""
    mode: str
    """The record mode that helps."""
    command: str
    advice: str
    """What else helps."""
    changes: Sequence[Change] = ()
    """What changed since it was recorded, as values; empty where there is nothing to compare with."""
    around: str = ""
    """The body without what shows these changes."""
    kind: Literal["drift", "unrecorded", "leftover"] = "drift"
    """What is left open: a request that is not recorded as it is asked now, a test without a recording, answers unplayed."""
    summary: str = ""
    """What happened, in a sentence that names no file."""
    difference: tuple[str, ...] = ()
    """The lines of the body that show what differs, coloured."""
    asked: str = ""
    """Which request it is about, in one line."""
    turn: int = 0
    """Which turn of its conversation a request is, 0 for what is none of a model's."""
    nearest: int = -1
    """The interaction of the cassette that is to give way, if one is near enough."""
    later: tuple[int, ...] = ()
    """The interactions that continue its conversation: what was recorded on top of the answer."""
    giving_way: tuple[str, ...] = ()
    """The keys of those interactions, the nearest first, by which they are found wherever they stand."""
    key: str = ""
    """What the request is matched by."""
    former: str = ""
    """The test that is gone and has recorded this very request, if there is one."""
    cassette: str = ""
    """The file, as far as there is to be one."""

    @classmethod
    def of(
        cls,
        blocks: Sequence[Sequence[str]],
        coloured: Sequence[Sequence[str]],
        *,
        cause: str,
        shared: Sequence[Sequence[str]],
        purpose: str,
        command: str,
        mode: str,
        advice: Sequence[str] = (),
        changes: Sequence[Change] = (),
        around: Sequence[Sequence[str]] | None = None,
    ) -> Explanation:
        """Make it of blocks of lines; empty ones are left out. ``around`` are those that do not show the changes."""
        body = _joined(blocks)
        made = cls("\n\n".join((body, _accept(purpose, command, advice))))
        made.body, made.coloured, made.cause, made.shared = body, _joined(coloured), cause, _joined(shared)
        made.purpose, made.command, made.mode, made.advice = purpose, command, mode, "\n".join(advice)
        made.changes, made.around = tuple(changes), _joined(blocks if around is None else around)
        return made

    @property
    def accept(self) -> str:
        """How to accept what it tells: the purpose and the command, then what else helps."""
        return _accept(self.purpose, self.command, self.advice.split("\n") if self.advice else ())

    def __add__(self, note: str) -> Explanation:
        """Return it with a note at its end."""
        made = type(self)(str(self) + note)
        made.__dict__.update(self.__dict__)
        made.body, made.coloured = self.body + note, self.coloured + note
        return made


def _accept(purpose: str, command: str, advice: Sequence[str]) -> str:
    return "\n".join((f"{purpose}:", f"    {command}", *advice))


def _joined(blocks: Sequence[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)
