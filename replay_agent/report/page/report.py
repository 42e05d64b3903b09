"""Report: all that a page shows, as plain values that travel between processes, and between the jobs of a CI."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

__all__ = (
    "SCHEMA",
    "Conversation",
    "Drift",
    "Entry",
    "Figures",
    "Message",
    "Outcome",
    "Picture",
    "Piece",
    "Raw",
    "Report",
    "Shift",
    "Stretch",
    "Table",
    "Turn",
    "Words",
)

SCHEMA = 1
"""Grows when a program that reads a part would have to change."""

Outcome: TypeAlias = Literal[
    "failed", "error", "passed", "skipped", "xfailed", "xpassed", "recording", "changed", "added", "removed"
]
"""What became of a test; ``recording`` of one that was only read, the last three of one that was compared."""


@dataclass
class Words:
    """A text, and how many of its characters were left out behind ``text``."""

    text: str
    left_out: int = 0


@dataclass
class Picture:
    """An image of a kind that browsers draw; ``data`` is base64."""

    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: str
    width: int
    height: int


@dataclass
class Piece:
    """One part of a message. A call of a tool holds what the tool gave back: ``answer``, which ``failed`` or not."""

    kind: Literal["system", "user", "text", "thinking", "call", "return", "retry", "file", "other"]
    words: Words | None = None
    name: str = ""
    """Of the tool."""
    by_provider: bool = False
    answer: Words | None = None
    failed: bool = False
    pictures: list[Picture] = field(default_factory=list)


@dataclass
class Raw:
    """One request and what came back, as the cassette holds them."""

    asked: str
    asked_headers: list[tuple[str, str]] = field(default_factory=list)
    asked_body: Words | None = None
    answered: str = ""
    answered_headers: list[tuple[str, str]] = field(default_factory=list)
    answered_body: Words | None = None


@dataclass
class Turn:
    """What is known of one call of a model."""

    number: int
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: str | None = None
    finish: str = ""
    """How the answer ended, where that is not the usual."""
    error: str = ""
    partial: bool = False
    retried: bool = False
    """Whether the same was asked again afterwards."""
    took_ms: int = 0
    chunks: int = 0
    pace: list[tuple[int, int]] = field(default_factory=list)
    """When pieces of a stream came (milliseconds after its head) and how many bytes; neighbours joined where many came."""
    live: bool = False
    """Whether this run asked it live."""
    raw: Raw | None = None


@dataclass
class Message:
    """What one side said at once; ``turn`` is that of an answer that was recorded."""

    who: Literal["system", "user", "assistant"]
    pieces: list[Piece] = field(default_factory=list)
    turn: Turn | None = None


@dataclass
class Conversation:
    """The messages of one run of an agent; the tools that it was offered."""

    messages: list[Message] = field(default_factory=list)
    tools: list[tuple[str, str]] = field(default_factory=list)
    """Names and descriptions."""
    left_out: int = 0
    """Messages that were left out in the middle."""


@dataclass
class Stretch:
    """A piece of a text; ``changed`` if the other side does not have it."""

    text: str
    changed: bool = False


@dataclass
class Shift:
    """One thing that is not the same on both sides; None where a side does not have it."""

    title: str
    old: list[Stretch] | None = None
    new: list[Stretch] | None = None


@dataclass
class Drift:
    """A request without a recorded answer, or a difference between two recordings: what it is, and what to do."""

    headline: str
    shared: str = ""
    """The headline of all that have this cause."""
    lines: list[str] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    purpose: str = ""
    command: str = ""
    advice: str = ""
    cause: str = ""
    """Equal for drifts of one cause; empty where that says nothing."""
    program: list[str] = field(default_factory=list)
    """The words of ``command`` before and, in ``options``, behind the test, where it names one."""
    options: str = ""
    test: str = ""
    """What the command calls the test."""
    kind: Literal["drift", "cause", "effect"] = "drift"


@dataclass
class Figures:
    """Calls and what they took; None where nobody counted it."""

    calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: str | None = None
    unpriced: int = 0
    """Answers without a known price."""
    took_ms: int = 0
    """What the recorded answers took to come, as far as cassettes say."""

    def __add__(self, other: Figures) -> Figures:
        """Return the sum; a price is that of the answers whose price is known."""
        return Figures(
            self.calls + other.calls,
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _dollars(self.usd, other.usd),
            self.unpriced + other.unpriced,
            self.took_ms + other.took_ms,
        )


@dataclass
class Entry:
    """One test, or one cassette, and everything that there is to say of it."""

    test: str
    outcome: Outcome
    seconds: float | None = None
    cassette: str = ""
    replayed: Figures = field(default_factory=Figures)
    """What came from a cassette and was not spent."""
    live: Figures = field(default_factory=Figures)
    """What this run asked live, and spent."""
    models: list[str] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    failure: Words | None = None
    notes: list[str] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    other: list[tuple[str, Raw | None]] = field(default_factory=list)
    """Traffic that is no call of a model, a line each."""
    earlier: list[str] = field(default_factory=list)
    """How earlier attempts at the test in the same run ended."""
    job: str = ""
    """The part that it came from, where several were merged."""

    @property
    def figures(self) -> Figures:
        """All calls of it."""
        return self.replayed + self.live

    @property
    def has_failed(self) -> bool:
        """Whether it fails the session."""
        return self.outcome in ("failed", "error")


@dataclass
class Table:
    """Rows of cells, the first of which is the head."""

    title: str
    rows: list[list[str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """The entry that each row, the head included, opens to, by its test; empty for none."""


@dataclass
class Report:
    """A page: its entries in the order in which they ran."""

    title: str
    kind: Literal["session", "cassettes", "comparison", "matrix"] = "session"
    made_at: str = ""
    """ISO 8601 in UTC."""
    made_by: str = ""
    headline: str = ""
    """What it all comes to, where the entries do not tell it."""
    notes: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    schema: int = SCHEMA


def total(figures: Iterable[Figures]) -> Figures:
    """Return the sum of many."""
    return sum(figures, Figures())


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


def _dollars(one: str | None, other: str | None) -> str | None:
    known = [Decimal(each) for each in (one, other) if each is not None]
    return str(sum(known, Decimal(0))) if known else None
