"""Replaced attributes of classes and modules, put back exactly, whoever else replaces them meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from operator import call, is_
from typing import Any

__all__ = "Patch", "Standing", "is_replacement"

_RECORD = "__replay_agent_replacement__"
_DEEPEST = 100
"""Wrappers to look through for our replacement; a chain that is longer bites its own tail."""
_ANSWER_THEMSELVES = frozenset({"vcr"})
"""Packages whose wrappers do not hand every call on. vcrpy's may even stay behind: when a request of it is collected as
garbage late, it puts the wrapper of a closed cassette back."""


class _Replacement:
    """What is known of one function that a `Patch` put in place."""

    __slots__ = ("below", "function", "original", "patch")

    def __init__(self, patch: Patch, function: Any, original: Any, below: Any) -> None:
        self.patch = patch
        self.function = function
        self.original = original
        """What the function calls."""
        self.below = below
        """What was in its place before: the original, or a replacement of ours around it."""


class Patch:
    """One attribute of a class or module, to be replaced by ``make(original)``.

    Others replace attributes too (vcrpy, tracing, mocks), before us or after, and put back what they found in any order:

    - theirs over ours (`functools.wraps` or wrapt tell) is left in place by `apply` and `undo`: it calls ours, which
      must behave like the original when no recording is open;
    - theirs under ours, or theirs that may answer instead, or does not tell what it calls, is our original: ours goes
      over it;
    - ours, put back by somebody after it was undone, is not wrapped a second time.
    """

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self._owner = owner
        self._name = name
        self._make = make
        self._made: _Replacement | None = None
        self._in_place = False
        self._was_own = True

    @property
    def place(self) -> tuple[Mapping[str, object], str]:
        """Where it is: the attributes of its class or module, as they are at any time, and the name of its own."""
        return vars(self._owner), self._name

    @property
    def standing(self) -> object:
        """The replacement, as long as it is to be in its place and nobody has put anything over it; else None."""
        made = self._made
        stands = self._in_place and made is not None and vars(self._owner).get(self._name) is made.function
        return made.function if made is not None and stands else None

    def apply(self) -> None:
        """See to it that calls come to the replacement. May be called again at any time; then it is put back if lost."""
        present = vars(self._owner).get(self._name)
        self._in_place = True
        if self._made is not None and present is self._made.function:
            return  # the everyday case: every test asks
        if self._made is not None and present is not None and present is self._made.below:
            self._was_own = True
            setattr(self._owner, self._name, self._made.function)
            return  # as it was when it was last undone
        current = getattr(self._owner, self._name)
        if not self._is_within(current):
            self._was_own = present is not None
            setattr(self._owner, self._name, self._replacement(current))

    def undo(self) -> None:
        """Put back what was there, unless somebody else has replaced ours."""
        self._in_place = False
        found = _replacement_of(vars(self._owner).get(self._name))
        if found is None or found.patch is not self:
            return
        below = found.below
        while (ours := _replacement_of(below)) is not None and not ours.patch._in_place:  # noqa: SLF001 - of this class
            below = ours.below
        if self._was_own:
            setattr(self._owner, self._name, below)
        else:
            delattr(self._owner, self._name)

    def _is_within(self, current: Any) -> bool:
        """Tell whether calls of what is there now come to our replacement, as far as wrappers tell what they call."""
        if self._made is None:
            return False
        for _ in range(_DEEPEST):
            if current is self._made.function:
                return True
            home: str = getattr(current, "__globals__", {}).get("__name__", "")
            if home.partition(".")[0] in _ANSWER_THEMSELVES:
                return False
            current = getattr(current, "__wrapped__", None)
            if current is None:
                break
        return False

    def _replacement(self, current: Any) -> Any:
        original = current
        while (
            ours := _replacement_of(original)
        ) is not None:  # that of a base class, or one left over: asked only once
            original = ours.original
        if self._made is None or self._made.original is not original:
            function = self._make(original)
            self._made = _Replacement(self, function, original, current)
            setattr(function, _RECORD, self._made)
        self._made.below = current
        return self._made.function


class Standing:
    """What was found in place when it was last seen to: modules of some names, and replacements of theirs."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._modules: list[object] | None = None
        self._looks: list[Callable[[str], object]] = []
        self._attributes: list[str] = []
        self._functions: list[object] = []

    @property
    def stands(self) -> bool:
        """Whether the modules are those that were noted, and every replacement is in its place."""
        # Without a line of Python for each: of two dozen, these would take a hundredth of a replayed test.
        return (
            self._modules is not None
            and all(map(is_, map(sys.modules.get, self._names), self._modules))
            and all(map(is_, map(call, self._looks, self._attributes), self._functions))
        )

    def note(self, patches: Iterable[Patch]) -> None:
        """Note the modules and these replacements, if all of them stand now; what stands under others' is looked at anew."""
        noted = list(patches)
        self._functions = [patch.standing for patch in noted]
        places = [patch.place for patch in noted]
        self._looks, self._attributes = [content.get for content, _ in places], [name for _, name in places]
        self._modules = None if None in self._functions else [sys.modules.get(name) for name in self._names]

    def forget(self) -> None:
        """Hold nothing to stand: it is about to be taken back."""
        self._modules = None
        self._looks, self._attributes, self._functions = [], [], []


def is_replacement(function: object) -> bool:
    """Tell whether a function was put in place by a `Patch`."""
    return _replacement_of(function) is not None


def _replacement_of(function: Any) -> _Replacement | None:
    """Return what is known of one of our replacements; a wrapper around one has a copy of its attributes, and is none."""
    found = getattr(function, _RECORD, None)
    return found if isinstance(found, _Replacement) and found.function is function else None
