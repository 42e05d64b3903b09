"""End: that a recording is over, for those who wait and those who come late."""

from __future__ import annotations

from threading import Event

__all__ = ("End",)


class End:
    """What `threading.Event` is, made of a flag as long as nobody waits: each recording has one, and hardly any waits."""

    __slots__ = "_waiting", "has_come"

    def __init__(self) -> None:
        self.has_come = False
        self._waiting: list[Event] = []

    def is_set(self) -> bool:
        """Tell whether it has come."""
        return self.has_come

    def set(self) -> None:
        """Say that it has come, and wake who waits."""
        self.has_come = True
        for event in list(self._waiting):
            event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for it, as long as this at most, and tell whether it has come."""
        event = Event()
        self._waiting.append(event)
        try:
            # The flag is looked at behind that: whoever sets it from now on finds the event.
            return self.has_come or event.wait(seconds)
        finally:
            self._waiting.remove(event)
