"""Miss: a request without an answer. Misses: those of one recording, kept until they are reported, whoever swallowed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from replay_agent.exceptions import CassetteError, CassetteMiss, CassetteMissError
from replay_agent.recording.matching.keys import Key
from replay_agent.recording.miss_type import miss_type
from replay_agent.recording.options import MissStyle
from replay_agent.traffic import Interaction, Request

__all__ = "Miss", "MissReason", "Misses", "Trouble"

Trouble: TypeAlias = CassetteMiss | CassetteMissError | CassetteError

EXPLAINED = 10
"""How many different misses are explained at length; a run that is off the rails makes hundreds."""


MissReason: TypeAlias = Literal["changed", "used up", "no cassette", "read on"]
"""Why a request has no answer: nothing recorded is equal to it; what is equal was all played; there is no recording;
or the client reads on where the recorded reading of a stream ended."""


@dataclass
class Miss:
    """A request without an answer, and all that its explanation may need.

    ``interactions`` reads everything recorded, lazily; ``played`` are the indexes in it that were used already.
    """

    request: Request
    cassette_path: Path | None
    record_mode: str
    test: str | None
    interactions: Callable[[], Sequence[Interaction]]
    played: frozenset[int] = frozenset()
    reason: MissReason = "changed"
    recorded: int = 0
    """How many recorded requests are equal to it."""
    frozen: tuple[str, ...] = ()
    """What stands still in this recording: ``clock``, ``uuid``, ``random``."""


class Misses(list[Trouble]):
    """The misses of one recording and other errors that its clients got, in order; knows which of them were reported."""

    def __init__(self, explain: Callable[[Miss], str], style: MissStyle) -> None:
        super().__init__()
        self._explain = explain
        self._style = style
        self._texts: dict[tuple[str, str], str] = {}
        self._reported: set[int] = set()

    @property
    def unreported(self) -> list[Trouble]:
        """Those that nobody has reported."""
        return [miss for miss in self if id(miss) not in self._reported]

    def report(self, miss: BaseException) -> None:
        """Say that this one has been reported, so that the test need not fail for it again."""
        self._reported.add(id(miss))

    def let_go(self) -> None:
        """Ask nobody for explanations any more."""
        self._explain = _in_short

    def explained(self, key: Key, miss: Miss, note: str) -> CassetteMiss | CassetteMissError:
        """Keep a miss and return it as an error that explains it; equal ones are explained once.

        ``note`` is what else is to be said.
        """
        text = self._texts.get((key.digest, miss.reason))
        if text is None:
            text = self._text(miss) + note if len(self._texts) < EXPLAINED else _in_short(miss)
            self._texts[key.digest, miss.reason] = text
        return self.told(text, miss.request, miss.cassette_path)

    def told(self, text: str, request: Request, path: Path | None) -> CassetteMiss | CassetteMissError:
        """Keep a miss and return it as an error with this text."""
        kind = miss_type() if self._style == "raise" else CassetteMissError
        error = kind(text, request, path)
        self.append(error)
        return error

    def taken_over(self, text: str, request: Request | None, path: Path) -> None:
        """Keep the trouble of another process: a miss if there is a request, which may have been said already."""
        if request is not None:
            self.told(text, request, path)
        else:
            self.append(CassetteError(text, path))

    def _text(self, miss: Miss) -> str:
        try:
            return self._explain(miss)
        except Exception as error:  # noqa: BLE001 - the explanation comes from outside; a miss stays one without it
            return f"{_in_short(miss)}\n(it could not be explained: {error!r})"


def _in_short(miss: Miss) -> str:
    return f"No recorded answer ({miss.reason}) to {miss.request.method} {miss.request.url} in {miss.cassette_path}"
