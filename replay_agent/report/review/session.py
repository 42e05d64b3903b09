"""Session: one review from its beginning to its end, as keys come in. Knows no terminal.

It is always in one of these views; a key means what the view says.

    open --a A r R--> working --> open, effect or trouble
    open --r R, of new recordings--> asking --y--> working
    effect --k--> open;  effect --b--> open, everything as it was
    open --/--> filtering --enter, escape--> open
    open --?--> help --any key--> open
    any --q, ctrl-C--> over; working --ctrl-C--> the run is stopped
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from replay_agent.exceptions import CassetteError, UserError
from replay_agent.report.review.change import Change
from replay_agent.report.review.judging import Judge, Judged
from replay_agent.report.review.kept import Kept
from replay_agent.report.review.price import Price, Prices
from replay_agent.report.review.queue import Queue

__all__ = "Job", "Session", "View"

View: TypeAlias = Literal["open", "working", "effect", "trouble", "asking", "filtering", "help", "over"]
Job: TypeAlias = Callable[[], None]
"""Something that takes its time; whoever shows the session runs it beside the terminal and then calls `Session.finished`."""
_SCROLLING = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
_VERBS = {"a": "accepted", "r": "rejected"}
_OF_GROUP = frozenset("ARS")
"""Keys that decide on all that is open for a cause."""


@dataclass
class _Step:
    kept: Kept
    verb: str
    ids: list[str]


class Session:
    """What is open, where one stands in it, and what was decided so far."""

    def __init__(self, state: Path, judge: Judge | None = None) -> None:
        """``state`` is the folder of the queue. Raises `UserError` for what cannot be read."""
        self.view: View = "open"
        self.place = 0
        self.scroll = 0
        self.status = ""
        self.filter = ""
        self.working_on: list[Change] = []
        self.judged: Judged | None = None
        self.counts = {"accepted": 0, "rejected": 0}
        self.prices = Prices()
        self.counts_beside = False
        """Whether somebody else counts what is `uncounted`, so that no key waits for it."""
        self._state = state
        self._judge = judge or Judge(state)
        self._verb = ""
        self._trouble: Exception | None = None
        self._seen = Queue.mark(state)
        self._changes = Queue.load(state).changes
        self._passing: tuple[list[Change], str, list[Change]] | None = None
        """What was open when the filter was last asked, the filter, and what passes it."""
        self._uncounted: tuple[list[Change], tuple[str, str], list[Change]] | None = None
        """Of what passes the filter, the cause that is looked at, and what of it may not be counted yet, backwards."""
        self._insisting = False
        self._steps = [_Step(kept, "accepted", []) for kept in Kept.left(state)]
        if self._steps:
            self.status = "An earlier review was interrupted: u takes back what it did last."

    # --- what there is to see -----------------------------------------------------------------------------------------

    @property
    def changes(self) -> list[Change]:
        """What is open and passes the filter."""
        known = self._passing
        if known is None or known[0] is not self._changes or known[1] != self.filter:
            words = self.filter.lower().split()
            passing = [each for each in self._changes if all(word in _searched(each) for word in words)]
            known = self._changes, self.filter, passing
            self._passing = known
        return known[2]

    @property
    def hidden(self) -> int:
        """How many the filter hides."""
        return len(self._changes) - len(self.changes)

    @property
    def current(self) -> Change | None:
        """What is being looked at; None if nothing is left."""
        changes = self.changes
        return changes[min(self.place, len(changes) - 1)] if changes else None

    @property
    def group(self) -> list[Change]:
        """All that is open for the cause that is being looked at."""
        current = self.current
        return [each for each in self.changes if current is not None and each.group == current.group]

    def price_of(self, changes: Sequence[Change]) -> Price | None:
        """Return what it takes to accept these; None as long as that is being counted."""
        if self.counts_beside and not all(map(self.prices.knows, changes)):
            return None
        return self.prices.of_all(changes)

    def uncounted(self) -> Change | None:
        """Return something to be seen of which the price is to be counted, what is looked at first; None if there is none."""
        current, changes = self.current, self.changes
        if current is None or not self.prices.knows(current):
            return current
        known = self._uncounted
        if known is None or known[0] is not changes or known[1] != current.group:
            known = changes, current.group, self.group[::-1]
            self._uncounted = known
        left = known[2]
        while left and self.prices.knows(left[-1]):  # what is known once is known for good
            left.pop()
        return left[-1] if left else None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._steps)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> Job | None:
        """Take a key: a character, or ``enter``, ``escape``, ``backspace``, ``up``, ``down``, ``ctrl-c``, ... .

        Returns what is to be done meanwhile, if the key asks for something that takes its time.
        """
        if key == "ctrl-c":
            self._interrupted()
            return None
        if self.view != "working":
            self.status = ""
        self._insisting = self._insisting and key in ("u", "b", "n")
        if self.view in ("open", "asking") and self._has_moved(whole_group=self.view == "asking" or key in _OF_GROUP):
            self.view, self.working_on = "open", []
            return None
        views: dict[View, Callable[[str], Job | None]] = {
            "open": self._when_open,
            "effect": self._when_effect,
            "trouble": self._when_read,
            "help": self._when_read,
            "asking": self._when_asking,
            "filtering": self._when_filtering,
        }
        take = views.get(self.view)
        return take(key) if take is not None else None

    def finished(self) -> None:
        """Say that the job is done."""
        judged, self.judged = self.judged, None
        if self._trouble is not None or judged is None:
            self.view, self.status = "open", f"It could not be done: {self._trouble}"
        elif judged.failed:
            self.judged, self.view = judged, "trouble"
        elif self._verb == "accepted" and any(each.kind in ("drift", "unrecorded") for each in judged.done):
            self.judged, self.view = judged, "effect"
        else:
            self.view = "open"
            self._keep(judged)
        self._trouble, self.working_on = None, []
        self._reload()
        self.scroll = 0

    def _has_moved(self, *, whole_group: bool) -> bool:
        """Take over what a run of pytest has found meanwhile; true if a key would decide on something else than was shown."""
        if Queue.mark(self._state) == self._seen:
            return False
        before = self._decided_on(whole_group=whole_group)
        self._reload()
        self._steps = [step for step in self._steps if step.kept.folder.is_dir()]
        self.status = "pytest has run meanwhile: this is what is open now."
        return before != self._decided_on(whole_group=whole_group)

    def _decided_on(self, *, whole_group: bool) -> list[str]:
        current = [self.current] if self.current is not None else []
        return [each.id for each in (*current, *(self.group if whole_group else ()))]

    def _when_open(self, key: str) -> Job | None:
        current = self.current
        if key in _SCROLLING:
            self._scroll(key)
        elif key in ("?", "/"):
            self.view = "help" if key == "?" else "filtering"
        elif key == "q":
            self._leave()
        elif key == "u":
            self._undo()
        elif key == "escape":
            self._search("")
        elif current is not None and key in ("s", "right", "left"):
            self._go(-1 if key == "left" else 1)
        elif current is not None and key == "S":
            self._skip_group()
        elif current is not None and key.lower() in _VERBS:
            return self._decide(_VERBS[key.lower()], [current] if key.islower() else self.group)
        return None

    def _when_effect(self, key: str) -> Job | None:
        assert self.judged is not None
        if key in _SCROLLING:
            self._scroll(key)
        elif key in ("k", "enter", "y"):
            self._keep(self.judged)
            self.judged, self.view, self.scroll = None, "open", 0
        elif key in ("b", "u", "n"):
            if self._may_overwrite(self.judged.kept):
                self._put_back()
                self.view, self.scroll = "open", 0
        elif key == "q":
            self._leave()
        return None

    def _scroll(self, key: str) -> None:
        self.scroll = max(0, self.scroll + _SCROLLING[key])

    def _when_read(self, key: str) -> Job | None:
        if key in _SCROLLING:
            self._scroll(key)
            return None
        if self.view == "trouble" and self.judged is not None:
            self._keep(self.judged)
            self.judged = None
        self.view, self.scroll = "open", 0
        return None

    def _when_asking(self, key: str) -> Job | None:
        self.view = "open"
        if key in ("y", "Y"):
            return self._start("rejected", self.working_on)
        self.working_on, self.status = [], "Left as it was."
        return None

    def _when_filtering(self, key: str) -> Job | None:
        if key in ("enter", "escape"):
            self._search(self.filter if key == "enter" else "")
            self.view = "open"
        elif key == "backspace":
            self._search(self.filter[:-1])
        elif len(key) == 1 and key.isprintable():
            self._search(self.filter + key)
        return None

    def _interrupted(self) -> None:
        if self.view == "working":
            self.status = "Stopping ..."
            self._judge.stop()
        else:
            self._leave()

    # --- what follows -------------------------------------------------------------------------------------------------

    def _search(self, words: str) -> None:
        self.filter, self.place, self.scroll = words, 0, 0

    def _go(self, by: int) -> None:
        count = len(self.changes)
        self.status = "That was the last one: from the beginning." if self.place + by >= count else ""
        self.place, self.scroll = (self.place + by) % count, 0

    def _skip_group(self) -> None:
        group, changes = {each.id for each in self.group}, self.changes
        later = [number for number in range(self.place, len(changes)) if changes[number].id not in group]
        self.status = "" if later else "That was the last cause: from the beginning."
        self.place, self.scroll = later[0] if later else 0, 0

    def _decide(self, verb: str, changes: Sequence[Change]) -> Job | None:
        self.working_on = list(changes)
        if verb == "rejected" and any(each.kind == "recording" for each in changes):
            self.view = "asking"
            return None
        return self._start(verb, changes)

    def _start(self, verb: str, changes: Sequence[Change]) -> Job:
        self._verb, self.working_on = verb, list(changes)
        self.view, self.status = "working", ""
        judge = self._judge.accept if verb == "accepted" else self._judge.reject

        def job() -> None:
            try:
                self.judged = judge(changes)
            except (UserError, CassetteError, OSError) as exc:
                self._trouble = exc

        return job

    def _keep(self, judged: Judged) -> None:
        count = len(judged.done)
        if not count:
            judged.kept.discard()
            self.status = "Nothing was changed."
        else:
            self._steps.append(_Step(judged.kept, self._verb, [each.id for each in judged.done]))
            self.counts[self._verb] += count
            self.status = f"{judged.done[0].test if count == 1 else count} {self._verb}; u takes it back."
        self._reload()

    def _may_overwrite(self, kept: Kept) -> bool:
        """Tell whether files may be put back: at once, or if somebody insists who knows that others have changed them."""
        touched = [] if self._insisting else kept.touched_since()
        self._insisting = bool(touched)
        if touched:
            named = f"{touched[0].name} has" if len(touched) == 1 else f"{len(touched)} files have"
            self.status = f"{named} changed since: the same key again overwrites that."
        return not touched

    def _put_back(self, *, sparing: Sequence[Path] = ()) -> None:
        judged, self.judged = self.judged, None
        if judged is not None:
            files = judged.kept.restore(self._state, sparing=sparing)
            self.status = f"Put back as it was: {_files(len(files))}."
            self._reload()
            self._go_to([each.id for each in judged.done])

    def _undo(self) -> None:
        if not self._steps:
            self.status = "There is nothing to take back."
            return
        if not self._may_overwrite(self._steps[-1].kept):
            return
        step = self._steps.pop()
        try:
            files = step.kept.restore(self._state)
        except (OSError, KeyError, UserError) as exc:
            self.status = f"It cannot be taken back: {exc}"
            return
        self.counts[step.verb] = max(0, self.counts[step.verb] - len(step.ids))
        self.status = f"Taken back: {step.kept.label}, {_files(len(files))} as before."
        self._reload()
        self._go_to(step.ids)

    def _leave(self) -> None:
        """End. What nobody has said to keep is put back; what was kept stays, and cannot be taken back any more.

        A file that somebody else has changed meanwhile is left to them.
        """
        self._put_back(sparing=self.judged.kept.touched_since() if self.judged is not None else ())
        for step in self._steps:
            step.kept.discard()
        self.view = "over"

    def _reload(self) -> None:
        before = self.current
        self._seen = Queue.mark(self._state)
        self._changes = Queue.load(self._state).changes
        self.place = min(self.place, max(0, len(self.changes) - 1))
        self._go_to([before.id] if before is not None else [])

    def _go_to(self, ids: Sequence[str]) -> None:
        """Go to the first of these that is there."""
        self.place = next((place for place, each in enumerate(self.changes) if each.id in ids), self.place)

    @property
    def farewell(self) -> str:
        """What to say at the end."""
        decided = ", ".join(f"{count} {verb}" for verb, count in self.counts.items() if count) or "nothing decided"
        left = f", {len(self._changes)} left open" if self._changes else ", nothing left open"
        return f"{decided}{left}"


def _searched(change: Change) -> str:
    return " ".join((change.kind, change.test, change.title, change.cause, change.id)).lower()


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
