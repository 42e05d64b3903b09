"""Change: one thing that a run left open, as plain values that are kept until somebody has looked at it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

__all__ = "Change", "Kind"

Kind: TypeAlias = Literal["drift", "unrecorded", "snapshot", "leftover", "recording"]
"""A request that is not recorded as it is asked now; a test without a recording; a snapshot that differs; answers that
nobody asked for; a recording that nobody has looked at."""
_LONGEST_ID = 8


@dataclass(frozen=True)
class Change:
    """Something that a run left open.

    Its id stays the same from run to run, as long as the same is open for the same reason.
    """

    kind: Kind
    test: str
    """As pytest names it, whichever event loop it ran on."""
    run: str
    """What to call it on pytest's command line, wherever that is run."""
    title: str
    """What happened, in a sentence."""
    cause: str
    """Equal for all that is open for the same reason."""
    file: str = ""
    """The cassette or the file of the snapshot."""
    lines: tuple[str, ...] = ()
    """What differs, in the colours of a terminal."""
    asked: str = ""
    """The request, in one line."""
    command: str = ""
    """What does the same on the command line of pytest."""
    mode: str = ""
    """The record mode that helps; without one, no recording does."""
    turn: int = 0
    giving_way: tuple[str, ...] = ()
    """The keys of the interactions that give way: the nearest, and those that were recorded on top of it."""
    key: str = ""
    """What the request is matched by."""
    name: str = ""
    """What syrupy calls the snapshot."""
    before: str | None = None
    """Where the file is kept as it was before it was recorded; empty if there was none, None if that is not known."""
    digest: str = ""
    """Of the file as it was recorded."""

    @cached_property
    def id(self) -> str:
        """A short name: of the test, the kind, the cause and the place."""
        place = self.name or next(iter(self.giving_way), self.key)
        text = "\0".join((self.test, self.kind, self.cause, place))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LONGEST_ID]

    @property
    def group(self) -> tuple[str, str]:
        """Equal for what may be judged together."""
        return self.kind, self.cause

    def dump(self) -> dict[str, Any]:
        """Return it as JSON has it, without what it does not say."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) != each.default}

    @classmethod
    def load(cls, values: Mapping[str, Any]) -> Change:
        """Return what `dump` made. Raises `ValueError`, `TypeError` or `KeyError` for anything else."""
        if values["kind"] not in get_args(Kind):
            raise ValueError(values["kind"])
        many = {name: tuple(values[name]) for name in ("lines", "giving_way") if name in values}
        return cls(**{**values, **many})
