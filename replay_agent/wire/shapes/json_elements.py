"""The elements of a JSON text that is still arriving."""

from __future__ import annotations

import re

from replay_agent.exceptions import WireError

__all__ = ("JSONElements",)

_BETWEEN = re.compile(rb"[\s,]*")
_OPENING, _CLOSING, _CUT_STRING = 1, 2, 3
# An opening bracket, a closing one, a whole string (possessive, so that a long one is gone through once), or the quote
# of a string that the end of the data cuts.
_TOKEN = re.compile(rb'([\[{])|([\]}])|"(?:[^"\\]++|\\.)*+"|(")', re.DOTALL)
_STRING_END = re.compile(rb'["\\]')
_DEEPEST = 200


class JSONElements:
    """Cuts a JSON array, or objects that follow each other, into elements; bytes may come with any boundaries.

    Every byte is looked at once, so that the work grows with the length of the text and not with its square. Only
    brackets and strings are understood here: whether an element is JSON is for its reader to find out.
    """

    def __init__(self, format: str) -> None:
        self._format = format
        self._pieces: list[bytes] = []
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.is_array: bool | None = None
        """Whether the text is an array; None until its first bracket has come."""
        self.closed = False
        """Whether the array's closing bracket has come."""

    @property
    def inside(self) -> bool:
        """Whether an element has begun and not ended."""
        return self._depth > 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the elements that they completed.

        Raises `WireError` where something else than an element stands between the brackets, and for elements nested
        deeper than 200 levels.
        """
        found: list[bytes] = []
        position = 0
        while position < len(data):
            if self._depth == 0:
                position = self._between(data, position)
            else:
                end = self._within(data, position)
                self._pieces.append(data[position:end])
                position = end
                if self._depth == 0:
                    found.append(b"".join(self._pieces))
                    self._pieces.clear()
        return found

    def _between(self, data: bytes, position: int) -> int:
        """Step over what separates elements, up to and without the first byte of the next."""
        blank = _BETWEEN.match(data, position)
        assert blank is not None
        position = blank.end()
        if position == len(data):
            return position
        bracket = data[position : position + 1]
        if self.closed or bracket not in b"{[]" or (bracket == b"]") > bool(self.is_array):
            raise WireError(f"{bracket!r} stands where an object was expected", self._format)
        if bracket == b"]":
            self.closed = True
            return position + 1
        if self.is_array is None:
            self.is_array = bracket == b"["
            if self.is_array:
                return position + 1
        return self._open(bracket, position)

    def _open(self, bracket: bytes, position: int) -> int:
        if bracket == b"[" and not self.is_array:
            raise WireError("an array follows an object", self._format)
        self._pieces.append(bracket)
        self._depth = 1
        return position + 1

    def _within(self, data: bytes, position: int) -> int:
        """Return the end of the element, or of the data if it ends before."""
        position = self._cut_string(data, position)
        for token in _TOKEN.finditer(data, position):
            if token.lastindex == _OPENING:
                self._depth += 1
                if self._depth > _DEEPEST:
                    raise WireError(f"the JSON is nested deeper than {_DEEPEST} levels", self._format)
            elif token.lastindex == _CLOSING:
                self._depth -= 1
                if self._depth == 0:
                    return token.end()
            elif token.lastindex == _CUT_STRING:
                self._in_string = True
                return self._cut_string(data, token.end())
        return len(data)

    def _cut_string(self, data: bytes, position: int) -> int:
        while self._in_string and position < len(data):
            position = self._string(data, position)
        return position

    def _string(self, data: bytes, position: int) -> int:
        if self._escaped:
            self._escaped = False
            return position + 1
        found = _STRING_END.search(data, position)
        if found is None:
            return len(data)
        if found[0] == b"\\":
            self._escaped = True
        else:
            self._in_string = False
        return found.end()
