"""The text of a snapshot as what it says: messages by turn and role, fields of the result, counters of the usage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from replay_agent.report.compare import Item

__all__ = ("sections_of",)

_TITLE = re.compile(r"== (.+) ==")
_CONVERSATION = re.compile(r"(conversation \d+) of \d+")
_CONVERSED = re.compile(r"conversation \d+")
_LABEL = re.compile(r"(?P<role>[^\s(#][^(#]*?)(?: #(?P<call>\d+))?(?P<end> fails| returns)?(?: \((?P<note>.*)\))?:")
"""``assistant calls look_up #1 (gpt-4o):``, ``look_up #1 returns:``; the number ties a call to its return."""
_COUNTER = re.compile(r"([^:\s(][^:]*): (.+)")
_ANSWERING = ("assistant", "thinking", "provider runs")
"""How labels of what a model says begin."""


def sections_of(text: str) -> dict[str, list[Item]]:
    """Return the items of each section of a snapshot; the first conversation has one name, whether there are others or not."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        title = _TITLE.fullmatch(line)
        if title is None:
            lines.append(line)
        else:
            lines = sections.setdefault(_name(title[1]), [])
    return {
        name: list(_items(_blocks(lines), counts=_CONVERSED.match(name) is not None))
        for name, lines in sections.items()
    }


def _name(title: str) -> str:
    if title == "messages":
        return "conversation 1"
    found = _CONVERSATION.fullmatch(title)
    return found[1] if found is not None else title


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield head and text of each block: text is indented, and an empty line belongs to it if more of it follows."""
    head, inner = "", list[str]()
    for line in lines:
        if not line or line.startswith("  "):
            inner.append(line[2:])
            continue
        if head:
            yield head, "\n".join(inner).rstrip("\n")
        head, inner = line, []
    if head:
        yield head, "\n".join(inner).rstrip("\n")


def _items(blocks: Iterator[tuple[str, str]], *, counts: bool) -> Iterator[Item]:
    """Yield the blocks as items; ``counts`` says that they have turns."""
    turn, answering = int(counts), False
    for head, text in blocks:
        label = _LABEL.fullmatch(head)
        counter = _COUNTER.fullmatch(head)
        if label is None:
            yield Item(0, counter[1], counter[2]) if counter is not None else Item(0, "", head)
            continue
        role = label["role"] + (label["end"] or "")
        was, answering = answering, role.startswith(_ANSWERING)
        turn += counts and was and not answering
        if label["note"]:
            yield Item(turn, "model", label["note"])
        yield Item(turn, role, text, label["call"])
