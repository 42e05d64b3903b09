"""Reasoning that a model writes into its text: ``<think>...</think>`` at the head of the answer."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = "CLOSING", "OPENING", "Kind", "Piece", "ThinkTags", "split_thinking"

OPENING = "<think>"
CLOSING = "</think>"

Kind: TypeAlias = Literal["text", "thinking"]
Piece: TypeAlias = tuple[Kind, str]


def split_thinking(text: str) -> list[Piece]:
    """Return reasoning at the head of a whole text and the text after it, in order.

    A tag that is never closed is dropped, and what follows it counts as text.
    """
    rest = text.lstrip()
    if not rest.startswith(OPENING):
        return _pieces("text", text)
    blank = text[: len(text) - len(rest)]
    inside, closing, after = rest.removeprefix(OPENING).partition(CLOSING)
    kind: Kind = "thinking" if closing else "text"
    return [*_pieces("text", blank), *_pieces(kind, inside), *_pieces("text", after)]


class ThinkTags:
    """Tells reasoning from text in a text that comes in pieces.

    Holds back only what may turn out to be a tag. Unlike in a whole text, a tag that is never closed leaves what
    followed it as reasoning: it has been handed on as that.
    """

    def __init__(self) -> None:
        self._state: Literal["head", "thinking", "text"] = "head"
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        """Take more text and return what is certain by now."""
        if self._state == "text":
            return _pieces("text", text)
        self._held += text
        return self._head() if self._state == "head" else self._thinking()

    def close(self) -> list[Piece]:
        """Say that no text follows, and return what was held back."""
        return _pieces("thinking" if self._state == "thinking" else "text", self._all_held())

    def _head(self) -> list[Piece]:
        begun = self._held.lstrip()
        blank = self._held[: len(self._held) - len(begun)]
        if begun.startswith(OPENING):
            self._state, self._held = "thinking", begun.removeprefix(OPENING)
            return [*_pieces("text", blank), *self._thinking()]
        if OPENING.startswith(begun):
            self._held = begun
            return _pieces("text", blank)
        self._state = "text"
        return _pieces("text", self._all_held())

    def _thinking(self) -> list[Piece]:
        inside, closing, after = self._held.partition(CLOSING)
        if closing:
            self._state, self._held = "text", ""
            return [*_pieces("thinking", inside), *_pieces("text", after)]
        kept = _overlap(self._held)
        inside = self._held[: len(self._held) - kept]
        self._held = self._held[len(inside) :]
        return _pieces("thinking", inside)

    def _all_held(self) -> str:
        held, self._held = self._held, ""
        return held


def _pieces(kind: Kind, content: str) -> list[Piece]:
    return [(kind, content)] if content else []


def _overlap(text: str) -> int:
    """How many characters at the end of the text may be the beginning of the closing tag."""
    longest = min(len(text), len(CLOSING) - 1)
    return next((size for size in range(longest, 0, -1) if CLOSING.startswith(text[-size:])), 0)
